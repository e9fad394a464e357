"""All learning rates of a grid in one descent: `VectorizedGridSearchCV`."""

import warnings
from contextlib import suppress

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import get_tags, indexable

from ._base import GradientDescentClassifier, last_step
from ._callbacks import NO_DATA, begin_fit, callbacks_of, has_callbacks, propagates_to_fits
from ._parameters import ParameterAdviceMixin
from ._sklearn import accepts_sample_weight, fit_context
from ._stacks import EVALUATION_TASK, Fold, make_candidate, make_groups, n_rows, shared_grams


class VectorizedGridSearchCV(ParameterAdviceMixin, GridSearchCV):
    """`GridSearchCV` for this package's classifiers that trains all rates of a fold in one descent.

    The candidates of a fold that differ only in `learning_rate` and `l2_regularization` are trained as one
    stack of weights, which multiplies the data once per step; values of `max_iter` are checkpoints of that
    descent. Each setting of the other parameters gets a stack of its own. Results, attributes and errors are
    those of `GridSearchCV`.

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
    Candidates with ``verbose=True``, with invalid parameters or with fit parameters other than the
    classifier's `sample_weight` are fitted one after another. With metadata routing, with callbacks on the
    estimator, or with a callback on the search that propagates to its fits (it has a
    `max_propagation_depth`), the whole search runs as `GridSearchCV` does. Other callbacks on the search, and
    `sklearn.callback.ProgressBar`, are notified of each step of a stack, without data, but not of the fits of
    its transformers; an error that they raise in a task of the search ends the search.

    There is no `n_jobs`: a stack is one descent.

    With ``random_state=None`` the networks of a stack share their initial weights; `GridSearchCV` draws new
    ones for each fit.

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
            If the estimator is neither of this package's classifiers nor a pipeline that ends in one.
        ValueError
            If y is None, a parameter or the grid is invalid, or no candidate can be fitted.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) while a stack is trained. Where candidates are fitted one by one,
            only the current fit ends, with a warning, and the search continues.
        """
        self._check_estimator_and_y(y)
        candidates = list(ParameterGrid(self.param_grid))
        estimators = [make_candidate(self.estimator, parameters) for parameters in candidates]
        if self._needs_single_fits(estimators):
            return super().fit(X, y, **params)
        X, y, split_groups = indexable(X, y, params.pop("groups", None))
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, split_groups))
        scorer = check_scoring(self.estimator, scoring=self.scoring, raise_exc=self.error_score == "raise")
        groups = make_groups(estimators, candidates)
        folds = [Fold(self.estimator, X, y, params, train, test) for train, test in splits]
        weights = {name: value for name, value in params.items() if name == "sample_weight"}  # for scorers
        n_stacks = len(groups) * len(folds)
        task = begin_fit(self, bool(n_stacks) + 1 + (self.refit is not False), X, y, **weights)
        if n_stacks:
            with task.within("stacks", n_stacks, NO_DATA) as stacks_task:
                self._train(folds, groups, shared_grams(X, y, groups), stacks_task)
        lookup = _Lookup(self.estimator, X, y, params, folds, candidates, scorer, self.error_score, task)
        self._look_up(lookup, splits, weights)
        self.scorer_ = self._named_scorers(scorer)
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
        by_name = self.scoring is None or _are_names(self.scoring)
        for fold in folds:
            fold.train(groups, scored, by_name, grams, task)

    def _look_up(self, lookup, splits, weights):
        """Run GridSearchCV over row indices, with a lookup of the trained models; set its results.

        So `cv_results_`, ranks, several metrics, errors and the refit are scikit-learn's own.
        """
        search = GridSearchCV(
            _LookupEstimator(lookup),
            self.param_grid,
            scoring=lookup.weighted_score if accepts_sample_weight(lookup.scorer) else lookup.score,
            refit=self.refit,
            cv=splits,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=self.verbose,
            n_jobs=1,  # the lookup relies on the order of the fits
        )
        with suppress(_CallbackFailed):
            search.fit(np.arange(n_rows(lookup.X)).reshape(-1, 1), lookup.y, **weights)
        if lookup.task.errors:
            raise lookup.task.errors[0]
        if not self.refit:
            lookup.search_task.end()
        for name in ("cv_results_", "best_params_", "best_score_", "best_index_", "n_splits_", "refit_time_",
                     "multimetric_"):  # fmt: skip
            if hasattr(search, name):
                setattr(self, name, getattr(search, name))
        self.cv_results_.update(lookup.fit_times())
        if hasattr(search, "best_estimator_"):
            self.best_estimator_ = search.best_estimator_.model_
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags

    def _named_scorers(self, scorer):
        """Return `scorer_` as GridSearchCV keeps it: a dict for several metrics."""
        if self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring):
            return scorer
        names = self.scoring if isinstance(self.scoring, dict) else {name: name for name in self.scoring}
        return {name: check_scoring(self.estimator, scoring=metric) for name, metric in names.items()}


