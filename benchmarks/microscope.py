"""A microscope for gradient descent: where logistic regression goes after a million steps.

On data that a plane separates the cost has no minimum: the weights grow without end, like log t, while their
direction turns to that of the hard-margin support vector machine, as slowly as 1 / log t (Soudry et al., "The
implicit bias of gradient descent on separable data", JMLR 2018). Few have watched it: it takes a million
exact steps. The small errors of the samples that are right, T sigmoid(T Z), drive all of it; written as A - Y
they would be rounded to 0.

The intercept of SVC is free, while descent treats b as one more weight of a feature that is 1, so the two directions
come close but need not meet.
"""

from time import perf_counter

import numpy as np
from sklearn.svm import SVC

from sknn_basic import LogisticRegressionGD

from .data import images
from .report import Section, figure, save, seconds, table


def run(quick=False):
    data = images()
    last = 5_000 if quick else 3_000_000
    sign = np.where(data.y == 1, 1, -1)
    svm = SVC(kernel="linear", C=1e10).fit(data.X, data.y)
    w_svm = svm.coef_.ravel()
    margin_svm = 1 / np.linalg.norm(w_svm)
    assert np.all(sign * svm.decision_function(data.X) > 0.99)
    checkpoints = np.unique(np.geomspace(100, last, 30 if quick else 60).astype(int))
    model = LogisticRegressionGD(warm_start=True, record_every=last)
    margins, angles, costs, done = [], [], [], 0
    start = perf_counter()
    for t in checkpoints:
        model.set_params(max_iter=int(t - done)).fit(data.X, data.y)
        done = t
        w = model.coef_.ravel()
        margins.append(np.min(sign * model.decision_function(data.X)) / np.linalg.norm(w))
        angles.append(np.degrees(np.arccos(w @ w_svm / np.linalg.norm(w) * margin_svm)))
        costs.append(model.loss_)
    time = perf_counter() - start
    margins, angles = np.array(margins) / margin_svm, np.array(angles)
    separated = checkpoints[np.argmax(margins > 0)] if margins[-1] > 0 else last
    draw(checkpoints, margins, angles, separated)
    rows = [
        (f"{t:,}", f"{cost:.3g}", f"{margin:.3f}", f"{angle:.1f}°")
        for t, cost, margin, angle in zip(checkpoints, costs, margins, angles, strict=True)
    ]
    chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, 10).astype(int)]
    lines = [
        f"{last:,} exact steps of logistic regression on {data.name} at the rate 1/L = "
        f"{model.learning_rate_:.3g}, continued by `warm_start` from one record to the next: {seconds(time)} in "
        f"all, {seconds(time / last)} a step. All images are right from step {separated:,} on; the margin is the "
        "distance of the nearest image to the plane, relative to that of the hard-margin SVM "
        '(`SVC(kernel="linear", C=1e10)`). The intercept of SVC is free, while descent treats it as one more weight, '
        "so the directions come close but need not meet.",
        "",
        *table(["step", "cost", "margin / SVM's", "angle to SVM"], chosen),
        "![Margin and angle over the logarithm of the number of steps](images/microscope.png)",
        "",
    ]
    return Section("A microscope for gradient descent", lines)


def draw(steps, margins, angles, separated):
    fig, (left, right) = figure(ncols=2, figsize=(9, 3.4), layout="constrained")
    left.plot(steps, margins, "o-", ms=3)
    left.axhline(1, color="grey", ls="--", lw=1)
    left.text(steps[0], 1.0, "hard-margin SVM", fontsize=8, va="bottom")
    left.axvline(separated, color="grey", ls=":", lw=1)
    left.text(separated, left.get_ylim()[0], " all images right", fontsize=8, va="bottom")
    left.set(xscale="log", xlabel="steps t", ylabel="margin / margin of the SVM")
    right.plot(steps, angles, "o-", ms=3, label="gradient descent")
    late = steps >= separated
    scale = angles[late][-1] * np.log(steps[late][-1])
    right.plot(steps[late], scale / np.log(steps[late]), "--", color="grey", lw=1, label="1 / log t")
    right.set(xscale="log", xlabel="steps t", ylabel="angle to the SVM's weights, degrees")
    right.legend()
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "microscope.png")
