"""The same descent in other libraries, and the notes' own code.

Each function takes the data once, outside the clock, and returns a job that takes `steps` steps from the
given start and returns the final layers as float64 arrays, [(W, b)] or [(W1, b1), (W2, b2)]. Compilation is
outside the clock too: a first short run warms the job up. Only the notes' code, mlxtend and MLPClassifier
compute costs on the way, since they cannot do without.
"""

import warnings

import numpy as np

from tests.longhand import logistic_descent

from .timing import installed


def logistic_jobs(X, y, rate, steps):
    """Return {name: job} of logistic regression from zero."""
    n = X.shape[1]
    start = [(np.zeros((n, 1)), np.zeros((1, 1)))]
    return {"notes": notes_logistic(X, y, rate, steps), **library_jobs(X, y, start, rate, steps)}


def network_jobs(X, y, start, rate, steps):
    """Return {name: job} of the tanh network from the layers `start`."""
    return {"notes": notes_network(X, y, start, rate, steps), **library_jobs(X, y, start, rate, steps)}


def rows_job(X, y, rate, steps):
    """The notes' loop with samples as rows, and without the cost."""
    Y, m = y.astype(X.dtype).reshape(-1, 1), len(X)

    def job():
        w, b = np.zeros((X.shape[1], 1), X.dtype), X.dtype.type(0)
        for _ in range(steps):
            A = 1 / (1 + np.exp(-(X @ w + b)))
            dZ = A - Y
            w = w - rate * (X.T @ dZ / m)
            b = b - rate * (np.sum(dZ) / m)
        return as_float64([(w, np.full((1, 1), b))])

    return job


def notes_network(X, y, start, rate, steps):
    """Section 1.3.5 from given weights, samples as columns, with its cost at every step as in 1.2.2."""
    X, Y, m = X.T, y.astype(X.dtype).reshape(1, -1), len(X)

    def job():
        (W1, b1), (W2, b2) = [(W.T.astype(X.dtype), b.T.astype(X.dtype)) for W, b in start]
        for _ in range(steps):
            A1 = np.tanh(W1 @ X + b1)
            A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
            _cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
            dZ2 = A2 - Y
            dW2, db2 = dZ2 @ A1.T / m, np.sum(dZ2, axis=1, keepdims=True) / m
            dZ1 = W2.T @ dZ2 * (1 - A1**2)
            dW1, db1 = dZ1 @ X.T / m, np.sum(dZ1, axis=1, keepdims=True) / m
            W1, b1 = W1 - rate * dW1, b1 - rate * db1
            W2, b2 = W2 - rate * dW2, b2 - rate * db2
        return as_float64([(W1.T, b1.T), (W2.T, b2.T)])

    return job


def torch_job(X, y, start, rate, steps):
    """The formulas on tensors, updated in place."""
    import torch

    X_, Y = torch.from_numpy(X), torch.from_numpy(y.astype(X.dtype).reshape(-1, 1))
    m = len(X)

    def job(steps=steps):
        layers = [[torch.tensor(W, dtype=X_.dtype), torch.tensor(b, dtype=X_.dtype)] for W, b in start]
        with torch.no_grad():
            for _ in range(steps):
                if len(layers) == 1:
                    ((W, b),) = layers
                    dZ = (torch.sigmoid(torch.addmm(b, X_, W)) - Y) / m
                    gradients = [(X_.T @ dZ, dZ.sum(0, keepdim=True))]
                else:
                    (W1, b1), (W2, b2) = layers
                    A1 = torch.tanh(torch.addmm(b1, X_, W1))
                    dZ2 = (torch.sigmoid(torch.addmm(b2, A1, W2)) - Y) / m
                    dZ1 = (dZ2 @ W2.T) * (1 - A1 * A1)
                    gradients = [
                        (X_.T @ dZ1, dZ1.sum(0, keepdim=True)),
                        (A1.T @ dZ2, dZ2.sum(0, keepdim=True)),
                    ]
                for (W, b), (dW, db) in zip(layers, gradients, strict=True):
                    W -= rate * dW
                    b -= rate * db
        return as_float64([(W.numpy(), b.numpy()) for W, b in layers])

    job(2)
    return job


