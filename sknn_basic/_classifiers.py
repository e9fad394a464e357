"""The two classifiers: their parameters, initial layers and fitted attributes."""

from math import sqrt
from numbers import Integral, Real

from sklearn.utils import check_random_state

from ._descent.activations import ACTIVATIONS
from ._descent.arrays import copied
from ._descent.network import Network, init_layers
from ._descent.outputs import choose_output
from ._fitting.base import GradientDescentClassifier
from ._sklearn import Interval, StrOptions


class LogisticRegressionGD(GradientDescentClassifier):
    """Logistic regression trained by full-batch gradient descent, as in the notes.

    From zero weights, `max_iter` times (notes, section 1.2.1; rows are samples here)::

        Z  = X W + b        A  = sigmoid(Z)      (softmax for more than two classes)
        dZ = s (A - Y)      dW = X' dZ           db = sum_i dZ_i
        W  = W - learning_rate dW                b  = b - learning_rate db

    This lowers J = sum_i s_i L_i, with L = -(y log a + (1 - y) log(1 - a)) and s the sample weights
    divided by their sum (1/m without weights). There is no tolerance: a fit takes exactly `max_iter` steps,
    unless a callback (`set_callbacks`) or the user stops it.

    Parameters
    ----------
    learning_rate : "auto" or float, default="auto"
        The step size, in (0, inf); the notes' alpha. "auto" takes 1/L, with L the largest curvature of the
        cost (for two classes a quarter of the largest eigenvalue of [X 1]' diag(s) [X 1], plus l2): the cost
        then falls at every step, whatever the scale of X. Descent is stable below 2/L.
    max_iter : int, default=2000
        The number of steps, in [1, inf).
    l2_regularization : float, default=0.0
        l2 of the penalty l2/2 ||W||^2 on the weights, not on the intercept, that is added to the cost, in
        [0, inf). Equivalent to ``LogisticRegression(C=1 / (l2 * n))``, with n the sum of `sample_weight`
        times the factors in `class_weight`: n_samples without weights, and with "balanced" the sum of
        `sample_weight` (by which LogisticRegression counts classes from scikit-learn 1.7 on).
    fit_intercept : bool, default=True
        Whether to fit the intercept b; otherwise b is 0, and L is computed from X alone.
    class_weight : dict, "balanced" or None, default=None
        Factors {class: weight} of the sample weights; "balanced" gives all classes the same total weight.
    warm_start : bool, default=False
        Whether `fit` continues from the weights of the previous fit, on the same features and classes.
    record_every : int or "auto", default="auto"
        The cost is recorded before every `record_every`-th step, in [1, inf), such as the notes' 100. "auto"
        records all of the first steps and then fewer and fewer, 82 times in 2,000 steps, so that the start of
        the curve shows too.
    verbose : bool, default=False
        Whether to print the cost before every `record_every`-th step, or every 100th with "auto", as the
        notes do, and a line if steps must be compiled. The logger "sknn_basic" is told the same.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        W', in the precision of X.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b.
    loss_curve_ : list of float
        The cost before the steps in `loss_curve_steps_` of the last fit.
    loss_curve_steps_ : ndarray of int
        0, record_every, 2 record_every, ..., or the steps that "auto" chooses.
    loss_ : float
        The cost of the fitted model; NaN if the user interrupted the fit while a cluster had no workers.
    validation_loss_curve_ : list of float
        The cost of `X_val`, if passed to `fit`, at the steps of `loss_curve_`: the `sklearn.metrics.log_loss`
        of its probabilities, without the penalty.
    validation_loss_ : float
        The cost of `X_val` for the fitted model, likewise.
    n_iter_ : int
        The number of steps of the last fit that led to the fitted weights: `max_iter`, unless the fit
        diverged or was stopped by a callback or the user.
    learning_rate_ : float
        The learning rate that was used.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if X has names.

    See Also
    --------
    ShallowNNClassifier : The same with a hidden layer.
    sklearn.linear_model.LogisticRegression : Finds the minimum by second-order methods.
    sklearn.linear_model.SGDClassifier : Descends one sample at a time.

    Notes
    -----
    Each step takes two matrix products with X; of X beyond 8 MiB no copy is made.

    References
    ----------
    "Deep Learning in Python" (notes), sections 1.1 and 1.2.

    D. Böhning, "Multinomial logistic regression algorithm", Annals of the Institute of Statistical
    Mathematics 44 (1992): the bound on the curvature behind ``learning_rate="auto"``.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn_basic import LogisticRegressionGD
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegressionGD())
    >>> print(f"{model.fit(X, y).score(X, y):.2f}")
    0.99
    """

    _parameter_constraints = {
        **GradientDescentClassifier._parameter_constraints,
        "fit_intercept": ["boolean"],
    }

    def __init__(
        self,
        learning_rate="auto",
        max_iter=2000,
        *,
        l2_regularization=0.0,
        fit_intercept=True,
        class_weight=None,
        warm_start=False,
        record_every="auto",
        verbose=False,
    ):
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.l2_regularization = l2_regularization
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.record_every = record_every
        self.verbose = verbose

    @property
    def _network(self):
        return Network(None, choose_output(self.classes_.shape[0]), bool(self.fit_intercept))

    def _init_layers(self, n_features, n_outputs, dtype):
        return init_layers((n_features, n_outputs), dtype)

    def _layer_attributes(self, layers):
        ((W, b),) = layers
        return {"coef_": copied(W.T), "intercept_": b[0, :]}

    def _get_layers(self):
        return [(self.coef_.T, self.intercept_[None, :])]


