"""Random searches, most of them odd: VectorizedGridSearchCV finds, raises and warns as GridSearchCV."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, Normalizer, StandardScaler
from sklearn.svm import SVC

import subclasses
from models import weights_of
from searches import assert_same_outcome, run
from sknn_basic import FlattenScaler, ShallowNNClassifier, VectorizedGridSearchCV

N_SEARCHES = 5  # for each seed

TRANSFORMERS = [
    StandardScaler(), MinMaxScaler(), Normalizer(), FunctionTransformer(np.tanh), PCA(2, random_state=0),
    FlattenScaler(divisor=2), FlattenScaler(), "passthrough", subclasses.Stateless(), SelectKBest(k=2),
    Pipeline([("stateless", subclasses.Stateless()), ("scale", StandardScaler())]), subclasses.Training(),
    FeatureUnion([("a", PCA(1, random_state=0)), ("b", subclasses.Stateless())]),
]  # fmt: skip
ODD_TRANSFORMERS = [
    StandardScaler(copy=False), Pipeline([("in_place", subclasses.InPlace())]), subclasses.InPlace(),
    subclasses.InPlaceThenCopy(), subclasses.FitInPlace(), subclasses.FailsInFit(), subclasses.FailsOnTest(),
    subclasses.NaNOnTest(),
]  # fmt: skip

# Grids

RATES = [1e-3, 0.01, 0.03, np.float32(0.02), np.float16(0.01), Fraction(1, 64), "auto"]
ODD_RATES = [
    -1, 0, np.nan, "fast", None, Fraction(1, 3), Fraction(-1, 3), Decimal("0.1"), np.array(0.1), [0.1], False,
    10**400, Fraction(10**400), 1j, np.array([0.1]), np.str_("auto"), b"auto", np.longdouble(0.02), 1e-320,
]  # fmt: skip
ODD = {
    "max_iter": [np.int64(5), np.int16(7), True, 2.0, 0, "5", None, np.array(3), Fraction(4)],
    "l2_regularization": [Fraction(1, 10), True, np.float32(0.5), -1, np.nan, "x", None, 10**400, Decimal(1)],
    "record_every": [1, 2, np.uint8(3), 0, 1.5, 10**30],
    "class_weight": ["balanced", {0: 1, 1: 2}, {9: 1}, "bad", [1, 2], {0: -1}],
    "warm_start": [True, np.True_, 2],
    "verbose": [True, 2],
    "fit_intercept": [True, False, np.False_, 0, "no"],
    "hidden_layer_size": [1, 2, np.int64(3), 0, 2.5],
    "activation": ["relu", "sigmoid", "leaky_relu", "step"],
    "init_scale": [0.1, "auto", 0, Fraction(1, 5), np.float32(0.2)],
    "random_state": [0, 7, np.random.RandomState(3), -1, "x"],
}

# Scorers


def plain(estimator, X, y):
    return -log_loss(y, estimator.predict_proba(X), labels=estimator.classes_)


def weighted(estimator, X, y, sample_weight=None):
    return accuracy_score(y, estimator.predict(X), sample_weight=sample_weight)


def several(estimator, X, y):
    return {"a": plain(estimator, X, y), "b": estimator.score(X, y)}


def looks(estimator, X, y):
    classifier = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return float(sum(np.sum(array) for array in weights_of(classifier)))


def refits(estimator, X, y):
    before = plain(estimator, X, y)
    estimator.fit(X, y)
    return before + plain(estimator, X, y)


def writes(estimator, X, y):
    before = plain(estimator, X, y)
    X *= 2
    return before


def raises(estimator, X, y):
    raise ValueError("no such score")


def raises_at_times(estimator, X, y):
    return [1.0][X.shape[0] % 2]  # raises IndexError


def returns_text(estimator, X, y):
    return "good"


def fails(y, predicted):
    raise RuntimeError("no metric")


PROBA = make_scorer(log_loss, response_method="predict_proba", greater_is_better=False)
SCORERS = [
    "accuracy", "neg_log_loss", "roc_auc", "roc_auc_ovr", "f1", "f1_macro", "mutual_info_score", "precision",
    "balanced_accuracy", "neg_brier_score", make_scorer(accuracy_score), PROBA, make_scorer(fails),
    plain, weighted, looks, refits, writes, raises, raises_at_times, returns_text,
]  # fmt: skip
NAMES = [scorer for scorer in SCORERS if isinstance(scorer, str)]
ALL_PASS_WEIGHTS = [scorer for scorer in SCORERS if isinstance(scorer, str) or hasattr(scorer, "_score_func")]


def first_candidate(results):
    return 0


class Draw:
    """Random choices."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one(self, values):
        return values[self.rng.integers(len(values))]

    def some(self, values, most):
        return [self.one(values) for _ in range(self.rng.integers(1, most + 1))]

    def happens(self, probability):
        return self.rng.random() < probability


