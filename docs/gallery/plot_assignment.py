"""
The notes' assignment: which photograph is this?
================================================

Two models learn from 209 small colour images which of two photographs each was cut from: logistic regression, and a
network with one hidden layer of seven units. Both take exactly the steps of the notes' programming assignment.

The notes do it with images of cats, which are not part of this package. The images here have the same number, shape
and layout: patches of 64 x 64 pixels, of a temple and of a flower. No patch of the test set overlaps one of the
training set, but all are cut from the same two photographs, so the accuracies are those of an exercise.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sknn_basic import (
    ConfusionImagesDisplay,
    FlattenScaler,
    LogisticRegressionGD,
    LossCurveDisplay,
    ShallowNNClassifier,
    WeightsDisplay,
    load_photo_patches,
)

INK = plt.rcParams["text.color"]  # black, or white in a dark style

train_x, train_y, test_x, test_y, names = load_photo_patches()
print(f"training images {train_x.shape}, test images {test_x.shape}, classes {names.tolist()}")

# %%
# The images
# ----------
# Each image is 64 x 64 x 3 = 12,288 numbers from 0 to 255. A model sees them as one long row, so it does not know
# which pixels are neighbours.

figure, axes = plt.subplots(2, 8, figsize=(9.6, 3), layout="constrained")
for row, label in zip(axes, (0, 1), strict=True):
    for ax, image in zip(row, train_x[train_y == label], strict=False):
        ax.imshow(image)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(names[label], fontsize=13)

# %%
# Two models
# ----------
# ``FlattenScaler`` makes rows of the images and divides them by 255. Both models then take 2,000 steps at the rate
# 0.005 of the notes. Logistic regression starts at zero. The network must not, or all of its units would remain
# equal: its start is random, with the variance 1 / 12,288 for the weights of a hidden unit.
#
# The test images are passed as validation samples, so that their cost is recorded too. No step uses them. How many
# images each model gets right:

line = LogisticRegressionGD(learning_rate=0.005, max_iter=2000, record_every=10)
network = ShallowNNClassifier(7, learning_rate=0.005, max_iter=2000, record_every=10, random_state=0)

scaler = FlattenScaler().fit(train_x)
validation = {"X_val": scaler.transform(test_x), "y_val": test_y}
models = {}
for name, classifier in {"logistic regression": line, "network of 7 units": network}.items():
    classifier.fit(scaler.transform(train_x), train_y, **validation)
    models[name] = make_pipeline(scaler, classifier)
    accuracies = [models[name].score(X, y) for X, y in ((train_x, train_y), (test_x, test_y))]
    print(f"{name}: {accuracies[0]:.1%} of the training images, {accuracies[1]:.1%} of the test images")

# sphinx_gallery_thumbnail_number = 2
# %%
# The cost over the steps
# -----------------------
# The training costs fall to the end. Those of the test images fall with them at first, and then hardly at all: from
# there on, the models learn what is special of the training images. The rate
# 0.005 is above 2/L = 0.0028, so the cost of logistic regression rises in its first steps, before it settles.

figure, ax = plt.subplots(layout="constrained")
for name, model in models.items():
    LossCurveDisplay.from_estimator(model, ax=ax, name=name)
costs = network.validation_loss_curve_
lowest = int(np.argmin(costs))
step = int(network.loss_curve_steps_[lowest])
ax.plot(step, costs[lowest], "o", color=INK, label=f"lowest of the network, step {step:,}")
ax.set(ylim=(0, None), title="Cost of training images (solid) and test images (dashed)")
ax.legend()

# %%
# What the weights look for
# -------------------------
# Logistic regression has one weight for each pixel and colour, so its weights are an image too. Where it is bright in
# one colour, more of this colour speaks for the flower. Beside it is the first step, which goes from zero to the sum
# of the flowers minus that of the temples: smooth, as the images are. The later steps correct it where it is wrong,
# pixel by pixel.

figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.6), layout="constrained")
first = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=1)).fit(train_x, train_y)
for ax, model, title in zip(
    axes, (first, models["logistic regression"]), ("after 1 step", "after 2,000 steps"), strict=True
):
    WeightsDisplay.from_estimator(model, ax=ax)
    ax.set_title(f"weights of logistic regression {title}")

# %%
# The mistakes
# ------------
# The test images that a model gets wrong, those of which it is most certain first.

figure = plt.figure(figsize=(9.6, 5.4), layout="constrained")
for part, (name, model) in zip(figure.subfigures(2, 1), models.items(), strict=True):
    axes = part.subplots(1, 6)
    display = ConfusionImagesDisplay.from_estimator(
        model, test_x, test_y, class_names=names, n_images=6, ax=axes
    )
    part.suptitle(f"{name}: {display.n_mistakes} of {display.n_samples} test images are wrong")
plt.show()

# %%
# Try it yourself
# ---------------
# Change the number of hidden units to 1 and to 50. Set ``init_scale=0.01``, which is the start of the notes. Or put
# your own photographs in place of these: ``read_image_folder`` reads a folder for each class.
