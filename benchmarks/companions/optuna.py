"""Optuna, and its search for scikit-learn."""

from functools import partial

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna_integration import OptunaSearchCV
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from .models import classifiers, close, two_classes

optuna.logging.set_verbosity(optuna.logging.WARNING)
RATES = [0.01, 0.1, 1.0]


def grid():
    """`GridSampler` over `cross_val_score`: best score and rate are those of `GridSearchCV`"""
    X, y = two_classes()
    for model in classifiers():
        sampler = optuna.samplers.GridSampler({"learning_rate": RATES})
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(partial(_score, model, X, y), n_trials=3)
        search = GridSearchCV(model, {"learning_rate": RATES}, cv=3).fit(X, y)
        assert study.best_params == search.best_params_
        scores = {trial.params["learning_rate"]: trial.value for trial in study.trials}
        close([scores[rate] for rate in RATES], search.cv_results_["mean_test_score"])


def _score(model, X, y, trial):
    rate = trial.suggest_categorical("learning_rate", RATES)
    return cross_val_score(clone(model).set_params(learning_rate=rate), X, y, cv=3).mean()


def searched():
    """`OptunaSearchCV`: each trial's score is that of `cross_val_score` with its parameters, and the refit that of `fit`"""
    X, y = two_classes()
    space = {
        "learning_rate": FloatDistribution(1e-3, 1, log=True),
        "max_iter": CategoricalDistribution([20, 200]),
    }
    for model in classifiers():
        sampler = optuna.samplers.TPESampler(seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        search = OptunaSearchCV(model, space, cv=3, n_trials=6, study=study, random_state=0).fit(X, y)
        for trial in search.trials_:
            alone = clone(model).set_params(**trial.params)
            close(trial.value, np.mean(cross_val_score(alone, X, y, cv=3)), 1e-12)
        again = clone(model).set_params(**search.best_params_).fit(X, y)
        close(search.predict_proba(X), again.predict_proba(X))
