"""OpenVINO, on models of skl2onnx."""

import openvino

from .onnx_models import compared, exported, tails


def _run(content, rows):
    core = openvino.Core()
    return core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(
        rows
    ).to_tuple()


def models():
    """With `INFERENCE_PRECISION_HINT` "f32": labels and probabilities of both classifiers and of images"""
    return compared(_run)


def far_from_the_boundary():
    """Small probabilities, by their ratio to ours"""
    return tails(_run)


def limit_precision():
    """It computes a model of float64 in float32, and by default in bfloat16 where the processor has it: two digits"""
    core = openvino.Core()
    for model, content, rows in exported()[4:8]:
        compiled = core.compile_model(core.read_model(content), "CPU")
        has_half = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        difference = abs(compiled(rows)[1] - model.predict_proba(rows)).max()
        assert compiled(rows)[1].dtype == "float64"
        assert (1e-4 if has_half else 1e-9) < difference < 0.1, difference
