r"""
The edge of stability, and catapults
====================================

The *sharpness* of a cost is the largest eigenvalue of its Hessian, the matrix of second derivatives. Steps at
the rate :math:`\eta` overshoot more and more where the sharpness is above :math:`2/\eta`. The default rate of
a network, ``learning_rate="auto"``, is 1 over the sharpness at the start. Later the sharpness is another, so
what happens at 0.5, 1, 2 and 4 times that rate?

Cohen et al. (2021) saw that the sharpness *rises* during training, while it can, up to :math:`2/\eta`,
whatever the rate is. There it hovers, at the *edge of stability*; the cost goes up and down from step to
step, and yet falls in the long run. Lewkowycz et al. (2020) saw what wide networks do if the sharpness is
above :math:`2/\eta` at the start: in a few steps the cost rises, which throws the weights to where the
sharpness is lower, a *catapult*. From there the cost falls.

References: J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar, "Gradient descent on neural networks
typically occurs at the edge of stability", ICLR 2021, arXiv 2103.00065. A. Lewkowycz, Y. Bahri, E. Dyer, J.
Sohl-Dickstein and G. Gur-Ari, "The large learning rate phase of deep learning: the catapult mechanism", arXiv
2003.02218.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, make_moons

from sknn_basic import (
    ShallowNNClassifier,
    descent_path,
    propagate,
    sharpness,
    vector_to_weights,
    weights_to_vector,
)

plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})

# %%
# The sharpness
# -------------
#
# A Hessian is costly for large networks, but its largest eigenvalue is not: Lanczos's method finds it from
# products of the Hessian with some vectors. ``sharpness`` does that, at the weights of a model.
#
# Two tasks: 200 points of two moons that overlap, for a network with 20 hidden units, which works at them for
# thousands of steps; and scikit-learn's 356 images of the digits 1 and 8, for a wide network, with 200 units.
# The rate "auto" comes from a fit: after 0 steps ``descent_path`` has it already.

moons = make_moons(200, noise=0.35, random_state=0)
images, digits = load_digits(return_X_y=True)
chosen = (digits == 1) | (digits == 8)
pixels = images[chosen] / 16, (digits[chosen] == 8).astype(int)
tasks = {"moons, 20 units": (moons, 20, 6000), "digits, 200 units": (pixels, 200, 1000)}

starts = {}
for name, (data, n_units, _) in tasks.items():
    (starts[name],) = descent_path(ShallowNNClassifier(n_units, random_state=0), *data, [0])
    found, largest = 1 / starts[name].learning_rate_, sharpness(starts[name], *data)
    print(f"{name}: 1 / learning_rate_ = {found:.3f}, the sharpness {largest:.3f}")

# %%
# The network of 20 units is small enough to check both by the whole Hessian, column by column. A column is the
# change of the gradient along one weight. ``propagate`` returns the exact gradient at any weights, so a central
# difference will do.


def gradient(model, X, y, step):
    """Return the gradient of the cost, as one vector, at the weights of a network with tanh plus a step."""
    moved = vector_to_weights(weights_to_vector(model) + step, model)
    (W1, W2), (b1, b2) = moved.coefs_, moved.intercepts_
    _, dW1, db1, dW2, db2 = propagate(X, y, W1, b1, W2, b2)
    return np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])


start, steps = starts["moons, 20 units"], 1e-5 * np.eye(81)
whole = np.array([gradient(start, *moons, step) - gradient(start, *moons, -step) for step in steps]) / 2e-5
print(f"the largest of all 81 eigenvalues: {np.linalg.eigvalsh(whole)[-1]:.3f}")

# %%
# Four rates
# ----------
#
# The same data, the same start; only the rate differs. The sharpness is computed at every one of the first 10
# steps, and then at fewer and fewer.

multiples = (0.5, 1, 2, 4)


def follow(rate, data, n_units, n_steps, steps):
    """Return the sharpness at the given steps, and the cost at every step, of one descent."""
    model = ShallowNNClassifier(n_units, learning_rate=rate, max_iter=n_steps, record_every=1, random_state=0)
    curve = [sharpness(reached, *data) for reached in descent_path(model, *data, steps)]
    model.fit(*data)
    return np.array(curve), np.array([*model.loss_curve_, model.loss_])


records = {}
for name, (data, n_units, n_steps) in tasks.items():
    rate = starts[name].learning_rate_
    steps = np.r_[:11, np.unique(np.geomspace(11, n_steps, 30 if n_units == 20 else 12).astype(int))]
    records[name] = steps, [follow(times * rate, data, n_units, n_steps, steps) for times in multiples]
    print(f"{name}, 1/sharpness = {rate:.3f}")
    print("                   sharpness                       cost")
    print("times  2/rate   start  step 10  last 10 (median)   start  highest (step)    end   rises at")
    for times, (curve, cost) in zip(multiples, records[name][1], strict=True):
        print(
            f"{times:5} {2 / (times * rate):7.2f} {curve[0]:7.2f} {curve[10]:8.2f}"
            f" {np.median(curve[-10:]):17.2f} {cost[0]:7.2f} {cost.max():8.2f} ({cost.argmax()})"
            f" {cost[-1]:9.3f} {np.mean(np.diff(cost) > 0):6.0%} of steps"
        )

# %%
# The sharpness in units of that at the start; dashed lines are at 2 / rate, in the colour of the rate.

figure, axes = plt.subplots(2, 2, figsize=(11.2, 6.3), layout="constrained", sharex="col", sharey="row")
colours = ("#56B4E9", "#0072B2", "#E69F00", "#D55E00")
for (top, bottom), (name, (steps, curves)) in zip(axes.T, records.items(), strict=True):
    for times, colour, (curve, cost) in zip(multiples, colours, curves, strict=True):
        top.axhline(2 / times, color=colour, ls="--", lw=1.2)
        top.plot(steps, curve / curve[0], color=colour, lw=2, label=f"{times:g} / sharpness")
        bottom.plot(cost, color=colour, lw=1.5)
    top.set(title=name, yscale="log", ylim=(0.1, 5))
    top.set_yticks([0.125, 0.25, 0.5, 1, 2, 4], ["1/8", "1/4", "1/2", "1", "2", "4"])
    top.minorticks_off()
    bottom.set(xlabel="steps", yscale="log")
    bottom.set_xscale("symlog", linthresh=1, linscale=0.5)
    bottom.set_xlim(0, steps[-1])
axes[0, 0].set_ylabel("sharpness / that at the start")
axes[1, 0].set_ylabel("cost")
axes[1, 0].legend(*axes[0, 0].get_legend_handles_labels(), title="rate", loc="lower left")
plt.show()

# %%
# On the moons the story is that of Cohen et al. At 0.5 and 1 times 1/sharpness the sharpness rises for
# thousands of steps: at 1 up to 2 / rate, where it stays, while at 0.5 it is still on its way. At 2 it
# overshoots, until near step 140 the cost jumps up and the sharpness down to 2 / rate: a catapult in the
# middle of training. At 4 the first step raises the cost, and within 10 steps the sharpness is below 2 /
# rate; but it comes back. At the edge the cost rises at nearly every second step, mostly by very little, and
# falls in the long run. So no rate was chosen here to suit the curvature: descent adapted the curvature to
# the rate.
#
# The digits show the catapult of Lewkowycz et al. Up to 2 / sharpness the cost of the wide network falls at
# every step. At 4 / sharpness two steps more than double the cost, and reduce the sharpness to less than a
# quarter, well below 2 / rate. From then on the cost falls at every step, and ends lowest of all four, and
# the sharpness never comes back to the edge.
#
# Later it falls at all four rates, as Cohen et al. also report for the cross-entropy: the Hessian holds the
# factors :math:`a_i (1 - a_i)` of the predicted probabilities, which go to 0 as the network becomes surer of
# all images. Moons that overlap cannot all be right with certainty, so there this does not happen in this
# time.
#
# Neither paper has numbers for networks as small as these: what is reproduced is 2 / rate, which contains
# neither the data nor the network.
