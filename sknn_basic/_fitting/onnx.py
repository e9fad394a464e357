"""Conversion to ONNX: the methods that skl2onnx calls, and the notes' formulas in ONNX's operators.

skl2onnx calls `onnx_shape_calculator` and `onnx_converter` of an estimator that it does not know, so nothing
needs to be registered. Subclasses are converted too, unless they predict otherwise.
"""

from functools import partial

import numpy as np

from .pipelines import defining_class

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
        if defining_class(kind, name).__module__.partition(".")[0] != PACKAGE:
            raise NotImplementedError(
                f"{kind.__name__} defines {name} itself, which ONNX does not compute. Convert an "
                f"estimator of {PACKAGE}, or register a converter for {kind.__name__} with skl2onnx."
            )


def _set_types_of_classifier(operator):
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType, guess_tensor_type

    classes, kind = operator.raw_operator.classes_, type(guess_tensor_type(operator.inputs[0].type))
    operator.outputs[0].type = (Int64TensorType if _are_numbers(classes) else StringTensorType)([None])
    operator.outputs[1].type = kind([None, len(classes)])


def _are_numbers(classes):
    """Whether all classes are whole numbers or booleans: they become integers in ONNX."""
    return classes.dtype.kind in "iub" or (classes.dtype.kind == "f" and (classes == np.trunc(classes)).all())


def _set_type_of_scaler(operator):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, guess_tensor_type

    scaler, kind = operator.raw_operator, type(guess_tensor_type(operator.inputs[0].type))
    kind = {"float32": FloatTensorType, "float64": DoubleTensorType}.get(scaler.dtype, kind)
    operator.outputs[0].type = kind([None, scaler.n_features_in_])


def _convert_scaler(scope, operator, container):
    from skl2onnx.common.data_types import guess_numpy_type, guess_proto_type

    scaler, kind = operator.raw_operator, operator.outputs[0].type
    op = partial(_operator, container.target_opset, guess_numpy_type(kind))
    values = op("Cast", operator.inputs[0], to=guess_proto_type(kind))
    rows = op("Reshape", values, np.array([0, scaler.n_features_in_]))
    op("Div", rows, float(scaler.divisor), output_names=operator.outputs[:1]).add_to(scope, container)


def _convert_classifier(scope, operator, container):
    from skl2onnx.common.data_types import guess_numpy_type, guess_proto_type

    classifier, kind = operator.raw_operator, operator.outputs[1].type
    precision = guess_numpy_type(kind)
    op = partial(_operator, container.target_opset, precision)
    *hidden, (W, b) = [
        (np.ascontiguousarray(W, precision), b.astype(precision)) for W, b in classifier._get_layers()
    ]
    A = op("Cast", operator.inputs[0], to=guess_proto_type(kind))
    for W1, b1 in hidden:
        g, Z = classifier._network.activation.onnx, op("Add", op("MatMul", A, W1), b1)
        A = op(g, Z) if isinstance(g, str) else g(op, Z)
    Z = op("Add", op("MatMul", A, W), b)
    if W.shape[1] == 1:
        Z = op("Concat", op("Neg", Z), Z, axis=1)
        probabilities = op("Sigmoid", Z, output_names=operator.outputs[1:])
    else:
        probabilities = op("Softmax", Z, axis=1, output_names=operator.outputs[1:])
    classes = classifier.classes_
    labels = classes.astype(np.int64 if _are_numbers(classes) else str)
    chosen = op("Gather", labels, op("ArgMax", Z, axis=1, keepdims=0), output_names=operator.outputs[:1])
    for output in (probabilities, chosen):
        output.add_to(scope, container)


def _operator(version, precision, name, *inputs, **options):
    """Return an operator of ONNX, by its name; its inputs are results of others, arrays or numbers."""
    from skl2onnx.algebra import onnx_ops

    inputs = [np.array([a], precision) if isinstance(a, float) else a for a in inputs]
    return getattr(onnx_ops, f"Onnx{name}")(*inputs, op_version=version, **options)
