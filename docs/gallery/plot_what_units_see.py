"""
What hidden units see
=====================

A hidden unit computes A1 = g(x W1 + b1) of a sample x, and the output adds the activations of all units, each
times its weight in W2. What has a unit learnt? On two features its whole map can be drawn. On images its
weights are an image, but most of that image is the random start.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, make_moons
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, HiddenUnitsDisplay, ShallowNNClassifier, WeightsDisplay, descent_path

# %%
# Two features: each unit is a soft step
# --------------------------------------
#
# Each panel is the plane of both features. A tanh unit changes along one straight line, where its input is 0;
# its colour is the class that it speaks for. The last panel is their weighted sum: the boundary bends
# where one unit hands over to another.

X, y = make_moons(300, noise=0.2, random_state=0)
network = ShallowNNClassifier(4, learning_rate=1.0, max_iter=5000, random_state=1).fit(X, y)
print(f"accuracy {network.score(X, y):.1%}")
display = HiddenUnitsDisplay.from_estimator(network, X, y)
display.figure_.set_size_inches(12.8, 7.2)

# %%
# Images: the start hides what was learnt
# ---------------------------------------
#
# Two digits of 8 x 8 pixels, and a network of 6 units. Its weights are numbers drawn at random plus the sum of
# all steps. The random part has no reason to shrink, since nothing in the cost asks for it.

digits = load_digits(n_class=2)
model = make_pipeline(
    FlattenScaler(divisor=16.0), ShallowNNClassifier(6, learning_rate=0.3, max_iter=500, random_state=0)
)
model.fit(digits.images, digits.target)
print(f"accuracy {model.score(digits.images, digits.target):.1%}")

figure, grid = plt.subplots(2, 6, figsize=(12.8, 5.2), layout="constrained")
WeightsDisplay.from_estimator(model, relative_to=None, ax=grid[0])
WeightsDisplay.from_estimator(model, relative_to="start", ax=grid[1])
figure.suptitle(
    "W1; below, W1 minus its start. A bright pixel raises the unit's input where red, lowers it where blue"
)
plt.show()

# %%
# Below, each unit shows a stroke against a ring, the same in all units up to its sign: descent moved them all
# along the one direction that tells 0 from 1. How alike are a unit's weights and their start?

(start,) = descent_path(model, digits.images, digits.target, [0])
for j, (w, w0) in enumerate(zip(model[-1].coefs_[0].T, start[-1].coefs_[0].T, strict=True)):
    print(f"unit {j}: correlation of W1 with its start {np.corrcoef(w, w0)[0, 1]:.2f}")
