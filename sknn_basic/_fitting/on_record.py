"""`OnRecord`: calls a function of one's own with the step and the costs, whenever a fit records them."""

from .._extras import import_extra
from .early_stopping import check_classifier


class OnRecord:
    """Callback that calls a function with each recorded cost: the way to log a fit that costs least.

    Set it with `set_callbacks` on a classifier of this package, which may be in a pipeline or search. The
    costs are those of `loss_curve_` and `validation_loss_curve_`, before the steps `loss_curve_steps_`.

    Parameters
    ----------
    function : callable
        It is called as ``function(step, loss, validation_loss)``: the number of steps taken so far (int), the
        cost of the training samples with the penalty (float), and that of the validation samples (float, or
        None without any). What it returns is not used; an error that it raises ends the fit, and leaves the
        classifier as it was.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9: it has no callbacks.
    TypeError
        If the function cannot be called; in `fit` of anything but a classifier of this package.

    See Also
    --------
    EarlyStopping : Ends a fit by its costs.
    sklearn.callback.ScoringMonitor : Logs any score of the model at every step.

    Notes
    -----
    Since nothing else is asked of the fit, many steps are still taken in one compiled call; such a call
    reports its records when it returns, within some 0.1 s. Other callbacks make a fit stop at every step.
    `VectorizedGridSearchCV` fits its candidates one by one if their classifier has callbacks. The processes
    of a search with `n_jobs` call copies of the function.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import LogisticRegressionGD, OnRecord
    >>> X, y = make_moons(200, noise=0.2, random_state=0)
    >>> show = OnRecord(lambda step, loss, validation_loss: print(f"step {step}: {loss:.3f}"))
    >>> model = LogisticRegressionGD(max_iter=300, record_every=100).set_callbacks(show).fit(X, y)
    step 0: 0.693
    step 100: 0.300
    step 200: 0.299
    """

    sees_steps = False  # so that none has to be reported

    def __init__(self, function):
        import_extra("sklearn.callback", "progress", "OnRecord, a callback of scikit-learn 1.9+,")
        if not callable(function):
            raise TypeError(f"OnRecord takes a function of (step, loss, validation_loss), got {function!r}.")
        self.function = function

    def setup(self, estimator, context):
        """Raise TypeError unless the callback is set on a classifier of this package."""
        check_classifier("OnRecord", estimator)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing, since the descent itself reports its records."""

    on_fit_task_end = teardown = on_fit_task_begin

    def on_record(self, step, loss, validation_loss):
        """Call the function."""
        self.function(step, loss, validation_loss)
