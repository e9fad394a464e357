"""VectorizedGridSearchCV finds what GridSearchCV finds: the same search, fit by fit, is the oracle."""

import re

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, RepeatedStratifiedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models import blobs, weights_of
from searches import (
    LOGISTIC,
    LOGISTIC_GRID,
    NETWORK,
    NETWORK_GRID,
    TALL,
    WIDE,
    assert_same,
    assert_same_outcome,
    run,
    search_both,
)
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    VectorizedGridSearchCV,
    load_photo_patches,
)
from sknn_basic._descent.gram import GramSamples
from sknn_basic._search.memo import SearchMemo

SCORED = [(n, "neg_log_loss", shape) for n in (2, 3) for shape in (TALL, WIDE)]
OTHERS = [(n, scoring, TALL) for n, scoring in ((2, None), (3, None), (2, "roc_auc"), (3, "roc_auc_ovr"))]


@pytest.mark.parametrize(
    ("n_classes", "scoring", "shape", "container"),
    [*((*one, np.asarray) for one in SCORED + OTHERS), *((*one, sparse.csr_array) for one in SCORED)],
)
@pytest.mark.parametrize(("estimator", "grid"), [(LOGISTIC, LOGISTIC_GRID), (NETWORK, NETWORK_GRID)])
def test_scores_are_those_of_grid_search(estimator, grid, container, shape, n_classes, scoring, alone):
    """Both classifiers, two classes and three, tall and wide, dense and CSR; all in stacks."""
    X, y = blobs(n_classes, *shape)
    searches = search_both(estimator, grid, container(X), y, scoring=scoring, cv=3, return_train_score=True)
    assert_same(*searches)
    assert alone == []
    for answer in ("predict", "predict_proba", "decision_function"):
        a, b = (getattr(search, answer)(X) for search in searches)
        np.testing.assert_allclose(a, b, atol=1e-9)
    assert searches[1].score(X, y) == pytest.approx(searches[0].score(X, y), abs=1e-9)
    assert searches[1].classes_.tolist() == searches[0].classes_.tolist()
    assert searches[1].n_features_in_ == searches[0].n_features_in_


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3, 1: 1, 2: 1}])
@pytest.mark.parametrize("scoring", ["accuracy", ["accuracy", "neg_log_loss"]])
def test_sample_and_class_weights(shape, class_weight, scoring):
    """Weights reach fits, and scorers where this version of scikit-learn passes them on."""
    X, y = blobs(3, *shape)
    weights = np.random.RandomState(0).random_sample(len(y))
    searches = search_both(
        clone(LOGISTIC).set_params(class_weight=class_weight),
        {"learning_rate": [1e-3, 4e-3]},
        X,
        y,
        {"sample_weight": weights},
        scoring=scoring,
        refit="accuracy" if isinstance(scoring, list) else True,
        cv=3,
    )
    assert_same(*searches)


def test_pipeline_takes_weights_by_their_usual_name():
    X, y = blobs(2, *TALL)
    pipeline = make_pipeline(StandardScaler(), LOGISTIC)
    grid = {"logisticregressiongd__learning_rate": [0.01, 0.1]}
    weights = {"logisticregressiongd__sample_weight": np.arange(60.0)}
    assert_same(*search_both(pipeline, grid, X, y, weights, cv=3, scoring="neg_log_loss"))


def test_images_through_a_pipeline(alone):
    data = load_photo_patches()
    pipeline = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=40))
    grid = {
        "logisticregressiongd__learning_rate": [0.0005, 0.002],
        "logisticregressiongd__max_iter": [20, 40],
    }
    assert_same(
        *search_both(pipeline, grid, data.train_set_x, data.train_set_y, cv=3, scoring="neg_log_loss")
    )
    assert alone == []


def gram_matrices_of(monkeypatch):
    """A list that grows by whether X X' is computed, of more than one row, for each Gram matrix."""
    computed, ordinary = [], GramSamples._make_gram

    def noting(samples, known):
        computed.append(known is None and len(samples.X) > 1)
        return ordinary(samples, known)

    monkeypatch.setattr(GramSamples, "_make_gram", noting)
    return computed