def draw_data(draw):
    m, n, n_classes = draw.rng.integers(24, 40), draw.one([3, 5, 60]), draw.one([2, 2, 3])
    y = draw.rng.permutation(np.arange(m) % n_classes)
    X = draw.rng.standard_normal((m, n)) + y[:, np.newaxis] * np.linspace(-1, 1, n)
    kinds = np.asarray, np.asfortranarray, np.asarray, sparse.csr_array, pd.DataFrame, np.ndarray.tolist
    labels = np.array(draw.one([[0, 1, 2], [0, 1, 2], ["a", "b", "c"], [-1, 1, 5], [False, True, True]]))
    y = y if labels.dtype == bool and n_classes == 3 else labels[y]
    return draw.one(kinds)(X), draw.one([np.asarray, np.asarray, list, pd.Series])(y)


def draw_estimator(draw):
    """Return an estimator, the prefix of its classifier's parameters and whether stacks may train it."""
    may_stack = draw.happens(0.7)
    kind = draw.one(subclasses.STACKED if may_stack else subclasses.NOT_STACKED)
    options = {"max_iter": 9}
    if issubclass(kind, ShallowNNClassifier):
        options |= {"hidden_layer_size": 3, "random_state": 0, "init_scale": 0.3, "learning_rate": 0.02}
    classifier = kind(**options)
    if draw.happens(0.4):
        return classifier, "", may_stack
    pipeline_kind = Pipeline
    if draw.happens(0.3):
        pipeline_kind = draw.one([subclasses.PlainPipeline, *subclasses.OVERRIDING_PIPELINES])
        may_stack &= pipeline_kind is subclasses.PlainPipeline
    steps = draw.some(TRANSFORMERS, 3)
    if draw.happens(0.3):
        steps[draw.rng.integers(len(steps))] = draw.one(ODD_TRANSFORMERS)
        may_stack = False
    steps = [(f"step{i}", step if isinstance(step, str) else clone(step)) for i, step in enumerate(steps)]
    return pipeline_kind([*steps, ("model", classifier)]), "model__", may_stack


def draw_grid(draw, estimator, prefix):
    classifier = estimator[-1] if prefix else estimator
    grid = {"learning_rate": draw.some(RATES, 3), "max_iter": draw.some([1, 3, 6, 9], 2)}
    if draw.happens(0.4):
        grid["learning_rate"].append(draw.one(ODD_RATES))
    if isinstance(classifier, ShallowNNClassifier):
        grid["learning_rate"] = [rate for rate in grid["learning_rate"] if not isinstance(rate, str)] + [0.02]
    options = {name: values for name, values in ODD.items() if name in classifier.get_params()}
    for name in draw.some([*options], 2):
        if draw.happens(0.5):
            grid[name] = draw.some(options[name], 2)
    grid = {f"{prefix}{name}": values for name, values in grid.items()}
    if prefix and draw.happens(0.3):
        grid["step0"] = draw.some(TRANSFORMERS, 2)
    if prefix and draw.happens(0.1):
        grid["verbose"] = [False, True]
    if prefix and draw.happens(0.1):
        grid = {"model": [classifier, SVC(), clone(classifier)], "model__max_iter": [5]}
    return [grid, {f"{prefix}max_iter": [2, 4]}] if draw.happens(0.1) else grid


