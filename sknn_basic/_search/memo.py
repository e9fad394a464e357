"""The memo of a search: all settings that a stack may hold are trained when the first of them is fitted."""

import pickle
from contextlib import suppress
from copy import deepcopy
from functools import cache
from hashlib import blake2b
from inspect import signature
from itertools import product
from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn import model_selection
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._classifiers import LogisticRegressionGD, ShallowNNClassifier
from .._descent.arrays import is_foreign, namespace
from .._descent.choice import prefers_gram
from .._descent.threads import threads
from .._fitting.callbacks import only_progress_bars
from .._fitting.memo import NoMemo
from .._fitting.pipelines import last_step, prefix_of, transformers_of
from .._preprocessing import FlattenScaler
from .shared_rows import KEPT_BYTES, SharedArray, shared
from .stack import STACKED, Stack, setting_of, with_setting


class SearchMemo(NoMemo):
    """What the candidates of a search have in common, by the samples that they are fitted on.

    In doubt it remembers nothing, and a candidate is fitted as it would be without the memo.

    Parameters
    ----------
    estimator, scoring
        Those of the search.
    grids : list of dict
        The grids that are searched.
    progress : Progress
        Is told of the fits that are done.
    """

    def __init__(self, estimator, grids, scoring, progress):
        self.estimator, self.grids, self.prefix = estimator, grids, prefix_of(estimator)
        self.has_private_models = are_names(scoring)  # which no scorer of the user can look at
        self.settings = {}  # by all other parameters, the grid and what this does not set
        self.first = {}  # by all other parameters and the settings: the setting that is fitted first
        self.trained = {}  # by these and the samples: {setting: Remembered}
        self.stack_of = {}  # by the id of a loss_curve_, which the memo keeps: Stack
        self.Z = {}  # by the id of a stack, and the rows: {setting: logits}
        self.on_devices = []  # arrays of other libraries: that of X and y of each fold, once
        self.scaled = {}  # by array and scaler: the array that the rows of all candidates are taken from
        self.has_warned_of_scale = self.is_closed = False
        self.progress = progress

    def recall(self, classifier, X, y, sample_weight, task):
        found = self._recall(classifier, X, y, sample_weight, task)
        if found is None:
            self.progress.add(1)  # which the ordinary fit does now
        return found

    def _recall(self, classifier, X, y, sample_weight, task):
        try:
            own, parameters = setting_of(classifier), vars(classifier)
            names = parameters_of(type(classifier))
            others = type(classifier), digest([parameters[name] for name in names if name not in STACKED])
            settings = self._settings_with(own, others, classifier)
            if self.is_closed or len(settings) < 2 or not may_be_stacked(classifier):
                return None
            key = others, settings, *map(self._name_of, (X, y, sample_weight))
        except Exception:  # of whatever the grid or X may hold: the ordinary fit raises what is wrong
            return None
        if key not in self.trained:
            if self.first.setdefault(key[:2], own) != own:
                return None
            self.trained[key] = self._train(classifier, settings, X, y, sample_weight, task)
        remembered = self.trained[key].get(own)
        return None if remembered is None else self._for_candidate(remembered, own)

    def _name_of(self, X):
        """Return a name that no other rows or labels have; on a device all values are compared there."""
        if not is_foreign(X):
            return name_of(X)
        for i, known in enumerate(self.on_devices):
            is_alike = type(known) is type(X) and known.device == X.device and known.dtype == X.dtype
            if is_alike and known.shape == X.shape and bool(namespace(X).all(known == X)):
                return i
        self.on_devices.append(X)
        return len(self.on_devices) - 1

    def _settings_with(self, own, others, classifier):
        """Return the settings of the first grid that has this one: all that may be trained with it."""
        for i, grid in enumerate(self.grids):
            fixed = tuple(v for name, v in zip(STACKED, own, strict=True) if self.prefix + name not in grid)
            if (others, i, fixed) not in self.settings:
                self.settings[others, i, fixed] = settings_of(grid, self.prefix, classifier)
            if own in self.settings[others, i, fixed]:
                return self.settings[others, i, fixed]
        return ()

    def _train(self, classifier, settings, X, y, sample_weight, task):
        n_steps, began = len(settings) * max(n for *_, n in settings), perf_counter()
        try:
            is_part = isinstance(X, SharedArray) and X.index is not None and X.ndim == 2
            with threads.shared_out():
                gram = X.gram() if is_part and prefers_gram(X.whole, 1, False, n_steps) else None
                stack = Stack(classifier, settings, X, y, sample_weight, gram)
                seconds = stack.prepare(self.progress.is_printed)
                began, self.progress.began = began + seconds, self.progress.began + seconds
                trained = stack.train(task)
        except (TypeError, ValueError, MemoryError):  # the ordinary fits raise the error, or have enough
            if task.errors:  # raised by callbacks
                raise
            return {}
        if trained:
            self.progress.add_stack(len(trained), perf_counter() - began)
        self.stack_of |= {id(remembered.descent.loss_curve): stack for remembered in trained.values()}
        return trained

    def _for_candidate(self, remembered, own):
        """Return what one candidate gets: its own, if a scorer may change it, and a warning that names it."""
        remembered = remembered if self.has_private_models else deepcopy(remembered)
        warning = remembered.warning
        if warning is not None and warning.concerns_scale:  # once for all
            warning = None if self.has_warned_of_scale else warning
            self.has_warned_of_scale = True
        if warning is not None:
            names = {self.prefix + name: value for name, value in zip(STACKED, own, strict=True)}
            setting = {name: v for name, v in names.items() if any(name in grid for grid in self.grids)}
            warning = warning._replace(message=f"{warning.message} This was the candidate {setting}.")
        return remembered._replace(warning=warning)

    def gram(self, classifier, X):
        """Return that of all rows, for the refit: networks add the products with their initial weights."""
        is_whole = isinstance(X, SharedArray) and isinstance(classifier, LogisticRegressionGD)
        return vars(X).get("gram_of_all") if is_whole else None

    def logits(self, classifier, X):
        stack = self.stack_of.get(id(vars(classifier).get("loss_curve_")))
        name = X.name if isinstance(X, SharedArray) else None
        if not self.has_private_models or stack is None or name is None:
            return None
        if (id(stack), name) not in self.Z:
            self.Z[id(stack), name] = stack.logits(X)
        return self.Z[id(stack), name][setting_of(classifier)].copy()

    def shared(self, X, cv):
        """Return X, if possible as an array that names the rows taken from it: if none but us reads them."""
        is_plain = type(X) is np.ndarray and X.dtype.kind in "buif" and self.has_private_models
        is_ours = overrides_nothing(last_step(self.estimator))
        splitter = getattr(model_selection, type(cv).__name__, None)  # of scikit-learn, which does not read X
        reads_only_y = cv is None or isinstance(cv, Integral | list | tuple) or splitter is type(cv)
        return shared(X) if is_plain and is_ours and reads_only_y and self._shares_rows() else X

    def _shares_rows(self):
        """Whether all steps of a pipeline before the classifier are ours, and stay so."""
        if not isinstance(self.estimator, Pipeline):
            return True
        is_replaced = not all("__" in name for grid in self.grids for name in grid)  # a step, by another
        others = {type(step) for step in transformers_of(self.estimator) if step not in (None, "passthrough")}
        is_plain = type(self.estimator) is Pipeline and self.estimator.memory is None
        return is_plain and not is_replaced and others <= {FlattenScaler}

    def transformed(self, transform, scaler, X):
        is_part = isinstance(X, SharedArray) and X.index is not None and len(X) > 0
        # Integers only: what is wrong with floats, or odd, may be in rows that the candidate does not get.
        if not is_part or X.dtype.kind == "f" or 8 * X.whole.size > KEPT_BYTES:
            return transform(scaler, X)
        state = {name: value for name, value in vars(scaler).items() if not name.startswith("_")}
        key = id(X.whole), digest(state)
        if key not in self.scaled:
            self.scaled[key] = None
            with suppress(Exception):  # those of other rows: the transform of these alone raises their own
                self.scaled[key] = shared(transform(scaler, np.asarray(X.whole)))
        return transform(scaler, X) if self.scaled[key] is None else self.scaled[key][X.index]

    def close(self, X):
        """Remember nothing from now on, and let go of the rows: each refers to the array that keeps it."""
        self.is_closed = True
        self.on_devices.clear()
        for whole in (X, *self.scaled.values()):
            getattr(whole, "parts", {}).clear()

    def share_fit_times(self, results):
        """Replace fit times by their means over candidates that differ only as those of a stack do."""
        stacked = {self.prefix + name for name in STACKED}
        others = [str({k: v for k, v in p.items() if k not in stacked}) for p in results["params"]]
        for one in set(others):
            indices = [i for i, other in enumerate(others) if other == one]
            for name in ("mean_fit_time", "std_fit_time"):
                results[name][indices] = results[name][indices].mean()


