"""The picture that moves on the front page, and a still one for those who want no motion."""

import numpy as np
from matplotlib.animation import AbstractMovieWriter
from PIL import Image
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
    writer = Pictures()
    animation.save(".", writer, dpi=DPI)
    return writer.pictures


class Pictures(AbstractMovieWriter):
    """Keeps what `save` has drawn, and writes no file. Matplotlib's own writers draw each frame once more."""

    def setup(self, fig, outfile, dpi=None):
        super().setup(fig, outfile, dpi)
        fig.set_dpi(dpi)
        self.pictures = []

    def grab_frame(self, **savefig_kwargs):
        picture = Image.fromarray(np.asarray(self.fig.canvas.buffer_rgba())).convert("RGB")
        if self.pictures[-1:] != [picture]:
            self.pictures.append(picture)

    def finish(self):
        pass
