"""The picture that moves on the front page, and a still one for those who want no motion."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import make_circles

from sknn_basic import DescentDisplay, ShallowNNClassifier

INTERVAL = 140  # milliseconds from frame to frame: less than 5 seconds in all, so the page needs no button to stop it
DPI, QUALITY = 80, 75  # of 768 x 432 pixels: about 0.8 MB, and the dashed lines stay clear


def draw(folder):
    """Draw a boundary that descends once, `front_page.webp`, and its last frame, `front_page.png`."""
    X, y = make_circles(300, noise=0.1, factor=0.45, random_state=0)
    network = ShallowNNClassifier(random_state=0)
    steps = np.unique([0, *np.geomspace(1, network.max_iter, 36).astype(int)])
    display = DescentDisplay.from_estimator(network, X, y, steps=steps)
    first, *others = frames(display.animate(interval=INTERVAL))
    moves = {"save_all": True, "append_images": others, "duration": INTERVAL, "loop": 1}
    first.save(folder / "front_page.webp", quality=QUALITY, **moves)
    others[-1].save(folder / "front_page.png")


def frames(animation):
    """Return the frames of an animation as pictures; equal ones in succession are one."""
    from matplotlib.animation import PillowWriter
    from PIL import Image, ImageSequence

    with TemporaryDirectory() as folder:
        path = Path(folder) / "frames.png"  # an animated PNG: it loses nothing
        animation.save(path, PillowWriter(), dpi=DPI)
        with Image.open(path) as picture:
            return [frame.convert("RGB") for frame in ImageSequence.Iterator(picture)]