def are_names(scoring):
    """Whether all scorers are scikit-learn's own, which need only the predictions of a model."""
    if isinstance(scoring, list | tuple | set | dict):
        return all(isinstance(metric, str) for metric in getattr(scoring, "values", lambda: scoring)())
    return scoring is None or isinstance(scoring, str)


@cache
def parameters_of(kind):
    """Return the names of a class's parameters, once: get_params looks them up each time."""
    return tuple(signature(kind).parameters)


def digest(value):
    """Return a hash of the pickled value, whose arrays are not copied; raise what pickle raises.

    Equal values have the same hash if they were made in the same way; others never have.
    """
    buffers = []
    hashed = blake2b(pickle.dumps(value, protocol=5, buffer_callback=buffers.append), digest_size=16)
    for buffer in buffers:
        hashed.update(buffer.raw())
    return hashed.digest()


def name_of(X):
    """Return a name that no other rows or labels have, if possible without a look at their values."""
    if isinstance(X, SharedArray) and X.name is not None:
        return X.name
    if isinstance(X, np.ndarray) and X.dtype.kind in "bui" and X.nbytes < 2**16:  # such as labels
        return X.dtype.str, X.shape, X.tobytes()
    return X.__dask_tokenize__() if hasattr(X, "__dask_tokenize__") else digest(X)


