"""Logistic regression and the one-hidden-layer network by gradient descent, for scikit-learn."""

from ._classifiers import LogisticRegressionGD, ShallowNNClassifier
from ._display.confusion_images import ConfusionImagesDisplay
from ._display.descent_display import DescentDisplay
from ._display.hidden_units import HiddenUnitsDisplay
from ._display.loss_contour import LossContourDisplay
from ._display.loss_curve import LossCurveDisplay
from ._display.report import draw_report
from ._display.weights import WeightsDisplay
from ._files.datasets import load_photo_patches, read_hdf5, write_hdf5
from ._files.image_folders import read_image, read_image_folder
from ._fitting.descent_path import descent_path
from ._fitting.early_stopping import EarlyStopping
from ._fitting.fitted_weights import sharpness, vector_to_weights, weights_to_vector
from ._fitting.messages import FitInterruptedWarning
from ._fitting.on_record import OnRecord
from ._fitting.propagate import propagate
from ._preprocessing import FlattenScaler
from ._search.search import VectorizedGridSearchCV

__version__ = "0.1.0"
__all__ = [
    "ConfusionImagesDisplay",
    "DescentDisplay",
    "EarlyStopping",
    "FitInterruptedWarning",
    "FlattenScaler",
    "HiddenUnitsDisplay",
    "LogisticRegressionGD",
    "LossContourDisplay",
    "LossCurveDisplay",
    "OnRecord",
    "ShallowNNClassifier",
    "VectorizedGridSearchCV",
    "WeightsDisplay",
    "descent_path",
    "draw_report",
    "load_photo_patches",
    "propagate",
    "read_hdf5",
    "read_image",
    "read_image_folder",
    "sharpness",
    "vector_to_weights",
    "weights_to_vector",
    "write_hdf5",
]
