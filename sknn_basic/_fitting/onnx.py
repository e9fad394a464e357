"""Conversion to ONNX: the methods that skl2onnx calls, and the notes' formulas in ONNX's operators.

skl2onnx calls `onnx_shape_calculator` and `onnx_converter` of an estimator that it does not know, so nothing
needs to be registered. Subclasses are converted too, unless they predict otherwise.
"""

from functools import partial

import numpy as np

PACKAGE = __package__.partition(".")[0]  # sknn_basic


class OnnxClassifierMixin:
    """Lets ``skl2onnx.to_onnx`` convert a classifier; the outputs are "label" and "probabilities".

    The probabilities are an array, as of scikit-learn's classifiers with the option ``zipmap=False``.
    """

    def onnx_shape_calculator(self):
        """Return the function that sets the types of the outputs of skl2onnx's operator."""
        _refuse_own_methods(self, "predict predict_proba decision_function _logits _get_layers _network")
        return _set_types_of_classifier

    def onnx_converter(self):
        """Return the function that adds the operators of `predict` and `predict_proba` to a graph."""
        return _convert_classifier


class OnnxScalerMixin:
    """Lets ``skl2onnx.to_onnx`` convert a FlattenScaler."""

    def onnx_shape_calculator(self):
        """Return the function that sets the type of the output of skl2onnx's operator."""
        _refuse_own_methods(self, "transform _transform _scale")
        return _set_type_of_scaler

    def onnx_converter(self):
        """Return the function that adds the operators of `transform` to a graph."""
        return _convert_scaler


def _refuse_own_methods(estimator, names):
    """Raise NotImplementedError if a subclass outside of this package defines one of the methods."""
    kind = type(estimator)
    for name in names.split():
        owner = next(parent for parent in kind.__mro__ if name in vars(parent))
        if owner.__module__.partition(".")[0] != PACKAGE:
            raise NotImplementedError(
                f"{kind.__name__} defines {name} itself, which ONNX does not compute. Convert an "
                f"estimator of {PACKAGE}, or register a converter for {kind.__name__} with skl2onnx."
            )


def _set_types_of_classifier(operator):
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    classes = operator.raw_operator.classes_
    operator.outputs[0].type = (Int64TensorType if _are_numbers(classes) else StringTensorType)([None])
    operator.outputs[1].type = _tensor_type(_precision(operator.inputs))([None, len(classes)])


def _are_numbers(classes):
    """Whether all classes are whole numbers or booleans: they become integers in ONNX."""
    return classes.dtype.kind in "iub" or (classes.dtype.kind == "f" and (classes == np.trunc(classes)).all())


def _set_type_of_scaler(operator):
    scaler = operator.raw_operator
    precision = np.dtype(scaler.dtype or _precision(operator.inputs))
    operator.outputs[0].type = _tensor_type(precision)([None, scaler.n_features_in_])


def _precision(variables):
    """Return float64 if the first variable is of that type, else float32, the usual type in ONNX."""
    from skl2onnx.common.data_types import DoubleTensorType

    return np.dtype(np.float64 if isinstance(variables[0].type, DoubleTensorType) else np.float32)


def _tensor_type(precision):
    from skl2onnx.common import data_types

    return data_types.DoubleTensorType if precision == np.float64 else data_types.FloatTensorType


def _convert_scaler(scope, operator, container):
    from skl2onnx.algebra import onnx_ops as ops
    from skl2onnx.common.data_types import guess_proto_type

    scaler, version = operator.raw_operator, {"op_version": container.target_opset}
    values = ops.OnnxCast(operator.inputs[0], to=guess_proto_type(operator.outputs[0].type), **version)
    rows = ops.OnnxReshape(values, np.array([0, scaler.n_features_in_]), **version)
    divisor = np.array([scaler.divisor], _precision(operator.outputs))
    ops.OnnxDiv(rows, divisor, output_names=operator.outputs[:1], **version).add_to(scope, container)


def _convert_classifier(scope, operator, container):
    from skl2onnx.algebra import onnx_ops as ops
    from skl2onnx.common.data_types import guess_proto_type

    classifier, version = operator.raw_operator, {"op_version": container.target_opset}
    precision = _precision(operator.outputs[1:])
    A = ops.OnnxCast(operator.inputs[0], to=guess_proto_type(operator.outputs[1].type), **version)
    *hidden, (W, b) = classifier._get_layers()
    for W1, b1 in hidden:
        Z = _linear(ops, A, W1, b1, precision, version)
        A = _activate(partial(_operator, ops, precision, version), classifier._network.activation, Z)
    Z = _linear(ops, A, W, b, precision, version)
    if W.shape[1] == 1:
        Z = ops.OnnxConcat(ops.OnnxNeg(Z, **version), Z, axis=1, **version)
        probabilities = ops.OnnxSigmoid(Z, output_names=operator.outputs[1:], **version)
    else:
        probabilities = ops.OnnxSoftmax(Z, axis=1, output_names=operator.outputs[1:], **version)
    classes = classifier.classes_
    labels = classes.astype(np.int64 if _are_numbers(classes) else str)
    index = ops.OnnxArgMax(Z, axis=1, keepdims=0, **version)
    chosen = ops.OnnxGather(labels, index, output_names=operator.outputs[:1], **version)
    for output in (probabilities, chosen):
        output.add_to(scope, container)


def _linear(ops, A, W, b, precision, version):
    """Return Z = A W + b."""
    product = ops.OnnxMatMul(A, np.ascontiguousarray(W, precision), **version)
    return ops.OnnxAdd(product, b.astype(precision), **version)


def _activate(op, activation, Z):
    """Return g(Z), as the record of the activation describes it."""
    return op(activation.onnx, Z) if isinstance(activation.onnx, str) else activation.onnx(op, Z)


def _operator(ops, precision, version, name, *inputs):
    """Return an operator of ONNX, by its name; its inputs are results of others, or numbers."""
    arrays = [np.array([a], precision) if isinstance(a, float) else a for a in inputs]
    return getattr(ops, f"Onnx{name}")(*arrays, **version)
