"""A search by compiled steps trains each candidate to the bits of a single fit, at any rate."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from engines import engine_of
from models import blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV

MODELS = [LogisticRegressionGD(max_iter=60), ShallowNNClassifier(4, max_iter=60, random_state=0)]


@pytest.mark.parametrize("model", MODELS, ids=["logistic", "shallow"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("m", "n"), [(61, 3), (61, 9), (90, 40), (60, 300)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
def test_results_have_the_bits_of_single_fits(model, n_classes, m, n, dtype):
    """Far above the stable rate too, where a descent is chaotic: rounding errors would show in the scores.

    Not on wide samples, since BLAS may add up a Gram matrix and a part of a larger one in another order.
    """
    if isinstance(model, ShallowNNClassifier) and (dtype is np.float32 or n > m):
        pytest.skip("networks in float32 are not compiled; a stack's Gram matrix is not that of a single fit")
    X, y = blobs(n_classes, m, n)
    rates = [0.01, 0.3, 3.0, 20.0, 100.0] if n <= m else [0.001, 0.01]
    grid = {"learning_rate": rates, "l2_regularization": [0.0, 0.1]}
    with engine_of("compiled"):
        found, expected = (
            kind(model, grid, cv=3, scoring="neg_log_loss").fit(X.astype(dtype), y).cv_results_
            for kind in (VectorizedGridSearchCV, GridSearchCV)
        )
    rtol = 1e-10 if dtype is np.float64 else 1e-5  # predictions are made of all members at once
    np.testing.assert_allclose(found["mean_test_score"], expected["mean_test_score"], rtol=rtol)
