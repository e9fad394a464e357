"""The notes' programming assignment (section 1.2.2) as a command: ``python -m sknn_basic``."""

import argparse
import os
import sys
import warnings
from time import perf_counter

import numpy as np
from sklearn.pipeline import make_pipeline

from . import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    __version__,
    load_photo_patches,
    read_hdf5,
)
from ._network import ACTIVATIONS


def main(argv=None):
    """Run the command with the arguments `argv` (default: those of the process)."""
    parser = _make_parser()
    argv = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(argv or ["train"])
    if options.learning_rate == "auto" and options.model != "logistic":
        parser.error("argument --learning-rate: auto is for --model logistic only; give a number")
    try:
        _train(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough (| head): nothing more to say, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, ValueError) as error:
        parser.error(" ".join(str(error).split()))


def _train(options):
    if options.file is None:
        data, source = load_photo_patches(), "the bundled photo patches"
    else:
        data = read_hdf5(options.file, options.test_file)
        source = " and ".join(filter(None, [options.file, options.test_file]))
    names = ", ".join(f"{label} = {name}" for label, name in enumerate(data.classes))
    print(f"Images: {source}")
    print(f"Training set: {data.train_set_x.shape}; test set: {data.test_set_x.shape}; classes: {names}")
    for name in ("logistic", "shallow") if options.model == "both" else (options.model,):
        classifier = _make_classifier(name, options)
        print(f"\n{classifier}")
        _report(make_pipeline(FlattenScaler(), classifier), data)


def _make_classifier(name, options):
    shared = {
        "learning_rate": options.learning_rate,
        "max_iter": options.max_iter,
        "l2_regularization": options.l2_regularization,
        "record_every": options.record_every,
        "verbose": True,
    }
    if name == "logistic":
        return LogisticRegressionGD(**shared)
    return ShallowNNClassifier(
        options.hidden_layer_size, options.activation, random_state=options.random_state, **shared
    )


def _report(model, data):
    start = perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        model.fit(data.train_set_x, data.train_set_y)
    seconds = perf_counter() - start
    for warning in caught:
        print(f"sknn-basic: warning: {warning.message}", file=sys.stderr)
    print(f"train accuracy: {_accuracy(model, data.train_set_x, data.train_set_y)} %")
    print(f"test accuracy: {_accuracy(model, data.test_set_x, data.test_set_y)} %")
    print(f"trained in {seconds:.2f} s")


def _accuracy(model, X, y):
    """Return the percentage of right labels, in the notes' order of operations: to the last digit."""
    return 100 - np.mean(model.predict(X) != y) * 100


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}\n")


def _make_parser():
    parser = _OneLineParser(
        prog="sknn-basic",
        description="Logistic regression and the one-hidden-layer network by gradient descent. Without "
        "arguments: train both on the bundled images, as in the notes' assignment.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="train")
    train = commands.add_parser(
        "train",
        help="train on images, print costs and accuracies",
        description="Train on images, print costs and accuracies.",
    )
    add = train.add_argument
    add("file", nargs="?", metavar="FILE", help="HDF5 file in the notes' layout (default: bundled images)")
    add("test_file", nargs="?", metavar="TEST_FILE", help="HDF5 file with the test set, if FILE has none")
    add("--model", choices=["logistic", "shallow", "both"], default="both", help="default: %(default)s")
    add("--learning-rate", type=_learning_rate, default=0.005, help="or auto; default: %(default)s")
    add("--max-iter", type=_positive_int, default=2000, help="steps; default: %(default)s")
    add("--hidden-layer-size", type=_positive_int, default=10, help="hidden units; default: %(default)s")
    add("--activation", choices=ACTIVATIONS, default="tanh", help="default: %(default)s")
    add("--l2-regularization", type=_penalty, default=0.0, help="default: %(default)s")
    add("--random-state", type=_seed, default=0, help="seed of the network's weights; default: %(default)s")
    add(
        "--record-every",
        type=_positive_int,
        default=100,
        help="steps from cost to cost; default: %(default)s",
    )
    return parser


def _positive_int(text):
    return _checked(text, int, lambda number: number >= 1, "an integer of at least 1")


def _seed(text):
    return _checked(text, int, lambda number: 0 <= number < 2**32, "an integer from 0 to 2^32 - 1")


def _penalty(text):
    return _checked(text, float, lambda number: 0 <= number < float("inf"), "a number of at least 0")


def _learning_rate(text):
    if text == "auto":
        return text
    return _checked(text, float, lambda number: 0 < number < float("inf"), "auto or a number above 0")


def _checked(text, kind, is_valid, expected):
    """Return `text` as a `kind`, or tell argparse what was expected."""
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not is_valid(number):
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return number


if __name__ == "__main__":
    main()
