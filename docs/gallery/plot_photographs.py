"""
Your own photographs
====================

Two folders of photographs are a data set. This page goes the whole way: read the folders, split, train, look
at the mistakes, and ask the model about a new photograph.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.datasets import load_sample_image
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sknn_basic import (
    ConfusionImagesDisplay,
    FlattenScaler,
    LogisticRegressionGD,
    load_photo_patches,
    read_image,
    read_image_folder,
)

# %%
# Two folders
# -----------
#
# You need one subfolder for each class, with as many JPEG, PNG or other files as you have. The names of the
# files do not matter::
#
#     photos/flower/*.jpg        photos/temple/*.jpg        new.jpg
#
# So that this page runs without yours, it writes such folders itself, from the images that come with the
# package, and as the new photograph it takes one that comes with scikit-learn. Leave this cell out and set
# ``photos`` and ``new`` to your own.

temporary = TemporaryDirectory()
photos, new = Path(temporary.name) / "photos", Path(temporary.name) / "new.jpg"
bundled = load_photo_patches()
for name in bundled.classes:
    (photos / name).mkdir(parents=True)
for i, (pixels, label) in enumerate(zip(bundled.train_set_x, bundled.train_set_y, strict=True)):
    Image.fromarray(pixels).resize((240, 240)).save(photos / bundled.classes[label] / f"IMG_{i:04}.jpg")
Image.fromarray(load_sample_image("flower.jpg")).save(new)
print(*sorted(path.name for path in photos.iterdir()), sep=", ")

# %%
# Read and split
# --------------
#
# Each photograph is turned upright, cropped to its central square and made 64 x 64 pixels small. Labels are
# numbers, and ``classes`` has the names of the folders in the same order: ``classes[labels]`` are the names,
# which the models take as they are. A quarter of the images is kept for the test, with the same share of each
# class.

images, labels, classes = read_image_folder(photos, size=64)
names = classes[labels]
X_train, X_test, y_train, y_test = train_test_split(images, names, stratify=names, random_state=0)
print(f"{len(X_train)} training images, {len(X_test)} test images of shape {images.shape[1:]}")
for name in classes:
    print(f"{name}: {(names == name).sum()} images")

figure, axes = plt.subplots(2, 8, figsize=(9.6, 2.9), layout="constrained")
for name, row in zip(classes, axes, strict=True):
    row[0].set_ylabel(name, fontsize=13)
    for ax, image in zip(row, X_train[y_train == name], strict=False):
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])

# %%
# Train
# -----
#
# The pipeline takes the images as they are. The learning rate is 1/L, computed from the images, so there is
# nothing to choose but the number of steps.

model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=2000)).fit(X_train, y_train)
print(f"{model.score(X_train, y_train):.1%} of the training images are right")
print(f"{model.score(X_test, y_test):.1%} of the test images are right")

# %%
# Be careful with the second number. Photographs that were taken one after the other of the same thing are
# nearly equal. If one is in the training set and its neighbour in the test set, the model has seen the
# answer. Then split by day or by place, by ``GroupShuffleSplit``. The patches here overlap, so let us ask for
# those that were cut from another part of both photographs. It makes little difference here; with a series of
# yours it may.

apart = model.score(bundled.test_set_x, bundled.classes[bundled.test_set_y])
print(f"{apart:.1%} of the images from another part of the photographs are right")

# %%
# Mistakes
# --------
#
# What the model gets wrong teaches more than how often. The most confident mistakes come first.

figure, axes = plt.subplots(2, 3, figsize=(9.6, 5.4), layout="constrained")
ConfusionMatrixDisplay.from_estimator(model, X_test, y_test, cmap="Blues", colorbar=False, ax=axes[0, 0])
display = ConfusionImagesDisplay.from_estimator(model, X_test, y_test, n_images=5, ax=axes.flat[1:])
figure.suptitle(
    f"{display.n_mistakes} of {display.n_samples} test images are wrong: predicted and true class"
)
for predicted, probability, true in zip(display.predicted, display.probability, display.true, strict=True):
    print(f"{predicted} with {probability:.1%}, but is {true}")

# %%
# The temples that are taken for flowers are mostly trees, and the background of the flower is green. The
# model has no idea of a temple: it adds up colours at places.

# %%
# A new photograph
# ----------------
#
# ``read_image`` does to one file what ``read_image_folder`` does to each. A model takes an array of images,
# so pass a list of one. Here it is a whole flower, of which the training images show parts, so it is not
# quite new.

photo = read_image(new, size=64)
(probabilities,) = model.predict_proba([photo])
for name, probability in zip(model.classes_, probabilities, strict=True):
    print(f"{name}: {probability:.1%}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.4), layout="constrained")
left.imshow(Image.open(new))
left.set(title="new.jpg", xticks=[], yticks=[])
right.imshow(photo)
right.set(
    title=f"as the model sees it: {model.predict([photo])[0]}, {probabilities.max():.0%}",
    xticks=[],
    yticks=[],
)
temporary.cleanup()
plt.show()
# sphinx_gallery_thumbnail_number = 2
