"""The same descent in other libraries, each in the form that is the fastest here, and the notes' own code.

A form is a function that takes the data once, outside the clock, and returns a job: a function that takes
`steps` steps from the given start and returns the final layers as float64 arrays, [(W, b)] or
[(W1, b1), (W2, b2)]. Compilation is outside the clock too, and so is the transposed copy of X that some forms
make. Only the notes' code, mlxtend and MLPClassifier compute costs on the way, since they cannot do without.
"""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np

from . import peers_jax, peers_numpy, peers_sklearn, peers_torch
from .report import seconds
from .timing import installed

FORMS = {  # name: (package, function that returns {form: maker})
    "torch": ("torch", peers_torch.forms),
    "torch, autograd": ("torch", peers_torch.autograd_forms),
    "jax": ("jax", peers_jax.forms),
    "mlxtend": ("mlxtend", peers_sklearn.mlxtend_forms),
    "MLPClassifier": ("scikit-learn", peers_sklearn.mlp_forms),
}
COPY = "transposed copy"  # in the name of a form that makes one of X


most_forms = None  # that are tried, the likely ones first: a quick run sets it


class Job(NamedTuple):
    """A peer in the form that was chosen."""

    form: str
    run: Callable

    def __call__(self, *steps):
        return self.run(*steps)


def logistic_jobs(X, y, rate, steps):
    """Return {name: job} of logistic regression from zero."""
    notes = {"notes": peers_numpy.notes_logistic(X, y, rate, steps)}
    return notes | library_jobs(X, y, zeros(X), rate, steps)


def network_jobs(X, y, start, rate, steps):
    """Return {name: job} of the tanh network from the layers `start`."""
    notes = {"notes": peers_numpy.notes_network(X, y, start, rate, steps)}
    return notes | library_jobs(X, y, start, rate, steps)


def library_jobs(X, y, start, rate, steps, names=tuple(FORMS), trial=None, copies=None):
    """Return {name: job} of the libraries that are installed.

    With `copies` only forms on a transposed copy of X compete, with False only those on X as it is.
    """
    jobs = {}
    for name in names:
        package, forms_of = FORMS[name]
        if not installed(package):
            continue
        forms = {
            form: (lambda maker=maker: maker(X, y, start, rate, steps))
            for form, maker in forms_of(start).items()
            if copies is None or copies == (COPY in form)
        }
        if forms:
            jobs[name] = fastest(forms, trial or trial_steps(X), name)
    return jobs


def rows_job(X, y, rate, steps, trial=None, copies=False):
    """The notes' loop with samples as rows, without the cost, in its fastest form."""
    forms = {
        form: (lambda maker=maker: maker(X, y, rate, steps))
        for form, maker in peers_numpy.ROWS.items()
        if copies == (COPY in form)
    }
    return fastest(forms, trial or trial_steps(X), "notes' loop")


def fastest(forms, steps, name=""):
    """Make the job of each form, let it take a few steps three times, and return the fastest."""
    best, times = None, {}
    forms = dict(list(forms.items())[:most_forms])
    for form, make in forms.items():
        try:
            job = make()
        except peers_torch.CannotCompile as error:
            print(f"{form}: skipped. {error}")
            continue
        if len(forms) == 1:
            return Job(form, job)
        times[form] = min(_time(job, steps) for _ in range(3)) / steps
        if times[form] == min(times.values()):
            best = Job(form, job)
        del job  # and its copy of the data
    print(
        f"Trial of {name}: {', '.join(f'{form} {seconds(time)}' for form, time in times.items())}", flush=True
    )
    return best


def _time(job, steps):
    start = perf_counter()
    job(steps)
    return perf_counter() - start


def trial_steps(X):
    return int(np.clip(2**26 // X.size, 4, 200))


def zeros(X, k=1):
    """The start of logistic regression, or of the softmax of k classes."""
    return [(np.zeros((X.shape[1], k)), np.zeros((1, k)))]


def labels(jobs):
    """Return {name: name with the form that was chosen}."""
    forms = {name: getattr(job, "form", "") for name, job in jobs.items()}
    return {name: f"{name} ({form})" if form else name for name, form in forms.items()}
