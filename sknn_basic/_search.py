"""All learning rates of a grid in one descent: `VectorizedGridSearchCV`."""

import warnings
from copy import copy
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags, indexable

from ._base import GradientDescentClassifier
from ._inputs import validate_samples
from ._objective import Objective
from ._samples import GramSamples, prefers_gram
from ._sklearn import accepts_sample_weight, fit_context, safe_indexing
from ._training import finish, start, train_stack

# Members of a stack descend together as long as what they make of the samples in a step stays below this; a
# larger stack is cut into pieces, one after another.
STACK_BYTES = 2**28
STACKED = "learning_rate", "l2_regularization", "max_iter"  # what may differ within a stack


class VectorizedGridSearchCV(GridSearchCV):
    """`GridSearchCV` for this package's classifiers that trains all rates of a fold in one descent.

    The formulas of gradient descent hold for a stack of weights as for one: the candidates of a fold that
    differ in `learning_rate` and `l2_regularization` are rows of one stack, which multiplies the data once a
    step, and values of `max_iter` are checkpoints along its way. Candidates that differ in anything else form
    a stack for each setting. What is found is what `GridSearchCV` finds, with the same attributes and errors.

    Beyond the stable rate (see `LogisticRegressionGD`) descent may be chaotic: rounding decides, and a stack
    adds its numbers in another order than a single fit. There the scores of the two searches differ, and both
    call the candidate bad.

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
        computed from the scores of a whole stack; anything callable gets the fitted estimator and X.
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
    LogisticRegressionGD : What "auto" and the stable rate are.

    Notes
    -----
    Fit parameters other than `sample_weight` of the classifier, metadata routing and settings that cannot be
    fitted are left to ordinary fits, one after another.

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
        """
        if not isinstance(_last_step(self.estimator), GradientDescentClassifier):
            raise TypeError(
                f"VectorizedGridSearchCV takes LogisticRegressionGD, ShallowNNClassifier or a Pipeline that "
                f"ends in one, got {self.estimator!r}. Use GridSearchCV."
            )
        if get_config()["enable_metadata_routing"]:
            return super().fit(X, y, **params)
        X, y, groups = indexable(X, y, params.pop("groups", None))
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, groups))
        candidates = list(ParameterGrid(self.param_grid))
        scorer = check_scoring(self.estimator, scoring=self.scoring)
        folds = [_Fold(self.estimator, X, y, params, train, test) for train, test in splits]
        gram = _shared_gram(self.estimator, X, y)
        groups = _groups(self.estimator, candidates)
        for fold in folds:
            fold.train(groups, self.return_train_score, gram)
        by_name = self.scoring is None or _are_names(self.scoring)
        lookup = _Lookup(self.estimator, X, params, folds, candidates, scorer, by_name)
        # An ordinary search over the numbers of the rows, whose members look up what the stacks have learnt:
        # results, ranks, several metrics, errors and the refit are scikit-learn's.
        search = GridSearchCV(
            _Member(lookup),
            self.param_grid,
            scoring=lookup.weighted_score if accepts_sample_weight(scorer) else lookup.score,
            refit=self.refit,
            cv=splits,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=self.verbose,
        )
        weights = {name: value for name, value in params.items() if name == "sample_weight"}  # for scorers
        search.fit(np.arange(n_rows(X)).reshape(-1, 1), y, **weights)
        for name in ("cv_results_", "best_params_", "best_score_", "best_index_", "n_splits_", "refit_time_",
                     "multimetric_"):  # fmt: skip
            if hasattr(search, name):
                setattr(self, name, getattr(search, name))
        self.cv_results_.update(lookup.fit_times())
        self.scorer_ = self._named_scorers(scorer)
        if hasattr(search, "best_estimator_"):
            self.best_estimator_ = search.best_estimator_.model_
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        return self

    def _named_scorers(self, scorer):
        """Return `scorer_` as GridSearchCV keeps it: a dict for several metrics."""
        if self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring):
            return scorer
        names = self.scoring if isinstance(self.scoring, dict) else {name: name for name in self.scoring}
        return {name: check_scoring(self.estimator, scoring=metric) for name, metric in names.items()}


