"""scikit-learn's own checks: all that `check_estimator` runs, and by name those that it leaves out."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from models import ACTIVATIONS
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier

SHORT = {"max_iter": 200}
CLASSIFIERS = [
    LogisticRegressionGD(),
    LogisticRegressionGD(learning_rate=0.5, **SHORT),
    LogisticRegressionGD(l2_regularization=0.1, **SHORT),
    LogisticRegressionGD(class_weight="balanced", **SHORT),
    LogisticRegressionGD(warm_start=True, **SHORT),
    ShallowNNClassifier(),
    *(ShallowNNClassifier(activation=name, **SHORT) for name in ACTIVATIONS),
    ShallowNNClassifier(learning_rate=0.5, **SHORT),
    # At the default rate of 1.2 and this penalty descent is chaotic on the data of the check that weights
    # are repeated rows: rounding errors grow to 0.2.
    ShallowNNClassifier(l2_regularization=0.1, learning_rate=0.5, **SHORT),
    ShallowNNClassifier(class_weight="balanced", **SHORT),
    # One check fits twice and wants the same predictions: a continued fit gives them once it has learnt the
    # labels, which takes more than 200 steps.
    ShallowNNClassifier(warm_start=True, max_iter=2000),
]
TRANSFORMERS = [FlattenScaler(), FlattenScaler(dtype="float32"), FlattenScaler(2, dtype="float64")]
BY_NAME = ["check_param_validation", "check_dataframe_column_names_consistency"]
BY_NAME_FOR_TRANSFORMERS = [
    *BY_NAME,
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@pytest.mark.parametrize("estimator", CLASSIFIERS + TRANSFORMERS, ids=repr)
def test_check_estimator(estimator):
    """Every check passes, none is skipped or expected to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some checks use data without information
        warnings.filterwarnings("ignore", "All values of X are in", UserWarning)  # some draw it from [0, 1]
        results = check_estimator(estimator, on_fail=None)
    assert len(results) > 40
    assert {r["check_name"]: r["exception"] for r in results if r["status"] != "passed"} == {}


@pytest.mark.parametrize("check", BY_NAME)
@pytest.mark.parametrize("estimator", [LogisticRegressionGD(), ShallowNNClassifier(max_iter=200)], ids=repr)
def test_classifier_checks_by_name(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.parametrize("check", BY_NAME_FOR_TRANSFORMERS)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=repr)
@pytest.mark.filterwarnings("ignore:X (has feature names|does not have valid feature names):UserWarning")
@pytest.mark.filterwarnings("ignore:All values of X are in:UserWarning")
def test_transformer_checks_by_name(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)