class ShallowNNClassifier(GradientDescentClassifier):
    """The network with one hidden layer, trained by full-batch gradient descent, as in the notes.

    From small random weights, `max_iter` times (notes, section 1.3.5; rows are samples here)::

        Z1  = X W1 + b1              A1  = g(Z1)
        Z2  = A1 W2 + b2             A2  = sigmoid(Z2)      (softmax for more than two classes)
        dZ2 = s (A2 - Y)             dW2 = A1' dZ2          db2 = sum_i dZ2_i
        dZ1 = (dZ2 W2') * g'(Z1)     dW1 = X'  dZ1          db1 = sum_i dZ1_i
        W   = W - learning_rate dW   b   = b - learning_rate db

    This lowers J = sum_i s_i L_i, with L = -(y log a + (1 - y) log(1 - a)) and s the sample weights
    divided by their sum (1/m without weights).

    Parameters
    ----------
    hidden_layer_size : int, default=10
        h, the number of hidden units, in [1, inf).
    activation : {"sigmoid", "tanh", "relu", "leaky_relu"}, default="tanh"
        The activation g of the hidden layer (notes, section 1.3.4): sigmoid(z), tanh(z), max(0, z)
        or max(0.1 z, z).
    learning_rate : "auto" or float, default="auto"
        The step size, in (0, inf); the notes' alpha. "auto" takes 1/sharpness, to three digits: the sharpness
        is the largest eigenvalue of the Hessian of J, with the penalty, at the initial weights; or at weights
        of the usual size, if `init_scale` is less than half of that. The rate is at most 4, or the number of
        classes. If the first ten steps meet a curvature beyond 2/rate, as they may on unscaled features, the
        rate is 1 over that curvature instead.
        Descent is stable below 2/sharpness at the start. Nothing is promised later: the sharpness changes
        along the way, often to 2/rate, and the cost may rise for some steps.
    max_iter : int, default=5000
        The number of steps, in [1, inf).
    l2_regularization : float, default=0.0
        l2 of the penalty l2/2 (||W1||^2 + ||W2||^2) that is added to the cost, in [0, inf). Equivalent to
        ``MLPClassifier(alpha=l2 * n)``, with n as for LogisticRegressionGD.
    init_scale : "auto" or float, default="auto"
        The standard deviation of the initial weights, in (0, inf); biases start at 0. "auto" is
        1/sqrt(fan-in) for sigmoid and tanh and sqrt(2/fan-in) for the two ReLUs, with fan-in the number of
        inputs of the layer: n_features, then h. The notes take 0.01. Networks on few features then often
        remain linear for thousands of steps: tanh on two circles with little noise ends at an accuracy of
        0.50, with "auto" at 1.00.
    random_state : int, RandomState instance or None, default=None
        Generator of the initial weights. Pass an int for reproducible results.
    class_weight : dict, "balanced" or None, default=None
        Factors {class: weight} of the sample weights; "balanced" gives all classes the same total weight.
    warm_start : bool, default=False
        Whether `fit` continues from the weights of the previous fit, on the same features and classes.
    record_every : int or "auto", default="auto"
        The cost is recorded before every `record_every`-th step, in [1, inf), such as the notes' 100. "auto"
        records all of the first steps and then fewer and fewer, 94 times in 5,000 steps.
    verbose : bool, default=False
        Whether to print the cost before every `record_every`-th step, or every 100th with "auto", as the
        notes do, and a line if steps must be compiled. The logger "sknn_basic" is told the same.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    coefs_ : list of ndarray, [(n_features, h), (h, 1 or n_classes)]
        W1 and W2, in the precision of X.
    intercepts_ : list of ndarray, [(h,), (1 or n_classes,)]
        b1 and b2.
    loss_curve_ : list of float
        The cost before the steps in `loss_curve_steps_` of the last fit.
    loss_curve_steps_ : ndarray of int
        0, record_every, 2 record_every, ..., or the steps that "auto" chooses.
    loss_ : float
        The cost of the fitted model; NaN if the user interrupted the fit while a cluster had no workers.
    validation_loss_curve_ : list of float
        The cost of `X_val`, if passed to `fit`, at the steps of `loss_curve_`: the `sklearn.metrics.log_loss`
        of its probabilities, without the penalty.
    validation_loss_ : float
        The cost of `X_val` for the fitted model, likewise.
    n_iter_ : int
        The number of steps of the last fit that led to the fitted weights: `max_iter`, unless the fit
        diverged or was stopped by a callback or the user.
    learning_rate_ : float
        The learning rate that was used.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if X has names.

    See Also
    --------
    LogisticRegressionGD : The same without the hidden layer.
    sklearn.neural_network.MLPClassifier : More layers and solvers, in mini-batches.

    Notes
    -----
    "auto" takes at most 20 products of the Hessian, each about as much work as two steps, and 11 gradients.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.3; the step is in 1.3.5.

    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability", ICLR
    (2021): how the sharpness grows to 2/rate.

    Examples
    --------
    A ring around a disc, which no line separates:

    >>> from sklearn.datasets import make_circles
    >>> from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
    >>> X, y = make_circles(400, noise=0.1, factor=0.4, random_state=0)
    >>> print(f"{LogisticRegressionGD().fit(X, y).score(X, y):.2f}")
    0.50
    >>> print(f"{ShallowNNClassifier(random_state=0).fit(X, y).score(X, y):.2f}")
    1.00
    """

    _parameter_constraints = {
        **GradientDescentClassifier._parameter_constraints,
        "hidden_layer_size": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "init_scale": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        hidden_layer_size=10,
        activation="tanh",
        *,
        learning_rate="auto",
        max_iter=5000,
        l2_regularization=0.0,
        init_scale="auto",
        random_state=None,
        class_weight=None,
        warm_start=False,
        record_every="auto",
        verbose=False,
    ):
        self.hidden_layer_size = hidden_layer_size
        self.activation = activation
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.l2_regularization = l2_regularization
        self.init_scale = init_scale
        self.random_state = random_state
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.record_every = record_every
        self.verbose = verbose

    @property
    def _network(self):
        return Network(ACTIVATIONS[self.activation], choose_output(self.classes_.shape[0]))

    def _init_layers(self, n_features, n_outputs, dtype):
        sizes = (n_features, self.hidden_layer_size, n_outputs)
        if self.init_scale == "auto":
            scales = [sqrt(ACTIVATIONS[self.activation].gain / fan_in) for fan_in in sizes[:-1]]
        else:
            scales = [self.init_scale] * 2
        return init_layers(sizes, dtype, check_random_state(self.random_state), scales)

    def _check_warm_start(self):
        n_hidden = self.coefs_[0].shape[1]
        if n_hidden != self.hidden_layer_size:
            raise ValueError(
                f"warm_start=True continues from {n_hidden} hidden units, but hidden_layer_size is "
                f"{self.hidden_layer_size}. Set it back, or set warm_start=False to start afresh."
            )

    def _layer_attributes(self, layers):
        return {"coefs_": [W for W, _ in layers], "intercepts_": [b[0, :] for _, b in layers]}

    def _get_layers(self):
        biases = (b[None, :] for b in self.intercepts_)
        return list(zip(self.coefs_, biases, strict=True))
