"""Conversion to ONNX: the notes' formulas in ONNX's operators, registered with skl2onnx.

skl2onnx finds converters by the class of an estimator. Each class is registered once both it and skl2onnx
are imported; subclasses are converted too, unless they predict otherwise. Where skl2onnx computes something
wrong from the outputs of a classifier, in another estimator, the conversion is refused.
"""

import sys
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from .._descent.arrays import on_host
from .inputs import layers_on_host
from .pipelines import defining_class, last_step

PACKAGE = __package__.partition(".")[0]  # sknn_basic
CLASSIFIER, SCALER = f"{PACKAGE}_classifier", f"{PACKAGE}_scaler"  # by which skl2onnx knows their converters
SCALERS = "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer", "SimpleImputer"
OPTIONS = {"zipmap": [True, False, "columns"], "raw_scores": [True, False], "nocl": [False]}
FLOATS = "Float", "Double"  # of 32 and 64 bits


# What skl2onnx calls for a model


def _parse_classifier(scope, model, inputs, custom_parsers=None):
    """Declare the outputs: without zipmap, unless an option asks for it."""
    from skl2onnx import get_model_alias
    from skl2onnx._parse import _parse_sklearn_classifier, _parse_sklearn_simple_model

    if get_model_alias(type(model)) != CLASSIFIER:  # a subclass for which the user has registered a converter
        return _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)
    scope.add_options(id(model), scope.get_options(model, {"zipmap": False}))
    return _parse_sklearn_classifier(scope, model, inputs, custom_parsers)


def _parse_pipeline(scope, model, inputs, custom_parsers=None):
    """Pass the options of a pipeline to its last step, if that ends in a classifier of this package.

    skl2onnx would leave out raw_scores, and set zipmap if it was not given.
    """
    from skl2onnx._parse import _parse_sklearn_pipeline

    last, predictor = last_step(model), _predictor(model)
    options = scope.get_options(model, fail=False) or {}
    if _is_ours(predictor):
        own = scope.get_options(last, fail=False) or {}
        scope.add_options(id(last), {"zipmap": False, **options, **own})
    elif options.get("raw_scores") and any(_is_ours(_predictor(member)) for member, _ in _members(predictor)):
        raise NotImplementedError(
            f"skl2onnx does not pass raw_scores on to the {type(predictor).__name__} in this pipeline. Give "
            "the option to this step: options={id(pipeline[-1]): ...}."
        )
    return _parse_sklearn_pipeline(scope, model, inputs, custom_parsers)


def _set_types_of_classifier(operator):
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    classifier = operator.raw_operator
    _refuse_own_methods(classifier, "predict predict_proba decision_function _logits _get_layers _network")
    is_number = _are_numbers(on_host(classifier.classes_))
    operator.outputs[0].type = (Int64TensorType if is_number else StringTensorType)([None])
    operator.outputs[1].type = _float_type(operator)([None, classifier.classes_.shape[0]])


def _set_type_of_scaler(operator):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    scaler, kind = operator.raw_operator, _float_type(operator)
    _refuse_own_methods(scaler, "transform _transform _scaled")
    kind = {"float32": FloatTensorType, "float64": DoubleTensorType}.get(scaler.dtype, kind)
    operator.outputs[0].type = kind([None, scaler.n_features_in_])


def _refuse_own_methods(estimator, names):
    """Raise NotImplementedError if a subclass outside of this package defines one of the methods."""
    kind = type(estimator)
    for name in names.split():
        if defining_class(kind, name).__module__.partition(".")[0] != PACKAGE:
            raise NotImplementedError(
                f"{kind.__name__} defines {name} itself, which ONNX does not compute. Convert an "
                f"estimator of {PACKAGE}, or register a converter for {kind.__name__} with skl2onnx."
            )


def _are_numbers(classes):
    """Whether all classes are whole numbers or booleans: they become integers in ONNX."""
    return classes.dtype.kind in "iub" or (classes.dtype.kind == "f" and (classes == np.trunc(classes)).all())


def _float_type(operator):
    """Return the type to compute with: float64 if any of the inputs is, else float32."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    kinds = {variable.raw_name: _kind(variable) for variable in operator.inputs}
    text = [name for name, kind in kinds.items() if kind == "String"]
    if text:
        raise TypeError(f"The example holds text or objects in {text}. Convert them to numbers first.")
    fitted = list(getattr(operator.raw_operator, "feature_names_in_", ()))
    if sorted(kinds) == sorted(fitted) and list(kinds) != fitted:
        raise ValueError(
            f"The example has the columns {list(kinds)}. Pass them in the order of fit: {fitted}."
        )
    return DoubleTensorType if "Double" in kinds.values() else FloatTensorType


def _kind(variable):
    """Return the type of a variable in skl2onnx's words: "Float", "Double", "Int64", "String", ..."""
    return type(variable.type).__name__.removesuffix("TensorType")


# The operators