def draw_cv(draw, y):
    m, rng = len(y), draw.rng
    rows = rng.permutation(m)
    overlapping = [(rows[: m // 2 + 3], rows[m // 3 :]), (rows[5:], rows[: m // 2])]
    same_size = [(rows[: m // 2], rows[m // 2 : 2 * (m // 2)]), (rows[m // 2 :], rows[m // 2 :])]
    masks = [(np.arange(m) % 2 == 0, np.arange(m) % 2 == 1), (np.arange(m) > 5, np.arange(m) <= 5)]
    tiny = [(rows[:2], rows[2:5]), (rows[3:], rows[:1])]
    one_class = [(np.flatnonzero(np.asarray(y) == np.asarray(y)[0]), rows[:9]), (rows[:-7], rows[-7:])]
    repeated = [(np.repeat(rows[:12], 2), rows[12:]), (rows[9:], np.repeat(rows[:9], 3))]
    shuffled = StratifiedKFold(3, shuffle=True, random_state=1)
    usual = [2, 3, 4, None, shuffled, KFold(3), ShuffleSplit(2, random_state=0)]
    odd = [overlapping, same_size, masks, tiny, one_class, repeated, GroupKFold(2), [], KFold(m), 1,
           "three", [(rows[:9], rows[9:] + m)], [(rows[:9].tolist(), rows[9:].tolist())],
           [(-rows[:-9], rows[-9:])], [(rows[:20], rows[:0])], [(rows[:20] / 2, rows[20:])]]  # fmt: skip
    return draw.one(usual if draw.happens(0.65) else odd)


def draw_scoring(draw):
    """Return `scoring` and `refit`."""
    if draw.happens(0.5):
        scorers = draw.one([[None, *NAMES], [several, "nothing", 7, *SCORERS]])
        return draw.one(scorers), draw.one([True, True, True, False, first_candidate, "a"])
    if draw.happens(0.5):
        scoring = draw.one([list, tuple, set])(dict.fromkeys(draw.some(NAMES, 3)))
    else:
        scorers = draw.some(draw.one([SCORERS, NAMES, ALL_PASS_WEIGHTS]), 3)
        scoring = {f"m{i}": scorer for i, scorer in enumerate(scorers)}
    keys = sorted(scoring)
    return scoring, draw.one([*keys[:1] * 2, *keys[-1:] * 2, False, True, "none of them", first_candidate])


def draw_params(draw, m, prefix, cv):
    params = {"groups": draw.rng.integers(0, 5, m)} if isinstance(cv, GroupKFold) or draw.happens(0.1) else {}
    if draw.happens(0.4):
        w = draw.rng.random(m)
        odd = [w[:-1], -w, w * np.nan, [[1], [1, 2]], "balanced", 0 * w, w.reshape(-1, 1)]
        usual = [w, w, w.tolist(), pd.Series(w), np.round(w), None]
        params[f"{prefix}sample_weight"] = draw.one(usual if draw.happens(0.8) else odd)
    if draw.happens(0.05):
        params["no_such_argument"] = 1
    return params


def draw_search(seed):
    """Return an estimator, a grid, options, X, y, fit parameters and whether stacks may train it."""
    draw = Draw(seed)
    X, y = draw_data(draw)
    estimator, prefix, may_stack = draw_estimator(draw)
    grid, cv = draw_grid(draw, estimator, prefix), draw_cv(draw, y)
    options = dict(zip(["scoring", "refit"], draw_scoring(draw), strict=True), cv=cv)
    options["return_train_score"] = draw.happens(0.4)
    options["error_score"] = draw.one([np.nan, np.nan, np.nan, "raise", 0, -7.5])
    return estimator, grid, options, X, y, draw_params(draw, len(y), prefix, cv), may_stack


def failed(reference, error_score):
    """Return the candidates of which a score is missing."""
    results = reference.cv_results_
    scores = np.array([v for key, v in results.items() if re.match(r"split\d+_test", key)])
    return set(np.flatnonzero(np.any((scores == error_score) | ~np.isfinite(scores), axis=0)))


def have_several_settings(grid):
    """Whether each grid has rates or numbers of steps that differ: one setting is fitted as any other."""
    names = "learning_rate", "max_iter"
    return all(
        any(key.endswith(names) and len(set(map(str, values))) > 1 for key, values in one.items())
        for one in ([grid] if isinstance(grid, dict) else grid)
    )


@pytest.mark.filterwarnings("ignore")
def test_a_search_is_that_of_grid_search(hostile_seed, alone, capsys):
    """Scores, ranks, models, warnings and errors; and stacks train whatever they may."""
    for number in range(N_SEARCHES):
        seed = hostile_seed * N_SEARCHES + number
        *arguments, may_stack = draw_search(seed)
        estimator, grid, options, _, _, params = arguments
        label = f"draw_search({seed}): {estimator!r}, {grid!r}, {options!r}, {params!r}"
        expected = run(GridSearchCV, *draw_search(seed)[:-1])
        alone.clear()
        found = run(VectorizedGridSearchCV, *arguments)
        try:
            assert_same_outcome(found, expected)
            is_odd = "verbose" in repr(grid) or "SVC" in repr(grid)
            if may_stack and found[1] is None and not is_odd and have_several_settings(grid):
                is_complete = not failed(expected[0], options["error_score"])
                assert not (is_complete and alone), alone
        except AssertionError as error:
            raise AssertionError(f"{error}\n\n{label}") from error