def settings_of(grid, prefix, classifier):
    """Return the settings in a grid that are valid for a classifier."""
    own, choices = setting_of(classifier), []
    for i, name in enumerate(STACKED):
        choices.append([])
        for value in grid.get(prefix + name, [own[i]]):
            with suppress(Exception):  # of whatever value the grid may hold
                candidate = with_setting(classifier, (*own[:i], clone(value, safe=False), *own[i + 1 :]))
                candidate._validate_params()
                choices[-1].append(setting_of(candidate)[i])
    return tuple(product(*choices))


def may_be_stacked(classifier):
    """Whether a stack does all that the classifier's own `fit` would: it prints nothing, and tells nobody."""
    is_silent = not classifier.verbose and only_progress_bars(classifier)
    is_fresh = not (classifier.warm_start and hasattr(classifier, "classes_"))
    return is_silent and is_fresh and overrides_nothing(classifier)


class Plain:
    """Defines what the class statement itself does, which differs by the version of Python."""

    label: str


KNOWN = LogisticRegressionGD, ShallowNNClassifier
FREE = {  # what a subclass may define anew, or scikit-learn, abc and pickle do
    *vars(Plain),
    *("__init__", "_parameter_constraints", "_parameter_advice", "set_fit_request", "set_score_request"),
    *("__abstractmethods__", "__slotnames__", "__annotations__", "__annotations_cache__"),
}


def overrides_nothing(classifier):
    """Whether a classifier is of this package, or of a subclass that defines none of its names anew."""
    known = next((kind for kind in KNOWN if isinstance(classifier, kind)), None)
    is_own = any(hasattr(known, name) for name in vars(classifier))  # a method of this instance alone
    return known is not None and not is_own and only_adds(type(classifier), known)


@cache
def only_adds(kind, known):
    """Whether a subclass of a known class defines none of its names, parameters or fitted attributes anew."""
    own = {name for base in kind.__mro__ if base not in known.__mro__ for name in vars(base)} - FREE
    return not any(hasattr(known, n) or n in parameters_of(kind) or n.endswith("_") for n in own)
