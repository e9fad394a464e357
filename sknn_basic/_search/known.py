"""Which classifiers a stack may train: those of this package, and subclasses that only add to them."""

from inspect import signature

from .._classifiers import LogisticRegressionGD, ShallowNNClassifier

FITTED = {
    "classes_", "n_features_in_", "feature_names_in_", "coef_", "intercept_", "coefs_", "intercepts_",
    "loss_", "loss_curve_", "validation_loss_", "validation_loss_curve_", "n_iter_", "learning_rate_",
    "loss_curve_steps_", "_recorded_every",
}  # fmt: skip
HOOKS = "__getattr__", "__sklearn_is_fitted__"  # that Python and scikit-learn look for


def _names_of(kind):
    """Return the names of a class's methods, parameters and fitted attributes."""
    any_class = {*vars(type("Mixin", (), {})), *vars(type("Subclass", (kind,), {}))}
    may_differ = {"__init__", "_parameter_constraints", "_parameter_advice"}
    return {*dir(kind), *HOOKS, *signature(kind.__init__).parameters, *FITTED} - any_class - may_differ


NAMES = {kind: _names_of(kind) for kind in (LogisticRegressionGD, ShallowNNClassifier)}


def is_known(classifier):
    """Whether a classifier is of this package, or of a subclass that defines none of its names anew."""
    bases = type(classifier).__mro__
    known = next((kind for kind in bases if kind in NAMES), None)
    if known is None or any(hasattr(known, name) for name in vars(classifier)):
        return False
    return all(NAMES[known].isdisjoint(vars(kind)) for kind in bases if kind not in known.__mro__)