@pytest.mark.parametrize("steps", [[], [FlattenScaler()], ["passthrough", FlattenScaler(), None]])
def test_folds_share_one_gram_matrix(steps, monkeypatch):
    """Where transformers treat each row by itself, X X' is computed once for each setting of theirs."""
    computed = gram_matrices_of(monkeypatch)
    X, y = blobs(2, *WIDE)
    images = np.rint(30 * (X - X.min())).astype(np.uint8).reshape(len(X), 10, 15)
    pipeline = make_pipeline(*steps, clone(LOGISTIC))
    grid = {"logisticregressiongd__learning_rate": [0.0005, 0.001]}
    if len(steps) == 1:
        grid["flattenscaler__divisor"] = [100, 200.0]
    X = images if steps else X
    search = VectorizedGridSearchCV(pipeline, grid, cv=3, refit=False, scoring="neg_log_loss").fit(X, y)
    assert sum(computed) == (2 if len(steps) == 1 else 1)
    expected = GridSearchCV(pipeline, grid, cv=3, refit=False, scoring="neg_log_loss").fit(X, y)
    assert_same(expected, search, best_weights=False)


@pytest.mark.parametrize(("estimator", "n_computed"), [(LOGISTIC, 1), (NETWORK, 2)])
def test_the_refit_takes_the_gram_matrix_of_the_folds(estimator, n_computed, monkeypatch):
    """The best model has the same bits; a network adds the products with its initial weights."""
    computed = gram_matrices_of(monkeypatch)
    X, y = blobs(2, *WIDE)
    search = VectorizedGridSearchCV(estimator, {"learning_rate": [0.001, 0.002]}, cv=3).fit(X, y)
    assert sum(computed) == n_computed
    best = search.best_estimator_
    for a, b in zip(weights_of(best), weights_of(clone(best).fit(X, y)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_transformer_of_whole_columns_shares_no_gram_matrix():
    X, y = blobs(2, *WIDE)
    pipeline = make_pipeline(StandardScaler(), LOGISTIC)
    grid = {"logisticregressiongd__learning_rate": [0.001, 0.01]}
    assert_same(*search_both(pipeline, grid, X + 5, y, cv=3, scoring="neg_log_loss"))


GROUPS = np.repeat(np.arange(12), 5)


@pytest.mark.parametrize(
    ("cv", "fit_params"),
    [
        (4, {}),
        (RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0), {}),
        (ShuffleSplit(3, test_size=0.5, random_state=0), {}),
        (GroupKFold(3), {"groups": GROUPS}),
        ([(np.arange(0, 40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))], {}),
        ([(np.arange(60) % 2 == 0, np.arange(60) % 2 == 1)], {}),
    ],
)
def test_any_splitter(cv, fit_params):
    X, y = blobs(3, *TALL)
    assert_same(*search_both(LOGISTIC, LOGISTIC_GRID, X, y, fit_params, cv=cv, scoring="neg_log_loss"))


@pytest.mark.parametrize("kind", ["DataFrame", "list", "strings"])
def test_any_container(kind):
    X, y = blobs(3, *TALL)
    if kind == "DataFrame":
        X, y = pd.DataFrame(X, columns=list("abcde")), pd.Series(y)
    elif kind == "list":
        X, y = X.tolist(), y.tolist()
    else:
        y = np.array(["a", "b", "c"])[y]
    one_by_one, stacked = search_both(LOGISTIC, {"learning_rate": [1e-3, 4e-3]}, X, y, cv=3)
    assert_same(one_by_one, stacked)
    if kind == "DataFrame":
        assert stacked.feature_names_in_.tolist() == list("abcde")


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_missing_labels_are_told_as_by_fit(missing):
    """Before labels are compared, which NaN and text cannot be."""
    X, y = blobs()
    y = np.where(y == 0, "no", "yes").astype(object)
    y[3] = missing
    with pytest.raises((ValueError, TypeError), match=r"y contains NaN\. Leave out|none missing") as told:
        VectorizedGridSearchCV(LOGISTIC, LOGISTIC_GRID).fit(X, y)
    with pytest.raises(told.type, match=re.escape(str(told.value))):
        clone(LOGISTIC).fit(X, y)


def test_scorers_that_look_at_the_model_get_the_real_one():
    """A callable gets the fitted estimator, coefficients and all, and the rows as they are."""
    X, y = blobs(2, *TALL)
    pipeline = make_pipeline(StandardScaler(), LOGISTIC)

    def looks(estimator, X, y):
        assert isinstance(estimator[0], StandardScaler)
        assert X.shape == (20, 5)
        assert estimator[-1].learning_rate_ == estimator[-1].learning_rate
        assert estimator[-1].n_iter_ == estimator[-1].max_iter
        assert len(estimator[-1].loss_curve_) == -(-estimator[-1].max_iter // 15)
        return -np.linalg.norm(estimator[-1].coef_) + estimator.predict_proba(X)[0, 0]

    grid = {"logisticregressiongd__learning_rate": [0.01, 0.1], "logisticregressiongd__max_iter": [30, 90]}
    assert_same(*search_both(pipeline, grid, X, y, cv=3, scoring=looks))
    two = {"accuracy": "accuracy", "mine": make_scorer(accuracy_score)}
    assert_same(*search_both(pipeline, grid, X, y, cv=3, scoring=two, refit="mine"))


def test_scorers_may_refit_and_write():
    """A scorer that fits its estimator anew, or writes into X, harms no other candidate."""
    X, y = blobs(2, *TALL)

    def scorer(estimator, X, y):
        score = -log_loss(y, estimator.predict_proba(X))
        estimator.fit(X, y)
        refitted = -log_loss(y, estimator.predict_proba(X))
        X[:] = 0
        return score + refitted

    assert_same(*search_both(LOGISTIC, LOGISTIC_GRID, X, y, cv=3, scoring=scorer))


def test_one_of_several_metrics_may_fail():
    """The others keep their scores; a metric that fails gets error_score, and a warning."""
    X, y = blobs(3, *TALL)

    def fails(estimator, X, y):
        raise ValueError("no such metric")

    results = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        scoring = {"accuracy": "accuracy", "bad": fails}
        search = kind(LOGISTIC, {"learning_rate": [1e-3, 4e-3]}, cv=3, scoring=scoring, refit="accuracy")
        with pytest.warns(UserWarning, match="Scoring failed|non-finite"):
            results.append(search.fit(X, y).cv_results_)
    np.testing.assert_array_equal(results[0]["mean_test_accuracy"], results[1]["mean_test_accuracy"])
    assert np.isnan(results[1]["mean_test_bad"]).all()


def unweighted(estimator, X, y):
    return estimator.score(X, y)


def weighted(estimator, X, y, sample_weight=None):
    return estimator.score(X, y, sample_weight)


def raising(estimator, X, y):
    raise ValueError("no such score")


def returning_text(estimator, X, y):
    return "good"


def returning_two(estimator, X, y):
    return {"a": estimator.score(X, y), "b": 1.0}


def failing_metric(y, predicted):
    raise RuntimeError("no metric")


SCORINGS = [
    None, "accuracy", "mutual_info_score", "f1", "unknown", unweighted, weighted, raising, returning_text,
    returning_two, make_scorer(failing_metric), make_scorer(accuracy_score, normalize=False),
    {"m": "mutual_info_score"}, {"m": "accuracy", "f": unweighted}, {"m": "accuracy", "f": raising},
    {"m": "accuracy", "f": make_scorer(failing_metric)}, {"m": "accuracy", "f": returning_text},
    {"m": "roc_auc"}, {"m": "accuracy", "f": "mutual_info_score"}, {"m": 3}, [], ("accuracy", "accuracy"),
]  # fmt: skip


@pytest.mark.parametrize(("has_weights", "error_score"), [(False, np.nan), (True, "raise")])
@pytest.mark.parametrize("scoring", SCORINGS, ids=lambda scoring: re.sub(r" at 0x\w+", "", repr(scoring)))
def test_scorers_warn_and_raise_as_in_grid_search(scoring, has_weights, error_score):
    """Warnings and errors are of the same types and words, and name the user's scorer."""
    X, y = blobs(3, *TALL)
    params = {"sample_weight": np.arange(60.0)} if has_weights else {}
    refit = next(iter(scoring), True) if isinstance(scoring, dict | list | tuple) else "a"
    grid = {"learning_rate": [1e-3, 4e-3]}
    runs = [
        run(
            kind,
            LOGISTIC,
            grid,
            {"scoring": scoring, "refit": refit, "cv": 3, "error_score": error_score},
            X,
            y,
            params,
        )
        for kind in (VectorizedGridSearchCV, GridSearchCV)
    ]
    assert_same_outcome(*runs)
    assert all("Lookup" not in str(warning.message) for warning in runs[0][2])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"scoring": ["accuracy"], "refit": True}, ValueError),
        ({"scoring": ["accuracy"], "refit": "f1"}, ValueError),
        ({"scoring": "unknown"}, ValueError),
        ({"cv": "three"}, ValueError),
        ({"error_score": "none"}, ValueError),
    ],
)
def test_bad_options_are_refused_before_anything_is_trained(options, error, monkeypatch):
    X, y = blobs(2, *TALL)
    monkeypatch.setattr(SearchMemo, "_train", lambda *args: pytest.fail("trained"))
    messages = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        with pytest.raises(error) as caught:
            kind(LOGISTIC, {"learning_rate": [0.1]}, **options).fit(X, y)
        messages.append(str(caught.value).replace("Vectorized", ""))
    assert messages[0] == messages[1]


