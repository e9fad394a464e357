"""skops: files that run no code."""

import skops.io
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier

from .models import OWN_TYPES, classifiers, close, fitted, of_images, refused, three_classes


def models():
    """`dump` and `load`, trusting this package's classes: the probabilities"""
    return max(close(_again(model).predict_proba(X), model.predict_proba(X)) for model, X, _ in fitted())


def images():
    """A pipeline of images: the probabilities"""
    pipeline, images = of_images()
    return close(_again(pipeline).predict_proba(images), pipeline.predict_proba(images))


def inside_others():
    """Inside `BaggingClassifier`, `VotingClassifier` and `StackingClassifier`, trusting scikit-learn too: the probabilities"""
    X, y = three_classes()
    members = list(zip(("logistic", "network"), classifiers(), strict=True))
    metas = (
        BaggingClassifier(classifiers()[1], random_state=0),
        VotingClassifier(members, voting="soft"),
        StackingClassifier(members, classifiers()[0], cv=3),
    )
    return max(close(_again(meta.fit(X, y)).predict_proba(X), meta.predict_proba(X)) for meta in metas)


def limit_untrusted():
    """A file is not loaded unless its reader trusts this package's classes by name"""
    for model, *_ in fitted():
        with refused("UntrustedTypesFoundException", type(model).__name__):
            skops.io.loads(skops.io.dumps(model))


def _again(model):
    content = skops.io.dumps(model)
    trusted = skops.io.get_untrusted_types(data=content)
    assert all(name in OWN_TYPES or name.startswith("sklearn.") for name in trusted), trusted
    return skops.io.loads(content, trusted=trusted)
