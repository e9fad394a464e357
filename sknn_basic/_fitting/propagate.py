"""The public function `propagate`: the cost and its gradients at given weights."""

from collections import namedtuple
from functools import partial
from math import isfinite
from numbers import Real

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_is_fitted

from .._descent.activations import ACTIVATIONS
from .._descent.arrays import are_finite, namespace
from .._descent.network import Network
from .._descent.outputs import logistic, softmax
from .._descent.problem import Problem
from .._descent.threads import threads
from .._lazy.sources import computed, shape_of
from .advice import orientation_advice
from .fitted_weights import model_in, problem_of
from .inputs import check_labels, classes_of, held, weighted
from .pipelines import last_step

# The cost, and its gradients in the shapes of the parameters.
LogisticGradients = namedtuple("LogisticGradients", ["J", "dW", "db"])
NetworkGradients = namedtuple("NetworkGradients", ["J", "dW1", "db1", "dW2", "db2"])


def propagate(
    X, y, W1, b1=None, W2=None, b2=None, *, activation=None, sample_weight=None, l2_regularization=None
):
    """Return the cost and its gradients at given weights, to compare your own implementation with.

    ``propagate(X, y, model)`` takes the weights of a fitted model, its activation, its class weights and its
    penalty: the cost is the one that its `fit` minimises on these samples.

    With W1 and b1 alone this is the notes' ``propagate`` (section 1.2.2) for logistic regression; with W2 and
    b2, the forward and backward propagation of section 1.3.5. The classifiers use the same formulas. Samples
    are rows, so X, Y and the weights of a network are the transposes of the notes'; w (n, 1) of logistic
    regression is the same.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples; for a pipeline what its `predict` takes.
    y : array-like of shape (n_samples,) or (n_samples, 1)
        The labels: 0 and 1 for one output, 0 to k - 1 for k outputs; or labels of as many classes, which
        are numbered in sorted order, as in `fit`. For a model labels from its `classes_`.
    W1 : array-like of shape (n_features,), (n_features, 1 or k) or (n_features, h), or a fitted model
        The weights of logistic regression, or of the hidden layer. Or a fitted classifier of this package, a
        pipeline that ends in one, or a search over either: without b1, W2, b2 and `activation`, which are its
        own.
    b1 : float or array-like with one value per column of W1, default=None
        The biases; needed with weights.
    W2 : array-like of shape (h,) or (h, 1 or k), default=None
        The weights of the output layer of a network. Without W2 and b2, W1 of k columns is that of softmax
        regression on k classes, not a hidden layer.
    b2 : float or array-like with one value per column of W2, default=None
        The biases of the output layer.
    activation : str, default=None
        The activation g of the hidden layer, one of those of `ShallowNNClassifier`; None is "tanh". Only with
        W2 and b2.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the samples.
    l2_regularization : float, default=None
        The factor l2 of the penalty l2/2 ||W||^2, in [0, inf). None takes that of the model, or 0.

    Returns
    -------
    gradients : LogisticGradients or NetworkGradients
        A named tuple ``J, dW, db`` or ``J, dW1, db1, dW2, db2``. J is a float; each gradient has the shape of
        its parameter: of a model dW (n_features, 1 or k), dW1 (n_features, h), dW2 (h, 1 or k), and biases
        of one axis.

    Raises
    ------
    ValueError
        If an array is of another shape or not finite, if the labels are neither in 0 to k - 1 nor of k
        classes, if a parameter is invalid, or if the cost or a gradient overflows.
    TypeError
        If W1 is an estimator of another class.
    NotFittedError
        If the model is not fitted.

    See Also
    --------
    LogisticRegressionGD, ShallowNNClassifier : Descend by these gradients.
    sharpness : The largest eigenvalue of the Hessian of the same cost.

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

    The cost of a model, with its penalty, and its gradient, which has almost vanished:

    >>> from sknn_basic import LogisticRegressionGD
    >>> model = LogisticRegressionGD(max_iter=500, l2_regularization=0.1).fit(X.T, Y.ravel())
    >>> J, dW, db = propagate(X.T, Y.ravel(), model)
    >>> print(f"{J:.4f} {model.loss_:.4f} {abs(dW).max():.0e}")
    0.3112 0.3112 2e-03
    """
    if np.ndim(y) == 0:
        raise ValueError("y is a single number: pass propagate(X, y, W1, b1), the samples first.")
    if hasattr(W1, "fit"):
        if any(value is not None for value in (b1, W2, b2, activation)):
            raise ValueError(
                "A model has biases, further layers and an activation: pass propagate(X, y, model)."
            )
        classifier, problem = _problem_of_model(W1, X, y, sample_weight)
        l2 = classifier.l2_regularization if l2_regularization is None else l2_regularization
        shapes = [shape for W, b in problem.layers for shape in (W.shape, b.shape[1:])]
    else:
        given = [("W1", W1), ("b1", b1)] + ([] if W2 is None else [("W2", W2), ("b2", b2)])
        if b1 is None:
            raise ValueError(
                "b1 is missing: pass propagate(X, y, W1, b1), or a fitted model in place of both."
            )
        if (W2 is None) != (b2 is None):
            raise ValueError("A network needs W2 and b2 together; logistic regression has neither.")
        if W2 is None and activation is not None:
            raise ValueError("The activation is that of a hidden layer: pass W2 and b2 of its output too.")
        problem = _problem_of_weights(
            X, y, given, "tanh" if activation is None else activation, sample_weight
        )
        l2 = 0.0 if l2_regularization is None else l2_regularization
        shapes = [np.shape(value) for _, value in given]
    if not isinstance(l2, Real) or not 0 <= l2 < np.inf:
        raise ValueError(f"l2_regularization must be a number in [0, inf), got {l2!r}.")
    with threads.shared_out(), np.errstate(all="ignore"):
        objective = problem.objective(float(l2))
        J, gradients = objective(problem.layers, want_cost=True)
        J = float(J)
        is_finite = objective.are_finite(problem.layers)
    flat = [array for layer in gradients for array in layer]
    if not (is_finite and isfinite(J) and all(map(are_finite, flat))):
        raise ValueError(
            f"A sum of products, the cost or a gradient overflows {problem.samples.dtype}. Scale X, as "
            "StandardScaler does, or pass smaller weights."
        )
    shaped = [namespace(array).reshape(array, shape) for array, shape in zip(flat, shapes, strict=True)]
    shaped = [array[()] if array.ndim == 0 else array for array in shaped]  # NumPy's as a number
    return (NetworkGradients if problem.is_network else LogisticGradients)(J, *shaped)


