"""
Rate and number of steps in one search
======================================

Learning rate and number of steps belong together: half the rate for twice as many steps is nearly the same
descent, as long as the steps are small. So neither can be chosen alone. ``VectorizedGridSearchCV`` scores all
pairs of both by cross-validation, for little more than the time of the longest descents, since all rates are
trained as one stack and each number of steps is a checkpoint on the way.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV, load_photo_patches

# %%
# The search
# ----------
#
# 11 rates, 20 numbers of steps and 5 folds are 1,100 fits. Both axes are logarithmic, and wide enough that
# the best pair should lie inside. The folds are scored by accuracy and by the cost, which
# scikit-learn calls the log loss. The cost decides: on some 40 images a fold, the accuracy jumps by 2 % with
# each image, and many pairs are equal.
#
# At the largest rates the cost after a few steps is above its start. The ``ConvergenceWarning`` that says so
# is expected here.

train_x, train_y, test_x, test_y, names = load_photo_patches()
rates = np.geomspace(2e-4, 2e-2, 11)
steps = np.unique(np.geomspace(3, 2000, 20).astype(int))

search = VectorizedGridSearchCV(
    make_pipeline(FlattenScaler(), LogisticRegressionGD()),
    {"logisticregressiongd__learning_rate": rates, "logisticregressiongd__max_iter": steps},
    scoring=["accuracy", "neg_log_loss"],
    refit="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
)
start = time.perf_counter()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(train_x, train_y)
n_fits = len(rates) * len(steps) * search.n_splits_
best_rate, best_steps = (
    search.best_params_[f"logisticregressiongd__{name}"] for name in ("learning_rate", "max_iter")
)
print(f"{n_fits:,} fits in {time.perf_counter() - start:.1f} s")
print(f"best: {best_steps} steps at the rate {best_rate:.5f}, cost {-search.best_score_:.3f}")
print(f"accuracy of this model on the test images: {search.best_estimator_.score(test_x, test_y):.0%}")

# %%
# Two maps
# --------
#
# The solid line is 2/L, the largest rate at which the cost never rises. Along the dotted lines rate times
# steps is the same.

limit = (
    2 * LogisticRegressionGD(max_iter=1).fit(FlattenScaler().fit_transform(train_x), train_y).learning_rate_
)
print(f"2/L = {limit:.5f}")
shape = len(rates), len(steps)
accuracies = search.cv_results_["mean_test_accuracy"].reshape(shape)
costs = -search.cv_results_["mean_test_neg_log_loss"].reshape(shape)

figure, axes = plt.subplots(1, 2, figsize=(9.6, 5.4), layout="constrained", sharey=True)
maps = {
    "accuracy, mean of 5 folds": (accuracies, {"cmap": "viridis", "vmin": 0.5}, "neither"),
    "cost, mean of 5 folds": (costs, {"cmap": "viridis_r", "vmax": 0.75}, "max"),
}
for ax, (name, (values, colours, extend)) in zip(axes, maps.items(), strict=True):
    mesh = ax.pcolormesh(steps, rates, values, shading="nearest", **colours)
    figure.colorbar(mesh, ax=ax, label=name, location="bottom", extend=extend)
    ax.set(xscale="log", yscale="log", xlabel="number of steps")
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    ax.axhline(limit, color="white", lw=2)
    for product in best_rate * best_steps * np.array([0.1, 1, 10]):
        ax.plot(steps, product / steps, color="white", lw=1.2, ls=":")
    ax.plot(best_steps, best_rate, "*", color="#D55E00", markeredgecolor="white", markersize=20)
axes[0].text(steps[0], limit * 1.08, "2/L", color="white", fontsize=13, va="bottom")
axes[0].set_ylabel("learning rate")
figure.suptitle("All pairs of rate and steps; the star has the lowest cost")

# %%
# Below 2/L the colours follow the dotted lines: only rate times steps matters, the way that descent has gone.
# Too short a way (bottom left), and the model has not learned yet; too long (top right), and it has learned
# the images of its folds by heart.
#
# Above 2/L this ends. The first hundred steps jump about (the dark corner at the top left). Once they have
# settled, descent is faster than any below 2/L, and this may win the search by a hair. But how a step beyond
# 2/L goes depends on the data, so do not take such a rate over to other data without a search.
#
# The star is inside the map. A winner on an edge would say: search on, beyond it.

# %%
# Each rate at its best
# ---------------------
#
# For each rate, the number of steps at which its cost is lowest. The smallest rates would need more steps
# than this search has. For those in the middle, from 0.0008 to 0.008, the lowest costs are the same to 0.01:
# what counts is to stop at the right time.

print("rate     best steps   rate times steps    cost   accuracy")
for rate, cost, accuracy in zip(rates, costs, accuracies, strict=True):
    i = cost.argmin()
    edge = "   on the edge of the map" if i == len(steps) - 1 else ""
    print(f"{rate:.5f} {steps[i]:11} {rate * steps[i]:18.2f} {cost[i]:7.3f} {accuracy[i]:10.1%}{edge}")
plt.show()
