"""PyTorch: the formulas on tensors in several forms, and what its users write."""

from functools import cache

import numpy as np

from .peers_numpy import as_float64, as_layer

compiling = True  # torch.compile takes some seconds for each question: not in quick runs


class CannotCompile(Exception):
    """There is no C++ compiler that torch.compile can use."""


def forms(start):
    """Return {form: maker} for the layers `start`; all but the transposed copies take X as it is."""
    if len(start) == 1 and start[0][0].shape[1] == 1:
        plain = {
            "rank 1, addmv": rank_1,
            "rank 1, addmv, transposed copy": transposed_rank_1,
            "matrices": rows,
        }
        return plain | ({"rank 1, compiled": compiled_rank_1} if compiling else {})
    plain = {
        "samples as columns": columns,
        "samples as columns, transposed copy": transposed_columns,
        "samples as rows": rows,
    }
    return plain | ({"samples as rows, compiled": compiled_rows} if compiling else {})


def autograd_forms(start):
    return {"": autograd} if start[-1][0].shape[1] == 1 else {}


def rows(X, y, start, rate, steps):
    """Everything updated in place by addmm_: W -= rate A' dZ in one call."""
    import torch

    Y, X = targets(X, y, start), torch.from_numpy(X)
    alpha = -rate / len(X)

    @torch.no_grad()
    def job(steps=steps):
        layers = tensors(start, X.dtype)
        for _ in range(steps):
            if len(layers) == 1:
                ((W, b),) = layers
                dZ = output(torch.addmm(b, X, W), 1).sub_(Y)
            else:
                (W1, b1), (W, b) = layers
                A1 = torch.addmm(b1, X, W1).tanh_()
                dZ = output(torch.addmm(b, A1, W), 1).sub_(Y)
                dZ1 = (dZ @ W.T).mul_(1 - A1 * A1)
                W1.addmm_(X.T, dZ1, alpha=alpha)
                b1.add_(dZ1.sum(0), alpha=alpha)
            W.addmm_((X if len(layers) == 1 else A1).T, dZ, alpha=alpha)
            b.add_(dZ.sum(0), alpha=alpha)
        return as_float64([(W.numpy(), b.numpy()) for W, b in layers])

    job(2)
    return job


def columns(X, y, start, rate, steps):
    """The transpose of all that: one row for each unit."""
    import torch

    XT, Y = torch.from_numpy(X).T, targets(X, y, start).T.contiguous()
    alpha = -rate / len(X)

    @torch.no_grad()
    def job(steps=steps):
        layers = [[W.T.contiguous(), b.T.contiguous()] for W, b in tensors(start, XT.dtype)]
        for _ in range(steps):
            if len(layers) == 1:
                ((W, b),) = layers
                dZ = output(torch.addmm(b, W, XT), 0).sub_(Y)
            else:
                (W1, b1), (W, b) = layers
                A1 = torch.addmm(b1, W1, XT).tanh_()
                dZ = output(torch.addmm(b, W, A1), 0).sub_(Y)
                dZ1 = (W.T @ dZ).mul_(1 - A1 * A1)
                W1.addmm_(dZ1, XT.T, alpha=alpha)
                b1.add_(dZ1.sum(1, keepdim=True), alpha=alpha)
            W.addmm_(dZ, (XT if len(layers) == 1 else A1).T, alpha=alpha)
            b.add_(dZ.sum(1, keepdim=True), alpha=alpha)
        return as_float64([(W.numpy().T, b.numpy().T) for W, b in layers])

    job(2)
    return job


def transposed_columns(X, *rest):
    return columns(np.asfortranarray(X), *rest)


def rank_1(X, y, start, rate, steps):
    """Logistic regression on vectors, in place."""
    import torch

    Y, X = targets(X, y, start).ravel(), torch.from_numpy(X)
    XT, alpha = X.T, -rate / len(X)

    @torch.no_grad()
    def job(steps=steps):
        w, b = vectors(start, X.dtype)
        dZ = torch.empty_like(Y)
        for _ in range(steps):
            torch.mv(X, w, out=dZ)
            dZ.add_(b).sigmoid_().sub_(Y)
            w.addmv_(XT, dZ, alpha=alpha)
            b.add_(dZ.sum(), alpha=alpha)
        return as_layer(w.numpy(), b.numpy())

    job(2)
    return job


def transposed_rank_1(X, *rest):
    return rank_1(np.asfortranarray(X), *rest)


def compiled_rank_1(X, y, start, rate, steps):
    """The step of logistic regression through torch.compile."""
    import torch

    Y, X = targets(X, y, start).ravel(), torch.from_numpy(X)
    step, scale = compiled("rank_1_step"), torch.tensor(rate / len(X), dtype=X.dtype)

    @torch.no_grad()
    def job(steps=steps):
        w, b = vectors(start, X.dtype)
        for _ in range(steps):
            w, b = step(X, Y, w, b, scale)
        return as_layer(w.numpy(), b.numpy())

    return compiled_job(job)