class _Group(NamedTuple):
    """Candidates that may form a stack: they differ in nothing but rate, penalty and number of steps."""

    estimators: dict  # candidate: estimator, not fitted
    own: tuple  # what is special of the transformers


def _groups(estimator, candidates):
    """Return the groups of the candidates, without those that only an ordinary fit can refuse or print."""
    prefix = _prefix(estimator)
    stacked = {prefix + name for name in STACKED}
    groups = {}
    for index, parameters in enumerate(candidates):
        candidate = clone(estimator).set_params(**clone(parameters, safe=False))
        if _is_stackable(_last_step(candidate)):
            special = [(name, id(value)) for name, value in parameters.items() if name not in stacked]
            own = tuple(item for item in special if prefix and not item[0].startswith(prefix))
            groups.setdefault(tuple(special), _Group({}, own)).estimators[index] = candidate
    return list(groups.values())


def _prefix(estimator):
    """Return what the names of the classifier's parameters begin with."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


def _shared_gram(estimator, X, y):
    """Return X X' of wide dense data that no pipeline changes, which every fold slices; else None."""
    if isinstance(estimator, Pipeline):
        return None
    try:
        X, _ = validate_samples(clone(estimator), X, y)
    except (TypeError, ValueError):  # the folds will say why
        return None
    many_steps = 1000 * X.shape[0]  # the search takes more than any single fit
    return GramSamples(X).gram if prefers_gram(X, 1, False, many_steps) else None


def _last_step(estimator):
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def _are_names(scoring):
    return isinstance(scoring, str) or (
        not callable(scoring)
        and all(
            isinstance(metric, str) for metric in (scoring.values() if isinstance(scoring, dict) else scoring)
        )
    )


class _Trained(NamedTuple):
    """A candidate of one fold: the fitted estimator, what to score instead, what to warn of, seconds."""

    model: object
    scored: tuple | None  # (classifier, {"train": X, "test": X} as its transformers have made it)
    trouble: str | None
    seconds: float


class _Lookup:
    """What the members of the ordinary search ask for: models and scores, candidate by candidate."""

    def __init__(self, estimator, X, params, folds, candidates, scorer, by_name):
        self.estimator, self.X, self.params = estimator, X, params
        self.folds, self.candidates = folds, candidates
        self.scorer, self.by_name = scorer, by_name
        self.turns = [(index, fold) for index in range(len(candidates)) for fold in folds]
        self.asked = 0

    def fit(self, y, parameters):
        """Return the model whose turn it is: the search asks candidate by candidate, fold by fold."""
        if self.asked == len(self.turns):  # all done: the refit on all rows
            return clone(self.estimator).set_params(**parameters).fit(self.X, y, **self.params)
        index, fold = self.turns[self.asked]
        self.asked += 1
        if index not in fold.trained:
            fold.train_alone(index, self.candidates[index])
        trained = fold.trained[index]
        if trained.trouble:
            message = f"{trained.trouble} This was the candidate {self.candidates[index]}."
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return trained.model

    def weighted_score(self, member, rows, y, sample_weight=None):
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.score(member, rows, y, **weights)

    def score(self, member, rows, y, **weights):
        """Return what the scorer says of the model whose turn it is, on its test or its training rows."""
        index, fold = self.turns[self.asked - 1]
        which = "test" if np.array_equal(rows.ravel(), fold.rows["test"]) else "train"
        trained = fold.trained[index]
        if self.by_name and trained.scored:  # metrics given by name look at answers only, which are known
            classifier, X = trained.scored
            return self.scorer(classifier, X[which], y, **weights)
        return self.scorer(trained.model, fold.part(which), y, **weights)

    def fit_times(self):
        """Return the fit times of `cv_results_`, (n_candidates,) each."""
        seconds = [fold.trained[i].seconds if i in fold.trained else 0.0 for i, fold in self.turns]
        times = np.reshape(seconds, (len(self.candidates), len(self.folds)))
        return {"mean_fit_time": times.mean(axis=1), "std_fit_time": times.std(axis=1)}


