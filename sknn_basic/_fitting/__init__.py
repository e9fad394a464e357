"""From the arguments of `fit` to a fitted model."""
