"""Gradient descent on arrays, from the notes' formulas to a finished run: NumPy and SciPy only."""
