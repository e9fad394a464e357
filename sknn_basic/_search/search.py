"""All learning rates of a grid in one descent: `VectorizedGridSearchCV`."""

import warnings
from contextlib import suppress
from functools import partial
from time import perf_counter

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import get_tags, indexable

from .._fitting.base import GradientDescentClassifier
from .._fitting.callbacks import NO_DATA, begin_fit, callbacks_of, has_callbacks, propagates_to_fits
from .._fitting.parameters import ParameterAdviceMixin
from .._fitting.pipelines import last_step
from .._lazy.sources import refuse_unindexable
from .._sklearn import check_method_params, fit_context
from .stacks import EVALUATION_TASK, Fold, StoredLogits, make_candidate, make_groups, n_rows, shared_grams


class VectorizedGridSearchCV(ParameterAdviceMixin, GridSearchCV):
    """`GridSearchCV` for this package's classifiers that trains all rates of a fold in one descent.

    The candidates of a fold that differ only in `learning_rate` and `l2_regularization` are trained as one
    stack of weights, which multiplies the data once per step; values of `max_iter` are checkpoints of that
    descent. Each setting of the other parameters gets a stack of its own. Results, attributes, errors and
    the warnings of scorers are those of `GridSearchCV`.

    A stack replaces what it knows: the methods of this package's classifiers and those of scikit-learn's
    `Pipeline`. A subclass of either is trained in stacks if it only adds to it (other defaults, more
    parameters, methods of new names). One that overrides any method or attribute but `__init__` is fitted and
    scored as `GridSearchCV` does, one candidate after another.

    Far beyond the stable rate (see `LogisticRegressionGD`), where the cost does not fall, descent is chaotic:
    it depends on rounding errors, and a stack adds numbers in another order than a single fit. There the
    scores of the two searches may differ, but are poor in both.

    Parameters
    ----------
    estimator : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        The classifier, or a pipeline that ends in one; its transformers are fitted once for each fold and
        each distinct setting of their own parameters, on the training rows of the fold.
    param_grid : dict or list of dict
        Parameter names and the values to try, as for `GridSearchCV`; in a pipeline with the usual prefix,
        such as ``logisticregressiongd__learning_rate``.
    scoring : str, callable, list, tuple, dict or None, default=None
        One or several metrics, as for `GridSearchCV`; None takes the accuracy. Metrics given by name are
        computed from the logits of a whole stack; a callable gets the fitted estimator and X.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows; for several metrics the name of the one that decides.
    cv : int, splitter, iterable of splits or None, default=None
        The folds, as for `GridSearchCV`; None makes five, stratified by class.
    error_score : "raise" or number, default=np.nan
        The score of a candidate that cannot be fitted.
    return_train_score : bool, default=False
        Whether `cv_results_` has scores on the training rows too.
    verbose : int, default=0
        How much to print, as for `GridSearchCV`.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of `GridSearchCV`. Fit times are the share of a candidate in the time of its stack.
    best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, multimetric_
        As of `GridSearchCV`.
    classes_, n_features_in_, feature_names_in_
        Those of `best_estimator_`.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Any estimator, one fit after another.
    LogisticRegressionGD : Explains "auto" and the stable rate.

    Notes
    -----
    Other candidates that are fitted one after another are those with invalid parameters, with fit parameters
    other than the classifier's `sample_weight`, with ``verbose=True`` of the classifier or the pipeline, and
    those whose transformers change X in place. With metadata routing, with callbacks on the estimator, or
    with a callback on the search that propagates to its fits (it has a `max_propagation_depth`), the whole
    search runs as `GridSearchCV` does. Other callbacks on the search, and `sklearn.callback.ProgressBar`, are
    notified of each step of a stack, without data, but not of the fits of its transformers; an error that
    they raise in a task of the search ends the search.

    A stack warns once of what the fits of `GridSearchCV` repeat: the warnings of transformers, and those that
    features differ in scale. Warnings of a descent name their candidate.

    There is no `n_jobs`: a stack is one descent.

    With ``random_state=None`` the networks of a stack share their initial weights, and its candidates their
    transformers; `GridSearchCV` draws anew for each fit.

    With callable metrics the weights of all candidates and folds are kept in memory until `fit` ends.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: the learning rate is chosen by hand.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from sknn_basic import LogisticRegressionGD, VectorizedGridSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> grid = {"learning_rate": [0.001, 0.01, 0.1], "max_iter": [10, 100, 1000]}
    >>> search = VectorizedGridSearchCV(LogisticRegressionGD(), grid).fit(scale(X), y)
    >>> search.best_params_
    {'learning_rate': 0.1, 'max_iter': 1000}
    >>> print(f"{search.best_score_:.2f}")
    0.98
    """

    _parameter_advice = dict.fromkeys(
        ("n_jobs", "pre_dispatch"),
        "The candidates of a fold are trained in one descent, which is not split into jobs: leave the "
        "parameter out, or use GridSearchCV.",
    )
    _parameter_constraints = {
        name: constraint
        for name, constraint in GridSearchCV._parameter_constraints.items()
        if name not in ("n_jobs", "pre_dispatch")
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        refit=True,
        cv=None,
        error_score=np.nan,
        return_train_score=False,
        verbose=0,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            refit=refit,
            cv=cv,
            error_score=error_score,
            return_train_score=return_train_score,
            verbose=verbose,
        )

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Search the grid.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes: rows, or images for a pipeline that flattens them.
        y : array-like of shape (n_samples,)
            The class of each sample.
        **params : dict
            `groups` for the splitter; `sample_weight`, in a pipeline with the prefix of the classifier.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        TypeError
            If the estimator is neither of this package's classifiers nor a pipeline that ends in one; or if X
            is a Dask table, whose rows have no numbers.
        ValueError
            If y is None, a parameter or the grid is invalid, or no candidate can be fitted.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) while a stack is trained. Where candidates are fitted one by one,
            only the current fit ends, with a warning, and the search continues.
        """
        self._check_estimator_and_y(y)
        refuse_unindexable(X)
        self._get_scorers()  # raises the errors of `scoring` and `refit` before anything is trained
        candidates = list(ParameterGrid(self.param_grid))
        estimators = [make_candidate(self.estimator, parameters) for parameters in candidates]
        if self._needs_single_fits(estimators):
            return super().fit(X, y, **params)
        X, y = indexable(X, y)
        params = check_method_params(X, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, groups=params.pop("groups", None)))
        groups = make_groups(estimators, candidates)
        folds = [Fold(X, y, params, *split) for split in splits]
        n_stacks = len(groups) * len(folds)
        n_tasks = bool(n_stacks) + 1 + (self.refit is not False)
        task = begin_fit(self, n_tasks, X, y, params.get("sample_weight"))
        if n_stacks:
            with task.within("stacks", n_stacks, NO_DATA) as stacks_task:
                self._train(folds, groups, shared_grams(X, y, groups), stacks_task)
        lookup = _Lookup(self.estimator, X, y, params, folds, candidates, task)
        vars(self).update(self._search(lookup, splits))  # in one call: an interruption leaves no mixture
        task.end({} if self.refit else None)
        return self

    def _check_estimator_and_y(self, y):
        if not isinstance(last_step(self.estimator), GradientDescentClassifier):
            raise TypeError(
                f"VectorizedGridSearchCV takes LogisticRegressionGD, ShallowNNClassifier or a Pipeline that "
                f"ends in one, got {self.estimator!r}. Use GridSearchCV."
            )
        if y is None:
            raise ValueError("VectorizedGridSearchCV needs y, the class of each row of X.")

    def _needs_single_fits(self, estimators):
        """Return whether each candidate must be fitted alone, for metadata routing or a callback."""
        return (
            get_config()["enable_metadata_routing"]
            or propagates_to_fits(callbacks_of(self))
            or any(map(has_callbacks, estimators))
        )

    def _train(self, folds, groups, grams, task):
        """Train the groups of candidates on each fold, in stacks."""
        scored = ("train", "test") if self.return_train_score else ("test",)
        if not _are_names(self.scoring):
            scored = ()  # not in advance
        for fold in folds:
            fold.train(groups, scored, grams, task)

    def _search(self, lookup, splits):
        """Return the fitted attributes: those of a GridSearchCV that the lookup hands the trained models.

        So scores, warnings, ranks, errors and the refit are scikit-learn's own.
        """
        search = _LookupSearch(self, _LookupEstimator(lookup), splits)
        X = lookup.X
        if _are_names(self.scoring) and lookup.is_complete():  # nothing looks at X: spare its copies
            X = lookup.row_numbers.reshape(-1, 1)
        with suppress(_CallbackFailed):
            search.fit(X, lookup.y, **lookup.params, **{ROWS: lookup.row_numbers})
        if lookup.task.errors:
            raise lookup.task.errors[0]
        if not self.refit:
            lookup.search_task.end()
        search.cv_results_.update(lookup.fit_times())
        return {name: value for name, value in vars(search).items() if name.endswith("_")}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags


def _are_names(scoring):
    """Whether all scorers are scikit-learn's own, which need only the predictions of a model."""
    if scoring is None or isinstance(scoring, str):
        return True
    return not callable(scoring) and all(
        isinstance(metric, str) for metric in (scoring.values() if isinstance(scoring, dict) else scoring)
    )


