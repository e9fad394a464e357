"""All learning rates of a grid in one descent: `VectorizedGridSearchCV`."""

from contextlib import suppress
from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._fitting.base import GradientDescentClassifier
from .._fitting.callbacks import callbacks_of
from .._fitting.memo import remembering
from .._fitting.parameters import ParameterAdviceMixin
from .._fitting.pipelines import last_step, prefix_of
from .._lazy.dask import refuse_tables
from .._preprocessing import FlattenScaler
from .known import is_known
from .memo import SearchMemo
from .stack import STACKED
from .transformers import TransformerMemory


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
        if not isinstance(last_step(self.estimator), GradientDescentClassifier):
            raise TypeError(
                f"VectorizedGridSearchCV takes LogisticRegressionGD, ShallowNNClassifier or a Pipeline that "
                f"ends in one, got {self.estimator!r}. Use GridSearchCV."
            )
        if y is None:
            raise ValueError(
                "VectorizedGridSearchCV requires y to be passed, but the target y is None. Pass the class of "
                "each row of X."
            )
        refuse_tables(X)
        before = vars(self).copy()
        grids = []
        with suppress(TypeError, ValueError):  # which GridSearchCV raises
            grids = ParameterGrid(self.param_grid).param_grid
        memo = SearchMemo(grids, prefix_of(self.estimator), _are_names(self.scoring))
        try:
            self._memo = memo
            return super().fit(memo.shared(X) if self._only_this_package_reads(X, memo) else X, y, **params)
        except BaseException:
            self.__dict__ = before
            raise
        finally:
            memo.close()

    def _only_this_package_reads(self, X, memo):
        """Whether candidates may share the rows of an array: nothing else could change what others see."""
        steps = [self.estimator]
        if type(self.estimator) is Pipeline:
            steps = [step for _, step in self.estimator.steps if step not in (None, "passthrough")]
            if not all("__" in name for grid in memo.grids for name in grid):  # a step may be replaced
                return False
        is_ours = all(type(step) is FlattenScaler for step in steps[:-1]) and is_known(steps[-1])
        return is_ours and type(X) is np.ndarray and X.dtype.kind in "buif" and memo.remembers_logits

    def _may_remember_transformers(self, memo):
        """Whether candidates may share fitted transformers: nothing looks at them, or prints what they do."""
        estimator = self.estimator
        if not isinstance(estimator, Pipeline) or estimator.memory is not None or estimator.verbose:
            return False
        is_replaced = any(name in ("memory", "steps", "verbose") for grid in memo.grids for name in grid)
        is_watched = callbacks_of(self) or callbacks_of(estimator)
        return not (is_replaced or is_watched or memo.wholes) and memo.remembers_logits and self.verbose <= 1

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Evaluate all candidates, as GridSearchCV does, which calls this in `fit`; but with a memo."""
        memo = vars(self).pop("_memo")  # what is fitted holds nothing of it
        options = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        with remembering(memo):
            super()._run_search(partial(self._evaluate, memo, evaluate_candidates), **options)

    def _evaluate(self, memo, evaluate_candidates, candidates, **options):
        """Evaluate candidates whose pipelines share fitted transformers; return the results."""
        candidates = list(candidates)
        memory = {"memory": TransformerMemory(memo.named)} if self._may_remember_transformers(memo) else {}
        results = evaluate_candidates([parameters | memory for parameters in candidates], **options)
        if memory:
            results.pop("param_memory")
            results["params"] = candidates
        _average_fit_times(results, {memo.prefix + name for name in STACKED})
        return results

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags


def _are_names(scoring):
    """Whether all scorers are scikit-learn's own, which need only the predictions of a model."""
    if isinstance(scoring, list | tuple | set | dict):
        return all(isinstance(metric, str) for metric in getattr(scoring, "values", lambda: scoring)())
    return scoring is None or isinstance(scoring, str)


def _average_fit_times(results, stacked):
    """Give each candidate its share in the fit times of all that differ from it in stacked parameters only."""
    stacks = {}
    for index, parameters in enumerate(results["params"]):
        others = tuple((name, repr(value)) for name, value in parameters.items() if name not in stacked)
        stacks.setdefault(others, []).append(index)
    for indices in stacks.values():
        for name in ("mean_fit_time", "std_fit_time"):
            results[name][indices] = results[name][indices].mean()
