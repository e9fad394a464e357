"""Make photo_patches.h5, the images that `load_photo_patches` loads, from scikit-learn's two photographs.

Run ``python sknn_basic/data/make_photo_patches.py`` with the package installed; needs pillow. ATTRIBUTION.md
names the photographers.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_image

from sknn_basic import write_hdf5
from sknn_basic._files.datasets import ImageDataset

SIZE, STRIDE = 64, 32  # pixels
BORDER = 448  # the column that separates training and test: 156 and 60 windows per photograph
PHOTOS = {"temple": "china.jpg", "flower": "flower.jpg"}
N_TRAIN, N_TEST = (105, 104), (25, 25)  # of each class


def make_photo_patches():
    """Return the ImageDataset of 209 + 50 patches, the same every time."""
    rng = np.random.RandomState(0)
    photos = [load_sample_image(name) for name in PHOTOS.values()]
    train = draw([photo[:, :BORDER] for photo in photos], N_TRAIN, rng)
    test = draw([photo[:, BORDER:] for photo in photos], N_TEST, rng)
    return ImageDataset(*train, *test, np.array(list(PHOTOS)))


def draw(photos, counts, rng):
    """Return `counts` different windows of the photographs, shuffled, and which photograph each is from."""
    drawn = [rng.permutation(windows(photo))[:count] for photo, count in zip(photos, counts, strict=True)]
    order = rng.permutation(sum(counts))
    return np.concatenate(drawn)[order], np.repeat(np.arange(len(photos)), counts)[order]


def windows(photo):
    """Return every window of SIZE x SIZE pixels at distances of STRIDE."""
    every = np.lib.stride_tricks.sliding_window_view(photo, (SIZE, SIZE), axis=(0, 1))
    return np.moveaxis(every[::STRIDE, ::STRIDE], 2, -1).reshape(-1, SIZE, SIZE, photo.shape[2])


if __name__ == "__main__":
    target = Path(__file__).with_name("photo_patches.h5")
    write_hdf5(target, *make_photo_patches(), overwrite=True)
    print(f"{target}: {target.stat().st_size:,} bytes")
