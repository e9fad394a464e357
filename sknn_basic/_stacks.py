"""Candidates of a grid trained together: folds, and the stacks that descend on their rows."""

from copy import copy
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ._base import GradientDescentClassifier, last_step
from ._callbacks import StepWatch, n_tasks
from ._objective import Objective
from ._samples import BLOCK_BYTES
from ._sklearn import safe_indexing
from ._training import finish, start, train_stack

# Members of a stack descend together as long as their weights, and what they make of a block of rows, stay
# below this, which any machine has to spare; a larger stack is cut into pieces, one after another.
STACK_BYTES = 2**28
STACKED = "learning_rate", "l2_regularization", "max_iter"  # what may differ within a stack
TURN = "candidate-split-evaluation"  # what GridSearchCV calls this task


class Group(NamedTuple):
    """Candidates that may form a stack: they differ in nothing but rate, penalty and number of steps."""

    estimators: dict  # candidate: estimator, not fitted
    own: tuple  # what is special of the transformers

    def n_steps(self):
        """Return at most how many steps all of them take."""
        return len(self.estimators) * max(last_step(e).max_iter for e in self.estimators.values())


def make_candidate(estimator, parameters):
    """Return the estimator with the parameters of a candidate, not fitted."""
    return clone(estimator).set_params(**clone(parameters, safe=False))


def make_groups(estimators, settings):
    """Return the groups of the candidates, without those that only an ordinary fit can refuse or print.

    `estimators` are the candidates, not fitted, and `settings` the parameters in which they differ.
    """
    groups = {}
    for index, (candidate, parameters) in enumerate(zip(estimators, settings, strict=True)):
        prefix = _prefix(candidate)
        stacked = {prefix + name for name in STACKED}
        if _is_stackable(last_step(candidate)):
            special = [(name, id(value)) for name, value in parameters.items() if name not in stacked]
            own = tuple(item for item in special if not f"{item[0]}__".startswith(prefix))
            groups.setdefault(tuple(special), Group({}, own)).estimators[index] = candidate
    return list(groups.values())


class Trained(NamedTuple):
    """A candidate of one fold: what to score, and on what; what to warn of; seconds."""

    model: object  # the fitted estimator, or a classifier that knows its answers on X
    X: dict | None  # {"train": X, "test": X}; None to slice the rows
    trouble: str | None
    seconds: float


class Fold:
    """One split: its rows, and the candidates that were trained on them."""

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

    def train(self, groups, scored, by_name, gram, task):
        """Train all candidates, a group in a stack; what no stack can train is left to `train_alone`."""
        gram = None if gram is None else gram[np.ix_(self.rows["train"], self.rows["train"])]
        transformed = {}
        for group in groups:
            before = perf_counter()
            try:
                if group.own not in transformed:
                    transformed[group.own] = self._transform(next(iter(group.estimators.values())), scored)
                stack = Stack(group.estimators, *transformed[group.own], self.y, self.params)
                trained = stack.train(by_name, gram, task)
            except Exception:
                if task.errors:  # of callbacks
                    raise
                continue  # what it is, the ordinary fits will say, one candidate at a time
            seconds = (perf_counter() - before) / len(group.estimators)
            self.trained |= {i: Trained(*parts, seconds) for i, parts in trained.items()}

    def _transform(self, estimator, scored):
        """Return the fitted transformers (None without), and X to train on and to score on."""
        X = self.part("train")
        if not isinstance(estimator, Pipeline) or len(estimator.steps) == 1:
            return None, X, {which: X if which == "train" else self.part(which) for which in scored}
        last = estimator.steps[-1][0]
        params = {name: value for name, value in self.params.items() if not name.startswith(f"{last}__")}
        head = clone(estimator[:-1])
        transformed = head.fit_transform(X, self.y, **params)
        return head, transformed, {which: head.transform(self.part(which)) for which in scored}

    def train_alone(self, index, parameters, task):
        """Fit one candidate in the ordinary way, as a part of `task`."""
        before = perf_counter()
        model = make_candidate(self.estimator, parameters)
        with task.fitting(model, TURN, *self.data):
            model.fit(self.part("train"), self.y, **self.params)
        self.trained[index] = Trained(model, None, None, perf_counter() - before)
        return self.trained[index]


