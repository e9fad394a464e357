"""Ray, as joblib's backend."""

import os

import joblib
import ray
from ray.util.joblib import register_ray
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_predict

from .models import classifiers, close, two_classes

os.environ["RAY_AUTH_MODE"] = "disabled"  # or it keeps a token in the home folder
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
register_ray()


def searched():
    """`GridSearchCV(n_jobs=2)` in `parallel_backend("ray")`: the scores of one process"""
    X, y = two_classes()
    for model in classifiers():
        search = GridSearchCV(model, {"learning_rate": [0.01, 0.1]}, cv=3, scoring="neg_log_loss")
        expected = search.fit(X, y).cv_results_["mean_test_score"]
        with joblib.parallel_backend("ray"):
            found = search.set_params(n_jobs=2).fit(X, y)
        close(found.cv_results_["mean_test_score"], expected)


def members():
    """`cross_val_predict` and `BaggingClassifier`, `n_jobs=2`: the probabilities of one process"""
    X, y = two_classes()
    apart = []
    for model in classifiers():
        bagging = BaggingClassifier(model, n_estimators=4, random_state=0)
        expected = cross_val_predict(model, X, y, method="predict_proba"), bagging.fit(X, y).predict_proba(X)
        with joblib.parallel_backend("ray"):
            close(cross_val_predict(model, X, y, method="predict_proba", n_jobs=2), expected[0])
            found = bagging.set_params(n_jobs=2).fit(X, y).predict_proba(X)
        apart.append(close(found, expected[1], 1e-15))  # summed in another order
    return max(apart)
