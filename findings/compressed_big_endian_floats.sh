#!/usr/bin/env bash
# Pillow reads a big-endian TIFF of 32-bit floats right while it is not compressed, and with the bytes of each float reversed
# once it is: libtiff, which decodes it, returns numbers in the machine's own order, but Pillow unpacks them in that of the
# file (it allows for this for unsigned 16-bit samples only; 32-bit integers with a sign are reversed as well). Nothing is
# said: 1.0 becomes 4.6e-41, so a whole picture in [0, 1] looks black. ImageJ writes big-endian files.
# Seen with Pillow 12.0.0 and tifffile 2026.3.3 on a little-endian machine:
#     not compressed [0.25 0.5 1]
#     zlib [4.6e-41 8.8e-44 4.6e-41] while tifffile reads [0.25 0.5 1]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "pillow==12.0.0" "tifffile==2026.3.3" "numpy==2.4.6"
cat >"$work/seen.py" <<'PYTHON'
import sys

import numpy as np
import tifffile
from PIL import Image

path = sys.argv[1]
pixels = np.array([[0.25, 0.5, 1.0]], np.float32)


def short(values):
    return f"[{' '.join(f'{value:.2g}' for value in np.ravel(values))}]"


tifffile.imwrite(path, pixels, byteorder=">")
print("not compressed", short(Image.open(path)))
tifffile.imwrite(path, pixels, byteorder=">", compression="zlib")
print("zlib", short(Image.open(path)), "while tifffile reads", short(tifffile.imread(path)))
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py" "$work/a.tif")
echo "$seen"
test "$seen" = "not compressed [0.25 0.5 1]
zlib [4.6e-41 8.8e-44 4.6e-41] while tifffile reads [0.25 0.5 1]"
