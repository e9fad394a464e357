"""
A boundary descends
===================

Each step of gradient descent changes the weights a little, and with them the boundary between the classes.
:class:`~sknn_basic.DescentDisplay` trains on two features, looks at some 60 steps on the way, and shows them as
single pictures or one after another.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

from sknn_basic import DescentDisplay, LogisticRegressionGD, LossContourDisplay, ShallowNNClassifier

# %%
# A network on two moons
# ----------------------
#
# The dashed lines are where a hidden unit changes its sign. At first the boundary is the best straight line;
# then one unit after another turns until the boundary bends around both moons.

X, y = make_moons(300, noise=0.15, random_state=1)
network = ShallowNNClassifier(4, learning_rate=1.0, max_iter=5000, random_state=2)
display = DescentDisplay.from_estimator(network, X, y)
for step in (10, 300):  # the last is drawn already
    display.plot(step)
    print(f"step {display.step_}: cost {display.line_.get_ydata()[-1]:.3f}")
plt.show()

# %%
# The same as an animation. In a notebook it is the last line of a cell; ``display.animate("descent.gif")`` saves it
# for a slide.

animation = display.animate()
plt.show()

# %%
# The way of the weights
# ----------------------
#
# Logistic regression without an intercept has two weights here, so the cost can be drawn over them. A small rate
# follows the slope, and at 2/L descent still arrives, in fewer and longer steps. At three times 2/L it ends in a
# cycle: it visits the same four points for ever, and none of them is the minimum.

line = LogisticRegressionGD(max_iter=60, fit_intercept=False, l2_regularization=0.02)
stable = 2 * line.fit(X, y).learning_rate_  # 2/L, since the default rate is 1/L
contours = LossContourDisplay.from_estimator(line, X, y, learning_rates=[0.1 * stable, stable, 3 * stable])
contours.figure_.set_size_inches(12.8, 7.2)
plt.show()