class _LookupSearch(GridSearchCV):
    """A GridSearchCV that finds its candidates fitted, and presents itself as the search that it serves."""

    def __init__(self, search, estimator, cv):
        super().__init__(
            estimator,
            search.param_grid,
            scoring=search.scoring,
            refit=search.refit,
            cv=cv,
            error_score=search.error_score,
            return_train_score=search.return_train_score,
            verbose=search.verbose,
            n_jobs=1,  # the lookup relies on the order of the fits
        )
        self.search = search

    def _get_scorers(self):
        return self.search._get_scorers()

    def __repr__(self, N_CHAR_MAX=700):
        return self.search.__repr__(N_CHAR_MAX)


class _LookupEstimator(BaseEstimator):
    """Takes the place of the estimator: to set its parameters gives the next candidate of the lookup."""

    def __init__(self, lookup):
        self.lookup = lookup

    def __sklearn_clone__(self):
        return self

    def set_params(self, **parameters):
        return self.lookup.next_candidate(parameters)

    def fit(self, X, y):
        """Never called, but GridSearchCV asks for it."""


class _CallbackFailed(BaseException):
    """Passes through GridSearchCV, which would count an Exception as a failed fit."""


class _UnexpectedFit(BaseException):
    """Passes through GridSearchCV too, if it fits in another order than the lookup expects."""


