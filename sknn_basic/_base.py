"""What both classifiers share: everything but the layers."""

import warnings
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._callbacks import CallbackSupportMixin, begin_fit, n_tasks
from ._descent.objective import logits
from ._descent.problem import cast
from ._descent.run import train
from ._descent.samples import choose_samples
from ._inputs import make_problem, make_validation, orientation_advice, validate_new_samples
from ._parameters import ParameterAdviceMixin
from ._sklearn import Interval, StrOptions, fit_context


class FitInterruptedWarning(UserWarning):
    """A fit was interrupted (Ctrl-C): the model holds the weights reached.

    See Also
    --------
    sklearn.exceptions.ConvergenceWarning : What a fit warns of that has not gone down, or has not finished.

    Examples
    --------
    To end a script at an interruption, as without this package:

    >>> import warnings
    >>> from sknn_basic import FitInterruptedWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", FitInterruptedWarning)
    """


class GradientDescentClassifier(ParameterAdviceMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Everything but the layers: validation, labels, weights, recording and prediction.

    A subclass defines the activation and output (`_network`), the initial layers (`_init_layers`) and the
    fitted attributes that hold the layers (`_layer_attributes`, `_get_layers`).
    """

    _parameter_constraints = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "record_every": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    _parameter_advice = {  # for the names that the notes use
        "num_iterations": "Pass max_iter, the number of steps.",
        "alpha": "Pass learning_rate, the notes' alpha.",
        "n_h": "Pass hidden_layer_size, the notes' n_h, to ShallowNNClassifier.",
        "print_cost": "Pass verbose=True to print the cost as the notes do.",
        "lambd": "Pass l2_regularization.",
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Take `max_iter` steps of gradient descent on all samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples, one a row (the notes have them as columns). float32 and float64 are used as
            they are, anything else becomes float64; sparse input becomes CSR.
        y : array-like of shape (n_samples,)
            The class of each sample: numbers, strings or booleans, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a sample of weight 2 counts as two equal samples, one of weight 0
            not at all. None gives every sample the weight 1.
        X_val : {array-like, sparse matrix} of shape (n_val_samples, n_features), default=None
            Samples to validate on: they change nothing in the model, but their cost is recorded in
            `validation_loss_curve_`. A pipeline with ``transform_input=["X_val"]`` transforms them as it
            does X, where metadata routing is enabled.
        y_val : array-like of shape (n_val_samples,), default=None
            The class of each of them, which must be a class of y.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Their weights. `class_weight` holds for them too.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If X, y, the weights, the validation samples or a parameter are unusable; if the features are
            so large that the cost of the initial weights, or "auto", overflows; or if `warm_start=True`
            and the features or classes are not those of the fit before. The estimator is then as it was.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) before the descent begins. The estimator is then as it was.

        Warns
        -----
        ConvergenceWarning
            If the cost ends above its start (by more than rounding: 1.5e-8 of it in float64, 3.5e-4 in
            float32), or stops being finite: the learning rate is too large. The weights kept are the
            last whose recorded cost was finite. Also if the features are so unlike in scale that descent
            has plainly not finished: one whose variance is below a hundredth of the mean square of all
            would alone lower the cost by more than 1 % of the entropy of the classes.
        UserWarning
            A FitInterruptedWarning if the user interrupts (Ctrl-C) once the descent has begun: the weights
            kept are those reached.
        """
        task = begin_fit(self, n_tasks(self.max_iter), X, y, sample_weight)
        with _rollback_on_error(self):
            problem = make_problem(self, X, y, sample_weight, n_steps=self.max_iter)
            validation = make_validation(self, problem, X_val, y_val, sample_weight_val)
            l2 = float(self.l2_regularization)
            rate = problem.learning_rate(self.learning_rate, l2)
            descent = train(
                problem.objective(l2),
                problem.layers,
                rate,
                self.max_iter,
                self.record_every,
                validation=validation,
                on_record=_print_cost if self.verbose else None,
                observer=task.step_reporter(
                    self.max_iter, partial(self._copy_fitted_attributes, problem, rate)
                ),
            )
            try:
                descent, warning = self._set_fitted_attributes(problem, rate, descent)
            except KeyboardInterrupt:  # the descent is over: nothing is lost
                descent, warning = self._set_fitted_attributes(
                    problem, rate, descent._replace(interrupted=True)
                )
            try:
                task.end(partial(self._copy_fitted_attributes, None, rate, descent))
            except KeyboardInterrupt:
                descent = descent._replace(interrupted=True)
            if warning:
                warnings.warn(warning, ConvergenceWarning, stacklevel=3)
            if descent.interrupted:
                warnings.warn(
                    f"Gradient descent was interrupted: the weights of step {self.n_iter_} of "
                    f"{self.max_iter} are kept. With warm_start=True, another fit continues from them.",
                    FitInterruptedWarning,
                    stacklevel=3,
                )
        return self

    def _set_fitted_attributes(self, problem, rate, descent):
        """Keep what a descent leaves; return it with its weights, and what to warn of."""
        warning = find_warning(self, problem, rate, descent)
        descent = problem.with_weights(descent)
        vars(self).update(self._fitted_attributes(descent, rate))
        return descent, warning

    def _copy_fitted_attributes(self, problem, rate, descent):
        """Return the fitted attributes that a descent leaves, for callbacks, which may change them.

        `problem` makes weights of its parameters, where it still has these.
        """
        if problem is not None:
            descent = problem.with_weights(descent)
        layers = [(W.copy(), b.copy()) for W, b in descent.layers]
        return self._fitted_attributes(descent._replace(layers=layers), rate)

    def _fitted_attributes(self, descent, rate):
        """Return the fitted attributes that a descent at a learning rate leaves."""
        results = self._layer_attributes(descent.layers) | {
            "loss_curve_": descent.loss_curve,
            "loss_": descent.loss,
            "n_iter_": descent.n_iter,
            "_recorded_every": self.record_every,  # at which steps loss_curve_ was taken
        }
        if descent.validation_loss is not None:
            results["validation_loss_curve_"] = descent.validation_loss_curve
            results["validation_loss_"] = descent.validation_loss
        return results

    def _check_warm_start(self):
        """Refuse to continue from weights of other layers than the parameters ask for."""

    def _logits(self, X):
        """Return Z of the output, (n_samples, 1 or n_classes), in the precision of X."""
        check_is_fitted(self)
        X = validate_new_samples(self, X)
        return finite_logits(self._network, X, self._get_layers())

    def decision_function(self, X):
        """Return Z of the output: the logits (notes, sections 1.2.1 and 1.3.3).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        Z : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of `classes_[1]`, which is predicted exactly where Z > 0;
            for more, one score a class, the largest of which is predicted.
        """
        Z = self._logits(X)
        return Z.ravel() if Z.shape[1] == 1 else Z

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

    def predict_proba(self, X):
        """Return the probability of each class: A of the output (notes, section 1.2.1).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        A : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. A small one is as exact as a large one.
        """
        Z = self._logits(X)
        return self._network.output.probabilities(Z)

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        log_A : ndarray of shape (n_samples, n_classes)
            Computed from Z, so finite and right also where `predict_proba` rounds to 0. For
            float32, 0 where `predict_proba` rounds to 1.
        """
        Z = self._logits(X)
        output = self._network.output
        log_A = output.log_probabilities(Z)
        if log_A.dtype == np.float32:
            # check_estimator wants the logarithm of the rounded probability to 1e-9; float32 rounds
            # to 1 from 3e-8 on (float64 from 6e-17 on, where the tail can stay).
            log_A[output.probabilities(Z) == 1] = 0
        return log_A

    def score(self, X, y, sample_weight=None):
        """Return the accuracy: the share of samples whose class is predicted (notes, section 1.2.2).

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
            return super().score(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def last_step(estimator):
    """Return what a pipeline ends in, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


@contextmanager
def _rollback_on_error(estimator):
    """Take back every attribute that was set inside, if an exception leaves the block."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def find_warning(classifier, problem, rate, descent):
    """Return what to warn of, or None: that the cost did not fall, or plainly could fall much further.

    The layers of `descent` are still the parameters that the problem descends on.
    """
    l2 = float(classifier.l2_regularization)
    # At an optimum that a warm start continues from, rounding alone may lift the cost.
    start = descent.loss_curve[0] if descent.loss_curve else np.inf
    ceiling = start * (1 + np.sqrt(np.finfo(problem.samples.dtype).eps))
    if descent.diverged_at is not None or descent.loss > ceiling:
        return _divergence_message(descent, rate, problem.stable_rate(l2))
    if descent.n_iter < classifier.max_iter:  # ended by a callback or the user, on purpose
        return None
    with np.errstate(all="ignore"):
        unfinished = problem.scaling.find_unfinished(descent.layers, l2)
    return None if unfinished is None else _unfinished_message(descent, unfinished)


def finite_logits(network, X, layers):
    """Return Z of the output for the rows of X, in their precision, so that differences are finite."""
    with np.errstate(all="ignore"):  # a probability is finite where Z overflows
        Z = logits(network, choose_samples(X), cast(layers, X.dtype))
        largest = np.finfo(Z.dtype).max / 2
        return np.clip(Z, -largest, largest, out=Z)


def _print_cost(step, cost, validation_cost):
    validation = "" if validation_cost is None else f" (validation: {validation_cost:f})"
    print(f"Cost after iteration {step}: {cost:f}{validation}")


def _divergence_message(descent, learning_rate, stable_rate):
    """Return what went wrong, at which step and rate, what is kept and what to do."""
    if descent.diverged_at is not None:
        what = (
            f"Gradient descent diverged at learning_rate={learning_rate:g}: at step "
            f"{descent.diverged_at} the cost was not finite. The weights of step {descent.n_iter} "
            f"are kept."
        )
    else:
        what = (
            f"Gradient descent did not descend at learning_rate={learning_rate:g}: the cost ended at "
            f"{descent.loss:g} after step {descent.n_iter}, above its start of "
            f"{descent.loss_curve[0]:g}."
        )
    limit = "" if not stable_rate else f" (descent is stable below 2/L = {stable_rate:g})"
    return f"{what} Pass a smaller learning_rate{limit} or scale X, as StandardScaler does."


def _unfinished_message(descent, unfinished):
    return (
        f"Gradient descent has not finished: the cost is {descent.loss:g} after step {descent.n_iter}, and a "
        f"step along feature {unfinished.feature} alone would lower it by {unfinished.gain:g} or more. "
        "Descent hardly moves along this feature, since it varies too little beside the size of the others, "
        "or of its own mean. Scale X, as StandardScaler does."
    )
