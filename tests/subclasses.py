"""Subclasses of the classifiers and of Pipeline, most of which no stack may train, and odd transformers."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier

# Classifiers


class FixedDefaults(LogisticRegressionGD):
    """Overrides nothing: a stack may train it."""

    def __init__(self, learning_rate=0.05, max_iter=9, *, l2_regularization=0.1, label="mine"):
        super().__init__(learning_rate, max_iter, l2_regularization=l2_regularization)
        self.label = label

    def describe(self):
        return self.label


class Describing(metaclass=ABCMeta):
    """Has another metaclass, and a method that no classifier has."""

    @abstractmethod
    def describe(self):
        """Return a word."""


class WithHelpers(Describing, ShallowNNClassifier):
    """Overrides nothing."""

    _parameter_constraints = ShallowNNClassifier._parameter_constraints | {"label": [str]}
    label = "mine"

    def describe(self):
        return self.label


class Halved(LogisticRegressionGD):
    def predict_proba(self, X):
        return super().predict_proba(np.asarray(X) / 2)


class Reversed(ShallowNNClassifier):
    def predict(self, X):
        return super().predict(X)[::-1]


class Doubling(LogisticRegressionGD):
    def fit(self, X, y, sample_weight=None):
        return super().fit(2 * np.asarray(X), y, sample_weight)


class Shifted(ShallowNNClassifier):
    def decision_function(self, X):
        return super().decision_function(X) + 0.3


class Rated(LogisticRegressionGD):
    def score(self, X, y, sample_weight=None):
        return float(self.learning_rate_ * self.coef_.sum())


class OtherStart(LogisticRegressionGD):
    """Its initial weights depend on the rate, which differs within a stack."""

    def _init_layers(self, n_features, n_outputs, dtype):
        return [
            (np.full((n_features, n_outputs), float(self.l2_regularization) + 1), np.zeros((1, n_outputs)))
        ]


class OwnPredict(LogisticRegressionGD):
    def __init__(self, learning_rate=0.05, max_iter=9, *, l2_regularization=0.0):
        super().__init__(learning_rate, max_iter, l2_regularization=l2_regularization)
        self.predict = self._always_the_first

    def _always_the_first(self, X):
        return np.repeat(self.classes_[:1], X.shape[0])


class Rescaling(LogisticRegressionGD):
    def set_params(self, **params):
        super().set_params(**params)
        self.max_iter = 4
        return self


class Forgetful(LogisticRegressionGD):
    def __sklearn_clone__(self):
        return Forgetful(0.03, 5)


class Tagged(LogisticRegressionGD):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class OtherClasses(LogisticRegressionGD):
    @property
    def classes_(self):
        return self._classes[::-1]

    @classes_.setter
    def classes_(self, classes):
        self._classes = classes


def swap(kind):
    """Give a class methods that swap the classes."""

    def predict(self, X):
        return super(kind, self).predict(X)[::-1]

    def predict_proba(self, X):
        return super(kind, self).predict_proba(X)[:, ::-1]

    def decision_function(self, X):
        return -super(kind, self).decision_function(X)

    for method in (predict, predict_proba, decision_function):
        setattr(kind, method.__name__, method)
    return kind


@swap
class Decorated(LogisticRegressionGD):
    pass


class Swapping(type):
    def __init__(cls, *args):
        super().__init__(*args)
        swap(cls)


class ByMetaclass(LogisticRegressionGD, metaclass=Swapping):
    pass


class Behind(ShallowNNClassifier.__base__):
    """Comes between a classifier and its base class where both are inherited."""

    def predict(self, X):
        return np.repeat(self.classes_[:1], X.shape[0])


class WithBehind(LogisticRegressionGD, Behind):
    pass


class Logits(LogisticRegressionGD):
    def _logits(self, X, method):
        return -super()._logits(X, method)


class Mixed:
    def _fitted_attributes(self, descent, rate):
        return super()._fitted_attributes(
            descent._replace(layers=[(2 * W, b) for W, b in descent.layers]), rate
        )


class HalfRate(LogisticRegressionGD):
    @property
    def learning_rate(self):
        return self.rate / 2 if isinstance(self.rate, float) else self.rate

    @learning_rate.setter
    def learning_rate(self, rate):
        self.rate = rate


class SaysWhetherFitted(LogisticRegressionGD):
    def __sklearn_is_fitted__(self):
        return hasattr(self, "coef_")


class WithMixin(Mixed, ShallowNNClassifier):
    pass


STACKED = [LogisticRegressionGD, ShallowNNClassifier, FixedDefaults, WithHelpers]
NOT_STACKED = [
    Halved,
    Reversed,
    Doubling,
    Shifted,
    Rated,
    OtherStart,
    OwnPredict,
    Rescaling,
    Forgetful,
    Logits,
    HalfRate,
    SaysWhetherFitted,
    WithMixin,
    Tagged,
    OtherClasses,
    Decorated,
    ByMetaclass,
    WithBehind,
]


# Transformers


class Stateless(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * 2


class InPlace(Stateless):
    def transform(self, X):
        X -= 1
        return X


class InPlaceThenCopy(Stateless):
    def transform(self, X):
        X *= 0.5
        return X + 1


class FitInPlace(Stateless):
    def fit(self, X, y=None):
        X[:, 0] = 0
        return self


class Training(StandardScaler):
    """Makes something else of training rows."""

    def fit_transform(self, X, y=None):
        return 2 * self.fit(X).transform(X)


class FailsInFit(Stateless):
    def fit(self, X, y=None):
        raise ZeroDivisionError("no fit")


class FailsOnTest(StandardScaler):
    def transform(self, X):
        if X.shape[0] < self.n_samples_seen_:
            raise RuntimeError("too few rows")
        return super().transform(X)


class NaNOnTest(StandardScaler):
    def transform(self, X):
        Z = super().transform(X)
        return Z if X.shape[0] == self.n_samples_seen_ else Z * np.nan


# Pipelines


class PlainPipeline(Pipeline):
    """Overrides nothing."""

    def describe(self):
        return "mine"


class FitsTwice(Pipeline):
    def fit(self, X, y=None, **params):
        return super().fit(np.concatenate([X, 2 * X]), np.concatenate([y, y]), **params)


class PredictsFirst(Pipeline):
    def predict(self, X, **params):
        return np.repeat(self.classes_[:1], X.shape[0])


class ScoresZero(Pipeline):
    def score(self, X, y=None, sample_weight=None):
        return 0.25


OVERRIDING_PIPELINES = [FitsTwice, PredictsFirst, ScoresZero]


class Repeating(BaseEstimator):
    """A sampler of imbalanced-learn: it changes samples and labels, in `fit` only, and has no `transform`."""

    def fit_resample(self, X, y):
        chosen = np.concatenate([np.arange(len(y)), np.flatnonzero(y == y[0])])
        return (X.iloc[chosen] if hasattr(X, "iloc") else X[chosen]), y[chosen]


class ResamplingPipeline(Pipeline):
    """What of the pipeline of imbalanced-learn differs from that of scikit-learn."""

    def _validate_steps(self):
        """Do nothing: a sampler is no transformer."""

    def _iter(self, with_final=True, filter_passthrough=True):
        steps = super()._iter(with_final, filter_passthrough)
        return (step for step in steps if not hasattr(step[2], "fit_resample"))

    def fit(self, X, y=None, **params):
        for _, step in self.steps[:-1]:
            if hasattr(step, "fit_resample"):
                X, y = step.fit_resample(X, y)
            elif step != "passthrough":
                X = step.fit_transform(X, y)
        self.steps[-1][1].fit(X, y, **{name.partition("__")[2]: value for name, value in params.items()})
        return self


class TaggedPipeline(Pipeline):
    """Cannot be sliced, since it needs another argument."""

    def __init__(self, steps, tag, *, memory=None, verbose=False):
        super().__init__(steps, memory=memory, verbose=verbose)
        self.tag = tag


def with_sampler(classifier, *, first=False):
    """Return a pipeline with a sampler before or behind a scaler."""
    steps = [("scale", StandardScaler()), ("sample", Repeating())]
    return ResamplingPipeline([*(steps[::-1] if first else steps), ("classify", classifier)])


def foreign_pipelines(classifier):
    """Return pipelines of classes that scikit-learn does not know."""
    tagged = TaggedPipeline([("scale", StandardScaler()), ("classify", classifier)], tag="mine")
    return [with_sampler(classifier), with_sampler(classifier, first=True), tagged]