ROWS = "_rows_of_the_search"  # the fit parameter in which GridSearchCV passes the indices of training rows


class _Lookup:
    """Hands candidates to GridSearchCV, in the order in which it fits: candidate by candidate, fold by fold.

    The `fit` of a candidate that a stack has trained only compares the training rows with those expected;
    any other candidate is fitted as GridSearchCV would.
    """

    def __init__(self, estimator, X, y, params, folds, candidates, task):
        self.estimator, self.X, self.y, self.params = estimator, X, y, params
        self.folds, self.candidates = folds, candidates
        self.row_numbers = np.arange(n_rows(X))
        self.schedule = [(index, fold) for index in range(len(candidates)) for fold in folds]
        self.n_served = 0
        self.seconds = np.zeros(len(self.schedule))
        self.has_warned_of_scale = False
        self.task = task
        self.search_task = task.subtask("search", len(self.schedule), NO_DATA).begin()

    def is_complete(self):
        """Whether stacks have trained all candidates on all folds."""
        return all(index in fold.trained for index, fold in self.schedule)

    def next_candidate(self, parameters):
        """Return the next candidate; its `fit` is replaced for the next call."""
        number = self.n_served
        self.n_served += 1
        if number == len(self.schedule):  # all done: the refit on all rows
            self.search_task.end()
            model, fit = make_candidate(self.estimator, parameters), partial(self._refit, parameters)
        else:
            index, fold = self.schedule[number]
            if index in fold.trained:
                model, fit = fold.trained[index].model(), partial(self._find, number)
            else:
                model = make_candidate(self.estimator, parameters)
                fit = partial(self._fit_alone, number, parameters)
        vars(model)["fit"] = partial(self._fit_once, model, fit)
        return model

    def _fit_once(self, model, fit, X, y, **params):
        del vars(model)["fit"]
        rows = params.pop(ROWS)
        try:
            fit(model, rows, X, y, params)
        except Exception:
            if self.task.errors:
                raise _CallbackFailed from None
            raise
        return model

    def _find(self, number, model, rows, X, y, params):
        """Report a candidate that was trained in a stack."""
        index, fold = self._expect(number, rows)
        trained = fold.trained[index]
        self.seconds[number] = trained.seconds
        if isinstance(model, StoredLogits):
            model.X_train = X
        with self.search_task.within(EVALUATION_TASK, data=fold.callback_data):
            pass
        if trained.warning:
            self._warn(trained.warning, index)

    def _expect(self, number, rows):
        """Return the index of the candidate and the fold with this number."""
        index, fold = self.schedule[number]
        if not np.array_equal(rows, fold.rows["train"]):
            raise _UnexpectedFit(f"Fit {number + 1} of GridSearchCV is on other rows than expected.")
        return index, fold

    def _warn(self, warning, index):
        if warning.concerns_scale:
            if self.has_warned_of_scale:
                return
            self.has_warned_of_scale = True
        message = f"{warning.message} This was the candidate {self.candidates[index]}."
        warnings.warn(message, ConvergenceWarning, stacklevel=4)

    def _fit_alone(self, number, parameters, model, rows, X, y, params):
        """Fit a candidate in the ordinary way."""
        self._expect(number, rows)
        before = perf_counter()
        try:
            self._fit(parameters, model, X, y, params, self.search_task, EVALUATION_TASK)
        finally:
            self.seconds[number] = perf_counter() - before

    def _refit(self, parameters, model, rows, X, y, params):
        self._fit(parameters, model, self.X, self.y, self.params, self.task, "refit-with-best-params")

    def _fit(self, parameters, model, X, y, params, task, name):
        """Fit the model, as a subtask of `task`.

        Another one is fitted and its state copied: GridSearchCV has linked the model to tasks of its own.
        """
        fitted = make_candidate(self.estimator, parameters)
        with task.fitting(fitted, name, X, y, params.get("sample_weight")):
            fitted.fit(X, y, **params)
        vars(model).update(vars(fitted))

    def fit_times(self):
        """Return the fit times of `cv_results_`, (n_candidates,) each."""
        times = self.seconds.reshape(len(self.candidates), len(self.folds))
        return {"mean_fit_time": times.mean(axis=1), "std_fit_time": times.std(axis=1)}