def _are_names(scoring):
    return isinstance(scoring, str) or (
        not callable(scoring)
        and all(
            isinstance(metric, str) for metric in (scoring.values() if isinstance(scoring, dict) else scoring)
        )
    )


class _CallbackFailed(BaseException):
    """Passes through GridSearchCV, which would count an Exception as a failed fit."""


class _UnexpectedFit(BaseException):
    """Passes through GridSearchCV too, if it fits in another order than the lookup expects."""


class _Lookup:
    """Serves trained models and their scores to GridSearchCV, in the order in which it fits."""

    def __init__(self, estimator, X, y, params, folds, candidates, scorer, error_score, task):
        self.estimator, self.X, self.y, self.params = estimator, X, y, params
        self.folds, self.candidates = folds, candidates
        self.scorer, self.error_score = scorer, error_score
        self.schedule = [(index, fold) for index in range(len(candidates)) for fold in folds]
        self.n_fitted = 0
        self.task = task
        self.search_task = task.subtask("search", len(self.schedule), NO_DATA).begin()

    def fit(self, parameters, rows):
        """Return the next model; GridSearchCV fits candidate by candidate, fold by fold.

        `rows` are the indices of the training rows.
        """
        try:
            return self._next_model(parameters, rows)
        except Exception:
            if self.task.errors:
                raise _CallbackFailed from None
            raise

    def _next_model(self, parameters, rows):
        if self.n_fitted == len(self.schedule):  # all done: the refit on all rows
            self.search_task.end()
            return self._refit(make_candidate(self.estimator, parameters))
        index, fold = self.schedule[self.n_fitted]
        self.n_fitted += 1
        if not np.array_equal(rows, fold.rows["train"]):
            raise _UnexpectedFit(f"Fit {self.n_fitted} of GridSearchCV is on other rows than expected.")
        if index in fold.trained:
            with self.search_task.within(EVALUATION_TASK, data=fold.data):
                trained = fold.trained[index]
        else:
            trained = fold.train_alone(index, self.candidates[index], self.search_task)
        if trained.warning:
            message = f"{trained.warning} This was the candidate {self.candidates[index]}."
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return trained.model

    def _refit(self, model):
        weights = self.params.get("sample_weight")
        with self.task.fitting(model, "refit-with-best-params", self.X, self.y, weights):
            return model.fit(self.X, self.y, **self.params)

    def weighted_score(self, member, rows, y, sample_weight=None):
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.score(member, rows, y, **weights)

    def score(self, member, rows, y, **weights):
        """Return the scores of the current model, on its test or its training rows."""
        index, fold = self.schedule[self.n_fitted - 1]
        which = "test" if np.array_equal(rows.ravel(), fold.rows["test"]) else "train"
        trained = fold.trained[index]
        X = fold.part(which) if trained.X is None else trained.X[which]
        scores = self.scorer(trained.model, X, y, **weights)
        if isinstance(scores, dict):  # several metrics: the score of one that failed is its traceback
            scores = {name: self._score_or_error(score) for name, score in scores.items()}
        return scores

    def _score_or_error(self, score):
        if not isinstance(score, str):
            return score
        warnings.warn(
            "Scoring failed. The score on this train-test partition for these parameters will be set to "
            f"{self.error_score}. Details: \n{score}",
            UserWarning,
            stacklevel=2,
        )
        return self.error_score

    def fit_times(self):
        """Return the fit times of `cv_results_`, (n_candidates,) each."""
        seconds = [fold.trained[i].seconds if i in fold.trained else 0.0 for i, fold in self.schedule]
        times = np.reshape(seconds, (len(self.candidates), len(self.folds)))
        return {"mean_fit_time": times.mean(axis=1), "std_fit_time": times.std(axis=1)}


class _LookupEstimator(ClassifierMixin, BaseEstimator):
    """Takes the place of the estimator in a GridSearchCV over row indices."""

    def __init__(self, lookup):
        self.lookup = lookup

    def __sklearn_clone__(self):
        return _LookupEstimator(self.lookup)

    def __sklearn_tags__(self):
        return get_tags(self.lookup.estimator)

    def set_params(self, **parameters):
        self.parameters = parameters
        return self

    def fit(self, rows, y, sample_weight=None):
        self.model_ = self.lookup.fit(getattr(self, "parameters", {}), rows.ravel())
        return self
