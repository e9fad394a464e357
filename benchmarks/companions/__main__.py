"""Run the checks of one package: ``python -m benchmarks.companions NAME``; with a path, write what came out there."""

import inspect
import json
import sys
import traceback
from importlib import import_module
from pathlib import Path


def outcomes(name):
    """Return [what was checked, what came out, whether it is a limit] of each check of a package, as they stand."""
    module = import_module(f"{__package__}.{name}")
    checks = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    checks = [f for f in checks if f.__doc__ and not f.__name__.startswith("_")]
    checks.sort(key=lambda check: check.__code__.co_firstlineno)
    return [
        (" ".join(check.__doc__.split()), outcome(check), check.__name__.startswith("limit_"))
        for check in checks
    ]


def outcome(check):
    """Return how close to what it should be a check found the values, or how it failed."""
    try:
        difference = check()
    except Exception as error:
        traceback.print_exc()
        return f"**fails**: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if difference is None:
        return "holds"
    return f"to {difference:.0e}" if difference else "equal"


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    found = outcomes(name)
    for path in paths:
        Path(path).write_text(json.dumps(found))
    for law, result, _ in found:
        print(f"{name}: {result}: {law}", flush=True)