@pytest.mark.interrupts
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("n", [1, 4, 6, 7])
def test_a_search_that_ends_early_is_as_before(error, n):
    """Whether while scoring or in the refit: the state is that of the previous fit, or of none."""

    def score_or_fail(estimator, X, y):
        calls.append(1)
        if len(calls) == n:
            raise error
        return estimator.score(X, y)

    class FailsAtLast(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            if len(X) == 60 and calls:
                raise error
            return super().fit(X, y, sample_weight)

    X, y = blobs(2, *TALL)
    pipeline = make_pipeline(FailsAtLast(), LOGISTIC)
    grid = {"logisticregressiongd__learning_rate": [0.01, 0.1]}
    search = VectorizedGridSearchCV(pipeline, grid, cv=3, error_score="raise")
    for _ in range(2):
        calls = []
        before = vars(search).copy()
        with pytest.raises(error):
            search.set_params(scoring=score_or_fail).fit(X, y)
        assert vars(search.set_params(scoring=before["scoring"])) == before
        calls = []
        search.fit(X, y)


def test_parallel_backends_do_not_shuffle_candidates():
    """The search counts turns, so it stays sequential inside a joblib context."""
    X, y = blobs(2, *TALL)
    with parallel_config("threading", n_jobs=2):
        assert_same(*search_both(LOGISTIC, LOGISTIC_GRID, X, y, cv=3, scoring="neg_log_loss"))


def test_routed_weights_go_through_the_ordinary_search():
    X, y = blobs(2, *TALL)
    weights = np.arange(60.0)
    with config_context(enable_metadata_routing=True):
        model = clone(LOGISTIC).set_fit_request(sample_weight=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        options = {"cv": 3, "scoring": scorer}
        grid = {"learning_rate": [1e-3, 4e-3]}
        assert_same(*search_both(model, grid, X, y, {"sample_weight": weights}, **options))


@pytest.mark.parametrize("refit", [False, "neg_log_loss", lambda results: 2])
def test_refit(refit):
    X, y = blobs(2, *TALL)
    options = {"cv": 3, "scoring": ["accuracy", "neg_log_loss"], "refit": refit}
    grid = {"learning_rate": [1e-3, 1e-2, 2e-2]}
    searches = search_both(LOGISTIC, grid, X, y, **options)
    if refit == "neg_log_loss":
        assert_same(*searches)
    else:
        assert_same(*searches, best_weights=False)
        for name in ("best_estimator_", "best_index_", "best_params_"):
            assert hasattr(searches[0], name) == hasattr(searches[1], name)


def test_settings_that_cannot_be_fitted_are_told_as_by_grid_search():
    """error_score takes the place of a bad rate; "raise" raises what the fit raised."""
    X, y = blobs(2, *TALL)
    grid = {"learning_rate": [-1.0, 0.01, "fast", 0.02]}
    results = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        with pytest.warns(FitFailedWarning, match="6 fits failed"):
            results.append(kind(LOGISTIC, grid, cv=3, error_score=-7).fit(X, y))
    assert_same(*results)
    with pytest.raises(ValueError, match="learning_rate"):
        VectorizedGridSearchCV(LOGISTIC, grid, cv=3, error_score="raise").fit(X, y)


def test_beyond_the_stable_rate_both_call_the_candidate_bad():
    """Where rounding decides the scores differ, but neither search picks the chaotic rate."""
    X, y = blobs(2, *TALL, seed=1)
    X = X + 20
    rates = [1e-4, 1e-3, 3.0]
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        with pytest.warns(ConvergenceWarning):
            search = kind(LOGISTIC, {"learning_rate": rates}, cv=3, scoring="neg_log_loss").fit(X, y)
        assert search.cv_results_["rank_test_score"][2] == 3
        assert search.best_params_["learning_rate"] != 3.0


def test_other_estimators_are_refused():
    X, y = blobs()
    for estimator in (SVC(), make_pipeline(StandardScaler(), SVC())):
        with pytest.raises(TypeError, match=r"takes LogisticRegressionGD.*Use GridSearchCV"):
            VectorizedGridSearchCV(estimator, {"C": [1]}).fit(X, y)


def test_parameters_clone_and_repr():
    """Its parameters are those of the signature; it clones, and is not fitted before fit."""
    search = VectorizedGridSearchCV(LOGISTIC, {"max_iter": [1]}, cv=4, scoring="roc_auc")
    assert sorted(search.get_params(deep=False)) == [
        "cv", "error_score", "estimator", "param_grid", "refit", "return_train_score", "scoring", "verbose",
    ]  # fmt: skip
    assert clone(search).get_params()["cv"] == 4
    assert "VectorizedGridSearchCV" in repr(search)
    with pytest.raises(AttributeError, match="not fitted"):
        search.predict([[1.0]])