def _convert_scaler(scope, operator, container):
    from skl2onnx.common.data_types import guess_numpy_type

    scaler, kind = operator.raw_operator, operator.outputs[0].type
    op = partial(_operator, container.target_opset, guess_numpy_type(kind))
    rows = op("Reshape", _joined_inputs(op, operator, kind), np.array([0, scaler.n_features_in_]))
    op("Div", rows, float(scaler.divisor), output_names=operator.outputs[:1]).add_to(scope, container)


def _convert_classifier(scope, operator, container):
    from skl2onnx.common.data_types import guess_numpy_type

    classifier, kind = operator.raw_operator, operator.outputs[1].type
    precision = guess_numpy_type(kind)
    op = partial(_operator, container.target_opset, precision)
    *hidden, (W, b) = [
        (np.ascontiguousarray(W, precision), b.astype(precision)) for W, b in layers_on_host(classifier)
    ]
    A = _joined_inputs(op, operator, kind)
    for W1, b1 in hidden:
        g, Z = classifier._network.activation.onnx, op("Add", op("MatMul", A, W1), b1)
        A = op(g, Z) if isinstance(g, str) else g(op, Z)
    Z = op("Add", op("MatMul", A, W), b)
    logits = Z
    if W.shape[1] == 1:
        Z = op("Concat", op("Neg", Z), Z, axis=1)
        logits = op("Mul", Z, 0.5)  # not the Sigmoid of Z, which in ONNX Runtime is 0 from -37 on
    if _takes_raw_scores(scope, operator, container):
        scores = op("Identity", Z, output_names=operator.outputs[1:])
    else:
        limit = float(np.finfo(precision).max) / 4  # the softmax of infinite logits is not a number
        logits = op("Min", op("Max", logits, -limit), limit)
        scores = op("Softmax", logits, axis=1, output_names=operator.outputs[1:])
    classes = on_host(classifier.classes_)
    labels = classes.astype(np.int64 if _are_numbers(classes) else str)
    chosen = op("Gather", labels, op("ArgMax", Z, axis=1, keepdims=0), output_names=operator.outputs[:1])
    for output in (scores, chosen):
        output.add_to(scope, container)


def _joined_inputs(op, operator, kind):
    """Return the inputs as one array: a DataFrame as example has an input for each column."""
    from skl2onnx.common.data_types import guess_proto_type

    columns = [op("Cast", variable, to=guess_proto_type(kind)) for variable in operator.inputs]
    return op("Concat", *columns, axis=1) if len(columns) > 1 else columns[0]


def _operator(version, precision, name, *inputs, **options):
    """Return an operator of ONNX, by its name; its inputs are results of others, arrays or numbers."""
    from skl2onnx.algebra import onnx_ops

    inputs = [np.array([a], precision) if isinstance(a, float) else a for a in inputs]
    return getattr(onnx_ops, f"Onnx{name}")(*inputs, op_version=version, **options)


# In other estimators


def _takes_raw_scores(scope, operator, container):
    """Whether raw scores are wanted of a classifier, by the estimators around it or else its options.

    Options alone do not tell, since skl2onnx does not pass them through pipelines and searches in others.
    Raises NotImplementedError for an estimator that skl2onnx converts wrongly.
    """
    classifier, wanted = operator.raw_operator, set()
    for other in scope.operators.values():
        model = other.raw_operator
        name = str(other.type) if model is None else type(model).__name__
        raw = container.get_options(model).get("raw_scores", False)
        fault = _fault_of_skl2onnx(name, other, raw)
        if fault:
            raise NotImplementedError(f"skl2onnx does not convert {name} rightly here: it {fault}")
        wanted |= {takes for member, takes in _members(model, raw) if _predictor(member) is classifier}
    if len(wanted) > 1:
        raise NotImplementedError(
            f"One {type(classifier).__name__} gives probabilities to an estimator and raw scores to another, "
            "which skl2onnx cannot tell apart. Pass each of them a copy."
        )
    options = scope.get_options(classifier) | container.get_options(classifier)
    return wanted.pop() if wanted else options.get("raw_scores", False)


def _predictor(model):
    """Return the estimator that predicts in pipelines and searches, nested in any way."""
    while isinstance(model, Pipeline | GridSearchCV):
        model = last_step(model) if isinstance(model, Pipeline) else model.best_estimator_
    return model


def _is_ours(model):
    return isinstance(model, OnnxClassifierMixin)


def _members(model, raw=False):
    """Return the classifiers in another estimator, each with whether skl2onnx takes its raw scores there."""
    name = type(model).__name__
    if name == "CalibratedClassifierCV":
        return [(member.estimator, True) for member in model.calibrated_classifiers_]
    if name == "StackingClassifier":
        takes = [method == "decision_function" for method in model.stack_method_]
        return [*zip(model.estimators_, takes, strict=True), (model.final_estimator_, raw)]
    return [(member, raw or name == "OneVsOneClassifier") for member in getattr(model, "estimators_", ())]


def _takes_others_scores(member):
    """Whether a pipeline or search would have to return raw scores of another package's classifier."""
    predictor = _predictor(member)
    return predictor is not member and not _is_ours(predictor) and hasattr(member, "decision_function")


