"""The base class of both classifiers: fitting, warnings and prediction."""

import warnings
from functools import partial
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._descent.choice import choose_samples
from .._descent.logits import logits
from .._descent.run import recorded_steps, train
from .._lazy.dask import by_chunks, in_memory, is_dask
from .._sklearn import Interval, StrOptions, fit_context
from .callbacks import CallbackSupportMixin, begin_fit, n_tasks
from .inputs import make_problem, make_validation, orientation_advice, validate_new_samples
from .onnx import OnnxClassifierMixin
from .parameters import ParameterAdviceMixin
from .state import replacing_state

OF_DATA = (
    "classes_",
    "n_features_in_",
    "feature_names_in_",
)  # fitted attributes that are known before the descent


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


class GradientDescentClassifier(
    ParameterAdviceMixin, CallbackSupportMixin, OnnxClassifierMixin, ClassifierMixin, BaseEstimator
):
    """Base class: validation, labels, sample weights, recording and prediction.

    Predictions of a Dask array are Dask arrays.

    A subclass defines the activation and output (`_network`), the initial layers (`_init_layers`) and the
    fitted attributes that hold the layers (`_layer_attributes`, `_get_layers`).
    """

    _parameter_constraints = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "record_every": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    _parameter_advice = {  # for the names that the notes use
        "num_iterations": "Pass max_iter, the number of steps.",
        "alpha": "Pass learning_rate for the notes' alpha, or l2_regularization for that of MLPClassifier.",
        "n_h": "The size of the hidden layer is hidden_layer_size of ShallowNNClassifier.",
        "hidden_layer_sizes": "There is one hidden layer: hidden_layer_size of ShallowNNClassifier.",
        "print_cost": "Pass verbose=True to print the cost as the notes do.",
        "lambd": "Pass l2_regularization.",
        "C": "Pass l2_regularization=1 / (C * n_samples).",
        "n_iter": "Pass max_iter, the number of steps.",
        "epochs": "Pass max_iter, the number of steps: a step uses all samples.",
        "lr": "Pass learning_rate.",
        "seed": "Pass random_state, to ShallowNNClassifier.",
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Take `max_iter` steps of gradient descent on all samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples, one per row (the notes have them as columns). float32 and float64 are used as they
            are, anything else is converted to float64; sparse input is converted to CSR. A Dask array or
            table is read block by block at every step, and so is a `numpy.memmap` of another type than
            float32 and float64: never as a whole. With a client of ``dask.distributed`` its workers hold
            the samples of a Dask array.
        y : array-like of shape (n_samples,)
            The class of each sample: numbers, strings or booleans, of at least two classes. Of Dask too, as
            all other arguments; it is then computed.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a sample of weight 2 counts as two equal samples, one of weight 0
            not at all. None gives every sample the weight 1.
        X_val : {array-like, sparse matrix} of shape (n_val_samples, n_features), default=None
            Validation samples: they do not change the model, but their cost is recorded in
            `validation_loss_curve_`. A pipeline with ``transform_input=["X_val"]`` transforms them as it
            does X, where metadata routing is enabled.
        y_val : array-like of shape (n_val_samples,), default=None
            The class of each validation sample, one of the classes in y.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation samples; `class_weight` applies to them too.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If X, y, the weights, the validation samples or a parameter are invalid; if the features are
            so large that the cost of the initial weights, or the rate "auto", overflows; or if
            `warm_start=True` and the features or classes are not those of the previous fit. The estimator
            is left unchanged, as by any error.
        TypeError
            If the labels are bytes, or cannot be sorted: strings and numbers, or None among them. If X is a
            dataset of h5py or an array of Zarr, which would be read as a whole.
        RuntimeError
            If the client of ``dask.distributed`` was closed during the fit.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) before the descent begins, or again while it ends. The estimator
            is left unchanged.

        Warns
        -----
        ConvergenceWarning
            If the cost ends above its initial value (by more than rounding: 1.5e-8 of it in float64, 3.5e-4
            in float32) or is no longer finite: the learning rate is too large. The weights kept are the
            last whose recorded cost was finite. Also if the scale of the features
            has clearly kept the descent from finishing: 2,000 steps at its rate would hardly move along a
            feature whose variance is below a hundredth of the mean square of all, and which would lower the
            cost by more than 1 % of the class entropy; or, after 200 steps, a network on features of a mean
            square above 10 is still within 10 % of the class entropy.
        UserWarning
            A FitInterruptedWarning if the user interrupts (Ctrl-C) once the descent has begun: the weights
            reached are kept.
        """
        n_steps = int(self.max_iter)  # of small types of NumPy too
        task = begin_fit(self, n_tasks(n_steps), X, y, sample_weight)
        with replacing_state(self) as fitted:
            problem = make_problem(fitted, X, y, sample_weight, n_steps=n_steps)
            validation = make_validation(fitted, problem, X_val, y_val, sample_weight_val)
            l2 = float(self.l2_regularization)
            rate = problem.learning_rate(self.learning_rate, l2)
            objective = problem.objective(l2)
            if self.verbose:
                _print_way(problem, objective)
            descent = train(
                objective,
                problem.layers,
                rate,
                n_steps,
                recorded_steps(self.record_every, n_steps),
                validation=validation,
                on_record=_print_cost if self.verbose else None,
                observer=task.step_reporter(n_steps, partial(fitted._copy_fitted_attributes, problem, rate)),
            )
            descent, warning = fitted._finish(problem, rate, descent)
        descent = self._end(task, rate, descent)
        _warn(descent, warning, n_steps)
        return self

    def _finish(self, problem, rate, descent):
        """Set the fitted attributes; return the descent with weights, and a warning or None.

        The descent is over: an interruption (Ctrl-C) is recorded, and nothing is lost.
        """
        try:
            return self._set_fitted_attributes(problem, rate, descent)
        except KeyboardInterrupt:
            return self._set_fitted_attributes(problem, rate, descent._replace(interrupted=True))

    def _set_fitted_attributes(self, problem, rate, descent):
        warning = find_warning(self, problem, rate, descent)
        descent = problem.with_weights(descent)
        set_fitted_attributes(self, descent, rate)
        return descent, warning

    def _end(self, task, rate, descent):
        """End the task of a fit, whose descent holds weights; return the descent."""
        try:
            task.end(partial(self._copy_fitted_attributes, None, rate, descent))
        except KeyboardInterrupt:
            return descent._replace(interrupted=True)
        return descent

    def _copy_fitted_attributes(self, problem, rate, descent):
        """Return a copy of the fitted attributes for callbacks, which may change them.

        `problem` converts the parameters in `descent` to weights; None if it holds weights already.
        """
        if problem is not None:
            descent = problem.with_weights(descent)
        layers = [(W.copy(), b.copy()) for W, b in descent.layers]
        of_data = {name: getattr(self, name) for name in OF_DATA if hasattr(self, name)}
        return of_data | self._fitted_attributes(descent._replace(layers=layers), rate)

    def _fitted_attributes(self, descent, rate):
        """Return {name: value} of the fitted attributes after a descent at a learning rate."""
        results = self._layer_attributes(descent.layers) | {
            "loss_curve_": descent.loss_curve,
            "loss_": descent.loss,
            "n_iter_": descent.n_iter,
            "_recorded_every": self.record_every if self.record_every == "auto" else int(self.record_every),
        }
        if descent.validation_loss is not None:
            results["validation_loss_curve_"] = descent.validation_loss_curve
            results["validation_loss_"] = descent.validation_loss
        return results

    @property
    def loss_curve_steps_(self):
        """Before which steps the costs in `loss_curve_` were recorded: ndarray of int."""
        steps = recorded_steps(self._recorded_every, self.n_iter_ + 1)
        return np.array(steps[: len(self.loss_curve_)], np.intp)

    def _check_warm_start(self):
        """Raise ValueError if the fitted layers are not of the sizes that the parameters specify."""

    def _logits(self, X):
        """Return the logits, Z of the output, (n_samples, 1 or n_classes), in the precision of X."""
        check_is_fitted(self)
        X = validate_new_samples(self, X)
        return finite_logits(self._network, X, self._get_layers())

    @by_chunks
    def decision_function(self, X):
        """Return the logits: Z of the output (notes, sections 1.2.1 and 1.3.3).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        Z : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of `classes_[1]`, which is predicted exactly where Z > 0;
            for more, one score per class, the largest of which is predicted. A log-odds that overflows is
            the largest float; scores of which one overflows are all divided by a power of 2.
        """
        Z = self._logits(X)
        return Z.ravel() if Z.shape[1] == 1 else Z

    @by_chunks
    def predict(self, X):
        """Return the most probable class of each sample (notes, section 1.2.2).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from `classes_`.
        """
        Z = self._logits(X)
        predicted = (Z[:, 0] > 0).astype(np.intp) if Z.shape[1] == 1 else Z.argmax(axis=1)
        return self.classes_[predicted]

    @by_chunks
    def predict_proba(self, X):
        """Return the probability of each class: A of the output (notes, section 1.2.1).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        A : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. Small ones are as accurate as large ones.
        """
        Z = self._logits(X)
        return self._network.output.probabilities(Z)

    @by_chunks
    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        log_A : ndarray of shape (n_samples, n_classes)
            Computed from Z, so finite and accurate even where `predict_proba` rounds to 0. In
            float32, 0 where `predict_proba` rounds to 1.
        """
        Z = self._logits(X)
        output = self._network.output
        log_A = output.log_probabilities(Z)
        if log_A.dtype == np.float32:
            # check_estimator compares with the logarithm of the rounded probability, to 1e-9. In float32
            # 1 - p rounds to 1 for p < 3e-8; in float64 only for p < 6e-17, which passes the check.
            log_A[output.probabilities(Z) == 1] = 0
        return log_A

    def score(self, X, y, sample_weight=None):
        """Return the accuracy: the fraction of samples classified correctly (notes, section 1.2.2).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        accuracy : float
            In [0, 1].
        """
        with orientation_advice(X, y, getattr(self, "n_features_in_", None)):
            if is_dask(X):
                predicted = in_memory(self.predict(X))
                return accuracy_score(in_memory(y), predicted, sample_weight=in_memory(sample_weight))
            return super().score(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def last_step(estimator):
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def set_fitted_attributes(classifier, descent, rate):
    """Set the fitted attributes after a descent, which holds weights, at a learning rate."""
    vars(classifier).update(classifier._fitted_attributes(descent, rate))


class FitWarning(NamedTuple):
    """What a fit warns of; a search reports what concerns the scale of X once, not for every candidate."""

    message: str
    concerns_scale: bool = False


def find_warning(classifier, problem, rate, descent):
    """Return the warning, or None: the cost did not fall, or clearly could fall much further.

    `descent` still holds the parameters of the problem, not weights.
    """
    l2 = float(classifier.l2_regularization)
    # After a warm start from an optimum, rounding alone may raise the cost.
    start = descent.loss_curve[0] if descent.loss_curve else np.inf
    ceiling = start * (1 + float(np.finfo(problem.samples.dtype).eps) ** 0.5)
    if descent.diverged_at is not None or descent.loss > ceiling:
        return FitWarning(_divergence_message(descent, rate, problem.stable_rate(l2)))
    if descent.n_iter < classifier.max_iter:  # stopped by a callback or the user
        return None
    with np.errstate(all="ignore"):
        unfinished = problem.scaling.find_unfinished(descent, l2, rate)
    return None if unfinished is None else _unfinished_warning(classifier, descent, unfinished)


def finite_logits(network, X, layers):
    """Return the logits of the rows of X, in the precision of X, and finite."""
    with np.errstate(all="ignore"):
        return logits(network, choose_samples(X), layers)


def _warn(descent, warning, max_iter):
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


def _print_way(problem, objective):
    """Print how samples that are not in memory are read, and what takes time before the first step."""
    if reading := problem.samples.describe_reading():
        print(reading)
    if not objective.is_ready():
        print("Preparing compiled steps: this takes some seconds the first time on a computer.")


def _print_cost(step, cost, validation_cost):
    validation = "" if validation_cost is None else f" (validation: {validation_cost:f})"
    print(f"Cost after iteration {step}: {cost:f}{validation}")


def _divergence_message(descent, learning_rate, stable_rate):
    """Say what went wrong, at which step and rate, which weights are kept and what to do."""
    if descent.diverged_at is not None:
        what = (
            f"Gradient descent diverged at learning_rate={learning_rate:g}: at step "
            f"{descent.diverged_at} the cost was not finite. The weights of step {descent.n_iter} "
            f"are kept."
        )
    else:
        what = (
            f"Gradient descent did not lower the cost at learning_rate={learning_rate:g}: it ended at "
            f"{descent.loss:g} after step {descent.n_iter}, above its start of "
            f"{descent.loss_curve[0]:g}."
        )
    limit = "" if not stable_rate else f" (descent is stable below 2/L = {stable_rate:g})"
    return f"{what} Pass a smaller learning_rate{limit} or scale X, as StandardScaler does."


def _unfinished_warning(classifier, descent, unfinished):
    what = f"Gradient descent has not finished: the cost is {descent.loss:g} after step {descent.n_iter}"
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