class _Member(ClassifierMixin, BaseEstimator):
    """Stands for the estimator in an ordinary GridSearchCV over the numbers of the rows."""

    def __init__(self, lookup):
        self.lookup = lookup

    def __sklearn_clone__(self):
        return _Member(self.lookup)

    def __sklearn_tags__(self):
        return get_tags(self.lookup.estimator)

    def set_params(self, **parameters):
        self.parameters = parameters
        return self

    def fit(self, rows, y, sample_weight=None):
        self.model_ = self.lookup.fit(y, getattr(self, "parameters", {}))
        return self


class _Fold:
    """One split: its rows, and the candidates that were trained on them."""

    def __init__(self, estimator, X, y, params, train, test):
        self.estimator, self.params = estimator, params
        every_row = np.arange(n_rows(X))
        self.rows = {"train": every_row[train], "test": every_row[test]}
        self.whole, self.X = X, {}
        self.y = safe_indexing(y, self.rows["train"])
        self.params = params_of(params, self.rows["train"], len(every_row))
        self.trained = {}  # candidate: _Trained

    def part(self, which):
        """Return the training or test rows of X, the same object each time."""
        if which not in self.X:
            self.X[which] = safe_indexing(self.whole, self.rows[which])
        return self.X[which]

    def train(self, groups, return_train_score, gram):
        """Train all candidates, a group in a stack; what no stack can train is left to `train_alone`."""
        gram = None if gram is None else gram[np.ix_(self.rows["train"], self.rows["train"])]
        scored = ("train", "test") if return_train_score else ("test",)
        transformed = {}
        for group in groups:
            before = perf_counter()
            try:
                if group.own not in transformed:
                    transformed[group.own] = self._transform(next(iter(group.estimators.values())))
                stack = _Stack(group.estimators, *transformed[group.own], self.y, self.params)
                trained = stack.train(scored, gram)
            except Exception:  # what it is, the ordinary fits will say, one candidate at a time
                continue
            seconds = (perf_counter() - before) / len(group.estimators)
            self.trained |= {i: _Trained(*parts, seconds) for i, parts in trained.items()}
        if not return_train_score:
            self.X.pop("train", None)  # or all folds together would hold X so many times

    def _transform(self, estimator):
        """Return the fitted transformers of a pipeline (None without) and what they make of X."""
        if not isinstance(estimator, Pipeline) or len(estimator.steps) == 1:
            return None, {"train": self.part("train"), "test": self.part("test")}
        last = estimator.steps[-1][0]
        params = {name: value for name, value in self.params.items() if not name.startswith(f"{last}__")}
        head = clone(estimator[:-1])
        return head, {
            "train": head.fit_transform(self.part("train"), self.y, **params),
            "test": head.transform(self.part("test")),
        }

    def train_alone(self, index, parameters):
        """Fit one candidate in the ordinary way."""
        before = perf_counter()
        model = clone(self.estimator).set_params(**clone(parameters, safe=False))
        model.fit(self.part("train"), self.y, **self.params)
        self.trained[index] = _Trained(model, None, None, perf_counter() - before)


