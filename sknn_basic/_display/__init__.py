"""Displays in scikit-learn's manner, drawn by matplotlib: `from_estimator`, then `plot`."""
