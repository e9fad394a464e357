"""shim"""

from .base import FitWarning, find_warning  # noqa: F401
