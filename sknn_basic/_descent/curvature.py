"""The largest curvature L of the logistic cost: gradient descent is stable below the rate 2/L."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from .arrays import namespace, on_host
from .device import DeviceSamples

# Lanczos vectors, and the residual at which iterations end. L is then too small by at most some 1e-6 of it.
# Images take 9 products with the data, since their mean dominates, and noise 40 to 70: half of ARPACK's own.
N_VECTORS, TOLERANCE = 8, 1e-4
# Where the largest eigenvalues lie close together, up to 900 products were seen. After this many restarts,
# 105 products, some 20 more find L to 0.4 % (of 14 spectra): enough for a rate of 1/L.
MAX_RESTARTS, ROUGH_TOLERANCE = 24, 1e-2


def largest_curvature(network, samples, rows, s):
    """Return L, an upper bound on the second derivative of the cost in every direction.

    L = largest eigenvalue of [X 1]' diag(s) [X 1] (without an intercept, of X' diag(s) X) times the steepest
    slope of the output: 1/4 of the sigmoid, 1/2 of softmax. At the rate 1/L the cost falls at every step.

    Lanczos iterations find the eigenvalue from below, by products with the data alone: in feature space,
    where a product is one read of X; in sample space, which has the same eigenvalue, for a Gram matrix, and
    for wide X that is sparse or on a device, since its vectors are then shorter. L is infinite if the squares
    of the features overflow.
    """
    m, n = samples.shape
    is_narrow = n < m or not (sparse.issparse(samples.X) or type(samples) is DeviceSamples)
    if samples.gram is None and is_narrow:
        operator = FeatureOperator(samples, rows, network.fit_intercept)
    else:
        operator = SampleOperator(samples, s, network.fit_intercept)
    # A random start is not orthogonal to the eigenvector; a fixed seed gives the same rate every time.
    start = np.random.RandomState(0).standard_normal(operator.shape[0]).astype(samples.dtype)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            if len(start) == 1:
                largest = operator.matvec(np.ones_like(start)).item()
            elif not network.fit_intercept and not operator.matvec(start).any():
                largest = 0.0  # X is 0: Lanczos iterations reject it
            else:
                largest = _largest_eigenvalue(operator, start)
    except OverflowError:
        return float("inf")
    return float(largest) * network.output.max_slope


def _largest_eigenvalue(operator, start):
    """Return it to about 1e-6, or to 0.4 % after some 130 products."""
    options = {"which": "LA", "ncv": min(N_VECTORS, len(start)), "return_eigenvectors": False}
    try:
        return eigsh(operator, 1, v0=start, tol=TOLERANCE, maxiter=MAX_RESTARTS, **options).item()
    except ArpackNoConvergence:
        return eigsh(operator, 1, v0=start, tol=ROUGH_TOLERANCE, **options).item()


class FeatureOperator(LinearOperator):
    """[X 1]' diag(s) [X 1], or X' diag(s) X: an operator on feature space. A product is one read of X."""

    def __init__(self, samples, rows, fit_intercept):
        self.samples, self.rows, self.fit_intercept = samples, rows, fit_intercept
        n = samples.shape[1] + fit_intercept
        super().__init__(samples.dtype, (n, n))

    def _matvec(self, v):
        v = self.samples.asarray(v.reshape(-1, 1))
        n = self.samples.shape[1]
        dW, db = self.rows.total(_curved, v[:n, :], v[n, :] if self.fit_intercept else 0.0)
        dW = on_host(dW)
        return _finite(np.append(dW, float(db)).astype(dW.dtype) if self.fit_intercept else dW.ravel())


def _curved(X, targets, s, W, b):
    dZ = s * (X @ W + b)
    return X.mT @ dZ, namespace(dZ).sum(dZ)


class SampleOperator(LinearOperator):
    """R [X 1] [X 1]' R, R = diag(s)^(1/2), with the same eigenvalue: an operator on sample space."""

    def __init__(self, samples, s, fit_intercept):
        self.samples, self.root, self.fit_intercept = samples, namespace(s).sqrt(s), fit_intercept
        super().__init__(samples.dtype, (s.shape[0], s.shape[0]))

    def _matvec(self, v):
        dZ = self.root * self.samples.asarray(v.reshape(-1, 1))
        Z = self.samples @ (self.samples.mT @ dZ)
        return _finite(on_host(self.root * (Z + namespace(dZ).sum(dZ) if self.fit_intercept else Z)))


def _finite(v):
    if not np.isfinite(v).all():
        raise OverflowError
    return v