def autograd_job(X, y, start, rate, steps):
    """What a user of PyTorch writes: modules, a loss, its optimizer."""
    import torch

    X_, Y = torch.from_numpy(X), torch.from_numpy(y.astype(X.dtype).reshape(-1, 1))

    def job(steps=steps):
        linear = [torch.nn.Linear(*W.shape, dtype=X_.dtype) for W, _ in start]
        with torch.no_grad():
            for module, (W, b) in zip(linear, start, strict=True):
                module.weight.copy_(torch.from_numpy(W.T))
                module.bias.copy_(torch.from_numpy(b.ravel()))
        model = linear[0] if len(linear) == 1 else torch.nn.Sequential(linear[0], torch.nn.Tanh(), linear[1])
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        loss = torch.nn.BCEWithLogitsLoss()
        for _ in range(steps):
            optimizer.zero_grad()
            loss(model(X_), Y).backward()
            optimizer.step()
        return as_float64([(m.weight.detach().numpy().T, m.bias.detach().numpy()[None]) for m in linear])

    job(2)
    return job


def jax_job(X, y, start, rate, steps):
    """The formulas compiled as one loop."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    Y, m = y.astype(X.dtype).reshape(-1, 1), len(X)
    rate = X.dtype.type(rate)

    def step(_, state):
        X, Y, layers = state
        if len(layers) == 1:
            ((W, b),) = layers
            dZ = (jax.nn.sigmoid(X @ W + b) - Y) / m
            gradients = [(X.T @ dZ, dZ.sum(0, keepdims=True))]
        else:
            (W1, b1), (W2, b2) = layers
            A1 = jnp.tanh(X @ W1 + b1)
            dZ2 = (jax.nn.sigmoid(A1 @ W2 + b2) - Y) / m
            dZ1 = (dZ2 @ W2.T) * (1 - A1 * A1)
            gradients = [(X.T @ dZ1, dZ1.sum(0, keepdims=True)), (A1.T @ dZ2, dZ2.sum(0, keepdims=True))]
        layers = [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(layers, gradients, strict=True)]
        return X, Y, layers

    descent = jax.jit(lambda n, *state: jax.lax.fori_loop(0, n, step, state)[2])
    data = jnp.asarray(X), jnp.asarray(Y)
    layers = [(jnp.asarray(W, X.dtype), jnp.asarray(b, X.dtype)) for W, b in start]

    def job(steps=steps):
        return as_float64(jax.block_until_ready(descent(steps, *data, layers)))

    job(2)
    return job


def mlp_job(X, y, start, rate, steps):
    """scikit-learn's MLPClassifier stripped to full-batch descent, from the given weights."""
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


def mlxtend_job(X, y, start, rate, steps):
    """mlxtend's LogisticRegression in one batch, whose gradient is a sum; its network has another output."""
    if len(start) > 1:
        return None
    from mlxtend.classifier import LogisticRegression

    def job():
        model = LogisticRegression(eta=rate / len(X), epochs=1, minibatches=1)
        model.fit(X[:2], np.array([0, 1]))  # makes its attributes, which are then set to the start
        model.epochs = steps
        ((W, b),) = start
        model.w_, model.b_ = W.astype(X.dtype), b.ravel().astype(X.dtype)
        model.fit(X, y, init_params=False)
        return as_float64([(model.w_.reshape(-1, 1), model.b_.reshape(1, 1))])

    return job


MAKERS = {
    "torch": torch_job,
    "torch, autograd": autograd_job,
    "jax": jax_job,
    "mlxtend": mlxtend_job,
    "MLPClassifier": mlp_job,
}


def library_jobs(X, y, start, rate, steps, names=tuple(MAKERS)):
    packages = {"MLPClassifier": "scikit-learn", "torch, autograd": "torch"}
    wanted = [name for name in names if installed(packages.get(name, name))]
    jobs = {name: MAKERS[name](X, y, start, rate, steps) for name in wanted}
    return {name: job for name, job in jobs.items() if job is not None}


def notes_logistic(X, y, rate, steps):
    def job():
        w, b, _ = logistic_descent(X.T, y.astype(X.dtype), rate, steps)
        return [(w, np.full((1, 1), b))]

    return job


def as_float64(layers):
    return [(np.asarray(W, np.float64), np.asarray(b, np.float64)) for W, b in layers]
