"""
A linear probe: which penalty?
==============================

Others have trained a large network. Its last hidden layer turns each input into a row of numbers, the
embedding. A linear probe is a softmax regression on these rows, and shows what the network knows of other
classes. One number is to be chosen, the penalty: ``VectorizedGridSearchCV`` trains all of them in one descent
for each fold, here on tensors of PyTorch, if it is installed.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # before the first import of SciPy

import matplotlib.pyplot as plt
import numpy as np
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from sknn_basic import LogisticRegressionGD, VectorizedGridSearchCV

try:
    import torch

    torch.set_num_threads(1)  # on a processor, arrays as small as these are faster so
except ImportError:
    torch = None

# %%
# Embeddings
# ----------
#
# They are made on the spot: ten classes are ten points in a space of 20 dimensions, with noise around them,
# and a layer of random weights with ReLU makes 64 features of these. The probe trains on 1,000 rows, and is
# tested on 1,000 others. With 100 rows and 65 weights for each class, it can learn much of the noise.

rng = np.random.default_rng(0)
y = np.arange(2000) % 10
inputs = rng.standard_normal((10, 20))[y] + 1.2 * rng.standard_normal((2000, 20))
X = np.maximum(inputs @ rng.standard_normal((20, 64)) / np.sqrt(20), 0)
X = ((X - X[:1000].mean(axis=0)) / X[:1000].std(axis=0)).astype(np.float32)
X_train, X_test, y_train, y_test = X[:1000], X[1000:], y[:1000], y[1000:]

# %%
# The sweep
# ---------
#
# 13 penalties and 5 folds, 500 steps each. X decides where the descent takes place: on a computer with a
# graphics card, ``device = "cuda"`` is the only line to change. The labels may stay where they are.

device = "cpu"


def on_device(rows):
    """Return the rows as a tensor; without PyTorch as they are."""
    return rows if torch is None else torch.asarray(rows, device=device)


penalties = np.geomspace(1e-4, 1, 13)
search = VectorizedGridSearchCV(
    LogisticRegressionGD(max_iter=500),
    {"l2_regularization": penalties},
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
)
with config_context(array_api_dispatch=torch is not None):
    search.fit(on_device(X_train), y_train)
    accuracy = search.score(on_device(X_test), y_test)
best = search.best_params_["l2_regularization"]
print(f"the weights of the best model are of the type {type(search.best_estimator_.coef_).__name__}")
print(f"best penalty {best:.4f}, {accuracy:.1%} of the test rows are right")

# %%
# Descent and minimum
# -------------------
#
# scikit-learn's ``LogisticRegression`` finds the minimum of the same cost, with ``C=1 / (l2 * n)`` for the
# penalty l2 on n rows. Descent is on its way there after 500 steps.

descents, minima = [], []
for l2 in penalties:
    descent = LogisticRegressionGD(max_iter=500, l2_regularization=l2)
    with config_context(array_api_dispatch=torch is not None):
        descents.append(descent.fit(on_device(X_train), y_train).score(on_device(X_test), y_test))
    minimum = LogisticRegression(C=1 / (l2 * len(X_train)), max_iter=1000).fit(X_train, y_train)
    minima.append(minimum.score(X_test, y_test))

scores = search.cv_results_["mean_test_score"]
print("penalty   5 folds   test rows, 500 steps   test rows, at the minimum")
for l2, score, descent, minimum in zip(penalties, scores, descents, minima, strict=True):
    print(f"{l2:7.4f} {score:9.1%} {descent:22.1%} {minimum:27.1%}")

_, ax = plt.subplots(layout="constrained")
ax.plot(
    penalties, minima, "o-", color="#D55E00", lw=2, label="test rows, at the minimum (LogisticRegression)"
)
ax.plot(penalties, descents, "o-", color="#0072B2", lw=2, label="test rows, after 500 steps")
ax.plot(penalties, scores, color="#0072B2", lw=2, ls=":", label="mean of 5 folds, after 500 steps")
ax.plot(
    best,
    scores.max(),
    "*",
    color="#0072B2",
    markeredgecolor="white",
    markersize=20,
    label="best of the search",
)
ax.set(xscale="log", xlabel="penalty l2", ylabel="accuracy")
ax.set_title("Few steps forgive a small penalty, and no number of steps a large one")
ax.legend(frameon=False, loc="lower center")
plt.show()

# %%
# Where the penalty is large, 500 steps reach the minimum, and both models are the same. Where it is small, the
# minimum has learned the noise of the training rows. Descent has not come that far yet: it takes the directions
# in which the embeddings differ most first, so to stop after 500 steps is a penalty too.
