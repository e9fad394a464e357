"""The largest curvature L of the logistic cost: gradient descent is stable below the rate 2/L."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh


def largest_curvature(samples, s, n_outputs):
    """Return L, an upper bound of the second derivative of the cost in every direction.

    L = largest eigenvalue of [X 1]' diag(s) [X 1], over 4 for one output (the steepest slope of the
    sigmoid) and over 2 for softmax (Böhning, 1992). At the rate 1/L the cost falls at every step.

    Lanczos iterations find the eigenvalue from products with the data alone, in the smaller of the
    two spaces that share it: features (n + 1) or samples (m). It is infinite if the squares of the
    features overflow.
    """
    n_samples, n_features = samples.shape
    s = s.astype(samples.dtype, copy=False)
    root = np.sqrt(s)

    def features_to_features(v):
        W, b = v[:-1].reshape(-1, 1), v[-1]
        dZ = s * (samples @ W + b)
        return finite(np.append(samples.mT @ dZ, dZ.sum()))

    def samples_to_samples(v):
        dZ = root * v.reshape(-1, 1)
        return finite(root * (samples @ (samples.mT @ dZ) + dZ.sum()))

    def finite(v):
        if not np.isfinite(v).all():
            raise OverflowError
        return v

    if n_features < n_samples:
        size, product = n_features + 1, features_to_features
    else:
        size, product = n_samples, samples_to_samples
    operator = LinearOperator((size, size), matvec=product, dtype=samples.dtype)
    # A random start is orthogonal to no eigenvector; a fixed one gives the same rate every time.
    start = np.random.RandomState(0).standard_normal(size).astype(samples.dtype)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            (largest,) = eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False)
    except OverflowError:
        return float("inf")
    return float(largest) / (4 if n_outputs == 1 else 2)
