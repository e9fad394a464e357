"""The memo of a search: settings that differ in what a stack may hold are trained when the first is fitted."""

from contextlib import suppress
from itertools import product

import numpy as np
from sklearn.base import clone

from .._descent.choice import prefers_gram
from .._descent.gram import GramSamples
from .._descent.stacking import stack
from .._fitting.base import finite_logits
from .._fitting.callbacks import only_progress_bars
from .._fitting.inputs import validate_new_samples
from .._fitting.memo import NoMemo
from .digest import digest
from .known import is_known
from .shared_rows import KEPT_BYTES, SharedArray, Whole
from .stack import STACKED, Stack, setting_of, with_setting


class SearchMemo(NoMemo):
    """What the candidates of a search have in common, by the samples that each is fitted on.

    A classifier's `fit` asks for the descent to its setting, and its predictions ask for their logits. What
    the memo does not know, in doubt anything, is computed in the ordinary way.

    Parameters
    ----------
    grids : list of dict
        The grids that are searched.
    prefix : str
        The prefix of the classifier's parameters in the grid.
    remembers_logits : bool
        Whether nothing but this package and scorers of scikit-learn looks at fitted candidates.
    """

    def __init__(self, grids, prefix, remembers_logits):
        self.grids, self.prefix, self.remembers_logits = grids, prefix, remembers_logits
        self.settings = {}  # by the other parameters of a classifier: a tuple of settings for each grid
        self.first = {}  # by these and the settings: the one that is fitted first, with which all are trained
        self.trained = {}  # by these and the samples: {setting: Remembered}
        self.stack_of = {}  # by the id of a list, loss_curve_, that the memo keeps: its {setting: Remembered}
        self.Z = {}  # by the id of such a dict, and the rows: {setting: logits}
        self.named = {}  # by id: (object that the memo keeps, its name)
        self.wholes, self.grams = {}, {}
        self.has_warned_of_scale = False

    # Fits

    def recall(self, classifier, X, y, sample_weight, task):
        try:
            key, own = self._key(classifier), setting_of(classifier)
            settings = self._settings_with(own, classifier, key)
            if len(settings) < 2 or not may_be_stacked(classifier):
                return None
            samples = self._name(X), digest((y, sample_weight))
        except Exception:  # of whatever the grid or X may hold: the ordinary fit raises what is wrong
            return None
        if (key, settings, samples) not in self.trained:
            if self.first.setdefault((key, settings), own) != own:
                return None
            self._train(classifier, settings, X, y, sample_weight, task, (key, settings, samples))
        remembered = self.trained[key, settings, samples].get(own)
        return None if remembered is None else self._for_candidate(remembered, own)

    def _key(self, classifier):
        """Return a key of all that must be equal within a stack."""
        others = {name: v for name, v in classifier.get_params(deep=False).items() if name not in STACKED}
        return type(classifier), digest(others)

    def _settings_with(self, own, classifier, key):
        """Return the settings of the first grid that has this one: all that may be trained with it."""
        if key not in self.settings:
            self.settings[key] = [settings_of(grid, self.prefix, classifier) for grid in self.grids]
        return next((settings for settings in self.settings[key] if own in settings), ())

    def _name(self, X):
        """Return a name of rows that no other rows have: of known ones without a look at their values."""
        if isinstance(X, SharedArray) and X.name is not None:
            return X.name
        if id(X) in self.named:
            return self.named[id(X)][1]
        return X.__dask_tokenize__() if hasattr(X, "__dask_tokenize__") else digest(X)

    def _train(self, classifier, settings, X, y, sample_weight, task, where):
        trained = self.trained[where] = {}
        try:
            gram = self._gram(X, len(settings) * max(n for *_, n in settings))
            trained |= Stack(classifier, settings, X, y, sample_weight, gram).train(task)
        except (TypeError, ValueError, MemoryError):  # the ordinary fits raise the error, or have enough
            if task.errors:  # raised by callbacks
                raise
        for remembered in trained.values():
            self.stack_of[id(remembered.descent.loss_curve)] = trained

    def _gram(self, X, n_steps):
        """Return the Gram matrix of rows, taken from that of the whole array, if it pays off; else None."""
        if not isinstance(X, SharedArray) or X.whole is None or X.ndim != 2:
            return None
        whole = X.whole.values
        if not prefers_gram(whole, 1, False, n_steps):
            return None
        if id(X.whole) not in self.grams:
            self.grams[id(X.whole)] = None
            with suppress(MemoryError):
                is_float = whole.dtype in (np.float32, np.float64)
                self.grams[id(X.whole)] = GramSamples(whole if is_float else whole.astype(np.float64)).gram
        gram = self.grams[id(X.whole)]
        return None if gram is None else gram[np.ix_(X.index, X.index)]

    def _for_candidate(self, remembered, own):
        """Return what one candidate gets: weights of its own, and a warning that names it."""
        layers = [(W.copy(), b.copy()) for W, b in remembered.descent.layers]
        warning = remembered.warning
        if warning is not None and warning.concerns_scale and self.has_warned_of_scale:
            warning = None
        if warning is not None:
            self.has_warned_of_scale |= warning.concerns_scale
            varied = [name for name in STACKED if any(self.prefix + name in grid for grid in self.grids)]
            setting = {self.prefix + name: dict(zip(STACKED, own, strict=True))[name] for name in varied}
            warning = warning._replace(message=f"{warning.message} This was the candidate {setting}.")
        return remembered._replace(descent=remembered.descent._replace(layers=layers), warning=warning)

    # Predictions

    def logits(self, classifier, X):
        trained = self.stack_of.get(id(vars(classifier).get("loss_curve_")))
        is_named = isinstance(X, SharedArray) and X.name is not None
        if not (self.remembers_logits and is_named and trained is not None):
            return None
        where = id(trained), X.name
        if where not in self.Z:
            layers = stack([remembered.descent.layers for remembered in trained.values()])
            Z = finite_logits(classifier._network, validate_new_samples(classifier, X), layers)
            self.Z[where] = dict(zip(trained, Z, strict=True))
        return self.Z[where][setting_of(classifier)].copy()

    # Rows

    def shared(self, X):
        """Return X as an array that names the rows taken from it."""
        return self._whole("X", X).view()

    def transformed(self, transform, scaler, X):
        if not isinstance(X, SharedArray) or X.whole is None or X.index is None:
            return transform(scaler, X)
        state = {name: value for name, value in vars(scaler).items() if not name.startswith("_")}
        key = id(X.whole), digest(state)
        if 8 * X.whole.values.size > KEPT_BYTES:
            rows = transform(scaler, X).view(SharedArray)
            rows.name = X.name, key
            return rows
        if key not in self.wholes:
            self._whole(key, transform(scaler, X.whole.values))
        return self.wholes[key].view()[X.index]

    def _whole(self, key, values):
        self.wholes[key] = Whole(values)
        return self.wholes[key]

    def close(self):
        """Let go of the rows."""
        for whole in self.wholes.values():
            whole.parts.clear()


def settings_of(grid, prefix, classifier):
    """Return the settings in a grid that are valid for a classifier."""
    own = setting_of(classifier)
    choices = []
    for i, name in enumerate(STACKED):
        choices.append([])
        for value in grid.get(prefix + name, [own[i]]):
            with suppress(Exception):  # of whatever value the grid may hold
                candidate = with_setting(classifier, (*own[:i], clone(value, safe=False), *own[i + 1 :]))
                candidate._validate_params()
                choices[-1].append(setting_of(candidate)[i])
    return tuple(product(*choices))


def may_be_stacked(classifier):
    """Whether a stack trains the classifier as its own `fit` does, which prints nothing and tells nobody."""
    continues = classifier.warm_start and hasattr(classifier, "classes_")
    return (
        is_known(classifier) and not classifier.verbose and not continues and only_progress_bars(classifier)
    )
