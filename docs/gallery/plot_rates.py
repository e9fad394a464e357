"""
Learning rates on one axis, and 2/L
===================================

The learning rate is the length of a step, and the only number of gradient descent that you must choose. Too
small, and descent is slow. Too large, and the cost rises. For logistic regression the limit can be computed
from the data before the first step: up to the rate 1/L the cost falls at every step, and up to 2/L it still
never rises. L is the largest curvature of the cost anywhere.

This page draws both sides of the limit, first on images, then on data that no weights can explain.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn_basic import FlattenScaler, LogisticRegressionGD, LossCurveDisplay, load_photo_patches

# %%
# Finding 2/L
# -----------
#
# With two classes, and m samples as the rows of X,
#
# .. math:: L = \frac{1}{4 m} \, \lambda_{\max}\left([X\; 1]^T [X\; 1]\right),
#
# because :math:`a (1 - a)`, the slope of the sigmoid, is at most 1/4. A fit with ``learning_rate="auto"``
# takes the rate 1/L and keeps it in ``learning_rate_``, so twice that is 2/L.

train_x, train_y, test_x, test_y, names = load_photo_patches()
scaler = FlattenScaler().fit(train_x)
X, X_test = scaler.transform(train_x), scaler.transform(test_x)

auto = LogisticRegressionGD(learning_rate="auto", max_iter=1).fit(X, train_y)
limit = 2 * auto.learning_rate_
X_1 = np.column_stack([X, np.ones(len(X))])
L = np.linalg.norm(X_1 @ X_1.T, ord=2) / (4 * len(X))
print(f"2/L = {limit:.6f} by the fit, {2 / L:.6f} by the formula")

# %%
# Six rates on the images
# -----------------------
#
# The rates are multiples of 2/L. ``record_every=1`` keeps the cost of every step. Each fit takes 2,000 steps.

multiples = {
    0.05: "#9ECAE1",
    0.5: "#4292C6",
    0.95: "#084594",
    1.2: "#FDAE6B",
    2: "#F16913",
    8: "#A63603",
}
models = [LogisticRegressionGD(m * limit, record_every=1).fit(X, train_y) for m in multiples]

print("rate      times 2/L   highest cost   steps that rose   last of them   final cost   test accuracy")
for multiple, model in zip(multiples, models, strict=True):
    costs = np.array([*model.loss_curve_, model.loss_])
    risen = np.flatnonzero(np.diff(costs) > 0)
    last = risen[-1] + 1 if len(risen) else "-"
    print(
        f"{model.learning_rate_:.6f} {multiple:10}   {costs.max():12.3f} {len(risen):17} {last:>14}"
        f" {model.loss_:12.3f} {model.score(X_test, test_y):15.0%}"
    )


def draw_costs(models, names, colours, **options):
    """Draw the cost curves of models on one axis, with their rates as names."""
    _, ax = plt.subplots(figsize=(9.6, 5.4), layout="constrained")
    lines = [
        LossCurveDisplay.from_estimator(model, ax=ax, log_y=True, color=colour, lw=1.8, **options).line_
        for model, colour in zip(models, colours, strict=True)
    ]
    ax.legend(lines, names, title="learning rate", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.set(xlabel="steps", ylabel="cost J")
    return ax


labels = [f"{multiple:g} · 2/L" for multiple in multiples]
labels[1] += " = 1/L"
ax = draw_costs(models, labels, multiples.values(), log_x=True)
ax.set_title("The same 209 images at six learning rates: blue below 2/L, orange above")

# %%
# The blue curves only fall, and the larger the rate the faster. The orange ones rise in between: a step
# overshoots the valley, and the next one overshoots by more. The farther above 2/L, the higher the peaks and
# the longer they last, up to step 290 at 8 times 2/L.
#
# Then the orange curves settle, and end lower than the blue ones. That is not a mistake. These images can be
# separated, so the cost has no minimum: the longer the weights, the nearer all probabilities come to 0 and 1,
# and the flatter the cost. Its curvature falls until the rate is no longer too large for it. The limit 2/L is
# that of the place of the largest curvature, which here is the start. It is a promise for rates below, not a
# threat for those above.

# %%
# Where no weights explain the labels
# -----------------------------------
#
# Now 1,000 samples with random labels. The best weights are nearly 0, so the cost has its largest curvature
# just where descent wants to end, and nothing becomes flatter on the way.

rng = np.random.default_rng(0)
X_noise, y_noise = rng.standard_normal((1000, 3)), np.arange(1000) % 2
noise_limit = 2 * LogisticRegressionGD(max_iter=1).fit(X_noise, y_noise).learning_rate_
print(f"2/L = {noise_limit:.3f}")

multiples = {0.95: "#084594", 1.1: "#FDAE6B", 2: "#F16913", 8: "#A63603"}
models = []
for multiple in multiples:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # "it ended at ..., above its start of ..."
        model = LogisticRegressionGD(multiple * noise_limit, max_iter=100, record_every=1).fit(
            X_noise, y_noise
        )
    late = model.loss_curve_[50:]
    print(f"{multiple:5} times 2/L: the last 50 costs are between {min(late):.4f} and {max(late):.4f}")
    models.append(model)

labels = [f"{multiple:g} · 2/L" for multiple in multiples]
ax = draw_costs(models, labels, multiples.values(), log_x=False)
ax.set_title("Random labels: above 2/L the cost rises and stays high")
ax.set(yticks=[0.7, 1, 2, 5, 10], yticklabels=["0.7", "1", "2", "5", "10"])
ax.minorticks_off()
plt.show()

# %%
# Below 2/L the cost settles at its minimum, a little below log 2 = 0.693, the cost of not learning at all.
# Just above, the weights leave the valley and soon jump to and fro between its two sides for ever; the larger
# the rate, the farther. The estimator then gives a ``ConvergenceWarning`` that names 2/L.
#
# So with logistic regression begin with ``"auto"``, and search from there on: several times 2/L may serve you
# well if the classes can be separated, and not at all if they cannot. A network has no such constant.