def _fault_of_skl2onnx(name, operator, raw):
    """Return what skl2onnx computes otherwise than scikit-learn in an estimator, and what to do; or None."""
    model, kinds = operator.raw_operator, [_kind(variable) for variable in operator.inputs]
    members = _members(model, raw)
    if name in SCALERS and "Int" in kinds[0] and not {*kinds}.isdisjoint(FLOATS):
        return "rounds the other columns to integers, as the first. Pass columns of one type, or an array."
    if raw and not hasattr(model, "decision_function"):
        return "has no raw scores. Leave out the option raw_scores."
    if any(takes and _takes_others_scores(member) for member, takes in members):
        return "takes the probabilities of a pipeline or search for raw scores. Put that around it."
    match name:
        case "SklearnZipMap" if kinds[-1] == "Double":
            return (
                'has dictionaries of float32 only. Pass an example of float32, or zipmap="columns" or False.'
            )
        case "TunedThresholdClassifierCV":
            return (
                "ignores the threshold. Convert estimator_, and compare probabilities with best_threshold_."
            )
        case "CalibratedClassifierCV" if model.method != "sigmoid":
            return 'does not interpolate between calibrated values. Use method="sigmoid".'
        case "OneVsOneClassifier" if not np.array_equal(model.classes_, np.arange(len(model.classes_))):
            return "returns the numbers of classes. Fit it on the labels 0, 1, ..."
        case "OneVsRestClassifier" if raw and model.multilabel_:
            return "compares raw scores with 0.5. Leave out the option raw_scores."
        case "BaggingClassifier" if raw:
            return "predicts by the mean of raw scores. Leave out the option raw_scores."
        case "BaggingClassifier" | "CalibratedClassifierCV" if any(
            len(member.classes_) != len(model.classes_) for member, _ in members
        ):
            return "mixes up classes, as a member has not seen all. Fit it on more samples of each."
        case "AdaBoostClassifier" if "Double" in kinds:
            return "mixes float32 with float64. Pass an example of float32."
        case "VotingClassifier" if model.weights is not None and len(model.weights) != len(model.estimators_):
            return "takes the weights of dropped estimators for others. Fit it without these."
        case "VotingClassifier" if "Double" in kinds and kinds[0] != "Double":
            return "mixes float32 with float64. Pass columns of one type, or an array."
        case "StackingClassifier" if "predict" in model.stack_method_:
            return 'takes probabilities for labels. Use stack_method="predict_proba".'
        case "StackingClassifier" if "decision_function" in model.stack_method_ and len(model.classes_) == 2:
            return 'takes two raw scores for one. Use stack_method="predict_proba".'
        case "StackingClassifier" if kinds[0] not in FLOATS:
            return "rounds probabilities to the integers of the example. Pass an example of floats."
        case "Pipeline" if _kind(operator.outputs[-1]) not in FLOATS:
            return "rounds probabilities to the integers of the example. Pass an example of floats."
    return None


# Registration


class OnnxMixin:
    """Registers the subclasses of the mixins below with skl2onnx, once both are imported."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if sys.modules.get("skl2onnx"):
            cls._register_onnx()


class OnnxClassifierMixin(OnnxMixin):
    """Lets ``skl2onnx.to_onnx`` convert a classifier; the outputs are "label" and "probabilities".

    The probabilities are an array, unless the option ``zipmap`` asks for dictionaries or columns.
    """

    @classmethod
    def _register_onnx(cls):
        import skl2onnx

        functions = _set_types_of_classifier, _convert_classifier, True, _parse_classifier
        skl2onnx.update_registered_converter(cls, CLASSIFIER, *functions, OPTIONS)
        skl2onnx.update_registered_parser(Pipeline, _parse_pipeline)


class OnnxScalerMixin(OnnxMixin):
    """Lets ``skl2onnx.to_onnx`` convert a FlattenScaler."""

    @classmethod
    def _register_onnx(cls):
        import skl2onnx

        skl2onnx.update_registered_converter(cls, SCALER, _set_type_of_scaler, _convert_scaler)


class OnnxSearchMixin(OnnxMixin):
    """Lets ``skl2onnx.to_onnx`` convert a subclass of GridSearchCV as it does GridSearchCV."""

    @classmethod
    def _register_onnx(cls):
        from skl2onnx import _parse, _supported_operators

        for known in (_parse.sklearn_parsers_map, _supported_operators.sklearn_operator_name_map):
            known[cls] = known[GridSearchCV]


class RegisteringFinder(MetaPathFinder):
    """Finds skl2onnx for the import system, and registers all classes once it has been imported."""

    def find_spec(self, name, path=None, target=None):
        """Return how skl2onnx is imported, or None for any other module."""
        spec = PathFinder.find_spec(name, path, target) if name == "skl2onnx" else None
        if spec and spec.loader:
            spec.loader.exec_module = partial(_import_and_register, spec.loader.exec_module)
        return spec


def _import_and_register(exec_module, module):
    exec_module(module)
    _register_subclasses(OnnxMixin)


def _register_subclasses(kind):
    for subclass in kind.__subclasses__():
        subclass._register_onnx()
        _register_subclasses(subclass)


sys.meta_path.insert(0, RegisteringFinder())
