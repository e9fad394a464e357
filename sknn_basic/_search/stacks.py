"""Training of grid candidates together: folds, and stacks of candidates in one descent."""

import warnings
import zlib
from copy import copy, deepcopy
from functools import cached_property, partial
from inspect import signature
from time import perf_counter
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline

from .._classifiers import LogisticRegressionGD, ShallowNNClassifier
from .._descent.choice import prefers_gram
from .._descent.gram import GramSamples
from .._descent.run import recorded_steps, train_stack
from .._descent.samples import BLOCK_BYTES
from .._fitting.base import (
    DATA_ATTRIBUTES,
    GradientDescentClassifier,
    finite_logits,
    set_fitted_attributes,
)
from .._fitting.callbacks import n_tasks
from .._fitting.inputs import make_problem, validate_new_samples, validate_samples
from .._fitting.messages import FitWarning, find_warning
from .._fitting.pipelines import last_step
from .._preprocessing import FlattenScaler
from .._sklearn import check_method_params, safe_indexing

# Members of a stack are trained together as long as their weights and their temporaries for a block of rows
# stay below this; a larger stack is split into pieces, trained one after another.
STACK_BYTES = 2**28
STACKED = "learning_rate", "l2_regularization", "max_iter"  # parameters that may differ within a stack
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
        return _n_steps(map(last_step, self.estimators.values()))


def make_candidate(estimator, parameters):
    """Return the estimator with the parameters of a candidate, not fitted."""
    return clone(estimator).set_params(**clone(parameters, safe=False))


def make_groups(estimators, settings):
    """Return the groups of the candidates, without those that a stack cannot train.

    `estimators` are the candidates, not fitted, and `settings` the parameters in which they differ.
    """
    groups = {}
    for index, (candidate, parameters) in enumerate(zip(estimators, settings, strict=True)):
        prefix = _prefix(candidate)
        stacked = {prefix + name for name in STACKED}
        if _is_stackable(candidate):
            not_stacked = [(name, id(value)) for name, value in parameters.items() if name not in stacked]
            transformer_key = tuple(item for item in not_stacked if not f"{item[0]}__".startswith(prefix))
            groups.setdefault(tuple(not_stacked), Group({}, transformer_key)).estimators[index] = candidate
    return list(groups.values())


def _is_stackable(candidate):
    """Whether a stack can train a candidate: of known methods, with valid parameters, not verbose."""
    classifier = last_step(candidate)
    if not (_overrides_nothing(candidate) and _overrides_nothing(classifier)):
        return False
    try:
        classifier._validate_params()
        _setting_of(classifier)
        return not (candidate.verbose or classifier.verbose)
    except Exception:  # the ordinary fit raises it
        return False


def _setting_of(classifier):
    """Return the rate, "auto" or a number, l2 and max_iter of a classifier with valid parameters."""
    rate = classifier.learning_rate
    rate = rate if isinstance(rate, str) else float(rate)
    return rate, float(classifier.l2_regularization), int(classifier.max_iter)


def _n_steps(classifiers):
    """Return an upper bound on the steps of all classifiers together."""
    n_steps = [int(classifier.max_iter) for classifier in classifiers]
    return len(n_steps) * max(n_steps)


def _names_of(kind):
    """Return the names of a class's methods, parameters and fitted attributes."""
    any_class = {*vars(type("Mixin", (), {})), *vars(type("Subclass", (kind,), {}))}
    may_differ = {"__init__", "_parameter_constraints", "_parameter_advice"}
    return {*dir(kind), *HOOKS, *signature(kind.__init__).parameters, *FITTED} - any_class - may_differ


# What a stack replaces: of a subclass that defines one of these names it knows too little.
FITTED = {
    "classes_", "n_features_in_", "feature_names_in_", "coef_", "intercept_", "coefs_", "intercepts_",
    "loss_", "loss_curve_", "validation_loss_", "validation_loss_curve_", "n_iter_", "learning_rate_",
    "loss_curve_steps_", "_recorded_every",
}  # fmt: skip
HOOKS = "__getattr__", "__sklearn_is_fitted__"  # that Python and scikit-learn look for
REPLACED = {kind: _names_of(kind) for kind in (LogisticRegressionGD, ShallowNNClassifier, Pipeline)}


