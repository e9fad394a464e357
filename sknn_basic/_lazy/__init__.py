"""X that is not in memory: what it is, and how its rows are read."""
