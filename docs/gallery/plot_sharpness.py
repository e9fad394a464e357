r"""
The edge of stability
=====================

The *sharpness* of a cost is the largest eigenvalue of its Hessian, the matrix of second derivatives. A step
at the rate :math:`\eta` overshoots more and more if the sharpness is above :math:`2/\eta`. For logistic
regression the sharpness has a bound L, and :math:`\eta < 2/L` is safe. A network has no such bound. One would
expect to need a rate so small that the sharpness stays below :math:`2/\eta`, but Cohen et al. (2021) saw
something else: while it can, the sharpness of a network *rises* during training, up to :math:`2/\eta`,
whatever the rate is. There it stops rising and hovers; the cost goes up and down from step to step, and yet
falls in the long run.

Reference: J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar, "Gradient descent on neural networks
typically occurs at the edge of stability", ICLR 2021, arXiv 2103.00065.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.datasets import make_moons

from sknn_basic import ShallowNNClassifier, descent_path, propagate

plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})

# %%
# Two moons that overlap
# ----------------------
#
# 200 points, so noisy that a network with 20 hidden units, tanh and the logistic cost has to work at them for
# thousands of steps. It has 81 weights, counting biases.

noisy = make_moons(200, noise=0.35, random_state=0)
clean = make_moons(200, noise=0.2, random_state=0)

# %%
# The sharpness
# -------------
#
# A Hessian is costly for large networks, but its largest eigenvalue is not: Lanczos's method (SciPy's
# ``eigsh``) finds it from products of the Hessian with some vectors v. Such a product is the change of the
# gradient along v, and ``propagate`` returns the exact gradient at any weights, so a central difference will
# do.


def weights_of(model):
    """Return the weights and biases of a network as one vector, and the shapes of its four arrays."""
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    arrays = W1, b1, W2, b2
    return np.concatenate([array.ravel() for array in arrays]), [array.shape for array in arrays]


def gradient(weights, shapes, X, y):
    """Return the gradient of the cost, as one vector, at weights in one vector."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]
    arrays = [part.reshape(shape) for part, shape in zip(np.split(weights, ends), shapes, strict=True)]
    _, *gradients = propagate(X, y, *arrays)
    return np.concatenate([array.ravel() for array in gradients])


def hessian(model, X, y):
    """Return the Hessian of the cost at the weights of a model, as products with vectors."""
    weights, shapes = weights_of(model)

    def product(v):
        step = 1e-5 * v.ravel() / np.linalg.norm(v)
        change = gradient(weights + step, shapes, X, y) - gradient(weights - step, shapes, X, y)
        return change * np.linalg.norm(v) / 2e-5

    return LinearOperator((len(weights), len(weights)), matvec=product, dtype=float)


def sharpness(model, X, y):
    """Return the largest eigenvalue of the Hessian at the weights of a model."""
    H = hessian(model, X, y)
    (largest,) = eigsh(H, k=1, which="LA", v0=np.ones(H.shape[0]), tol=1e-4, return_eigenvectors=False)
    return largest


# %%
# This network is small enough to check: here is the whole Hessian, column by column.

fitted = ShallowNNClassifier(20, learning_rate=1, max_iter=500, random_state=0).fit(*noisy)
whole = hessian(fitted, *noisy) @ np.eye(81)
print(f"Lanczos {sharpness(fitted, *noisy):.6f}, all eigenvalues {np.linalg.eigvalsh(whole)[-1]:.6f}")

# %%
# Four rates
# ----------
#
# The same data, the same start; only the rate differs. Every step counts in the share of steps at which the
# cost rises; the sharpness is computed at 120 of them.

n_steps = 6000
steps = np.arange(0, n_steps, 75)  # even and odd ones in turn
rates = (0.5, 1, 2, 4)


def follow(rate, X, y):
    """Return the sharpness at the steps, and the cost at every step, of one descent."""
    model = ShallowNNClassifier(20, learning_rate=rate, max_iter=n_steps, record_every=1, random_state=0)
    curve = [sharpness(fitted, X, y) for fitted in descent_path(model, X, y, steps)]
    return np.array(curve), np.array(model.fit(X, y).loss_curve_)


def print_table(records):
    """Print for each rate how the sharpness compares with 2 / rate."""
    print("rate  2/rate  sharpness: start  highest  median of last half    end   cost rises at  final cost")
    for rate, (curve, cost) in records.items():
        median = np.median(curve[len(curve) // 2 :])
        rises = f"{np.mean(np.diff(cost) > 0):.0%} of steps"
        print(
            f"{rate:4} {2 / rate:7.2f} {curve[0]:17.2f} {curve.max():8.2f} {median:20.2f} {curve[-1]:6.2f}"
            f" {rises:>15} {cost[-1]:11.2g}"
        )


records = {rate: follow(rate, *noisy) for rate in rates}
print_table(records)

# %%
# Now with less noise, where the network gets nearly every point right:

records_clean = {rate: follow(rate, *clean) for rate in rates}
print_table(records_clean)

# %%
# Dashed lines are at 2 / rate, in the colour of the rate.

figure, axes = plt.subplots(2, 2, figsize=(11.2, 6.3), layout="constrained", sharex=True)
colours = ("#56B4E9", "#0072B2", "#E69F00", "#D55E00")
for (top, bottom), title, results in zip(
    axes.T, ("moons that overlap", "moons that hardly overlap"), (records, records_clean), strict=True
):
    for colour, (rate, (curve, cost)) in zip(colours, results.items(), strict=True):
        top.axhline(2 / rate, color=colour, ls="--", lw=1.2)
        top.plot(steps, curve, color=colour, lw=2, label=f"rate {rate}")
        bottom.plot(cost, color=colour, lw=1.2)
    top.set(title=title, yscale="log", ylim=(0.2, 5))
    top.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    top.minorticks_off()
    bottom.set(yscale="log", xlabel="steps")
axes[0, 0].set_ylabel("sharpness")
axes[1, 0].set_ylabel("cost")
axes[1, 1].legend(*axes[0, 1].get_legend_handles_labels(), ncols=2)
plt.show()

# %%
# On the left all is as published. At the rate 0.5 the sharpness rises and never meets 2 / rate in this time.
# At the larger rates it comes to 2 / rate, from below or, where the start is too sharp for the rate, from
# above, and hovers there for thousands of steps. (It zigzags because even and odd steps lie on opposite sides
# of a valley.) The cost then rises at nearly every second step, by very little, and falls in the long run. So
# no rate was chosen here to suit the curvature: descent adapted the curvature to the rate.
#
# On the right it ends differently, as Cohen et al. also report for the cross-entropy: late in training the
# sharpness falls. The Hessian of the logistic cost holds the factors :math:`a_i (1 - a_i)` of the predicted
# probabilities. Once nearly all points are right, longer weights make all of them surer, the factors go to 0
# and the curvature with them. Points that overlap cannot all be right with certainty, so on the left this
# does not happen in this time.
#
# The paper trains larger networks, mostly on CIFAR-10, for which it has no numbers to compare with 81
# weights: what is reproduced is 2 / rate, which contains neither the data nor the network.
