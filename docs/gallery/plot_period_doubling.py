r"""
Beyond 2/λ: periods double, then chaos
======================================

Near its minimum a cost looks like a parabola of curvature λ, on which a step of gradient descent multiplies
the distance to the minimum by 1 - rate · λ. Below the rate 2/λ descent therefore converges, and above it
leaves the minimum. Where does it go? On data that no plane separates, to a cycle: it jumps between 2 places
for ever, at larger rates between 4, then 8, 16, ..., and in the end no two steps are alike. Meng et al.
(2024) study this. A very small example shows it: five samples of one feature, one weight, no intercept.

Reference: S. Y. Meng, A. Orvieto, D. Y. Cao and C. De Sa, "Gradient descent on logistic regression with
non-separable data and large step sizes" (2024), arXiv 2406.05033.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

from sknn_basic import LogisticRegressionGD, descent_path, propagate

plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
BLUE, ORANGE = "#0072B2", "#D55E00"

# %%
# Five samples
# ------------
#
# The fifth sample is far out and has the other label, so one weight cannot serve all. The minimum is where
# the gradient is 0, and the curvature of the mean cost there is :math:`\lambda = \frac{1}{m} \sum_i x_i^2 \,
# a_i (1 - a_i)`, with :math:`a_i` the predicted probability.

x = np.array([1.0, 1, 1, 1, 6])
y = np.array([1, 1, 1, 1, 0])
X = x[:, np.newaxis]
minimum = brentq(lambda w: float(propagate(X, y, [[w]], 0.0).dW[0, 0]), -5, 5)
a = expit(x * minimum)
curvature = np.mean(x**2 * a * (1 - a))
critical = 2 / curvature
print(f"minimum at w = {minimum:.5f}, λ = {curvature:.5f}, critical rate 2/λ = {critical:.5f}")

# %%
# The rate that ``learning_rate="auto"`` takes is 1/L, with L the largest curvature anywhere, which is at w =
# 0. It is a little below 1/λ, and up to 2/L the cost never rises, wherever descent starts.

auto = LogisticRegressionGD(fit_intercept=False, max_iter=1).fit(X, y).learning_rate_
print(f"2/L = {2 * auto:.5f} = {2 * auto / critical:.3f} of 2/λ")

# %%
# Periods
# -------
#
# For each rate take 4,000 steps, look at the next 128, and find the shortest period after which the weights
# repeat. Descent above 2/λ does not converge, and at the largest rates the cost may end above its start: then
# the estimator warns. That is what we came to see, so the warning is silenced.


def late_weights(multiple, n=128, burn_in=4000):
    """Return the weights of n successive steps after a burn-in, at a multiple of the critical rate."""
    model = LogisticRegressionGD(multiple * critical, fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = descent_path(model, X, y, np.arange(burn_in, burn_in + n))
    return np.array([model.coef_[0, 0] for model in models])


def period(w):
    """Return the period of a sequence, or None if it has none up to half its length."""
    for p in range(1, len(w) // 2 + 1):
        if np.allclose(w[p:], w[:-p], rtol=0, atol=1e-6):
            return p
    return None


print("rate in 2/λ   period")
for multiple in (0.5, 0.99, 1.01, 1.5, 2, 3, 4, 4.5, 5, 6):
    print(f"{multiple:11} {period(late_weights(multiple)) or 'none':>8}")

# %%
# As the paper says, the first doubling is at the critical rate: 1 becomes 2 between 0.99 and 1.01 times 2/λ.
# The others one sees in one picture, the bifurcation diagram: above each of 1,000 rates a dot for each weight
# that descent visits after the burn-in.

multiples = np.linspace(0.1, 7, 1000)
w = np.array([late_weights(multiple, n=64, burn_in=1500) for multiple in multiples])
periods = [period(row) for row in w]

figure, ax = plt.subplots(figsize=(11.2, 6.3), layout="constrained")
ax.plot(np.repeat(multiples, w.shape[1]), w.ravel(), ".", ms=1.2, mew=0, color=BLUE)
ax.axhline(minimum, color=ORANGE, lw=1.5, ls="--")
ax.text(3, minimum - 0.1, "minimum", color=ORANGE, va="top")
top = w.max() + 0.6
for multiple in (0.9, 1.3, 2.7, 4.1, 6.15):
    ax.text(multiple, top, period(late_weights(multiple)), ha="center", fontsize=14)
ax.text(0.15, top, "period", fontsize=14)
ax.text(5.4, top, "chaos", ha="center", fontsize=14)
ax.set(
    xlabel="learning rate in units of 2/λ", ylabel="weights visited", xlim=(0.1, 7), ylim=(None, top + 0.5)
)
plt.show()

# %%
# The paper proves, for one feature, that below 1/λ descent ends in the minimum from any start, and that
# between 1/λ and 2/λ some data sets have stable cycles beside it. From the start at 0 these data show none:
# all the rates below 2/λ end in the minimum. Between about 6 and 6.6 times 2/λ order returns, with period 3:
# such windows are a mark of chaos, and other rates have other odd periods.
#
# Where the doublings happen, to the spacing of these rates:

for p in (2, 4, 8, 16):
    first = next(multiple for multiple, found in zip(multiples, periods, strict=True) if found == p)
    print(f"period {p:2} from {first:.2f} times 2/λ on")
n_aperiodic = sum(found is None for found in periods)
print(f"no period up to 32 at {n_aperiodic} of {len(multiples)} rates")
odd = {found for multiple, found in zip(multiples, periods, strict=True) if found and found % 2}
print(f"odd periods among the others: {sorted(odd - {1})}")

# %%
# Chaos means more than "no period": two starts that differ by a rounding error drift apart until they have
# nothing in common. Adding up the same samples in another order is such an error. Below 2/λ it stays as small
# as it was; at six times 2/λ it grows until the two descents are unrelated. This is what the README means by
# "far beyond 2/L descent is chaotic": two computers may then give two models, though both took exactly the
# same steps on paper.


def late_paths(multiple, n=200):
    """Return the weights along two descents whose samples are in opposite orders."""
    model = LogisticRegressionGD(multiple * critical, fit_intercept=False)
    paths = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for order in (1, -1):
            models = descent_path(model, X[::order], y[::order], np.arange(n + 1))
            paths.append([fitted.coef_[0, 0] for fitted in models])
    return np.array(paths)


figure, (left, right) = plt.subplots(1, 2, figsize=(11.2, 6.3), layout="constrained")
one, other = late_paths(6)
left.plot(one, color=BLUE, lw=2, label="samples in order")
left.plot(other, color=ORANGE, lw=1.5, ls="--", label="samples in reverse order")
left.set(xlabel="steps", ylabel="weight", xlim=(50, 110), title="6 times 2/λ: one descent, twice")
left.set_ylim(None, 5)
left.legend(loc="upper left")
for multiple, colour in ((6, ORANGE), (0.9, BLUE)):
    one, other = late_paths(multiple)
    distance = np.abs(one - other)
    right.plot(np.maximum(distance, 1e-17), color=colour, lw=2, label=f"{multiple} times 2/λ")
    print(f"{multiple} times 2/λ: the weights differ by up to {distance.max():.1e}")
right.set(
    xlabel="steps",
    ylabel="distance of the two weights",
    yscale="log",
    title="Rounding errors grow, or do not",
)
right.legend(loc="center right")
plt.show()
