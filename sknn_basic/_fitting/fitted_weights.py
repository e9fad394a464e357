"""The weights of a fitted model in public: as one vector and back, and the sharpness of the cost there."""

from copy import copy

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._descent.arrays import namespace, on_host, placed
from .._descent.problem import Problem, cast
from .._descent.sharpness import Hessian
from .._descent.threads import threads
from .._lazy.sources import computed
from .advice import orientation_advice
from .base import GradientDescentClassifier
from .descent_path import unfitted
from .inputs import check_labels, label_numbers, layers_on_host, make_problem, validate_new_samples, weighted
from .pipelines import fit_transformers, last_step, transformed, with_last_step

# Finer than for `learning_rate="auto"`, since no fit waits for it. Of 720 models, of both kinds on five data
# sets, none took more than 29 products, and no eigenvalue was more than 1e-5 of it too low.
MAX_PRODUCTS, TOLERANCE = 200, 1e-5
# What a fit says of its descent; with other weights it would be wrong.
OF_THE_DESCENT = (
    *("loss_", "loss_curve_", "validation_loss_", "validation_loss_curve_"),
    *("n_iter_", "learning_rate_", "_recorded_every"),
)


def sharpness(estimator, X, y, sample_weight=None):
    """Return the sharpness of the cost: the largest eigenvalue of its Hessian.

    The cost J is the one that `fit` minimises on these samples, with the class weights and the penalty of the
    estimator; its variables are all weights and biases. Gradient descent is locally stable where the rate is
    below 2/sharpness.

    Parameters
    ----------
    estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or search
        A classifier of this package, a pipeline that ends in one, or a fitted search over either, of which
        the `best_estimator_` is taken. The Hessian is that at its weights, or if it is not fitted at its
        start: a clone of its transformers is then fitted on X.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        What `predict` of the estimator takes.
    y : array-like of shape (n_samples,)
        The class of each sample, one of those that a fitted estimator knows.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the samples.

    Returns
    -------
    sharpness : float
        In units of 1 over the learning rate, to about 1e-5 of it; infinity if sums overflow.
        For logistic regression it is at most L (see `LogisticRegressionGD`), which bounds it at all weights.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If X, y or the weights do not suit the estimator.

    See Also
    --------
    propagate : The cost and its gradients.
    descent_path : The models after given steps of one descent, whose sharpness shows how it changes.

    Notes
    -----
    Lanczos iterations find it from below by products with the Hessian, each of them about as much work as two
    steps: usually 4 to 14 of them, and 200 at most.

    References
    ----------
    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability", ICLR
    (2021).

    Examples
    --------
    At zero weights all probabilities are 1/2, where the bound L is attained:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from sknn_basic import LogisticRegressionGD, sharpness
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X = scale(X)
    >>> print(f"{sharpness(LogisticRegressionGD(), X, y):.3f}")
    3.320
    >>> model = LogisticRegressionGD().fit(X, y)
    >>> print(f"{1 / model.learning_rate_:.3f} {sharpness(model, X, y):.3f}")
    3.320 0.133
    """
    classifier, problem = problem_of(model_in("sharpness", estimator), X, y, sample_weight)
    l2 = float(classifier.l2_regularization)
    with threads.shared_out(), np.errstate(all="ignore"):
        hessian = Hessian(problem.network, problem.samples, problem.rows, problem.layers, l2)
        return hessian.largest_eigenvalue(MAX_PRODUCTS, TOLERANCE)


def weights_to_vector(model):
    """Return all weights and biases of a fitted model as one vector.

    Parameters
    ----------
    model : LogisticRegressionGD, ShallowNNClassifier, Pipeline or search
        A fitted classifier of this package, a pipeline that ends in one, or a search over either.

    Returns
    -------
    vector : ndarray of shape (n_parameters,)
        W1, b1, W2, b2 of a network, or W, b of logistic regression (W alone with ``fit_intercept=False``),
        each row by row, with W1 (n_features, h), W2 (h, 1 or n_classes) and W (n_features, 1 or n_classes);
        in the precision of the weights. A copy.

    Raises
    ------
    TypeError
        If the model is of another class.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    vector_to_weights : The model of a vector.
    sharpness : The largest eigenvalue of the Hessian over these parameters.

    References
    ----------
    The pair is named after ``parameters_to_vector`` and ``vector_to_parameters`` of PyTorch.

    Examples
    --------
    >>> from sknn_basic import LogisticRegressionGD, weights_to_vector
    >>> model = LogisticRegressionGD(1.0, max_iter=1).fit([[1.0, 0.0], [0.0, 2.0]], [0, 1])
    >>> weights_to_vector(model)
    array([-0.25,  0.5 ,  0.  ])
    """
    classifier = last_step(model_in("weights_to_vector", model))
    check_is_fitted(classifier)
    arrays = arrays_of(classifier._network, classifier._get_layers())
    xp = namespace(arrays[0])
    return xp.concat([xp.reshape(array, (-1,)) for array in arrays])


