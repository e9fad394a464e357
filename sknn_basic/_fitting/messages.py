"""What a fit warns of and prints."""

import logging
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .advice import ROUTING

# What `verbose` prints, at the level INFO, whether or not it is printed.
logger = logging.getLogger("sknn_basic")
PRINTED_EVERY = 100  # steps, as in the notes, where "auto" chooses those that are recorded


class FitInterruptedWarning(UserWarning):
    """A fit was interrupted (Ctrl-C): the model holds the weights reached.

    See Also
    --------
    sklearn.exceptions.ConvergenceWarning : The warning of a fit that diverged or has not finished.

    Examples
    --------
    To end a script on Ctrl-C all the same:

    >>> import warnings
    >>> from sknn_basic import FitInterruptedWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", FitInterruptedWarning)
    """


class FitWarning(NamedTuple):
    """What a fit warns of. A search warns of the scale of X once, not for every candidate."""

    message: str
    concerns_scale: bool = False


def find_warning(classifier, problem, rate, descent):
    """Return the warning, or None: the cost did not fall, or clearly could fall much further.

    `descent` still holds the parameters of the problem, not weights.
    """
    l2 = float(classifier.l2_regularization)
    dtype = problem.samples.dtype
    keeps_start = descent.last is not None and descent.n_iter == 0
    ended = descent.last if keeps_start else descent
    if descent.interrupted and np.isnan(descent.loss):  # the samples were out of reach
        return None
    if ended.diverged_at is not None or _has_risen(ended.loss, ended.loss_curve, dtype):
        # Finding 2/L would read samples that are not in memory up to 130 times.
        limit = _stability(problem, l2) if problem.knows_stable_rate(l2) else ""
        return FitWarning(_divergence_message(ended, keeps_start, rate, limit))
    if keeps_start and _has_risen(ended.validation_loss, ended.validation_loss_curve, dtype):
        return FitWarning(_validation_message(ended, rate))
    validation = descent.validation_loss, descent.validation_loss_curve
    if _has_risen(*validation, dtype) and problem.is_validated_on_other_scale():
        return FitWarning(_other_scale_message(descent))
    if descent.interrupted or descent.n_iter < classifier.max_iter:  # stopped by the user or a callback
        return None
    with np.errstate(all="ignore"):
        unfinished = problem.scaling.find_unfinished(descent, l2, rate)
    return None if unfinished is None else _unfinished_warning(classifier, rate, descent, unfinished)


def _has_risen(cost, curve, dtype):
    """Whether a cost is above the start of its curve, if it has one, or is not finite.

    After a warm start from an optimum, rounding alone may raise it.
    """
    return bool(curve) and not cost <= curve[0] * (1 + float(np.finfo(dtype).eps) ** 0.5) < np.inf


def warn_of_fit(descent, warning, max_iter):
    """Warn the caller of `fit`."""
    if warning:
        warnings.warn(warning.message, ConvergenceWarning, stacklevel=4)
    if descent.interrupted:
        warnings.warn(
            f"Gradient descent was interrupted: the weights of step {descent.n_iter} of {max_iter} are kept. "
            "With warm_start=True, another fit continues from them.",
            FitInterruptedWarning,
            stacklevel=4,
        )


def is_logged():
    """Whether somebody listens to the logger."""
    return logger.isEnabledFor(logging.INFO)


def tell(line, is_printed):
    """Log a line, and print it if asked for."""
    logger.info("%s", line)
    if is_printed:
        print(line)


def tell_reading(problem, is_printed):
    """Say how samples that are not in memory are read."""
    if reading := problem.samples.describe_reading():
        tell(reading, is_printed)


def prepare(objective, is_printed):
    """Do what must be done before the first step, and say so if steps have to be compiled."""
    line = "Compiling the steps: this takes up to half a minute, the first time on a computer."
    objective.prepare(partial(tell, line, is_printed))


def print_cost(step, cost, validation_cost, is_printed=True):
    """Say the cost before a step, as the notes do."""
    validation = "" if validation_cost is None else f" (validation: {validation_cost:f})"
    tell(f"Cost after iteration {step}: {cost:f}{validation}", is_printed)


