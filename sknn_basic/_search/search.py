"""All learning rates of a grid, trained together: `VectorizedGridSearchCV`."""

from contextlib import suppress

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.utils import get_tags

from .._fitting.base import GradientDescentClassifier
from .._fitting.callbacks import only_progress_bars
from .._fitting.inputs import check_labels, classes_of
from .._fitting.memo import active_memo, remembering
from .._fitting.onnx import OnnxSearchMixin
from .._fitting.parameters import ParameterAdviceMixin
from .._fitting.pipelines import last_step
from .._lazy.sources import computed, refuse_unindexable
from .memo import SearchMemo
from .progress import Progress, count_folds


class VectorizedGridSearchCV(ParameterAdviceMixin, OnnxSearchMixin, GridSearchCV):
    """`GridSearchCV` for this package's classifiers that trains all rates of a fold together.

    The candidates of a fold that differ only in `learning_rate` and `l2_regularization` are trained together:
    as a stack of weights, which multiplies the data once per step; shared out to threads; or one after
    another, where threads share the rows of large data. Values of `max_iter` are checkpoints of one descent.
    Each setting of the other parameters gets a stack of its own. Where X is on a device, so are the stacks,
    and until the search ends the training rows of all folds. Results, attributes, errors and the warnings
    of scorers are those of `GridSearchCV`.

    A subclass of a classifier is trained in stacks if it only adds to it: other defaults, more parameters,
    methods of new names. One that overrides anything but `__init__` is fitted alone, as by `GridSearchCV`.

    Far beyond the stable rate (see `LogisticRegressionGD`), where the cost does not fall, descent is chaotic:
    it depends on rounding errors, and a stack that NumPy trains, or the Gram matrix of wide samples, adds
    numbers in another order than a single fit. There the scores of the two searches may differ, but are poor
    in both.

    Parameters
    ----------
    estimator : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        The classifier, or a pipeline that ends in one. Its transformers are fitted for each candidate, as by
        `GridSearchCV`: give it a `memory` if they take long. Images behind `FlattenScaler` are scaled once.
    param_grid : dict or list of dict
        Parameter names and the values to try, as for `GridSearchCV`; in a pipeline with the usual prefix,
        such as ``logisticregressiongd__learning_rate``.
    scoring : str, callable, list, tuple, dict or None, default=None
        One or several metrics, as for `GridSearchCV`; None takes the accuracy.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows; for several metrics the name of the one that decides.
    cv : int, splitter, iterable of splits or None, default=None
        The folds, as for `GridSearchCV`; None makes five, stratified by class.
    error_score : "raise" or number, default=np.nan
        The score of a candidate that cannot be fitted.
    return_train_score : bool, default=False
        Whether `cv_results_` has scores on the training rows too.
    verbose : int, default=0
        How much to print, as for `GridSearchCV`. From 1 on also a line after each stack: how long it took,
        how many of all fits (candidates times folds) are done, and about how long the others will take. The
        logger "sknn_basic" is told these lines whatever the value. The times that 2 and 3 print for each fit
        are those of looking up its result, 0.0 s, but for the first of a stack, which trains all of it.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of `GridSearchCV`. Fit times are means over the candidates of a stack.
    best_estimator_ : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        The best candidate, fitted on all rows.
    best_params_ : dict
        Its setting of the parameters in the grid.
    best_score_ : float
        Its mean score over the folds.
    best_index_ : int
        Its row in `cv_results_`.
    scorer_ : callable or dict
        The scorer; for several metrics {name: scorer}.
    n_splits_ : int
        The number of folds.
    refit_time_ : float
        How many seconds the fit on all rows took.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    n_features_in_ : int
        The number of features of `best_estimator_`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if X has names.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Any estimator, one fit after another.
    LogisticRegressionGD : Explains "auto" and the stable rate.

    Notes
    -----
    `GridSearchCV` fits and scores the candidates one by one, in any order. The first of a stack trains all of
    it, and the ``fit`` of the others finds its result, for equal samples, labels and weights. Candidates with
    ``verbose=True`` or callbacks are fitted alone; `sklearn.callback.ProgressBar` counts the steps of stacks.

    A stack warns once of features that differ in scale, and its warnings name the candidate. With
    ``random_state=None`` its networks share their initial weights. The weights of all candidates and folds
    are kept in memory until ``fit`` ends. There is no `n_jobs`: threads share a stack, or the rows.

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

    __module__ = __package__  # by which saved searches and lists of trusted types name it
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
            n_jobs=1,  # other threads and processes would not find the memo
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
            If y is None or lacks values, a parameter or the grid is invalid, or no candidate can be fitted.
        KeyboardInterrupt
            If the user interrupts (Ctrl-C) while a stack is trained; the fit of a candidate alone ends with a
            warning instead, and the search continues.
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
        refuse_unindexable(X)
        y = computed(y)
        grids = []
        with suppress(TypeError, ValueError):  # GridSearchCV says what is wrong
            grids = ParameterGrid(self.param_grid).param_grid
        n_folds = count_folds(self.cv, X, y, params.get("groups"), is_classifier(self.estimator))
        progress = Progress(n_folds * sum(map(len, map(ParameterGrid, grids))), bool(self.verbose))
        memo = SearchMemo(self.estimator, grids, self.scoring, progress)
        if only_progress_bars(self):  # others are given X
            X = memo.shared(X, self.cv)
        before = vars(self).copy()
        try:
            with remembering(memo):
                super().fit(X, y, **params)
        except BaseException as error:
            self.__dict__ = before
            if isinstance(error, TypeError):  # of labels that cannot be sorted: these functions say so
                classes_of(check_labels(y, y))
            raise
        finally:
            memo.close(X)
        memo.share_fit_times(self.cv_results_)
        return self

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Evaluate all candidates, in `fit` of GridSearchCV; the refit after it finds no memo."""
        options = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate_candidates, **options)
        active_memo().is_closed = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags
