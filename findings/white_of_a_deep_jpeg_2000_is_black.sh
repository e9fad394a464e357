#!/usr/bin/env bash
# Pillow opens a JPEG 2000 of 9 to 16 bits a colour, and rounds each sample to 8 bits: (value + 128) >> 8 for 16 bits. The
# brightest half step is rounded to 256, of which one byte keeps 0: white, and whatever is nearly white, comes out black, while
# all other values are right within 1. Grey of 16 bits is kept as it is (mode I;16), so tests on grey do not show it.
# Seen with Pillow 12.0.0 (OpenJPEG 2.5.4) and imagecodecs 2026.3.6, which writes the file losslessly and reads it back whole:
#     written 0 30000 65000 65407 65408 65535
#     Pillow  0 117 254 255 0 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "pillow==12.0.0" "imagecodecs==2026.3.6" "numpy==2.4.6"
cat >"$work/seen.py" <<'PYTHON'
import io

import imagecodecs
import numpy as np
from PIL import Image

written = np.array([0, 30000, 65000, 65407, 65408, 65535], np.uint16)
pixels = np.repeat(written, 3 * 64).reshape(6, 64, 3)
file = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True)
assert np.array_equal(imagecodecs.jpeg2k_decode(file), pixels)
print("written", *written)
print("Pillow ", *np.asarray(Image.open(io.BytesIO(file)))[:, 0, 0])
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "written 0 30000 65000 65407 65408 65535
Pillow  0 117 254 255 0 0"
