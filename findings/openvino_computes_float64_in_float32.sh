#!/usr/bin/env bash
# OpenVINO runs an ONNX model of float64 without a word, and returns float64: but its CPU plugin has computed in float32,
# also with EXECUTION_MODE_HINT "ACCURACY", and by default in bfloat16 where the processor has that (AMX, AVX-512 BF16),
# whose numbers have two to three digits. The type of the output says nothing of the precision: X - 1 for X = 1 + 1e-9 is
# 0.0 of type float64, and a product of random matrices is off by 4e-3 where NumPy's, in the same type, is off by 1e-15.
# Seen with openvino 2026.4.1 and onnx 1.23.2 on CPython 3.11, on a processor with AMX:
#     float64: 0.0
#     product off by, default: 4e-03
#     product off by, ACCURACY: 2e-07
# (on a processor without bfloat16 the default is as ACCURACY).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "openvino==2026.4.1" "onnx==1.23.2"
cat >"$work/seen.py" <<'PYTHON'
import numpy as np
import openvino
from onnx import TensorProto, helper, numpy_helper


def model(operator, constant):
    """An ONNX model that applies an operator to rows of 50 float64 and a constant."""
    values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 50]) for name in "XY"]
    node = helper.make_node(operator, ["X", "C"], ["Y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:], [numpy_helper.from_array(constant, "C")])
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def run(content, rows, **options):
    core = openvino.Core()
    return core.compile_model(core.read_model(content), "CPU", options)(rows)[0]


rng = np.random.default_rng(0)
A, B = rng.standard_normal((2, 50, 50))
difference = run(model("Sub", np.ones((1, 50))), np.full((1, 50), 1 + 1e-9), EXECUTION_MODE_HINT="ACCURACY")
print(f"{difference.dtype}: {difference[0, 0]}")
off = {}
for name, options in (("default", {}), ("ACCURACY", {"EXECUTION_MODE_HINT": "ACCURACY"})):
    product = run(model("MatMul", B), A, **options)
    assert product.dtype == np.float64
    off[name] = abs(product - A @ B).max() / abs(A @ B).max()
    print(f"product off by, {name}: {off[name]:.0e}")
has_bfloat16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
assert difference.dtype == np.float64 and difference[0, 0] == 0
assert 1e-8 < off["ACCURACY"] < 1e-6
assert 1e-4 < off["default"] < 1e-1 if has_bfloat16 else off["default"] < 1e-6
PYTHON
"$work/venv/bin/python" "$work/seen.py"
