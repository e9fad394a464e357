#!/usr/bin/env bash
# joblib.hash(instance), like pickle and copy.copy, changes the class of the instance: vars(cls) gains `__slotnames__`, where
# CPython caches which slots a pickle must hold, and a subclass gets an entry of its own. Code that compares the names which a
# class defines (to see what a subclass overrides) therefore gives another answer after the first hash, copy or pickle of
# an instance, in the same process, although nobody has assigned anything.
# Seen with joblib 1.6.0 on CPython 3.11:
#     before: []; after: ['__slotnames__']; the subclass, after an instance of its own: ['__slotnames__']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "joblib==1.6.0"
cat >"$work/seen.py" <<'PYTHON'
import joblib


class Model:
    def __init__(self):
        self.rate = 0.1


class Derived(Model):
    pass


def added(cls, names):
    return sorted(set(vars(cls)) - names)


names, of_derived = set(vars(Model)), set(vars(Derived))
before = added(Model, names)
joblib.hash(Model())
after = added(Model, names)
joblib.hash(Derived())
print(f"before: {before}; after: {after}; the subclass, after an instance of its own: {added(Derived, of_derived)}")
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "before: []; after: ['__slotnames__']; the subclass, after an instance of its own: ['__slotnames__']"
