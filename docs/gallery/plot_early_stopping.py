r"""
Why stopping early helps
========================

With more features than samples a plane separates the training set even if the labels are noisy. Descent then
lowers the training cost towards 0 for ever, and its weights grow without end, more and more sure of labels
that were drawn at random. Wu et al. (2025) ask what this does to new samples. Their figure 1 shows that the
excess risk (the logistic cost, or the share of errors, on new samples, above that of the true weights) has a
minimum along the descent: stopped there, the model is good and its probabilities can be trusted; later both
grow again.

Reference: J. Wu, P. Bartlett, M. Telgarsky and B. Yu, "Benefits of early stopping in gradient descent for
overparameterized logistic regression", ICML 2025, arXiv 2502.13283.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from sknn_basic import LogisticRegressionGD, descent_path

plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#555555"

# %%
# The data of figure 1
# --------------------
#
# 1,000 samples of 2,000 Gaussian features. Feature i has the variance :math:`\lambda_i = i^{-2}`; the true
# weights are 1 for the first 100 features and 0 for the others. Each label is drawn: it is 1 with the
# probability that the true weights give. So even the true weights err on some samples.

n_samples, n_features = 1000, 2000
rng = np.random.default_rng(0)
scale = 1 / np.arange(1, n_features + 1)  # standard deviations
w_true = np.zeros(n_features)
w_true[:100] = 1


def draw(n):
    """Return n samples and their labels."""
    X = rng.standard_normal((n, n_features)) * scale
    return X, (rng.random(n) < expit(X @ w_true)).astype(int)


X, y = draw(n_samples)
X_val, y_val = draw(n_samples)

# %%
# The risk of weights w on new samples needs no test set. For such a sample x the logits of w and of the true
# weights are two correlated Gaussian numbers, so the risk is an integral over a plane. We average it over
# 200,000 pairs of numbers, the same for all models, which takes out most of the noise of their differences.

first, second = rng.standard_normal((2, 200_000))
spread = np.linalg.norm(scale * w_true)  # standard deviation of the true logits
true_logits = spread * first
true_proba = expit(true_logits)


def excess_risks(w):
    """Return the logistic cost and the share of errors on new samples, above those of the true weights."""
    along = (scale * w) @ (scale * w_true) / spread
    across = np.sqrt(max(np.sum((scale * w) ** 2) - along**2, 0))
    logits = along * first + across * second
    cost = np.mean(np.logaddexp(0, logits) - true_proba * logits)
    cost_true = np.mean(np.logaddexp(0, true_logits) - true_proba * true_logits)
    wrong = (logits > 0) != (true_logits > 0)
    return cost - cost_true, np.mean(wrong * np.abs(2 * true_proba - 1))


error_true = np.mean(np.minimum(true_proba, 1 - true_proba))
print(f"the true weights err on {error_true:.1%} of new samples")

# %%
# One descent, from the first step to the hundred thousandth
# ----------------------------------------------------------
#
# The paper measures time as rate times steps, since small steps of any size follow the same curve. The rate
# here is "auto", 1/L.

model = LogisticRegressionGD(fit_intercept=False)
steps = np.unique(np.geomspace(1, 100_000, 80).astype(int))
models = descent_path(model, X, y, steps)
rate = models[0].learning_rate_
time = rate * steps
train_cost = np.array([fitted.loss_ for fitted in models])
train_error = np.array([1 - fitted.score(X, y) for fitted in models])
cost, error = np.array([excess_risks(fitted.coef_.ravel()) for fitted in models]).T
norm = np.array([np.linalg.norm(fitted.coef_) for fitted in models])
best = np.argmin(cost)
print(f"1/L = {rate:.3f}")
print("rate * steps   training: cost  error   new samples: excess cost  excess error   norm of w")
for i in [0, *np.searchsorted(time, [20, 100]), best, *np.searchsorted(time, [4e3, 4e4]), len(steps) - 1]:
    print(
        f"{time[i]:12,.0f} {train_cost[i]:16.5f} {train_error[i]:6.3f} {cost[i]:25.4f} {error[i]:13.4f}"
        f" {norm[i]:11.1f}{'   lowest excess cost' if i == best else ''}"
    )

# %%
# What a validation set sees
# --------------------------
#
# In practice the true weights are unknown. Samples that were kept aside, passed to ``fit`` as ``X_val`` and
# ``y_val``, show the minimum too: their cost is in ``validation_loss_curve_``.

watched = LogisticRegressionGD(fit_intercept=False, max_iter=2000, record_every=1)
watched.fit(X, y, X_val=X_val, y_val=y_val)
stop = int(np.argmin(watched.validation_loss_curve_))
stopped = LogisticRegressionGD(fit_intercept=False, max_iter=max(stop, 1)).fit(X, y)
cost_stopped, error_stopped = excess_risks(stopped.coef_.ravel())
print(f"lowest validation cost after {stop} steps, at rate * steps = {rate * stop:,.0f}")
print(f"excess cost there {cost_stopped:.4f} (lowest {cost[best]:.4f}), excess error {error_stopped:.4f}")

# %%
# As in the figure both excess risks fall, turn and rise, while the training cost only falls. The paper draws
# curves and states no numbers, so there are none to compare; and they go on into what it calls the
# interpolation regime, where no training sample is wrong; ours end a little before. The risks are lowest long
# before that: where the training error is still about that of the true weights.
#
# The curve of the true excess is flat near its minimum, so the noise of 1,000 validation samples moves the
# stop, but hardly worsens the model. The picture has the figure's two panels, with the training cost beside
# them.

figure, axes = plt.subplots(1, 3, figsize=(11.2, 6.3), layout="constrained", sharex=True)
curves = (
    ("training set", "logistic cost", train_cost, GREY),
    ("new samples", "excess logistic cost", cost, BLUE),
    ("new samples", "excess share of errors", error, ORANGE),
)
for ax, (title, ylabel, curve, colour) in zip(axes, curves, strict=True):
    ax.plot(time, curve, color=colour, lw=2.5)
    ax.axvline(rate * stop, color=INK, ls="--", lw=1.2)
    ax.set(xscale="log", xlabel="rate * steps", ylabel=ylabel, title=title, ylim=(0, None))
axes[0].text(0.7 * rate * stop, 0.02, "lowest\nvalidation\ncost", va="bottom", ha="right")
plt.show()
