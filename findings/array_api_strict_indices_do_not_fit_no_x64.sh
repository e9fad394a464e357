#!/usr/bin/env bash
# array_api_strict's Device("no_x64") has no int64 and says that its indices are int32. But the functions that return indices
# or numbers of values (argmax, argmin, argsort, nonzero, searchsorted, count_nonzero, unique_inverse, ...) compute them by
# NumPy as int64, which the device then refuses: each raises ValueError there, and works on all other devices. Code that is to
# run on this device has to find the place of the largest value in another way, such as by `min` of a `where` over an int32 `arange`.
# Seen with array-api-strict 2.6.1 and numpy 2.4.6 on CPython 3.11:
#     indices are array_api_strict.int32
#     argmax: Device array_api_strict.Device('no_x64') does not support dtype=array_api_strict.int64.
#     the same error: argmax argmin argsort nonzero searchsorted count_nonzero unique_inverse
#     on no_float64: argmax is 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "array-api-strict==2.6.1" "numpy==2.4.6"
cat >"$work/seen.py" <<'PYTHON'
import array_api_strict as xp

device = xp.Device("no_x64")
values = xp.asarray([1, 3, 2], dtype=xp.float32, device=device)
indices = xp.__array_namespace_info__().default_dtypes(device=device)["indexing"]
print(f"indices are {indices}")
errors = {}
for name in "argmax argmin argsort nonzero searchsorted count_nonzero unique_inverse".split():
    try:
        getattr(xp, name)(*[values] * (2 if name == "searchsorted" else 1))
    except ValueError as error:
        errors[name] = str(error)
print(f"argmax: {errors['argmax']}")
print(f"the same error: {' '.join(errors)}")
elsewhere = int(xp.argmax(xp.asarray([1, 3, 2], dtype=xp.float32, device=xp.Device("no_float64"))))
print(f"on no_float64: argmax is {elsewhere}")
assert indices == xp.int32
assert len(errors) == 7 and len(set(errors.values())) == 1 and "int64" in errors["argmax"]
assert elsewhere == 1
PYTHON
"$work/venv/bin/python" "$work/seen.py"