def compiled_rows(X, y, start, rate, steps):
    """The step of a softmax or a network through torch.compile."""
    import torch

    Y, X = targets(X, y, start), torch.from_numpy(X)
    step = compiled("softmax_step" if len(start) == 1 else "network_step")
    scale = torch.tensor(rate / len(X), dtype=X.dtype)

    @torch.no_grad()
    def job(steps=steps):
        parameters = [array for layer in tensors(start, X.dtype) for array in layer]
        for _ in range(steps):
            parameters = step(X, Y, *parameters, scale)
        arrays = [array.numpy() for array in parameters]
        return as_float64(list(zip(arrays[::2], arrays[1::2], strict=True)))

    return compiled_job(job)


def rank_1_step(X, Y, w, b, scale):
    dZ = (X @ w + b).sigmoid() - Y
    return w - scale * (X.T @ dZ), b - scale * dZ.sum()


def softmax_step(X, Y, W, b, scale):
    dZ = (X @ W + b).softmax(1) - Y
    return W - scale * (X.T @ dZ), b - scale * dZ.sum(0, keepdim=True)


def network_step(X, Y, W1, b1, W2, b2, scale):
    A1 = (X @ W1 + b1).tanh()
    dZ2 = (A1 @ W2 + b2).sigmoid() - Y
    dZ1 = (dZ2 @ W2.T) * (1 - A1 * A1)
    W1, b1 = W1 - scale * (X.T @ dZ1), b1 - scale * dZ1.sum(0, keepdim=True)
    return W1, b1, W2 - scale * (A1.T @ dZ2), b2 - scale * dZ2.sum(0, keepdim=True)


@cache
def compiled(name):
    """One function for all shapes: from the second on PyTorch compiles it for any."""
    import torch

    return torch.compile(globals()[name])


@cache
def compiler_error():
    """Return why torch.compile does not work here, or None."""
    import torch

    try:
        torch.compile(lambda x: x.sigmoid() - 1)(torch.ones(3))
    except Exception as error:  # of a different kind for each thing that is missing
        return f"torch.compile does not work here ({type(error).__name__})"
    return None


def compiled_job(job):
    if error := compiler_error():
        raise CannotCompile(error)
    job(2)
    return job


def autograd(X, y, start, rate, steps):
    """What a user of PyTorch writes: modules, a loss, its optimizer."""
    import torch

    Y, X = targets(X, y, start), torch.from_numpy(X)

    def job(steps=steps):
        linear = [torch.nn.Linear(*W.shape, dtype=X.dtype) for W, _ in start]
        with torch.no_grad():
            for module, (W, b) in zip(linear, start, strict=True):
                module.weight.copy_(torch.from_numpy(W.T))
                module.bias.copy_(torch.from_numpy(b.ravel()))
        model = linear[0] if len(linear) == 1 else torch.nn.Sequential(linear[0], torch.nn.Tanh(), linear[1])
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        loss = torch.nn.BCEWithLogitsLoss()
        for _ in range(steps):
            optimizer.zero_grad()
            loss(model(X), Y).backward()
            optimizer.step()
        return as_float64([(m.weight.detach().numpy().T, m.bias.detach().numpy()[None]) for m in linear])

    job(2)
    return job


def gram_forms(X, y, rate, steps):
    """Logistic regression on the Gram matrix of the rows, in float64: W = X' C."""
    return {
        "matrices": lambda: gram_as_matrices(X, y, rate, steps),
        "rank 1, addmv": lambda: gram_rank_1(X, y, rate, steps),
    }


def gram_as_matrices(X, y, rate, steps):
    import torch

    X, Y, m = torch.from_numpy(X), torch.from_numpy(y.reshape(-1, 1)).double(), len(X)

    @torch.no_grad()
    def job(steps=steps):
        gram = (X @ X.T).double()
        C, b = torch.zeros((m, 1), dtype=torch.float64), torch.zeros((1, 1), dtype=torch.float64)
        for _ in range(steps):
            dZ = (torch.sigmoid(torch.addmm(b, gram, C)) - Y) * (rate / m)
            C -= dZ
            b -= dZ.sum()
        return as_layer((X.T @ C.to(X.dtype)).numpy(), b.numpy())

    job(2)
    return job


def gram_rank_1(X, y, rate, steps):
    import torch

    X, Y, m = torch.from_numpy(X), torch.from_numpy(y).double(), len(X)

    @torch.no_grad()
    def job(steps=steps):
        gram = (X @ X.T).double()
        C, b = torch.zeros(m, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
        for _ in range(steps):
            dZ = torch.addmv(b, gram, C).sigmoid_().sub_(Y)
            C.add_(dZ, alpha=-rate / m)
            b.add_(dZ.sum(), alpha=-rate / m)
        return as_layer((X.T @ C.to(X.dtype)).numpy(), b.numpy())

    job(2)
    return job


def output(Z, dim):
    """The sigmoid, or the softmax of several classes, in place."""
    return Z.sigmoid_() if Z.shape[dim] == 1 else Z.softmax(dim)


def targets(X, y, start):
    """y (m, 1), or one-hot for several classes."""
    import torch

    k = start[-1][0].shape[1]
    Y = y.reshape(-1, 1) if k == 1 else y.reshape(-1, 1) == np.arange(k)
    return torch.from_numpy(Y.astype(X.dtype))


def tensors(start, dtype):
    import torch

    return [[torch.tensor(W, dtype=dtype), torch.tensor(b, dtype=dtype)] for W, b in start]


def vectors(start, dtype):
    ((W, b),) = tensors(start, dtype)
    return W.ravel(), b.reshape(())