def vector_to_weights(vector, model):
    """Return a copy of a fitted model with other weights.

    Parameters
    ----------
    vector : array-like of shape (n_parameters,)
        Finite weights and biases in the order of `weights_to_vector`, such as those that an optimizer, an
        average of models or a plane among them gives. They are converted to the precision of the model.
    model : LogisticRegressionGD, ShallowNNClassifier, Pipeline or search
        A fitted classifier of this package, a pipeline that ends in one, or a search over either.

    Returns
    -------
    copy : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        It predicts by these weights, and `fit` with ``warm_start=True`` starts from them. It has no
        `loss_`, `loss_curve_`, `n_iter_` and `learning_rate_`, which are of a descent to other weights.
        A pipeline shares its fitted transformers with the model.

    Raises
    ------
    TypeError
        If the model is of another class.
    NotFittedError
        If it is not fitted.
    ValueError
        If the vector is of another length, or not finite.

    See Also
    --------
    weights_to_vector : The vector of a model.
    propagate : The cost and its gradients at the weights of a model.

    References
    ----------
    The pair is named after ``parameters_to_vector`` and ``vector_to_parameters`` of PyTorch.

    Examples
    --------
    The model halfway between two others:

    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import LogisticRegressionGD, vector_to_weights, weights_to_vector
    >>> X, y = make_moons(200, noise=0.2, random_state=0)
    >>> early, late = (LogisticRegressionGD(max_iter=n).fit(X, y) for n in (5, 500))
    >>> halfway = vector_to_weights((weights_to_vector(early) + weights_to_vector(late)) / 2, early)
    >>> print(f"{early.score(X, y):.3f} {halfway.score(X, y):.3f} {late.score(X, y):.3f}")
    0.815 0.835 0.845
    """
    model = model_in("vector_to_weights", model)
    classifier = last_step(model)
    check_is_fitted(classifier)
    layers = layers_on_host(classifier)
    dtype, arrays = layers[0][0].dtype, arrays_of(classifier._network, layers)
    vector = np.asarray(computed(vector), dtype)
    ends = np.cumsum([array.size for array in arrays])
    if vector.shape != (ends[-1],):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(
            f"The vector has the shape {vector.shape}, expected ({ends[-1]},): the numbers of weights and "
            f"biases of the shapes {shapes}."
        )
    if not np.isfinite(vector).all():
        raise ValueError(f"The vector must hold finite numbers, also in {dtype}.")
    parts = [
        part.reshape(array.shape).copy()
        for part, array in zip(np.split(vector, ends[:-1]), arrays, strict=True)
    ]
    if not classifier._network.fit_intercept:
        parts.append(np.zeros_like(layers[0][1]))
    changed = copy(classifier)
    for name in OF_THE_DESCENT:
        vars(changed).pop(name, None)
    W = classifier._get_layers()[0][0]
    if namespace(W) is not np:
        parts = [placed(part, namespace(W), W.device) for part in parts]
    vars(changed).update(classifier._layer_attributes(list(zip(parts[::2], parts[1::2], strict=True))))
    return with_last_step(model, changed)


def arrays_of(network, layers):
    """Return W and b of each layer, without biases that are always 0."""
    n = 2 if network.fit_intercept else 1
    return [array for layer in layers for array in layer[:n]]


def model_in(caller, estimator):
    """Return a classifier of this package or a pipeline that ends in one: that of a search, or as given."""
    if hasattr(estimator, "refit") and not hasattr(estimator, "best_estimator_"):
        raise NotFittedError(
            f"{caller} takes the best_estimator_ of a search, but this {type(estimator).__name__} has none: "
            "fit it, with refit=True."
        )
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not isinstance(last_step(estimator), GradientDescentClassifier):
        raise TypeError(
            f"{caller} takes LogisticRegressionGD, ShallowNNClassifier, a Pipeline that ends in one or a "
            f"fitted search over either, got {estimator!r}."
        )
    return estimator


def problem_of(model, X, y, sample_weight):
    """Return the classifier of a model and its problem on samples: at its weights, or else at its start."""
    if not hasattr(last_step(model), "classes_"):
        model, X, y = fit_transformers(unfitted(model, 1), X, y)
        classifier = last_step(model)
        classifier._validate_params()
        return classifier, make_problem(classifier, X, y, sample_weight, n_steps=0)
    classifier = last_step(model)
    X = transformed(model, X)
    with orientation_advice(X, y, classifier.n_features_in_):
        X = validate_new_samples(classifier, X)
        y = check_labels(y, X)
    network, classes = classifier._network, on_host(classifier.classes_)
    labels = label_numbers(y, classes, "y", "classes_ of the model")
    targets, s = weighted(network, X, labels, classes, sample_weight, classifier.class_weight)
    layers = cast(layers_on_host(classifier), X.dtype)
    return classifier, Problem(network, X, targets, s, layers, n_steps=0)
