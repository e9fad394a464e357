"""MLflow, with a store in a temporary folder."""

from pathlib import Path

import mlflow
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .models import OWN_TYPES, classifiers, close, fitted, of_images, refused, searches, two_classes


def saved():
    """`log_model(model, skops_trusted_types=[...])`, `load_model`: the probabilities"""
    return max(close(_again(model).predict_proba(X), model.predict_proba(X)) for model, X, _ in fitted())


def saved_as_the_guide_says():
    """The lines of the guide (Saving) for a pipeline of images: the probabilities; as a `pyfunc`: the labels"""
    pipeline, images = of_images()
    page = Path(__file__).parents[2] / "docs" / "guide" / "saving.md"
    names = {"model": pipeline}
    exec(page.read_text(encoding="utf-8").partition("```py\n")[2].partition("```")[0], names)
    labels = mlflow.pyfunc.load_model(names["info"].model_uri).predict(images)
    close(labels, pipeline.predict(images))
    return close(names["same"].predict_proba(images), pipeline.predict_proba(images))


def limit_trusted_types():
    """Without `skops_trusted_types`, `log_model` refuses the model, and names its class"""
    for model, *_ in fitted():
        with refused("MlflowException", type(model).__name__):
            mlflow.sklearn.log_model(model, name="refused")


def fits():
    """`autolog`, the fit of a pipeline: parameters, accuracy and the model of the run"""
    X, y = two_classes()
    for classifier in classifiers():
        pipeline = make_pipeline(StandardScaler(), classifier)
        run, _ = _logged(pipeline)
        prefix = type(classifier).__name__.lower()
        for name, value in classifier.get_params().items():
            assert run.data.params[f"{prefix}__{name}"] == str(value), name
        close(run.data.metrics["training_score"], pipeline.score(X, y))
        again = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
        close(again.predict_proba(X), pipeline.predict_proba(X))


def limit_bare_fits():
    """`autolog` logs no fit of a bare classifier, since it only watches scikit-learn's own classes: use a pipeline"""
    for model in classifiers():
        run, _ = _logged(model)
        assert not run.data.params, run.data.params


def searched():
    """`autolog`, `VectorizedGridSearchCV`: best and mean scores of all candidates are those of `GridSearchCV`"""
    for vectorized, ordinary in searches():
        run, candidates = _logged(vectorized)
        ordinary.fit(*two_classes())
        close(run.data.metrics["best_cv_score"], ordinary.best_score_)
        logged = sorted(candidate.data.metrics["mean_test_score"] for candidate in candidates)
        close(logged, sorted(ordinary.cv_results_["mean_test_score"]))


def _again(model):
    info = mlflow.sklearn.log_model(model, name="model", skops_trusted_types=OWN_TYPES)
    return mlflow.sklearn.load_model(info.model_uri)


def _logged(model):
    """Fit a model while MLflow watches; return the run and its children."""
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        model.fit(*two_classes())
    mlflow.sklearn.autolog(disable=True)
    client = mlflow.MlflowClient()
    runs = client.search_runs([run.info.experiment_id])
    parent = "mlflow.parentRunId"
    return client.get_run(run.info.run_id), [r for r in runs if r.data.tags.get(parent) == run.info.run_id]
