"""Optional dependencies (extras), imported where they are used."""

from importlib import import_module


def import_extra(module, extra, what):
    """Return the module, or raise ImportError with the extra of this package that `what` needs."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{what} needs {module}, which cannot be imported ({error}). Install it with: "
            f"python -m pip install 'sknn-basic[{extra}]'"
        ) from error