def _problem_of_model(model, X, y, sample_weight):
    model = model_in("propagate", model)
    check_is_fitted(last_step(model))
    y = column_or_1d(y) if isinstance(y, list | np.ndarray) else y  # of Dask it is computed later
    return problem_of(model, X, y, sample_weight)


def _problem_of_weights(X, y, given, activation, sample_weight):
    """Return the problem at the weights and biases [(name, value), ...], or raise ValueError."""
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}.")
    with orientation_advice(X, y, next(iter(shape_of(given[0][1])), None)):
        X = held(X, partial(check_array, input_name="X"))
        y = check_labels(column_or_1d(computed(y)), X)
        layers, n_in = [], X.shape[1]
        for (W_name, W), (b_name, b) in zip(given[::2], given[1::2], strict=True):
            W = _parameter(W_name, W, n_in)
            layers.append((W, _parameter(b_name, b, 1, W.shape[1])))
            n_in = W.shape[1]
    output = logistic if n_in == 1 else softmax
    n_classes = max(n_in, 2)
    labels = _labels(y, n_classes)
    network = Network(ACTIVATIONS[activation] if layers[1:] else None, output)
    targets, s = weighted(network, X, labels, np.arange(n_classes), sample_weight, None)
    return Problem(network, X, targets, s, layers, n_steps=0)


def _parameter(name, value, rows, columns=None):
    """Return weights or biases as a matrix of so many rows and (if given) columns, or raise ValueError."""
    try:
        array = np.asarray(computed(value))
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
