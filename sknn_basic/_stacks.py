"""Training of grid candidates together: folds, and stacks of candidates in one descent."""

import warnings
from copy import copy
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ._base import (
    FitWarning,
    GradientDescentClassifier,
    find_warning,
    finite_logits,
    last_step,
    set_fitted_attributes,
)
from ._callbacks import n_tasks
from ._descent.run import train_stack
from ._descent.samples import BLOCK_BYTES, GramSamples, prefers_gram
from ._inputs import make_problem, validate_new_samples, validate_samples
from ._preprocessing import FlattenScaler
from ._sklearn import safe_indexing

# Members of a stack are trained together as long as their weights and their temporaries for a block of rows
# stay below this; a larger stack is split into pieces, trained one after another.
STACK_BYTES = 2**28
STACKED = "learning_rate", "l2_regularization", "max_iter"  # parameters that may differ within a stack
# Methods for which a stack has its own versions
REPLACED = "fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score"
EVALUATION_TASK = "candidate-split-evaluation"  # what GridSearchCV calls this task


class Group(NamedTuple):
    """Candidates that may form a stack: they differ only in rate, penalty and number of steps."""

    estimators: dict  # candidate: estimator, not fitted
    transformer_key: tuple  # (name, id of value) of each grid parameter of the transformers

    @property
    def first(self):
        """Return one candidate; all have the same transformers."""
        return next(iter(self.estimators.values()))

    def n_steps(self):
        """Return an upper bound on the steps of all candidates together."""
        return len(self.estimators) * max(last_step(e).max_iter for e in self.estimators.values())


def make_candidate(estimator, parameters):
    """Return the estimator with the parameters of a candidate, not fitted."""
    return clone(estimator).set_params(**clone(parameters, safe=False))


def make_groups(estimators, settings):
    """Return the groups of the candidates, without those that need an ordinary fit: invalid or verbose ones.

    `estimators` are the candidates, not fitted, and `settings` the parameters in which they differ.
    """
    groups = {}
    for index, (candidate, parameters) in enumerate(zip(estimators, settings, strict=True)):
        prefix = _prefix(candidate)
        stacked = {prefix + name for name in STACKED}
        if _is_stackable(last_step(candidate)):
            not_stacked = [(name, id(value)) for name, value in parameters.items() if name not in stacked]
            transformer_key = tuple(item for item in not_stacked if not f"{item[0]}__".startswith(prefix))
            groups.setdefault(tuple(not_stacked), Group({}, transformer_key)).estimators[index] = candidate
    return list(groups.values())


def shared_grams(X, y, groups):
    """Return {`transformer_key`: X X'} for wide dense data, of which each fold takes its rows and columns.

    Only if rows are transformed independently of each other: by FlattenScaler or not at all.
    """
    grams = {}
    for group in groups:
        if group.transformer_key not in grams and _transforms_row_by_row(group.first):
            n_steps = max(g.n_steps() for g in groups if g.transformer_key == group.transformer_key)
            grams[group.transformer_key] = _gram(group.first, X, y, n_steps)
    return grams


def _transforms_row_by_row(estimator):
    steps = [step for _, step in estimator.steps[:-1]] if isinstance(estimator, Pipeline) else []
    return all(step in (None, "passthrough") or type(step) is FlattenScaler for step in steps)


