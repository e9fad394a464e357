"""dask-ml: searches, wrappers and scalers on Dask arrays."""

import dask.array as da
import numpy as np
from dask_ml.model_selection import GridSearchCV as DaskGridSearchCV
from dask_ml.preprocessing import StandardScaler
from dask_ml.wrappers import ParallelPostFit
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from .models import classifiers, close, two_classes


def _data():
    X, names = two_classes()
    return X, (names == "benign").astype(int)


def searched():
    """`GridSearchCV` of dask-ml: the scores are those of scikit-learn's (`iid=False`: folds count alike)"""
    X, y = _data()
    grid, options = (
        {"learning_rate": [0.01, 0.1], "max_iter": [20, 200]},
        {"cv": 3, "scoring": "neg_log_loss"},
    )
    apart = []
    for model in classifiers():
        searches = DaskGridSearchCV(model, grid, iid=False, **options), GridSearchCV(model, grid, **options)
        apart.append(close(*(search.fit(X, y).cv_results_["mean_test_score"] for search in searches), 1e-12))
    return max(apart)


def post_fit():
    """`ParallelPostFit`: the probabilities of a Dask array, block by block"""
    X, y = _data()
    apart = []
    for model in classifiers():
        wrapped = ParallelPostFit(model).fit(X, y)
        found = wrapped.predict_proba(da.from_array(X, chunks=(100, -1))).compute()
        apart.append(close(found, wrapped.estimator.predict_proba(X), 1e-15))
    return max(apart)


def pipeline():
    """`StandardScaler` of dask-ml in front, on Dask arrays: the probabilities of a fit in memory"""
    X, y = _data()
    lazy = da.from_array(X * 3 + 1, chunks=(100, -1))
    rows = StandardScaler().fit_transform(lazy)
    apart = []
    for model in classifiers():
        found = clone(model).fit(rows, da.from_array(y, chunks=100)).predict_proba(rows).compute()
        in_memory = np.asarray(rows)
        apart.append(close(found, clone(model).fit(in_memory, y).predict_proba(in_memory), 1e-10))
    return max(apart)
