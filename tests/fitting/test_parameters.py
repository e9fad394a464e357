"""Parameters that users try and that do not exist are answered with what to pass instead."""

import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV

ANSWERS = {
    "num_iterations": "Pass max_iter",
    "alpha": "Pass learning_rate",
    "n_h": "The size of the hidden layer is hidden_layer_size",
    "epochs": "Pass max_iter",
    "C": "Pass l2_regularization",
}


@pytest.mark.parametrize("kind", [LogisticRegressionGD, ShallowNNClassifier])
@pytest.mark.parametrize(("theirs", "ours"), ANSWERS.items())
def test_the_names_of_the_notes(kind, theirs, ours):
    """In `set_params`, in a pipeline and in a search."""
    with pytest.raises(ValueError, match=rf"Invalid parameter '{theirs}'.*{ours}"):
        kind().set_params(**{theirs: 4})
    pipeline = make_pipeline(StandardScaler(), kind())
    name = f"{kind.__name__.lower()}__{theirs}"
    with pytest.raises(ValueError, match=ours):
        pipeline.set_params(**{name: 4})
    with pytest.raises(ValueError, match=ours):
        GridSearchCV(pipeline, {name: [4]}, cv=2).fit(*blobs())


def test_a_search_has_no_n_jobs():
    """The reason is given; GridSearchCV has it."""
    search = VectorizedGridSearchCV(LogisticRegressionGD(), {"learning_rate": [1]})
    with pytest.raises(ValueError, match=r"(?s)n_jobs.*one descent.*GridSearchCV"):
        search.set_params(n_jobs=2)


@pytest.mark.parametrize("name", ["max_itr", "alpha"])
def test_a_class_refuses_unknown_names_as_any_class(name):
    """Nothing of this package runs before `__init__`, which is called at every clone."""
    for kind, arguments in ((LogisticRegressionGD, []), (VectorizedGridSearchCV, [None, {}])):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            kind(*arguments, **{name: 3})
    with pytest.raises(ValueError, match=r"Valid parameters are: \[.*\]\.$"):
        LogisticRegressionGD().set_params(max_itr=3)


def test_a_subclass_may_have_such_a_parameter():
    class Elastic(LogisticRegressionGD):
        def __init__(self, alpha=1.0):
            super().__init__()
            self.alpha = alpha

    assert Elastic(alpha=3).get_params()["alpha"] == 3
    assert Elastic().set_params(alpha=2).alpha == 2
