"""
The weights on their way
========================

Logistic regression on images has one weight for each pixel and colour, so its weights are an image. What it
shows depends on when you look: after one step the mean flower minus the mean temple, after thousands of steps
a fine pattern that gets the last difficult images right. ``descent_path`` returns the models after any
numbers of steps of one descent, in the time of the longest.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, LogisticRegressionGD, WeightsDisplay, descent_path, load_photo_patches

INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE = "#0072B2", "#D55E00"

# %%
# One descent
# -----------
#
# Descent slows down, so a picture with even steps would show only its end. Here the steps are even on a
# logarithmic scale, some 15 for each power of ten. Step 0 is the start, where all weights are zero.

train_x, train_y, test_x, test_y, names = load_photo_patches()
shown = [1, 10, 100, 1000, 10_000]
steps = np.unique([0, *shown, *np.geomspace(1, 10_000, 60).astype(int)])
models = descent_path(make_pipeline(FlattenScaler(), LogisticRegressionGD()), train_x, train_y, steps)
print(f"{len(models)} models from step {models[0][-1].n_iter_} to step {models[-1][-1].n_iter_:,}")

# %%
# The weights as images
# ---------------------
#
# Mid-grey is 0. Where a colour is brighter, more of it speaks for the flower; where it is darker, for the
# temple. Each image is scaled by its own largest weight. Below are the same weights as histograms.

figure, axes = plt.subplots(2, 5, figsize=(9.6, 4.6), layout="constrained", height_ratios=(1.25, 1))
at = dict(zip(steps.tolist(), models, strict=True))
first = at[1][-1].coef_.ravel()
for (top, bottom), step in zip(axes.T, shown, strict=True):
    weights = at[step][-1].coef_.ravel()
    WeightsDisplay.from_estimator(at[step], ax=top)
    top.set_title(f"{step:,} step{'s' * (step > 1)}")
    bottom.hist(weights / np.abs(weights).max(), bins=60, range=(-1, 1), color=BLUE)
    bottom.axvline(0, color=INK, lw=1)
    bottom.set(yticks=[], xticks=[-1, 0, 1], xlabel="weight / largest")
    similar = weights @ first / np.linalg.norm(weights) / np.linalg.norm(first)
    print(
        f"after {step:6,} steps: length of the weights {np.linalg.norm(weights):6.3f},"
        f" cosine to those of the first step {similar:5.2f}"
    )
figure.suptitle("Weights of logistic regression: flower against temple")

# %%
# After one step all weights are negative: the images of the temple are brighter, with much sky, and this is
# the largest difference of the two means. But no image is darker than black, so weights below zero call all
# images temples. The next steps correct that, and colours appear: orange and green for the flower, blue for
# the sky. From then on the images that are still wrong have the largest say. They differ from the others in
# details only, so the weights become finer and finer, and in the end look like noise.

# %%
# Costs and accuracies
# --------------------
#
# For ten steps all images are called temples, and half of them are. The training cost falls all the same: it
# counts probabilities, not decisions.

accuracy = {
    "training": [model.score(train_x, train_y) for model in models],
    "test": [model.score(test_x, test_y) for model in models],
}
cost = {
    "training": [model[-1].loss_ for model in models],
    "test": [log_loss(test_y, model.predict_proba(test_x)) for model in models],
}
figure, axes = plt.subplots(1, 2, figsize=(9.6, 5.4), layout="constrained")
for ax, name, curves in zip(axes, ("accuracy", "cost J"), (accuracy, cost), strict=True):
    for (images, values), colour in zip(curves.items(), (BLUE, ORANGE), strict=True):
        ax.plot(steps, values, color=colour, lw=2.5, label=f"{images} images")
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlabel="steps", title=name)
    ax.grid(alpha=0.3)
axes[0].yaxis.set_major_formatter("{x:.0%}")
axes[0].legend()
figure.suptitle("One descent of 10,000 steps on a logarithmic axis")
for step in (0, *shown):
    i = steps.tolist().index(step)
    print(
        f"step {step:6,}: accuracy {accuracy['training'][i]:6.1%} and {accuracy['test'][i]:4.0%},"
        f" cost {cost['training'][i]:.3f} and {cost['test'][i]:.3f} (training and test)"
    )
plt.show()

# %%
# Most of what the model will ever know of new images it learns between step 50 and step 500, while its
# weights still show soft colours. The fine pattern of the later steps makes the last training images right,
# and hardly changes the decisions on the test images.