class Stack:
    """A group of candidates, to be trained on the rows of a fold."""

    def __init__(self, estimators, transformers, X, X_scored, y, params):
        self.estimators, self.transformers = estimators, transformers
        self.X, self.X_scored, self.y = X, X_scored, y
        # Shallow copies: the folds share the parameters of a candidate, which no stack changes.
        self.classifiers = {i: copy(last_step(estimator)) for i, estimator in estimators.items()}
        prefix = _prefix(next(iter(estimators.values())))
        not_for_transformers = {name for name in params if transformers is None or name.startswith(prefix)}
        unknown = not_for_transformers - {f"{prefix}sample_weight"}
        if unknown:
            raise ValueError(f"no stack knows the fit parameters {sorted(unknown)}")
        self.sample_weight = params.get(f"{prefix}sample_weight")

    def train(self, by_name, gram, task):
        """Return {candidate: (what to score, on what, what to warn of)}; `task` is that of all stacks."""
        prototype = clone(next(iter(self.classifiers.values())))
        X, Y, s, layers = prototype._pose(self.X, self.y, self.sample_weight)
        n_steps = max(c.max_iter for c in self.classifiers.values()) * len(self.classifiers)
        samples, layers = start(X, layers, n_steps, gram)
        settings = {}  # (learning_rate, l2): {max_iter: candidates}
        for i, c in self.classifiers.items():
            setting = settings.setdefault((c.learning_rate, c.l2_regularization), {})
            setting.setdefault(c.max_iter, []).append(i)
        size = _size_of_piece(samples, layers)
        items = list(settings.items())
        pieces = [dict(items[first : first + size]) for first in range(0, len(items), size)]
        n_watched = sum(max(set().union(*piece.values())) for piece in pieces)
        trained = {}
        with task.within("stack", n_tasks(n_watched)) as stack_task:
            watch = StepWatch(stack_task, n_watched) if stack_task else None
            try:
                for piece in pieces:
                    for step, members in _descend(prototype, samples, Y, s, layers, piece, watch):
                        trained |= self._read_off(step, members, prototype, samples, s, X.dtype, by_name)
            except Exception:
                if watch is not None:
                    watch.close()
                raise
        return trained

    def _read_off(self, step, members, prototype, samples, s, dtype, by_name):
        """Return {candidate: (what to score, on what, what to warn of)} of those that end at the step."""
        members = [member for member in members if step in member[2]]
        found = finish(samples, _restack([descent.layers for descent, *_ in members]), dtype)
        scores = {w: prototype._scores_of(rows, found) for w, rows in self.X_scored.items()}
        trained = {}
        for place, (descent, rate, at_steps) in enumerate(members):
            descent = descent._replace(layers=[(W[place].copy(), b[place]) for W, b in found])
            for i in at_steps[step]:
                classifier = self._fill(i, prototype, rate)
                trouble = classifier._keep(descent, samples, s, rate)
                if by_name:
                    answers = [(self.X_scored[w], Z[place]) for w, Z in scores.items()]
                    trained[i] = _answering(classifier, answers), self.X_scored, trouble
                else:
                    trained[i] = self._assemble(i), None, trouble
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


def _answering(classifier, answers):
    """Return the classifier without its weights, which knows its scores on some X and no other."""
    classifier = copy(classifier)
    for name in ("coef_", "intercept_", "coefs_", "intercepts_"):
        vars(classifier).pop(name, None)
    classifier._scores = lambda X: next(Z.copy() for known, Z in answers if known is X)
    return classifier


def _size_of_piece(samples, layers):
    """Return how many members may descend at once, by their weights and what they make of a block."""
    width = max(W.shape[1] for W, _ in layers)
    rows = min(samples.shape[0], max(BLOCK_BYTES // (8 * samples.shape[1]), 8 * width))
    weights = samples.shape[1] * layers[0][0].shape[1]
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)


def _descend(prototype, samples, Y, s, layers, settings, watch):
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
    for step, descents in train_stack(objective, stacked, rate, steps, prototype.record_every, watch):
        members = zip(descents, rates, settings.values(), strict=True)
        members = [member for member in members if member[0] is not None]
        if members:
            yield step, members


def _is_stackable(classifier):
    """Whether a stack can train the classifier: of this package, silent, with valid parameters."""
    if getattr(type(classifier), "fit", None) is not GradientDescentClassifier.fit or classifier.verbose:
        return False
    try:
        classifier._validate_params()
    except ValueError:
        return False
    return True


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


def _prefix(estimator):
    """Return what the names of the classifier's parameters begin with."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
