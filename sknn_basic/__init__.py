"""Logistic regression and the one-hidden-layer network by gradient descent, for scikit-learn."""

from ._base import FitInterruptedWarning
from ._classifiers import LogisticRegressionGD, ShallowNNClassifier
from ._datasets import load_photo_patches, read_hdf5, write_hdf5
from ._display.confusion_images import ConfusionImagesDisplay
from ._display.descent import DescentDisplay
from ._display.hidden_units import HiddenUnitsDisplay
from ._display.loss_contour import LossContourDisplay
from ._display.loss_curve import LossCurveDisplay
from ._display.weights import WeightsDisplay
from ._early_stopping import EarlyStopping
from ._image_folders import read_image, read_image_folder
from ._path import descent_path
from ._preprocessing import FlattenScaler
from ._propagate import propagate
from ._report import draw_report
from ._search import VectorizedGridSearchCV

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
    "write_hdf5",
]
