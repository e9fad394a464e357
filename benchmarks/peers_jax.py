"""JAX: the whole loop compiled by XLA, in several forms."""

from functools import cache, partial

import numpy as np

from .peers_numpy import as_float64, as_layer


def forms(start):
    """Return {form: maker} for the layers `start`; all but the transposed copies take X as it is."""
    if len(start) == 1 and start[0][0].shape[1] == 1:
        return {
            "rank 1, scan": static(rank_1),
            "rank 1, scan, transposed copy": static(transposed_rank_1),
            "rank 1, any number of steps": dynamic(rank_1),
            "matrices": static(rows),
        }
    return {
        "samples as columns, scan": static(columns),
        "samples as columns, scan, transposed copy": static(transposed_columns),
        "samples as rows, scan": static(rows),
        "samples as rows, any number of steps": dynamic(rows),
    }


# Each returns (a step: data, layers -> layers; data; layers; what returns them as [(W, b), ...])


def rows(X, Y, start, rate):
    import jax.numpy as jnp

    def step(data, layers):
        X, Y = data
        if len(layers) == 1:
            ((W, b),) = layers
            dZ = (output(X @ W + b, 1) - Y) / len(X)
            gradients = [(X.T @ dZ, dZ.sum(0, keepdims=True))]
        else:
            (W1, b1), (W2, b2) = layers
            A1 = jnp.tanh(X @ W1 + b1)
            dZ2 = (output(A1 @ W2 + b2, 1) - Y) / len(X)
            dZ1 = (dZ2 @ W2.T) * (1 - A1 * A1)
            gradients = [(X.T @ dZ1, dZ1.sum(0, keepdims=True)), (A1.T @ dZ2, dZ2.sum(0, keepdims=True))]
        return updated(layers, gradients, rate)

    return step, (X, Y), start, as_float64


def columns(X, Y, start, rate):
    """The same, one row for each unit, on X as it is."""
    return _columns(X, Y, start, rate, lambda X: X.T)


def transposed_columns(X, Y, start, rate):
    return _columns(np.ascontiguousarray(X.T), Y, start, rate, lambda XT: XT)


def _columns(data, Y, start, rate, transposed):
    import jax.numpy as jnp

    def step(data, layers):
        XT, Y = transposed(data[0]), data[1]
        m = Y.shape[1]
        if len(layers) == 1:
            ((W, b),) = layers
            dZ = (output(W @ XT + b, 0) - Y) / m
            gradients = [(dZ @ XT.T, dZ.sum(1, keepdims=True))]
        else:
            (W1, b1), (W2, b2) = layers
            A1 = jnp.tanh(W1 @ XT + b1)
            dZ2 = (output(W2 @ A1 + b2, 0) - Y) / m
            dZ1 = (W2.T @ dZ2) * (1 - A1 * A1)
            gradients = [(dZ1 @ XT.T, dZ1.sum(1, keepdims=True)), (dZ2 @ A1.T, dZ2.sum(1, keepdims=True))]
        return updated(layers, gradients, rate)

    layers = [(W.T, b.T) for W, b in start]
    return step, (data, Y.T), layers, lambda layers: as_float64([(W.T, b.T) for W, b in layers])


def rank_1(X, Y, start, rate):
    """Logistic regression on vectors."""

    def step(data, layers):
        (X, Y), ((w, b),) = data, layers
        dZ = (sigmoid(X @ w + b) - Y) / len(Y)
        return updated(layers, [(dZ @ X, dZ.sum())], rate)

    return step, (X, Y.ravel()), as_vectors(start), lambda layers: as_layer(*layers[0])


def transposed_rank_1(X, Y, start, rate):
    def step(data, layers):
        (XT, Y), ((w, b),) = data, layers
        dZ = (sigmoid(w @ XT + b) - Y) / len(Y)
        return updated(layers, [(XT @ dZ, dZ.sum())], rate)

    data = np.ascontiguousarray(X.T), Y.ravel()
    return step, data, as_vectors(start), lambda layers: as_layer(*layers[0])


def as_vectors(start):
    ((W, b),) = start
    return [(W.ravel(), b.reshape(()))]


def updated(layers, gradients, rate):
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(layers, gradients, strict=True)]


def sigmoid(Z):
    import jax

    return jax.nn.sigmoid(Z)


def output(Z, axis):
    import jax

    return jax.nn.sigmoid(Z) if Z.shape[axis] == 1 else jax.nn.softmax(Z, axis)


def static(form):
    """The loop compiled for a known number of steps, which JAX turns into a scan."""
    return lambda *arguments: make_job(form, True, *arguments)


def dynamic(form):
    """The loop compiled for any number of steps."""
    return lambda *arguments: make_job(form, False, *arguments)


def make_job(form, is_static, X, y, start, rate, steps):
    jax = jax64()
    k = start[-1][0].shape[1]
    Y = y.reshape(-1, 1) if k == 1 else y.reshape(-1, 1) == np.arange(k)
    step, data, layers, as_layers = form(X, Y.astype(X.dtype), start, X.dtype.type(rate))
    data = jax.tree.map(jax.numpy.asarray, data)
    layers = jax.tree.map(lambda array: jax.numpy.asarray(array, X.dtype), layers)

    def loop(n, data, layers):
        return jax.lax.fori_loop(0, n, lambda _, layers: step(data, layers), layers)

    program = compiled(loop, is_static, data, layers)

    def job(steps=steps):
        return as_layers(jax.block_until_ready(program(steps)()))

    program(steps)  # compiles
    return job


def compiled(loop, is_static, *arguments):
    """Return program(n), which returns the compiled loop(n, *arguments), ready to be called."""
    import jax

    jitted = jax.jit(loop, static_argnums=0 if is_static else ())

    @cache
    def program(n):
        executable = jitted.lower(n, *arguments).compile()
        return partial(executable, *(() if is_static else (n,)), *arguments)

    return program


def gram_forms(X, y, rate, steps):
    """Logistic regression on the Gram matrix of the rows, in float64: W = X' C."""
    return {
        "matrices, any number of steps": lambda: gram_job(X, y.reshape(-1, 1), rate, steps, False),
        "rank 1, scan": lambda: gram_job(X, y, rate, steps, True),
    }


def gram_job(X, Y, rate, steps, is_static):
    jax = jax64()
    jnp = jax.numpy

    def loop(n, X, Y):
        gram = (X @ X.T).astype(jnp.float64)

        def step(_, state):
            C, b = state
            dZ = (jax.nn.sigmoid(gram @ C + b) - Y) * (rate / len(X))
            return C - dZ, b - dZ.sum()

        C, b = jax.lax.fori_loop(0, n, step, (jnp.zeros(Y.shape), jnp.zeros(())))
        return C.astype(X.dtype).T @ X, b

    program = compiled(loop, is_static, jnp.asarray(X), jnp.asarray(Y, jnp.float64))

    def job(steps=steps):
        return as_layer(*jax.block_until_ready(program(steps)()))

    program(steps)  # compiles
    return job


@cache
def jax64():
    """Return jax, allowed to compute in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax
