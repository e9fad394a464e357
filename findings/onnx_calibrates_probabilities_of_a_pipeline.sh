#!/usr/bin/env bash
# skl2onnx converts CalibratedClassifierCV(LogisticRegression()) rightly: the calibration was fitted on decision_function, so
# it asks the classifier for raw scores by an option. For CalibratedClassifierCV(make_pipeline(StandardScaler(),
# LogisticRegression())) it gives the option to the pipeline, which accepts it and ignores it. The calibration is then
# applied to probabilities, and the wrong labels come without a word. Options id(pipeline): {"raw_scores": True} of a
# pipeline at the top are ignored in the same way.
# Seen with skl2onnx 1.20.0, onnxruntime 1.23.2, onnx 1.19.1, scikit-learn 1.7.2:
#     classifier: 0 of 100 labels differ; pipeline: 50 of 100 labels differ
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "skl2onnx==1.20.0" "onnxruntime==1.23.2" "onnx==1.19.1" \
    "scikit-learn==1.7.2"
cat >"$work/seen.py" <<'PYTHON'
import numpy as np
import onnxruntime
import skl2onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X = np.linspace(-2, 2, 100, dtype=np.float32).reshape(-1, 1)
y = (X[:, 0] > 0).astype(int)


def n_wrong(model):
    model = CalibratedClassifierCV(model, cv=2).fit(X, y)
    content = skl2onnx.to_onnx(model, X[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return (session.run(None, {"X": X})[0] != model.predict(X)).sum()


wrong = n_wrong(LogisticRegression()), n_wrong(make_pipeline(StandardScaler(), LogisticRegression()))
print("classifier: {} of 100 labels differ; pipeline: {} of 100 labels differ".format(*wrong))
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "classifier: 0 of 100 labels differ; pipeline: 50 of 100 labels differ"
