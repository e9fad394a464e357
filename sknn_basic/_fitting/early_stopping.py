"""`EarlyStopping`: ends a fit once its cost has stopped falling, and keeps the best model."""

from math import inf, isnan
from numbers import Integral, Real

from .._extras import import_extra
from .._sklearn import Interval, StrOptions, validate_parameter_constraints
from .base import GradientDescentClassifier

CONSTRAINTS = {
    "monitor": [StrOptions({"validation_loss", "loss"})],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "min_delta": [Interval(Real, 0, None, closed="left")],
    "restore_best": ["boolean"],
}


class EarlyStopping:
    """Callback that ends a fit once its cost has stopped falling, and keeps the best model.

    Set it with `set_callbacks` on a classifier of this package, which may be in a pipeline or search. It
    looks at the cost at the start and after every step, whatever `record_every` is. One instance serves any
    number of fits, also in parallel.

    Parameters
    ----------
    monitor : {"validation_loss", "loss"}, default="validation_loss"
        The cost to look at: of the validation samples (pass them to `fit` as `X_val` and `y_val`), or of the
        training samples with the penalty. After the last step they are the attributes `validation_loss_` and
        `loss_`.
    patience : int, default=100
        The number of steps without an improvement after which the fit ends, in [1, inf). After `max_iter`
        steps it ends in any case.
    min_delta : float, default=0.0
        An improvement is a cost that is lower than at the last improvement by more than this, in [0, inf).
    restore_best : bool, default=True
        Whether the fitted model is that of the (first) step with the lowest cost, however little lower;
        otherwise that of the last step. All its fitted attributes, the curves too, are those of a fit with as
        many steps, to the last bit (except on wide samples, where a fit of few steps would do without the
        Gram matrix). Where no step lowers the cost, that is the start: an untrained model, or that of the
        previous fit with `warm_start`; `n_iter_` is 0, and a ConvergenceWarning tells of it. Pass False for
        curves that show where the cost rises again.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9: it has no callbacks.
    ValueError
        If a parameter is invalid; in `fit`, if the cost of validation samples is monitored and none is given.
    TypeError
        In `fit` of anything but a classifier of this package, such as the pipeline or the search around it.

    Warns
    -----
    ConvergenceWarning
        In `fit`, as without the callback: if the cost is not finite or above its initial value where the fit
        ends, unless a model of a lower cost is kept. Also if the initial weights are kept because the cost of
        the validation samples has risen; that of the training samples may then have fallen.

    See Also
    --------
    LogisticRegressionGD : Its `fit` takes `X_val` and `y_val`.
    OnRecord : Calls a function with each recorded cost.
    descent_path : The models after given steps of one descent.
    sklearn.callback.ScoringMonitor : Logs any score of the model at every step.

    Notes
    -----
    Both costs are computed after each step, while without callbacks many steps are taken at once: a step
    takes 0.1 to 0.2 ms longer on small samples (ten times as long or more), and some three times as long on
    20,000 x 200.

    `VectorizedGridSearchCV` fits its candidates one by one if their classifier has callbacks. A search passes
    `X_val` and `y_val` to every fit as they are. But if they have as many rows as X, it takes only the
    training rows of the fold, since it takes them for parameters with a value for each sample.

    A fit that the user interrupts (Ctrl-C) keeps the weights reached, not the best. Each of several such
    callbacks on one classifier may end the fit, and the first with ``restore_best=True`` chooses the model.

    References
    ----------
    L. Prechelt, "Early stopping, but when?", Neural Networks: Tricks of the Trade, LNCS 1524 (1998).

    Examples
    --------
    A long descent also learns the noise in 100 samples of 20 features:

    >>> import numpy as np
    >>> from sknn_basic import EarlyStopping, LogisticRegressionGD
    >>> rng = np.random.RandomState(0)
    >>> X, X_val = rng.standard_normal((2, 100, 20))
    >>> y, y_val = (Z[:, :3].sum(axis=1) + rng.standard_normal(100) > 0 for Z in (X, X_val))
    >>> model = LogisticRegressionGD().set_callbacks(EarlyStopping(patience=10))
    >>> model = model.fit(X, y, X_val=X_val, y_val=y_val)
    >>> model.n_iter_
    14
    >>> all_steps = LogisticRegressionGD().fit(X, y, X_val=X_val, y_val=y_val)
    >>> print(f"{model.validation_loss_:.2f} {all_steps.validation_loss_:.2f}")
    0.37 0.42
    """

    def __init__(self, monitor="validation_loss", *, patience=100, min_delta=0.0, restore_best=True):
        import_extra("sklearn.callback", "progress", "EarlyStopping, a callback of scikit-learn 1.9+,")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best
        validate_parameter_constraints(CONSTRAINTS, vars(self), caller_name="EarlyStopping")

    def __repr__(self):
        parameters = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"EarlyStopping({parameters})"

    def setup(self, estimator, context):
        """Raise TypeError unless the callback is set on a classifier of this package."""
        check_classifier("EarlyStopping", estimator)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing, since the descent itself is watched."""

    on_fit_task_end = teardown = on_fit_task_begin

    def watch_descent(self):
        """Return an object that looks at each step of one descent; `best` is the Descent to keep, or None."""
        return _Watch(self)


def check_classifier(callback, estimator):
    """Raise TypeError if the callback of this name is set on anything but a classifier of this package."""
    if not isinstance(estimator, GradientDescentClassifier):
        raise TypeError(
            f"{callback} is set on {type(estimator).__name__}. Set it on the LogisticRegressionGD or "
            "ShallowNNClassifier that is fitted, also within a pipeline or search: "
            f"classifier.set_callbacks({callback}(...))."
        )


class _Watch:
    """The state of one fit: its best step so far, and the last one that improved the cost."""

    def __init__(self, callback):
        self.callback = callback
        self.lowest, self.best = inf, None  # the lowest cost and its Descent, if that is to be restored
        self.improved_cost, self.improved_step = inf, 0  # of the last improvement

    def look(self, descent):
        """Compare the cost of the Descent that would end here; return whether to stop."""
        cost = self._cost(descent)
        if self.callback.restore_best and (self.best is None or cost < self.lowest):
            self.lowest, self.best = cost, descent
        if cost < self.improved_cost - self.callback.min_delta:
            self.improved_cost, self.improved_step = cost, descent.n_iter
        return descent.n_iter - self.improved_step >= self.callback.patience

    def _cost(self, descent):
        if self.callback.monitor == "loss":
            return descent.loss
        if descent.validation_loss is None:
            raise ValueError(
                "EarlyStopping looks at the cost of validation samples, but there are none. Pass X_val and "
                'y_val to fit, or EarlyStopping(monitor="loss") for the cost of the training samples.'
            )
        return inf if isnan(descent.validation_loss) else descent.validation_loss
