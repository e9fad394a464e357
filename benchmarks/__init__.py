"""How fast it is, against what: ``python -m benchmarks``."""
