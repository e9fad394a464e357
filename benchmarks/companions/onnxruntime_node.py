"""ONNX Runtime in Node.js, on models of skl2onnx."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from .onnx_models import compared, tails

JAVASCRIPT = """
const ort = require("onnxruntime-node");
const types = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array };
const { model, type, data, dims } = JSON.parse(require("fs").readFileSync(0));
ort.InferenceSession.create(model).then(async (session) => {
    const rows = new ort.Tensor(type, types[type].from(data), dims);
    const results = await session.run({ [session.inputNames[0]]: rows });
    const [labels, probabilities] = session.outputNames.map((name) => Array.from(results[name].data, (v) => typeof v === "bigint" ? Number(v) : v));
    console.log(JSON.stringify({ labels, probabilities }));
});
"""


def _run(content, rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(content)
        given = {
            "model": str(path),
            "type": rows.dtype.name,
            "data": rows.ravel().tolist(),
            "dims": rows.shape,
        }
        node = subprocess.run(
            ["node", "-e", JAVASCRIPT], input=json.dumps(given), capture_output=True, text=True, check=True
        )
    found = json.loads(node.stdout)
    return found["labels"], np.reshape(found["probabilities"], (len(rows), -1))


def models():
    """Labels and probabilities of both classifiers, float32 and float64, and of images"""
    return compared(_run)


def far_from_the_boundary():
    """Small probabilities, by their ratio to ours"""
    return tails(_run)