def _overrides_nothing(estimator):
    """Whether an estimator is of a class in `REPLACED`, or of a subclass that only adds to it."""
    bases = type(estimator).__mro__
    known = next((kind for kind in bases if kind in REPLACED), None)
    if known is None or any(hasattr(known, name) for name in vars(estimator)):
        return False
    return all(REPLACED[known].isdisjoint(vars(kind)) for kind in bases if kind not in known.__mro__)


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
            X = last_step(fit_transformers(estimator, X, y, {})).X
            X, *_ = validate_samples(clone(last_step(estimator)), X, y)
        return GramSamples(X).gram if prefers_gram(X, 1, False, n_steps) else None
    except (TypeError, ValueError, MemoryError):  # the folds report the error
        return None


class Recorder(ClassifierMixin, BaseEstimator):
    """Takes the place of a classifier: keeps the arguments of `fit`, and "predicts" X as it gets it."""

    def fit(self, X, y, **params):
        self.X, self.y, self.params = X, y, params
        return self

    def predict(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def fit_transformers(estimator, X, y, params):
    """Return a clone of the estimator, fitted with a `Recorder` in place of the classifier."""
    if not isinstance(estimator, Pipeline):
        return Recorder().fit(X, y, **params)
    return clone(estimator).set_params(**{estimator.steps[-1][0]: Recorder()}).fit(X, y, **params)


class Transformed(NamedTuple):
    """What the transformers of a group make of the rows of a fold."""

    pipeline: object  # with the fitted transformers and without the classifier; None if there is no pipeline
    fit_arguments: tuple  # X, y and params, of the classifier
    X_scored: dict  # {"train": X, "test": X} to score on in advance


class Trained(NamedTuple):
    """A candidate trained on one fold."""

    classifier: object  # fitted, or StoredLogits
    pipeline: object  # to copy and to put the classifier into; or None
    warning: FitWarning | None
    seconds: float

    def model(self):
        """Return what GridSearchCV scores, which a scorer may change."""
        if self.pipeline is None:
            return self.classifier
        pipeline = deepcopy(self.pipeline)
        pipeline.steps.append((pipeline.steps.pop()[0], self.classifier))
        return pipeline


class Fold:
    """One split: its rows, and the candidates trained on them."""

    def __init__(self, X, y, params, train, test):
        self.X, self.y, self.params = X, y, params
        every_row = np.arange(n_rows(X))
        self.rows = {
            which: safe_indexing(every_row, np.asarray(rows))
            for which, rows in (("train", train), ("test", test))
        }
        self.trained = {}  # candidate: Trained

    def part(self, which):
        """Return the training or test rows of X."""
        return safe_indexing(self.X, self.rows[which])

    def fit_arguments(self):
        """Return X, y and the fit parameters of the training rows."""
        rows = self.rows["train"]
        return self.part("train"), safe_indexing(self.y, rows), check_method_params(self.X, self.params, rows)

    @cached_property
    def callback_data(self):
        """X as a function, y and the sample weights of the training rows."""
        rows = self.rows["train"]
        weights = check_method_params(self.X, self.params, rows).get("sample_weight")
        return partial(self.part, "train"), safe_indexing(self.y, rows), weights

    def train(self, groups, scored, grams, task):
        """Train each group of candidates as a stack.

        `scored` are the parts to score in advance, if all scorers need only predictions; `grams` are the Gram
        matrices of all rows, from `shared_grams`.
        """
        rows = np.ix_(self.rows["train"], self.rows["train"])
        grams = {key: gram[rows] for key, gram in grams.items() if gram is not None}
        transformed = {}
        for group in groups:
            before = perf_counter()
            if group.transformer_key not in transformed:
                transformed[group.transformer_key] = self._transform_or_none(group.first, scored)
            if transformed[group.transformer_key] is None:
                continue
            pipeline, fit_arguments, X_scored = transformed[group.transformer_key]
            classifiers = {i: last_step(estimator) for i, estimator in group.estimators.items()}
            try:
                stack = Stack(classifiers, *fit_arguments, X_scored, grams.get(group.transformer_key))
            except (TypeError, ValueError, MemoryError):  # bad input: the ordinary fits raise the error
                continue
            try:
                trained = stack.train(task)
            except MemoryError:
                if task.errors:  # raised by callbacks
                    raise
                continue  # ordinary fits, one candidate at a time, may have enough
            seconds = (perf_counter() - before) / len(group.estimators)
            for i, (classifier, warning) in trained.items():
                self.trained[i] = Trained(classifier, None if scored else pipeline, warning, seconds)

    def _transform_or_none(self, estimator, scored):
        """Return what the transformers make of this fold.

        None if the candidates must be fitted in the ordinary way: if anything fails, or if the transformers
        change X in place, so that GridSearchCV scores on what an earlier call has left.
        """
        try:
            fit_arguments = self.fit_arguments()
            parts = {which: fit_arguments[0] if which == "train" else self.part(which) for which in scored}
            keeps_X = _transforms_row_by_row(estimator)
            given = [] if keeps_X else [*fit_arguments[:2], *parts.values()]
            before = _checksums(given)
            fitted = fit_transformers(estimator, *fit_arguments)
            X_scored = {which: fitted.predict(X) for which, X in parts.items()}
            if _checksums(given) != before:
                return None
            recorder = last_step(fitted)
            pipeline = None
            if isinstance(fitted, Pipeline) and not scored:
                pipeline = deepcopy(fitted.set_params(**{fitted.steps[-1][0]: "passthrough"}))
            return Transformed(pipeline, (recorder.X, recorder.y, recorder.params), X_scored)
        except Exception:  # a third-party transformer may raise anything
            return None


def _checksums(containers):
    """Return checksums of what containers hold, to see later whether something has changed it."""
    return [_checksum(container) for container in containers]


def _checksum(container):
    if sparse.issparse(container):
        return [_checksum(part) for part in (container.data, container.indices, container.indptr)]
    if hasattr(container, "dtype") or hasattr(container, "dtypes"):  # an array, or a table
        array = np.asarray(container)
        if array.dtype.kind in "buifc":
            return zlib.crc32(np.ascontiguousarray(array).view(np.uint8))
        container = array
    checksum = 0
    for item in container:
        checksum = zlib.crc32(repr(item.tolist() if hasattr(item, "tolist") else item).encode(), checksum)
    return checksum


class Stack:
    """A group of candidates to train together on the rows of a fold."""

    def __init__(self, classifiers, X, y, params, X_scored, gram):
        if params.keys() - {"sample_weight"}:
            raise ValueError(
                f"a stack takes no other fit parameters than sample_weight, got {sorted(params)}"
            )
        self.prototype = clone(next(iter(classifiers.values())))
        n_steps, weights = _n_steps(classifiers.values()), params.get("sample_weight")
        self.problem = make_problem(self.prototype, X, y, weights, n_steps=n_steps, gram=gram)
        self.X_scored = {which: validate_new_samples(self.prototype, X) for which, X in X_scored.items()}
        if not all(getattr(X, "is_local", True) for X in self.X_scored.values()):
            raise TypeError("a stack cannot score samples on a cluster")  # the ordinary fits can
        attributes = {name: value for name, value in vars(self.prototype).items() if name in DATA_ATTRIBUTES}
        # Shallow copies: the folds share the parameters of a candidate, which no stack changes.
        self.classifiers = {i: copy(classifier) for i, classifier in classifiers.items()}
        for classifier in self.classifiers.values():
            vars(classifier).update(attributes)
        self.trained = {}

    def train(self, task):
        """Return {candidate: (classifier, warning)}; `task` is that of all stacks.

        The classifiers are fitted ones, or their logits if there are samples to score in advance. Candidates
        that cannot be trained are left out: their ordinary fits raise the error.
        """
        pieces = self._pieces()
        if not pieces:
            return {}
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
            rate, l2, n_steps = _setting_of(c)
            try:
                rate = self.problem.learning_rate(rate, l2)
            except ValueError:  # "auto" overflows
                continue
            settings.setdefault((rate, l2), {}).setdefault(n_steps, []).append(i)
        size, items = _size_of_piece(self.problem), list(settings.items())
        return [dict(items[first : first + size]) for first in range(0, len(items), size)]

    def _train_piece(self, settings, observer):
        dtype, n = self.problem.samples.dtype, len(settings)
        rates, penalties = zip(*settings, strict=True)
        l2 = _column(penalties, dtype)
        layers = [tuple(_repeat(array, n) for array in layer) for layer in self.problem.layers]
        checkpoints = {step for candidates in settings.values() for step in candidates}
        train_stack(
            self.problem.objective(l2 if l2.any() else 0.0, layers),
            layers,
            _column(rates, dtype),
            checkpoints,
            recorded_steps(self.prototype.record_every, max(checkpoints)),
            on_checkpoint=partial(self._collect_finished, list(zip(rates, settings.values(), strict=True))),
            observer=observer,
        )

    def _collect_finished(self, members, step, descents):
        """Add to `trained` the candidates that end at the step; `members` are (rate, {max_iter: candidates}).

        A member whose initial cost is not finite is left out.
        """
        ending = [
            (descent, rate, candidates[step])
            for descent, (rate, candidates) in zip(descents, members, strict=True)
            if descent is not None and step in candidates
        ]
        if not ending:
            return
        network = self.problem.network
        weights = self.problem.weights_of(_stack_layers([descent.layers for descent, *_ in ending]))
        Z_scored = {which: finite_logits(network, X, weights) for which, X in self.X_scored.items()}
        for position, (descent, rate, candidates) in enumerate(ending):
            kept = descent._replace(layers=[(W[position].copy(), b[position]) for W, b in weights])
            for i in candidates:
                classifier = self.classifiers[i]
                warning = find_warning(classifier, self.problem, rate, descent)
                if Z_scored:
                    Z_of_member = {which: Z[position] for which, Z in Z_scored.items()}
                    classifier = StoredLogits(self.prototype, network, Z_of_member)
                else:
                    set_fitted_attributes(classifier, kept, rate)
                self.trained[i] = classifier, warning


class StoredLogits(GradientDescentClassifier):
    """A fitted classifier with precomputed logits in place of its weights: {"train": Z, "test": Z}.

    `X_train` is what GridSearchCV passes to `fit`, and to score the training rows; all else are test rows.
    """

    def __init__(self, classifier, network, logits):
        self.classes_, self.n_features_in_ = classifier.classes_, classifier.n_features_in_
        self._network = network
        self._stored = logits
        self.X_train = None

    def _logits(self, X):
        Z = self._stored["train" if X is self.X_train else "test"]
        if n_rows(X) != len(Z):
            raise LookupError(f"There are stored logits of {len(Z)} samples, not of {n_rows(X)}.")
        return Z.copy()


def _size_of_piece(problem):
    """Return how many members fit in memory at once, with their weights and temporaries for a block."""
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.size for W, _ in deeper)
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)


def _repeat(array, n):
    """Return a stack of n copies, in the memory layout of the products of a stack."""
    return np.broadcast_to(array.mT, (n, *array.mT.shape)).copy().mT


def _stack_layers(layers_of_members):
    return [
        tuple(np.stack(arrays) for arrays in zip(*layer, strict=True))
        for layer in zip(*layers_of_members, strict=True)
    ]


def _column(values, dtype):
    with np.errstate(over="ignore"):  # a rate beyond float32: its member diverges
        return np.array(values, dtype).reshape(-1, 1, 1)


def n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _prefix(estimator):
    """Return the prefix of the classifier's parameters, such as "logisticregressiongd__" or ""."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