def _gram(estimator, X, y, n_steps):
    """Return X X' of the transformed X if it may pay off in a fold, else None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the folds repeat the warnings
            if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
                X = clone(estimator[:-1]).fit_transform(X)
            X, *_ = validate_samples(clone(last_step(estimator)), X, y)
        return GramSamples(X).gram if prefers_gram(X, 1, False, n_steps) else None
    except (TypeError, ValueError, MemoryError):  # the folds report the error
        return None


class Trained(NamedTuple):
    """A candidate trained on one fold."""

    model: object  # to score: the fitted estimator, or StoredLogits
    X: dict | None  # to score on: {"train": X, "test": X}; None for the rows of the fold
    warning: FitWarning | None
    seconds: float


class Fold:
    """One split: its rows, and the candidates trained on them."""

    def __init__(self, estimator, X, y, params, train, test):
        self.estimator = estimator
        every_row = np.arange(n_rows(X))
        self.rows = {"train": every_row[train], "test": every_row[test]}
        self.X = X
        self.y = safe_indexing(y, self.rows["train"])
        self.params = params_of(params, self.rows["train"], len(every_row))
        self.data = lambda: self.part("train"), self.y, self.params.get("sample_weight")  # for callbacks
        self.trained = {}  # candidate: Trained

    def part(self, which):
        """Return the training or test rows of X."""
        return safe_indexing(self.X, self.rows[which])

    def train(self, groups, scored, by_name, grams, task):
        """Train each group of candidates as a stack; `train_alone` is left to fit the others.

        `grams` are the Gram matrices of all rows, from `shared_grams`.
        """
        rows = np.ix_(self.rows["train"], self.rows["train"])
        grams = {key: gram[rows] for key, gram in grams.items() if gram is not None}
        transformed = {}
        for group in groups:
            before = perf_counter()
            if group.transformer_key not in transformed:
                transformed[group.transformer_key] = self._transform_or_none(group, scored)
            if transformed[group.transformer_key] is None:
                continue
            transformers, X, X_scored = transformed[group.transformer_key]
            try:
                stack = Stack(
                    group.estimators, transformers, X, self.y, self.params, grams.get(group.transformer_key)
                )
                trained = stack.train(X_scored, by_name, task)
            except (TypeError, ValueError, MemoryError):  # bad input, or a stack too large
                if task.errors:  # raised by callbacks
                    raise
                continue  # ordinary fits, one candidate at a time, succeed or raise the error
            seconds = (perf_counter() - before) / len(group.estimators)
            self.trained |= {i: Trained(*parts, seconds) for i, parts in trained.items()}

    def _transform_or_none(self, group, scored):
        """Return the result of `_transform`, or None if it fails: the ordinary fits raise its error."""
        try:
            return self._transform(group.first, scored)
        except Exception:  # a third-party transformer may raise anything
            return None

    def _transform(self, estimator, scored):
        """Return the fitted transformers or None, and the transformed X to train on and to score on."""
        X = self.part("train")
        if not isinstance(estimator, Pipeline) or len(estimator.steps) == 1:
            return None, X, {which: X if which == "train" else self.part(which) for which in scored}
        last = estimator.steps[-1][0]
        params = {name: value for name, value in self.params.items() if not name.startswith(f"{last}__")}
        head = clone(estimator[:-1])
        transformed = head.fit_transform(X, self.y, **params)
        return head, transformed, {which: head.transform(self.part(which)) for which in scored}

    def train_alone(self, index, parameters, task):
        """Fit one candidate in the ordinary way, as a subtask of `task`."""
        before = perf_counter()
        model = make_candidate(self.estimator, parameters)
        with task.fitting(model, EVALUATION_TASK, *self.data):
            model.fit(self.part("train"), self.y, **self.params)
        self.trained[index] = Trained(model, None, None, perf_counter() - before)
        return self.trained[index]


class Stack:
    """A group of candidates to train together on the rows of a fold."""

    def __init__(self, estimators, transformers, X, y, params, gram):
        self.estimators, self.transformers = estimators, transformers
        # Shallow copies: the folds share the parameters of a candidate, which no stack changes.
        self.classifiers = {i: copy(last_step(estimator)) for i, estimator in estimators.items()}
        prefix = _prefix(next(iter(estimators.values())))
        not_for_transformers = {name for name in params if transformers is None or name.startswith(prefix)}
        unknown = not_for_transformers - {f"{prefix}sample_weight"}
        if unknown:
            raise ValueError(f"a stack does not take the fit parameters {sorted(unknown)}")
        self.prototype = clone(next(iter(self.classifiers.values())))
        n_steps = max(c.max_iter for c in self.classifiers.values()) * len(self.classifiers)
        weights = params.get(f"{prefix}sample_weight")
        self.problem = make_problem(self.prototype, X, y, weights, n_steps=n_steps, gram=gram)
        self.trained = {}

    def train(self, X_scored, by_name, task):
        """Return {candidate: (model, X to score it on, warning)}; `task` is that of all stacks.

        `X_scored` is the {"train": X, "test": X} to score on; `by_name` says whether all scorers are
        scikit-learn's own, which need only predictions.
        """
        self.X_scored, self.by_name = X_scored, by_name
        pieces = self._pieces()
        n_steps = sum(max(set().union(*piece.values())) for piece in pieces)
        with task.within("stack", n_tasks(n_steps)) as stack_task:
            observer = stack_task.step_reporter(n_steps)
            try:
                for piece in pieces:
                    self._train_piece(piece, observer)
            except Exception:
                observer.close()
                raise
        return self.trained

    def _pieces(self):
        """Return the settings {(learning_rate, l2): {max_iter: candidates}}, one dict per piece."""
        settings = {}
        for i, c in self.classifiers.items():
            setting = settings.setdefault((c.learning_rate, c.l2_regularization), {})
            setting.setdefault(c.max_iter, []).append(i)
        size, items = _size_of_piece(self.problem), list(settings.items())
        return [dict(items[first : first + size]) for first in range(0, len(items), size)]

    def _train_piece(self, settings, observer):
        dtype, n = self.problem.samples.dtype, len(settings)
        rates = [self.problem.learning_rate(rate, float(l2)) for rate, l2 in settings]
        l2 = _column([float(l2) for _, l2 in settings], dtype)
        layers = [tuple(_repeat(array, n) for array in layer) for layer in self.problem.layers]
        train_stack(
            self.problem.objective(l2 if l2.any() else 0.0, layers),
            layers,
            _column(rates, dtype),
            checkpoints={step for candidates in settings.values() for step in candidates},
            record_every=self.prototype.record_every,
            on_checkpoint=partial(self._collect_finished, list(zip(rates, settings.values(), strict=True))),
            observer=observer,
        )

    def _collect_finished(self, members, step, descents):
        """Add to `trained` the candidates that end at the step; `members` are (rate, {max_iter: candidates}).

        A member whose initial cost is not finite is left out: its ordinary fit raises the error.
        """
        ending = [
            (descent, rate, candidates[step])
            for descent, (rate, candidates) in zip(descents, members, strict=True)
            if descent is not None and step in candidates
        ]
        if not ending:
            return
        weights = self.problem.weights_of(_stack_layers([descent.layers for descent, *_ in ending]))
        if self.by_name:
            scores = [
                (X, finite_logits(self.problem.network, validate_new_samples(self.prototype, X), weights))
                for X in self.X_scored.values()
            ]
        for position, (descent, rate, candidates) in enumerate(ending):
            kept = descent._replace(layers=[(W[position].copy(), b[position]) for W, b in weights])
            for i in candidates:
                self._set_fitted_attributes(i, kept, rate)
                warning = find_warning(self.classifiers[i], self.problem, rate, descent)
                if self.by_name:
                    stored = StoredLogits(
                        self.prototype, self.problem.network, [(X, Z[position]) for X, Z in scores]
                    )
                    self.trained[i] = stored, self.X_scored, warning
                else:
                    self.trained[i] = self._assemble(i), None, warning

    def _set_fitted_attributes(self, index, descent, rate):
        """Set the fitted attributes of a classifier: those of the data and those of the descent."""
        classifier = self.classifiers[index]
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(self.prototype, name):
                setattr(classifier, name, getattr(self.prototype, name))
        set_fitted_attributes(classifier, descent, rate)

    def _assemble(self, index):
        """Return the candidate's pipeline with the fitted transformers, or the classifier itself."""
        if self.transformers is None and not isinstance(self.estimators[index], Pipeline):
            return self.classifiers[index]
        pipeline = copy(self.estimators[index])
        before = [] if self.transformers is None else self.transformers.steps
        pipeline.steps = [*before, (pipeline.steps[-1][0], self.classifiers[index])]
        return pipeline