log_cost = partial(print_cost, is_printed=False)


def log_end(classifier, rate, descent):
    """Log the model's cost and where it ended; printed are the notes' lines alone."""
    if is_logged():
        what, validation = type(classifier).__name__, descent.validation_loss
        also = "" if validation is None else f" (validation: {validation:f})"
        line = f"{what}: cost {descent.loss:f}{also} after {descent.n_iter} steps at learning_rate={rate:g}."
        logger.info("%s", line, extra={"is_end": True})  # which the command does not print


def reported_steps(record_every, records, n_steps):
    """Return the steps before which the cost is said."""
    return range(0, n_steps, PRINTED_EVERY) if record_every == "auto" else records


def _divergence_message(descent, keeps_start, learning_rate, limit):
    """Say what went wrong, at which step and rate, which weights are kept and what to do."""
    if descent.diverged_at is not None:
        step = 0 if keeps_start else descent.n_iter
        what = (
            f"Gradient descent diverged at learning_rate={learning_rate:g}: at step {descent.diverged_at} "
            f"the cost was not finite. The weights of step {step} are kept."
        )
    else:
        what = (
            f"Gradient descent did not lower the cost at learning_rate={learning_rate:g}: it ended at "
            f"{descent.loss:g} after step {descent.n_iter}, above its start of {descent.loss_curve[0]:g}."
            f"{' The initial weights are kept.' * keeps_start}"
        )
    return f"{what} Pass a smaller learning_rate{limit} or scale X, as StandardScaler does."


def _stability(problem, l2):
    """Say below which rate descent is stable, or "" if sums overflow."""
    rate = problem.stable_rate(l2)
    if rate == 0:
        return ""
    if problem.is_network:
        return f" (at the start descent is stable below 2/sharpness = {rate:g})"
    return f" (descent is stable below 2/L = {rate:g})"


def _validation_message(descent, learning_rate):
    return (
        "Gradient descent did not lower the cost of the validation samples at learning_rate="
        f"{learning_rate:g}: it ended at {descent.validation_loss:g} after step {descent.n_iter}, above its "
        f"start of {descent.validation_loss_curve[0]:g}. The initial weights are kept. Check that X_val and "
        "y_val are scaled and labelled as X and y are, or pass a smaller learning_rate."
    )


def _other_scale_message(descent):
    return (
        "The validation samples are on another scale than X: their values are much larger, and their cost "
        f"ended at {descent.validation_loss:g}, above its start of {descent.validation_loss_curve[0]:g}. "
        f"Scale X_val as X. In a pipeline: {ROUTING}"
    )


def _unfinished_warning(classifier, rate, descent, unfinished):
    what = f"Gradient descent has not finished: the cost is {descent.loss:g} after step {descent.n_iter}"
    if unfinished.feature is None and unfinished.mean_square is None:
        auto = 'learning_rate="auto" or ' * (classifier.learning_rate != "auto")
        return FitWarning(
            f"{what}, no better than that of always predicting the class frequencies: the hidden units have "
            f"learnt nothing. Pass {auto}a learning_rate below {rate:g}, since too large steps leave "
            "units without a gradient; or more steps, another random_state, or features in which the classes "
            "differ."
        )
    if unfinished.feature is None:
        why = (
            "no better than that of always predicting the class frequencies. The features are too large for "
            f"the hidden units: their root mean square is {np.sqrt(unfinished.mean_square):g}"
        )
    else:
        feature = f"feature {unfinished.feature}"
        if hasattr(classifier, "feature_names_in_"):
            feature = f"{classifier.feature_names_in_[unfinished.feature]!r} ({feature})"
        also = " and the intercept" if getattr(classifier, "fit_intercept", True) else ""
        why = (
            f"and a step along {feature}{also} would lower it by {unfinished.gain:g} or more. Descent hardly "
            "moves along this feature, whose variance is small compared with the size of the others or with "
            "its own mean"
        )
    return FitWarning(f"{what}, {why}. Scale X, as StandardScaler does.", concerns_scale=True)
