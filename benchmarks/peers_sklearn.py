"""Estimators with scikit-learn's interface, stripped to full-batch gradient descent."""

import warnings

import numpy as np

from .peers_numpy import as_float64, as_layer


def mlp_forms(start):
    return {"": mlp}


def mlxtend_forms(start):
    is_logistic = len(start) == 1 and start[0][0].shape[1] == 1  # its network has another output
    return {"": mlxtend} if is_logistic else {}


def mlp(X, y, start, rate, steps):
    """scikit-learn's MLPClassifier from the given weights."""
    from sklearn.neural_network import MLPClassifier

    def job():
        mlp = MLPClassifier(
            start[0][0].shape[1:] if len(start) > 1 else (),
            activation="tanh", solver="sgd", alpha=0, momentum=0, nesterovs_momentum=False, batch_size=len(X),
            shuffle=False, tol=0, n_iter_no_change=np.inf, warm_start=True, max_iter=1,
            learning_rate_init=1e-300,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlp.fit(X, y)
            for (W, b), W_mlp, b_mlp in zip(start, mlp.coefs_, mlp.intercepts_, strict=True):
                W_mlp[...], b_mlp[...] = W, b.ravel()
            mlp.set_params(max_iter=steps, learning_rate_init=rate).fit(X, y)
        return as_float64([(W, b.reshape(1, -1)) for W, b in zip(mlp.coefs_, mlp.intercepts_, strict=True)])

    return job


def mlxtend(X, y, start, rate, steps):
    """mlxtend's LogisticRegression in one batch, whose gradient is a sum."""
    from mlxtend.classifier import LogisticRegression

    def job():
        model = LogisticRegression(eta=rate / len(X), epochs=1, minibatches=1)
        model.fit(X[:2], np.array([0, 1]))  # makes its attributes, which are then set to the start
        model.epochs = steps
        ((W, b),) = start
        model.w_, model.b_ = W.astype(X.dtype), b.ravel().astype(X.dtype)
        model.fit(X, y, init_params=False)
        return as_layer(model.w_, model.b_)

    return job
