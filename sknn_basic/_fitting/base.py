"""The base class of both classifiers: fitting and prediction."""

from contextlib import nullcontext
from functools import cache, partial
from math import prod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from .._descent.arrays import argmax, copied, namespace, on_host
from .._descent.choice import choose_samples
from .._descent.logits import logits
from .._descent.run import recorded_steps, train
from .._descent.threads import threads
from .._lazy.sources import computed, lazy_method, placed_like
from .._sklearn import DISPATCHES, Interval, StrOptions, fit_context
from .advice import orientation_advice
from .callbacks import CallbackSupportMixin, begin_fit
from .inputs import DATA_ATTRIBUTES, check_place, make_problem, make_validation, validate_new_samples
from .memo import active_memo
from .messages import (
    find_warning,
    is_logged,
    log_cost,
    log_end,
    prepare,
    print_cost,
    reported_steps,
    tell_reading,
    warn_of_fit,
)
from .onnx import OnnxClassifierMixin
from .parameters import ParameterAdviceMixin
from .state import replacing_state

# BLAS takes one thread in smaller products (OpenBLAS: below 9,216 values), which saves 9 us of some 60 us.
BLAS_SHARES_FROM = 2**13
SUM_OF_WEIGHTS = "the sum of sample_weight times the factors of class_weight (n_samples without weights)"