class _Stack:
    """A group of candidates, to be trained on the rows of a fold."""

    def __init__(self, estimators, transformers, X, y, params):
        self.estimators, self.transformers, self.X, self.y = estimators, transformers, X, y
        # Shallow copies: the folds share the parameters of a candidate, which no stack changes.
        self.classifiers = {i: copy(_last_step(estimator)) for i, estimator in estimators.items()}
        prefix = _prefix(next(iter(estimators.values())))
        unknown = {name for name in params if name.startswith(prefix)} - {f"{prefix}sample_weight"}
        if unknown:
            raise ValueError(f"no stack knows the fit parameters {sorted(unknown)}")
        self.sample_weight = params.get(f"{prefix}sample_weight")

    def train(self, scored, gram):
        """Return {candidate: (estimator, (its last step, transformed X), what to warn of)}."""
        prototype = clone(next(iter(self.classifiers.values())))
        X, Y, s, layers = prototype._pose(self.X["train"], self.y, self.sample_weight)
        n_steps = max(c.max_iter for c in self.classifiers.values()) * len(self.classifiers)
        samples, layers = start(X, layers, n_steps, gram)
        settings = {}  # (learning_rate, l2): {max_iter: candidates}
        for i, c in self.classifiers.items():
            setting = settings.setdefault((c.learning_rate, c.l2_regularization), {})
            setting.setdefault(c.max_iter, []).append(i)
        bytes_of_one = samples.dtype.itemsize * sum(5 * len(Y) * W.shape[1] + 4 * W.size for W, _ in layers)
        size = max(int(STACK_BYTES // bytes_of_one), 1)
        X_scored = {which: self.X[which] for which in scored}
        trained = {}
        for first in range(0, len(settings), size):
            piece = dict(list(settings.items())[first : first + size])
            for step, members in _descend(prototype, samples, Y, s, layers, piece):
                found = finish(samples, _restack([descent.layers for descent, *_ in members]), X.dtype)
                scores = {which: prototype._scores_of(rows, found) for which, rows in X_scored.items()}
                for place, (descent, rate, at_steps) in enumerate(members):
                    descent = descent._replace(layers=[(W[place], b[place]) for W, b in found])
                    for i in at_steps.get(step, []):
                        classifier = self._fill(i, prototype, rate)
                        classifier._known_scores = [(X_scored[w], Z[place]) for w, Z in scores.items()]
                        trouble = classifier._keep(descent, samples, s, rate)
                        trained[i] = self._assemble(i), (classifier, X_scored), trouble
        return trained

    def _fill(self, index, prototype, rate):
        """Return the classifier with what the data, not the descent, decides."""
        classifier = self.classifiers[index]
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(prototype, name):
                setattr(classifier, name, getattr(prototype, name))
        if hasattr(prototype, "learning_rate_"):
            classifier.learning_rate_ = rate
        return classifier

    def _assemble(self, index):
        """Return the candidate's pipeline with the fitted transformers, or the classifier itself."""
        if self.transformers is None and not isinstance(self.estimators[index], Pipeline):
            return self.classifiers[index]
        pipeline = copy(self.estimators[index])
        before = [] if self.transformers is None else self.transformers.steps
        pipeline.steps = [*before, (pipeline.steps[-1][0], self.classifiers[index])]
        return pipeline


def _descend(prototype, samples, Y, s, layers, settings):
    """Descend with all settings; at each step that one ends at, yield it and [(Descent, rate, its steps)].

    A member whose start is refused is left out: its ordinary fit says why.
    """
    rates = [
        prototype.set_params(learning_rate=rate, l2_regularization=l2)._get_learning_rate(
            samples, s, Y.shape[1]
        )
        for rate, l2 in settings
    ]
    l2 = _column([float(l2) for _, l2 in settings], samples.dtype)
    stacked = [tuple(_repeat(array, len(settings)) for array in layer) for layer in layers]
    objective = Objective(samples, Y, s, prototype._activation, l2 if l2.any() else 0.0, stacked)
    steps = {step for at_steps in settings.values() for step in at_steps}
    rate = _column(rates, samples.dtype)
    for step, descents in train_stack(objective, stacked, rate, steps, prototype.record_every):
        members = zip(descents, rates, settings.values(), strict=True)
        members = [member for member in members if member[0] is not None]
        if members:
            yield step, members


def _is_stackable(classifier):
    """Whether a stack can train the classifier: of this package, silent, with valid parameters."""
    try:
        classifier._validate_params()
    except ValueError:
        return False
    return isinstance(classifier, GradientDescentClassifier) and not classifier.verbose


def _repeat(array, n):
    """Return n copies, laid out as the products of a stack are."""
    return np.broadcast_to(array.mT, (n, *array.mT.shape)).copy().mT


def _restack(layers_of_members):
    return [
        tuple(np.stack(arrays) for arrays in zip(*layer, strict=True))
        for layer in zip(*layers_of_members, strict=True)
    ]


def _column(values, dtype):
    return np.array(values, dtype).reshape(-1, 1, 1)


def n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def params_of(params, rows, n):
    """Return the fit parameters of some rows: those with one value a row are cut, others stay."""
    return {
        name: safe_indexing(value, rows) if np.ndim(value) and n_rows(value) == n else value
        for name, value in params.items()
    }