class StoredLogits(GradientDescentClassifier):
    """A fitted classifier with precomputed logits in place of its weights, found by the identity of X."""

    def __init__(self, classifier, network, logits):
        self.classes_, self.n_features_in_ = classifier.classes_, classifier.n_features_in_
        self._network = network
        self._stored = logits  # [(X, Z)]

    def _logits(self, X):
        for known, Z in self._stored:
            if known is X:
                return Z.copy()
        raise LookupError("There are no stored logits for this X, only for what the search scores.")


def _size_of_piece(problem):
    """Return how many members fit in memory at once, with their weights and temporaries for a block."""
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.size for W, _ in deeper)
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)


def _is_stackable(classifier):
    """Whether a stack can train the classifier: of this package, not verbose, with valid parameters."""
    base = GradientDescentClassifier
    if any(getattr(type(classifier), name, None) is not getattr(base, name) for name in REPLACED):
        return False  # another classifier, or one that overrides a method
    if classifier.verbose:
        return False
    try:
        classifier._validate_params()
    except ValueError:
        return False
    return True


def _repeat(array, n):
    """Return a stack of n copies, in the memory layout of the products of a stack."""
    return np.broadcast_to(array.mT, (n, *array.mT.shape)).copy().mT


def _stack_layers(layers_of_members):
    return [
        tuple(np.stack(arrays) for arrays in zip(*layer, strict=True))
        for layer in zip(*layers_of_members, strict=True)
    ]


def _column(values, dtype):
    return np.array(values, dtype).reshape(-1, 1, 1)


def n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def params_of(params, rows, n):
    """Return the fit parameters for some rows: those with one value per row are indexed, others kept."""
    return {
        name: safe_indexing(value, rows) if np.ndim(value) and n_rows(value) == n else value
        for name, value in params.items()
    }


def _prefix(estimator):
    """Return the prefix of the classifier's parameters, such as "logisticregressiongd__" or ""."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
