"""How the estimators present themselves: reprs, tables, tags and metadata requests."""

import re
from html import unescape
from urllib.parse import quote

import numpy as np
import pytest
import sklearn
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.fixes import parse_version

from models import BOTH, blobs, both
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV
from sknn_basic._sklearn import DISPATCHES

SEARCH = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=5), {"learning_rate": [0.1, 0.2]}, cv=2)
EVERY = [*BOTH, FlattenScaler(), SEARCH]


installed = parse_version(sklearn.__version__)


def fitted(estimator):
    X, y = blobs()
    return clone(estimator).fit(X, y)


def test_repr_in_a_pipeline():
    """Only what differs from the defaults."""
    pipeline = make_pipeline(FlattenScaler(), ShallowNNClassifier(4, learning_rate=0.005))
    assert " ".join(repr(pipeline).split()) == (
        "Pipeline(steps=[('flattenscaler', FlattenScaler()), ('shallownnclassifier', "
        "ShallowNNClassifier(hidden_layer_size=4, learning_rate=0.005))])"
    )
    assert repr(LogisticRegressionGD()) == "LogisticRegressionGD()"
    assert " ".join(repr(fitted(SEARCH)).split()) == (
        "VectorizedGridSearchCV(cv=2, estimator=LogisticRegressionGD(max_iter=5), "
        "param_grid={'learning_rate': [0.1, 0.2]})"
    )


@pytest.mark.parametrize("estimator", EVERY, ids=lambda e: type(e).__name__)
def test_html_has_tables_and_no_links(estimator):
    """Parameters and fitted attributes in tables; no link to a page that does not exist."""
    estimator = fitted(estimator)
    html = estimator._repr_html_()
    assert "href=" not in html.replace('href="#', "")
    pipeline = make_pipeline(FlattenScaler(1), LogisticRegressionGD(max_iter=5)).fit(*blobs())
    links = re.findall(r'href="([^"#]+)', pipeline._repr_html_())
    assert links
    assert all("/sklearn.pipeline.Pipeline" in link for link in links)
    if installed >= parse_version("1.7"):
        for name in estimator.get_params(deep=False):
            assert re.search(rf">\s*{name}\s*<|{name}&nbsp;", html), name
    if installed >= parse_version("1.9"):
        for name in vars(estimator):
            if name.endswith("_") and not name.startswith("_"):
                assert re.search(rf">\s*{name}\s*<", html), name


@pytest.mark.skipif(installed < parse_version("1.9"), reason="describes no fitted attributes")
@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("estimator", EVERY, ids=lambda e: type(e).__name__)
def test_html_describes_all_that_it_shows_where_there_is_a_page_to_link_to(estimator, labels, monkeypatch):
    """As the page for teachers says: each parameter and attribute with its description and its own link."""
    for kind in map(type, EVERY):
        monkeypatch.setattr(kind, "_doc_link_module", "sknn_basic")
        monkeypatch.setattr(kind, "_doc_link_template", "https://a.test/{estimator_name}.html")
    X, y = blobs(labels)
    frame = pytest.importorskip("pandas").DataFrame(X, columns=list("abcde"))
    validation = {"X_val": frame, "y_val": y} if estimator in BOTH else {}
    html = clone(estimator).fit(frame, y, **validation)._repr_html_()
    for shown in re.findall(r'<td class="param">(.*?)</td>', html, re.DOTALL):
        name, kind = re.search(r"<span class[^>]*>\s*(\w+): ([^<]+)<br><br>\w", shown).groups()
        link = re.search(r'href="(https://a.test/\w+.html#:~:text=.*?)"', shown)[1]
        assert link.endswith(f"text={name},-{quote(unescape(kind))}")


# Tags


@both
def test_tags_of_classifiers(model):
    """Two classes or more from dense or sparse rows without NaN; labels are required, one a sample."""
    tags = get_tags(model)
    given, target = tags.input_tags, tags.target_tags
    assert tags.estimator_type == "classifier"
    assert all([given.two_d_array, given.sparse, target.required, tags.requires_fit])
    assert tags.array_api_support == DISPATCHES
    assert not any([given.three_d_array, given.allow_nan, target.multi_output])
    assert tags.classifier_tags.multi_class
    assert not tags.classifier_tags.multi_label
    assert not tags.non_deterministic


@pytest.mark.parametrize(("dtype", "kept"), [(None, ["float64", "float32"]), ("float32", ["float32"])])
def test_tags_of_the_scaler(dtype, kept):
    """Rows and images; dense only; no labels; the precision is kept or the one asked for."""
    tags = get_tags(FlattenScaler(dtype=dtype))
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.sparse
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == kept
    assert tags.array_api_support == DISPATCHES


def test_tags_of_the_search_are_those_of_its_estimator():
    tags = get_tags(SEARCH)
    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_class
    assert tags.input_tags.sparse
    assert tags.target_tags.required
    assert tags.array_api_support == get_tags(GridSearchCV(SEARCH.estimator, {})).array_api_support
    pipeline = make_pipeline(FlattenScaler(), LogisticRegressionGD())
    assert not get_tags(VectorizedGridSearchCV(pipeline, {})).input_tags.sparse


# Metadata routing: weights reach every consumer that asks for them


@pytest.mark.parametrize("kind", [GridSearchCV, VectorizedGridSearchCV])
@both
def test_routing_to_searches(model, kind):
    """To the fits and the scorer of a search: scores are those of weighted fits, weighted, by hand."""
    X, y = blobs()
    weights = np.linspace(0.1, 3, len(y)) ** 2
    rates, cv = [0.05, 0.1], StratifiedKFold(3)
    expected = np.zeros((2, 3))
    for (i, rate), (j, (train, test)) in [
        (a, b) for a in enumerate(rates) for b in enumerate(cv.split(X, y))
    ]:
        alone = clone(model).set_params(learning_rate=rate).fit(X[train], y[train], weights[train])
        log_proba = alone.predict_log_proba(X[test])[np.arange(len(test)), y[test]]
        expected[i, j] = np.average(log_proba, weights=weights[test])
    with config_context(enable_metadata_routing=True):
        asks = clone(model).set_fit_request(sample_weight=True)
        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        pipeline = make_pipeline(FlattenScaler(1.0), asks)
        grid = {f"{type(model).__name__.lower()}__learning_rate": rates}
        search = kind(pipeline, grid, scoring=scorer, cv=cv).fit(X, y, sample_weight=weights)
        fastest = clone(asks).set_params(learning_rate=rates[1])
        results = cross_validate(fastest, X, y, scoring=scorer, cv=cv, params={"sample_weight": weights})
    for j in range(3):
        np.testing.assert_allclose(search.cv_results_[f"split{j}_test_score"], expected[:, j], rtol=1e-9)
    np.testing.assert_allclose(results["test_score"], expected[1], rtol=1e-9)
