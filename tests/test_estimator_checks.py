"""scikit-learn's own checks: all that `check_estimator` runs, and by name those that it leaves out."""

import re
from importlib.util import find_spec

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._sklearn import DISPATCHES

SHORT = {"max_iter": 200}
CLASSIFIERS = [
    LogisticRegressionGD(**SHORT),
    LogisticRegressionGD(learning_rate=0.5, l2_regularization=0.1, **SHORT),
    LogisticRegressionGD(class_weight="balanced", warm_start=True, **SHORT),
    ShallowNNClassifier(**SHORT),
    ShallowNNClassifier(activation="sigmoid", class_weight="balanced", **SHORT),
    ShallowNNClassifier(activation="relu", l2_regularization=0.1, **SHORT),
    ShallowNNClassifier(activation="leaky_relu", **SHORT),
]
TRANSFORMERS = [FlattenScaler(), FlattenScaler(dtype="float32"), FlattenScaler(2, dtype="float64")]

LONG = [
    LogisticRegressionGD(),
    ShallowNNClassifier(),
    # One check fits twice and wants the same predictions. A continued fit gives them once it has learnt the
    # labels, which takes more than 2,000 steps.
    ShallowNNClassifier(warm_start=True),
]
LEARNT = """
    check_class_weight_classifiers check_classifiers_classes check_classifiers_train check_supervised_y_2d
    check_decision_proba_consistency check_fit_idempotent check_methods_sample_order_invariance
    check_methods_subset_invariance check_sample_weight_equivalence_on_dense_data
    check_sample_weight_equivalence_on_sparse_data
""".split()  # checks of what a fit has learnt, or of two fits: others do not depend on the number of steps

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

pytestmark = [  # some checks use data without information, some draw it from [0, 1]
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:All values of X are in:UserWarning"),
]


ABSENT = """
    (cupy|dpnp|torch) is not installed: not checking array_api input
    PyTorch test requires cuda, which is not available
    Skipping XPU device test because no XPU device is available
    Skipping MPS device test because PYTORCH_ENABLE_MPS_FALLBACK is not set.
""".strip().splitlines()  # what checks of arrays of other libraries say that they need


def needs_what_is_absent(result):
    is_of_arrays, message = result["check_name"].startswith("check_array_api"), str(result["exception"])
    return is_of_arrays and any(re.fullmatch(pattern.strip(), message) for pattern in ABSENT)


@pytest.mark.parametrize("estimator", CLASSIFIERS + TRANSFORMERS, ids=repr)
def test_check_estimator(estimator):
    """Every check passes, none is expected to fail; skipped are those alone that need an absent device."""
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 40
    others = [r for r in results if r["status"] != "passed"]
    assert {r["check_name"]: r["exception"] for r in others if not needs_what_is_absent(r)} == {}
    assert {r["status"] for r in others} <= {"skipped"}
    on_arrays = [r["check_name"] for r in results if r not in others].count("check_array_api_input")
    if DISPATCHES:  # NumPy, array_api_strict on two devices, and PyTorch in two precisions
        assert on_arrays >= (5 if find_spec("torch") else 3)


@pytest.mark.parametrize("estimator", LONG, ids=repr)
def test_checks_of_long_fits(estimator):
    """What depends on the number of steps passes after many too, such as the default `max_iter`."""
    checks = {check.func.__name__: check for _, check in estimator_checks_generator(estimator)}
    for name in LEARNT:
        checks[name](estimator)


@pytest.mark.parametrize("check", BY_NAME)
@pytest.mark.parametrize("estimator", [LogisticRegressionGD(), ShallowNNClassifier(**SHORT)], ids=repr)
def test_classifier_checks_by_name(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.parametrize("check", BY_NAME_FOR_TRANSFORMERS)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=repr)
@pytest.mark.filterwarnings("ignore:X (has feature names|does not have valid feature names):UserWarning")
def test_transformer_checks_by_name(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)
