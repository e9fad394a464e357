"""The public function `propagate`: the cost and its gradients at given weights."""

from collections import namedtuple
from numbers import Real

import numpy as np
from sklearn.utils import check_array, column_or_1d

from .._descent.activations import ACTIVATIONS
from .._descent.network import Network
from .._descent.outputs import logistic, softmax
from .._descent.problem import Problem
from .._descent.threads import threads
from .._lazy.sources import refuse_files, shape_of
from .advice import orientation_advice
from .inputs import accepted_dtypes, check_labels, classes_of, normalized_weights

# The cost, and its gradients in the shapes of the parameters.
LogisticGradients = namedtuple("LogisticGradients", ["J", "dW", "db"])
NetworkGradients = namedtuple("NetworkGradients", ["J", "dW1", "db1", "dW2", "db2"])


def propagate(
    X, y, W1, b1, W2=None, b2=None, *, activation="tanh", sample_weight=None, l2_regularization=0.0
):
    """Return the cost and its gradients at given weights, to compare your own implementation with.

    With W1 and b1 alone this is the notes' ``propagate`` (section 1.2.2) for logistic regression; with W2 and
    b2, the forward and backward propagation of section 1.3.5. The classifiers use the same formulas. Samples
    are rows, so X, Y and the weights of a network are the transposes of the notes'; w (n, 1) of logistic
    regression is the same.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,) or (n_samples, 1)
        The labels: 0 and 1 for one output, 0 to k - 1 for k outputs; or labels of as many classes, which
        are numbered in sorted order, as in `fit`.
    W1 : array-like of shape (n_features,), (n_features, 1 or k) or (n_features, h)
        The weights of logistic regression, or of the hidden layer.
    b1 : float or array-like with one value per column of W1
        The biases.
    W2 : array-like of shape (h,) or (h, 1 or k), default=None
        The weights of the output layer of a network.
    b2 : float or array-like with one value per column of W2, default=None
        The biases of the output layer.
    activation : str, default="tanh"
        The activation g of the hidden layer, one of those of `ShallowNNClassifier`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the samples.
    l2_regularization : float, default=0.0
        The factor l2 of the penalty l2/2 ||W||^2, in [0, inf).

    Returns
    -------
    gradients : LogisticGradients or NetworkGradients
        A named tuple ``J, dW, db`` or ``J, dW1, db1, dW2, db2``. J is a float; each gradient has the shape of
        its parameter.

    Raises
    ------
    ValueError
        If an array is of another shape or not finite, if the labels are neither in 0 to k - 1 nor of k
        classes, if a parameter is invalid, or if the cost or a gradient overflows.

    See Also
    --------
    LogisticRegressionGD, ShallowNNClassifier : Descend by these gradients.

    References
    ----------
    "Deep Learning in Python" (notes), sections 1.2.2 and 1.3.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_basic import propagate
    >>> w, b = np.array([[1.0], [2.0]]), 2.0
    >>> X, Y = np.array([[1.0, 2.0, -1.0], [3.0, 4.0, -3.2]]), np.array([[1, 0, 1]])  # samples as columns
    >>> J, dw, db = propagate(X.T, Y.T, w, b)
    >>> print(f"{J:.6f}", dw.ravel().round(6), f"{db:.6f}")
    5.801545 [0.998456 2.395072] 0.001456
    """
    if np.ndim(y) == 0:
        raise ValueError("y is a single number: pass propagate(X, y, W1, b1), the samples first.")
    if (W2 is None) != (b2 is None):
        raise ValueError("A network needs W2 and b2 together; logistic regression has neither.")
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}.")
    if not isinstance(l2_regularization, Real) or not 0 <= l2_regularization < np.inf:
        raise ValueError(f"l2_regularization must be a number in [0, inf), got {l2_regularization!r}.")
    refuse_files(X)
    with orientation_advice(X, y, next(iter(shape_of(W1)), None)):
        X = check_array(X, accept_sparse="csr", dtype=accepted_dtypes(X), input_name="X")
        y = check_labels(column_or_1d(y), X)
        given = [("W1", W1), ("b1", b1)] + ([] if W2 is None else [("W2", W2), ("b2", b2)])
        layers, n_in = [], X.shape[1]
        for (W_name, W), (b_name, b) in zip(given[::2], given[1::2], strict=True):
            W = _parameter(W_name, W, n_in)
            layers.append((W, _parameter(b_name, b, 1, W.shape[1])))
            n_in = W.shape[1]
    output = logistic if n_in == 1 else softmax
    n_classes = max(n_in, 2)
    labels = _labels(y, n_classes)
    s = normalized_weights(labels, np.arange(n_classes), sample_weight, None, X)
    network = Network(None if W2 is None else ACTIVATIONS[activation], output)
    targets = output.targets(labels, n_classes, X.dtype)
    with threads.shared_out(), np.errstate(all="ignore"):
        problem = Problem(network, X, targets, s, layers, n_steps=0)
        objective = problem.objective(float(l2_regularization))
        J, gradients = objective(problem.layers, want_cost=True)
        is_finite = objective.are_finite(problem.layers)
    flat = [array for layer in gradients for array in layer]
    if not is_finite or not all(np.isfinite(array).all() for array in [J, *flat]):
        raise ValueError(
            f"A sum of products, the cost or a gradient overflows {X.dtype}. Scale X, as StandardScaler "
            "does, or pass smaller weights."
        )
    shaped = [array.reshape(np.shape(value))[()] for array, (_, value) in zip(flat, given, strict=True)]
    return (LogisticGradients if W2 is None else NetworkGradients)(float(J), *shaped)


def _parameter(name, value, rows, columns=None):
    """Return weights or biases as a matrix of so many rows and (if given) columns, or raise ValueError."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # a ragged list
        raise ValueError(f"{name} is not an array: {error}.") from error
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite real numbers.")
    matrix = array
    if array.ndim < 2:  # a number, a row of biases or a column of weights
        matrix = array.reshape(1, -1) if rows == 1 else array.reshape(-1, 1)
    if matrix.ndim != 2 or matrix.shape[0] != rows or columns not in (None, matrix.shape[1]):
        fits = matrix.ndim == 2 and matrix.shape[1] == rows and columns in (None, matrix.shape[0])
        raise ValueError(
            f"{name} has the shape {array.shape}, expected ({rows}, {columns or 'any number'}): one row for "
            f"each input, one column for each unit.{f' Pass {name}.T.' * fits}"
        )
    return matrix


def _labels(y, n_classes):
    """Return y as integers from 0 to n_classes - 1, or raise ValueError."""
    classes = classes_of(y)
    if classes.dtype.kind in "buif" and np.isin(classes, np.arange(n_classes)).all():
        return y.astype(np.intp)
    if len(classes) == n_classes:
        return np.searchsorted(classes, y)
    raise ValueError(
        f"y has the labels {classes.tolist()[:10]}, expected 0 to {n_classes - 1}, or {n_classes} different "
        "classes: the output has one column for two classes, else one per class."
    )