class GradientDescentClassifier(
    ParameterAdviceMixin, CallbackSupportMixin, OnnxClassifierMixin, ClassifierMixin, BaseEstimator
):
    """Base class: validation, labels, sample weights, recording and prediction.

    Predictions of a Dask array are Dask arrays.

    A subclass defines the activation and output (`_network`), the initial layers (`_init_layers`) and the
    fitted attributes that hold the layers (`_layer_attributes`, `_get_layers`).
    """

    _parameter_constraints = {
        "learning_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "record_every": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    _parameter_advice = {  # for the names that the notes use
        "num_iterations": "Pass max_iter, the number of steps.",
        "alpha": "Pass learning_rate for the notes' alpha, or l2_regularization=alpha / n for that of "
        f"MLPClassifier, with n {SUM_OF_WEIGHTS}.",
        "n_h": "The size of the hidden layer is hidden_layer_size of ShallowNNClassifier.",
        "hidden_layer_sizes": "There is one hidden layer: hidden_layer_size of ShallowNNClassifier.",
        "print_cost": "Pass verbose=True to print the cost as the notes do.",
        "lambd": f"Pass l2_regularization=lambd / n for lambd/(2 n) ||W||^2, with n {SUM_OF_WEIGHTS}.",
        "C": f"Pass l2_regularization=1 / (C * n), with n {SUM_OF_WEIGHTS}.",
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
            the samples of a Dask array. Under ``sklearn.config_context(array_api_dispatch=True)`` an array of
            PyTorch, CuPy or others of the array API standard is used where it is, and so are fitted arrays.
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
            If the labels are bytes, or cannot be sorted: strings and numbers, or None among them. If X or
            X_val is an array in a file (of h5py, Zarr, PyTables, netCDF4, h5netcdf or xarray), as NumPy reads
            it as a whole.
        RuntimeError
            If the client of ``dask.distributed`` was closed, or lost its scheduler, during the fit; or if the
            cluster lost chunks of X that it cannot compute again.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) before the descent begins, or again while it ends. The estimator
            is left unchanged.

        Warns
        -----
        ConvergenceWarning
            If the cost ends above its initial value (by more than rounding: 1.5e-8 of it in float64, 3.5e-4
            in float32) or is no longer finite: the learning rate is too large. The weights kept are the
            last whose recorded cost was finite, or the initial ones with `EarlyStopping`, which also warns if
            only the cost of the validation samples has not fallen. Also if this cost ends above its start and
            values of X_val are more than 30 times as large as those of X, which was scaled. Also if the scale
            of the features has clearly kept the descent from finishing: 2,000 steps at its rate would hardly
            move along a feature whose variance is below a hundredth of the mean square of all, although a
            step along it would lower the cost by more than 1 % of the class entropy; or, after 200 steps, a
            network on features of a mean square above 10 is still within 10 % of the class entropy, or any
            network within 0.1 %.
        UserWarning
            A FitInterruptedWarning if the user interrupts (Ctrl-C) once the descent has begun: the weights
            reached are kept. Another one if a cluster of ``dask.distributed`` has had no workers for 5
            seconds: the fit waits for new ones.
        RuntimeWarning
            If Numba is installed but cannot compile the steps: NumPy takes them.
        """
        n_steps = int(self.max_iter)  # of small types of NumPy too
        task = begin_fit(self, n_steps, X, y, sample_weight)
        validation = X_val, y_val, sample_weight_val
        with replacing_state(self) as fitted:
            remembered = None
            if all(value is None for value in validation):
                remembered = active_memo().recall(self, X, y, sample_weight, task)
            if remembered is None:
                with threads.shared_out():
                    rate, descent, warning = fitted._descend(X, y, sample_weight, validation, task)
                    log_end(self, rate, descent)
            else:
                rate, descent, warning = remembered.rate, remembered.descent, remembered.warning
                vars(fitted).update(remembered.before_descent)
                set_fitted_attributes(fitted, descent, rate)
        try:
            task.end(partial(self._copy_fitted_attributes, None, rate, descent))
        except KeyboardInterrupt:
            descent = descent._replace(interrupted=True)
        warn_of_fit(descent, warning, n_steps)
        return self

    @classmethod
    @cache
    def _get_param_names(cls):
        """Return the names of the parameters, looked up once: clone, set_params and fit ask for them."""
        return super()._get_param_names()

    def _descend(self, X, y, sample_weight, validation, task):
        """Train on the samples and set the fitted attributes; return the rate, the descent and a warning."""
        n_steps = int(self.max_iter)
        l2 = float(self.l2_regularization)
        gram = active_memo().gram(self, X)
        problem = make_problem(self, X, y, sample_weight, n_steps=n_steps, gram=gram)
        validation = make_validation(self, problem, *validation)
        rate = problem.learning_rate(self.learning_rate, l2)
        objective = problem.objective(l2)
        tell_reading(problem, self.verbose)
        prepare(objective, self.verbose)
        on_record = print_cost if self.verbose else log_cost if is_logged() else None
        records = recorded_steps(self.record_every, n_steps)
        descent = train(
            objective,
            problem.layers,
            rate,
            n_steps,
            records,
            validation=validation,
            on_record=on_record,
            reports=reported_steps(self.record_every, records, n_steps),
            record_listener=task.record_listener(),
            observer=task.step_reporter(n_steps, partial(self._copy_fitted_attributes, problem, rate)),
        )
        return rate, *self._finish(problem, rate, descent)

    def _finish(self, problem, rate, descent):
        """Set the fitted attributes, also if interrupted; return the descent with weights, and a warning."""
        try:
            return self._set_fitted_attributes(problem, rate, descent)
        except KeyboardInterrupt:
            return self._set_fitted_attributes(problem, rate, descent._replace(interrupted=True))

    def _set_fitted_attributes(self, problem, rate, descent):
        warning = find_warning(self, problem, rate, descent)
        descent = problem.with_weights(descent)
        set_fitted_attributes(self, descent, rate)
        return descent, warning

    def _copy_fitted_attributes(self, problem, rate, descent):
        """Return the fitted attributes for callbacks: a copy, since they may change them.

        `problem` converts the parameters in `descent` to weights; None if it holds weights already.
        """
        if problem is not None:
            descent = problem.with_weights(descent)
        layers = [(copied(W), copied(b)) for W, b in descent.layers]
        about_data = {name: getattr(self, name) for name in DATA_ATTRIBUTES if hasattr(self, name)}
        return about_data | self._fitted_attributes(descent._replace(layers=layers), rate)

    def _fitted_attributes(self, descent, rate):
        """Return {name: value} of the fitted attributes after a descent at a learning rate."""
        results = self._layer_attributes(descent.layers) | {
            "loss_curve_": descent.loss_curve,
            "loss_": descent.loss,
            "n_iter_": descent.n_iter,
            "learning_rate_": rate,
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

    def _logits(self, X, method):
        """Return Z of the output, (n_samples, 1 or n_classes), in the precision of X, for a method."""
        if not hasattr(self, "classes_") or hasattr(self, "__sklearn_is_fitted__"):
            check_is_fitted(self)  # 5 us, of 120 for a row
        Z = active_memo().logits(self, X)
        if Z is not None:
            return Z
        X, layers = validate_new_samples(self, X), self._get_layers()
        check_place(X, layers[0][0], "Inputs passed to {}.{}()", type(self).__name__, method)
        return finite_logits(self._network, X, layers)

    @lazy_method
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
            for more, one score per class: the class of the largest is predicted. A log-odds that overflows
            is the largest float; if a score overflows, all of its sample are divided by a power of 2.
        """
        Z = self._logits(X, "decision_function")
        return Z[:, 0] if Z.shape[1] == 1 else Z

    @lazy_method
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
        Z = self._logits(X, "predict")
        predicted = on_host(Z[:, 0] > 0).astype(np.intp) if Z.shape[1] == 1 else on_host(argmax(Z))
        labels = on_host(self.classes_)[predicted]
        is_here = isinstance(Z, np.ndarray) or labels.dtype.kind not in "biuf"  # no other library has text
        return labels if is_here else placed_like(X, labels)

    @lazy_method
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
        Z = self._logits(X, "predict_proba")
        return self._network.output.probabilities(Z)

    @lazy_method
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
        Z = self._logits(X, "predict_log_proba")
        output, xp = self._network.output, namespace(Z)
        log_A = output.log_probabilities(Z)
        if log_A.dtype == xp.float32:
            # check_estimator compares with the logarithm of the rounded probability, to 1e-9. In float32
            # 1 - p rounds to 1 for p < 3e-8; in float64 only for p < 6e-17, which passes the check.
            log_A = xp.where(output.probabilities(Z) == 1, 0.0, log_A)
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
            predicted, y = computed(self.predict(X)), computed(y)
            if sample_weight is None and are_plain_labels(y, predicted):
                return float(np.mean(y == predicted))
            return accuracy_score(y, predicted, sample_weight=computed(sample_weight))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.array_api_support = True, DISPATCHES
        return tags


def set_fitted_attributes(classifier, descent, rate):
    """Set the fitted attributes after a descent that holds weights, at a learning rate."""
    vars(classifier).update(classifier._fitted_attributes(descent, rate))


def are_plain_labels(y, predicted):
    """Whether labels need none of the checks of accuracy_score, which take longer than a search's fits."""
    is_plain = type(y) is type(predicted) is np.ndarray and y.shape == predicted.shape
    return is_plain and y.dtype.kind == predicted.dtype.kind and y.dtype.kind in "biuU"


def finite_logits(network, X, layers):
    """Return the logits of the rows of X: finite, and in the precision of X."""
    is_small = X.shape[0] * max(prod(W.shape) for W, _ in layers) < BLAS_SHARES_FROM
    with nullcontext() if is_small else threads.shared_out(), np.errstate(all="ignore"):
        return logits(network, choose_samples(X), layers)
