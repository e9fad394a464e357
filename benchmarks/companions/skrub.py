"""skrub: tables in front of a model."""

import numpy as np
import pandas as pd
import skrub
from sklearn.base import clone

from .models import classifiers, close


def _table():
    rng = np.random.RandomState(0)
    kinds = rng.choice(["red", "green", "blue"], 200)
    numbers = rng.standard_normal(200)
    table = pd.DataFrame({"number": numbers, "kind": kinds, "day": pd.date_range("2026-01-01", periods=200)})
    return table, np.where(numbers + (kinds == "red") > 0.3, "yes", "no")


def pipeline():
    """`tabular_pipeline`: the probabilities of a fit on the table that its steps make"""
    table, y = _table()
    apart = []
    for model in classifiers():
        fitted = skrub.tabular_pipeline(model).fit(table, y)
        rows = fitted[:-1].transform(table)
        alone = clone(model).fit(rows, y)
        apart.append(close(fitted.predict_proba(table), alone.predict_proba(rows)))
    return max(apart)


def operations():
    """Data operations (`skb.apply`, `make_learner`): the probabilities of that pipeline"""
    table, y = _table()
    apart = []
    for model in classifiers():
        data = skrub.X(table).skb.apply(skrub.TableVectorizer())
        learner = data.skb.apply(model, y=skrub.y(y)).skb.make_learner(fitted=True)
        rows = skrub.TableVectorizer().fit_transform(table)
        found = learner.predict_proba({"X": table})
        apart.append(close(found, clone(model).fit(rows, y).predict_proba(rows)))
    return max(apart)
