"""What both classifiers share: everything but the layers."""

import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._callbacks import CallbackSupportMixin, StepWatch, begin_fit, n_tasks
from ._inputs import (
    shares,
    targets,
    validate_more_samples,
    validate_samples,
    validate_validation_samples,
)
from ._network import forward, log_output, output
from ._objective import Objective
from ._samples import Samples
from ._sklearn import Interval, StrOptions, fit_context
from ._training import cast, finish, start, train


class FitInterruptedWarning(UserWarning):
    """The user has stopped a fit: the model holds the weights reached."""


class GradientDescentClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Everything but the layers: validation, labels, weights, recording and prediction.

    A subclass says how its layers start (`_init_layers`), under which names they are kept as fitted
    attributes (`_name_layers`, `_get_layers`) and at which rate they descend (`_get_learning_rate`).
    """

    _parameter_constraints = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "record_every": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }
    _activation = None, None  # g and its slope, for a hidden layer

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
            last whose recorded cost was finite.
        UserWarning
            If the user interrupts (Ctrl-C) once the descent has begun: the weights kept are those reached.
        """
        task = begin_fit(self, n_tasks(self.max_iter), X, y, sample_weight)
        with _unchanged_on_error(self):
            X, Y, s, layers = self._pose(X, y, sample_weight)
            held_out = self._pose_validation(X_val, y_val, sample_weight_val, X.dtype)
            samples, layers = start(X, layers, self.max_iter)
            objective = Objective(samples, Y, s, self._activation, float(self.l2_regularization), layers)
            validation = None
            if held_out is not None:
                X_val, Y_val, s_val = held_out
                validation = Objective(samples.more(X_val), Y_val, s_val, self._activation, 0.0, layers)
            learning_rate = self._get_learning_rate(samples, s, Y.shape[1])
            on_record = _print_cost if self.verbose else None

            def with_weights(descent):
                return descent._replace(layers=finish(samples, descent.layers, X.dtype))

            def copied(descent):  # for callbacks, which may change what they are given
                layers = [(W.copy(), b.copy()) for W, b in descent.layers]
                return self._name_results(descent._replace(layers=layers))

            watch = StepWatch(task, self.max_iter, lambda descent: copied(with_weights(descent)))
            descent = train(
                objective,
                layers,
                learning_rate,
                self.max_iter,
                self.record_every,
                validation=validation,
                on_record=on_record,
                watch=watch if task else None,
            )

            def keep():
                final = with_weights(descent)
                return final, self._keep(final, samples, s, learning_rate)

            interrupted = descent.interrupted
            try:
                final, trouble = keep()
            except KeyboardInterrupt:  # the descent is over: nothing is lost
                interrupted = True
                final, trouble = keep()
            try:
                task.end(lambda: copied(final))
            except KeyboardInterrupt:
                interrupted = True
            if trouble:
                warnings.warn(trouble, ConvergenceWarning, stacklevel=3)
            if interrupted:
                warnings.warn(
                    f"Gradient descent was interrupted: the weights of step {self.n_iter_} of "
                    f"{self.max_iter} are kept. With warm_start=True, another fit continues from them.",
                    FitInterruptedWarning,
                    stacklevel=3,
                )
        return self

    def _pose(self, X, y, sample_weight):
        """Set what the data decides, classes_ and n_features_in_, and return X, Y, s and the first layers."""
        continued = self._get_fitted() if self.warm_start else None
        X, y = validate_samples(self, X, y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but y contains only "
                f"one class: {classes.tolist()[0]!r}."
            )
        # searchsorted, since unique(return_inverse=True) takes 40 bytes a sample
        labels = np.searchsorted(classes, y)
        self.classes_ = classes
        n_outputs = self._n_outputs()
        s = shares(labels, classes, sample_weight, self.class_weight, X)
        Y = targets(labels, n_outputs, X.dtype)
        if continued is None:
            layers = self._init_layers(X.shape[1], n_outputs, X.dtype)
        else:
            layers = self._continue_from(continued, classes, X.dtype)
        return X, Y, s, layers

    def _pose_validation(self, X, y, sample_weight, dtype):
        """Return X, Y and s of the validation samples, or None; forget what those of the last fit gave."""
        for name in ("validation_loss_curve_", "validation_loss_"):
            vars(self).pop(name, None)
        validated = validate_validation_samples(self, X, y, sample_weight, dtype)
        if validated is None:
            return None
        X, labels, s = validated
        return X, targets(labels, self._n_outputs(), dtype), s

    def _name_results(self, descent):
        """Return the fitted attributes that a descent leaves."""
        results = self._name_layers(descent.layers) | {
            "loss_curve_": descent.loss_curve,
            "loss_": descent.loss,
            "n_iter_": descent.n_iter,
            "_recorded_every": self.record_every,  # at which steps loss_curve_ was taken
        }
        if descent.validation_loss is not None:
            results["validation_loss_curve_"] = descent.validation_loss_curve
            results["validation_loss_"] = descent.validation_loss
        return results

    def _keep(self, descent, samples, s, learning_rate):
        """Set the fitted attributes; return what to warn of, if the descent did not go down."""
        vars(self).update(self._name_results(descent))
        # At an optimum that a warm start continues from, rounding alone may lift the cost.
        start = descent.loss_curve[0] if descent.loss_curve else np.inf
        ceiling = start * (1 + np.sqrt(np.finfo(samples.dtype).eps))
        if descent.broke_down_at is None and descent.loss <= ceiling:
            return None
        stable_rate = self._get_stable_rate(samples, s, self._n_outputs())
        return _divergence_message(descent, learning_rate, stable_rate)

    def _n_outputs(self):
        return 1 if len(self.classes_) == 2 else len(self.classes_)

    def _get_fitted(self):
        """Return what a warm start must find unchanged, or None before the first fit."""
        if not hasattr(self, "classes_"):
            return None
        names = getattr(self, "feature_names_in_", None)
        return self.classes_, self.n_features_in_, names

    def _continue_from(self, fitted, classes, dtype):
        """Return the fitted layers in X's precision, if features and classes are still the same."""
        classes_before, n_features_before, names_before = fitted
        names = getattr(self, "feature_names_in_", None)
        same_names = names is None or names_before is None or np.array_equal(names, names_before)
        if self.n_features_in_ != n_features_before or not same_names:
            was, now = n_features_before, self.n_features_in_
            if was == now:
                was, now = f"{was} named {list(names_before)}", f"{now} named {list(names)}"
            raise ValueError(
                f"warm_start=True continues from weights that were fitted on {was} features, but X "
                f"has {now}. Pass the same features, or set warm_start=False to start anew."
            )
        if not np.array_equal(classes, classes_before):
            raise ValueError(
                f"warm_start=True continues from weights that were fitted on the classes "
                f"{classes_before.tolist()}, but y has {classes.tolist()}. Pass the same classes, or "
                f"set warm_start=False to start anew."
            )
        return cast(self._get_layers(), dtype)

    def _get_stable_rate(self, samples, s, n_outputs):
        """Return the rate below which descent is stable, or None where theory does not know it."""

    def _scores(self, X):
        """Return Z of the output, (n_samples, 1 or n_classes), in the precision of X."""
        check_is_fitted(self)
        return self._scores_of(X, self._get_layers())

    def _scores_of(self, X, layers):
        """Return Z of the output for the layers, which may be stacked."""
        X = validate_more_samples(self, X)
        with np.errstate(all="ignore"):  # a probability is finite where Z overflows
            _, Z = forward(Samples(X), cast(layers, X.dtype), self._activation[0])
            largest = np.finfo(Z.dtype).max / 2  # whose differences do not overflow
            return np.clip(Z, -largest, largest, out=Z)

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
        Z = self._scores(X)
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
        Z = self._scores(X)
        winner = (Z[:, 0] > 0).astype(np.intp) if Z.shape[1] == 1 else Z.argmax(axis=1)
        return self.classes_[winner]

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
        return _probabilities(self._scores(X))

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
        Z = self._scores(X)
        log_A = np.hstack([log_expit(-Z), log_expit(Z)]) if Z.shape[1] == 1 else log_output(Z)
        if log_A.dtype == np.float32:
            # check_estimator wants the logarithm of the rounded probability to 1e-9; float32 rounds
            # to 1 from 3e-8 on (float64 from 6e-17 on, where the tail can stay).
            log_A[_probabilities(Z) == 1] = 0
        return log_A

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def last_step(estimator):
    """Return what a pipeline ends in, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


@contextmanager
def _unchanged_on_error(estimator):
    """Take back every attribute that was set inside, if an exception leaves the block."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _probabilities(Z):
    """Return one column a class; for two, each from its own tail."""
    return np.hstack([expit(-Z), expit(Z)]) if Z.shape[1] == 1 else output(Z)


def _print_cost(step, cost, validation_cost):
    beside = "" if validation_cost is None else f" (validation: {validation_cost:f})"
    print(f"Cost after iteration {step}: {cost:f}{beside}")


def _divergence_message(descent, learning_rate, stable_rate):
    """Return what went wrong, at which step and rate, what is kept and what to do."""
    if descent.broke_down_at is not None:
        what = (
            f"Gradient descent diverged at learning_rate={learning_rate:g}: at step "
            f"{descent.broke_down_at} the cost was not finite. The weights of step {descent.n_iter} "
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
