#!/usr/bin/env bash
# skl2onnx converts a StandardScaler fitted on a DataFrame with one input for each column, and joins the inputs in the type
# of the first one. If the first column is an integer, floats in all other columns are cut to integers before they are
# scaled: the conversion and ONNX Runtime report nothing, and with another order of the columns the result is right.
# MinMaxScaler, MaxAbsScaler, RobustScaler and Normalizer share this code.
# Seen with skl2onnx 1.20.0, onnxruntime 1.23.2, onnx 1.19.1, scikit-learn 1.7.2, pandas 2.3.3:
#     integer first: off by 3.48; float first: off by 0.00
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "skl2onnx==1.20.0" "onnxruntime==1.23.2" "onnx==1.19.1" \
    "scikit-learn==1.7.2" "pandas==2.3.3"
cat >"$work/seen.py" <<'PYTHON'
import numpy as np
import onnxruntime
import pandas as pd
import skl2onnx
from sklearn.preprocessing import StandardScaler

frame = pd.DataFrame({"rooms": [1, 2, 3, 4], "share": np.array([0.2, 0.4, 0.6, 0.9], np.float32)})


def largest_error(frame):
    scaler = StandardScaler().fit(frame)
    content = skl2onnx.to_onnx(scaler, frame[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    return np.abs(found - scaler.transform(frame)).max()


errors = [largest_error(frame[names]) for names in (["rooms", "share"], ["share", "rooms"])]
print(f"integer first: off by {errors[0]:.2f}; float first: off by {errors[1]:.2f}")
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "integer first: off by 3.48; float first: off by 0.00"
