"""The notes' programming assignment (section 1.2.2) as a command: ``python -m sknn_basic``."""

import argparse
import logging
import os
import sys
import warnings
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from math import inf
from time import perf_counter

import numpy as np
from sklearn import config_context
from sklearn.pipeline import make_pipeline

from . import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    __version__,
    load_photo_patches,
    read_hdf5,
)
from ._descent.activations import ACTIVATIONS
from ._display.report import check_report, write_report
from ._files.text import printable, short_name
from ._fitting.callbacks import make_progress_bar
from ._fitting.messages import FitInterruptedWarning, logger
from ._lazy.memory import share_of_memory
from ._lazy.sources import computed

# Images that would take more than this share of the memory, as floats of 8 bytes, are not read as a whole.
# Their number of bytes is taken to be that of the file, although it may be compressed.
MEMORY_SHARE, FLOATS_PER_BYTE = 1 / 2, 8
N_NAMES = 20  # classes that are named, in one line
MESSAGE_LENGTH = 2000  # characters of an error or a warning, since it may quote long names of a file


def main(argv=None):
    """Run the command with the arguments `argv` (default: `sys.argv[1:]`)."""
    parser = _make_parser()
    argv = sys.argv[1:] if argv is None else argv
    options = parser.parse_intermixed_args(argv[1:] if argv[:1] == ["train"] else argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a class name that the terminal cannot show
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            _train(options)
    except BrokenPipeError:  # the reader has closed the pipe, such as | head
        sys.stdout = None  # or Python would write what is left at exit, and fail again
    except KeyboardInterrupt:
        sys.exit(130)
    except MemoryError as error:
        parser.error(f"not enough memory: {error}")
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))


def _say(*lines):
    """Print lines that may hold text from files, at once: a full disk is told before training."""
    print(*map(printable, lines), sep="\n", flush=True)


class _CostPrinter(logging.Handler):
    """Prints what `verbose` would, but calls the validation samples of a report what they are: the test set.

    A logging.StreamHandler would print a traceback where the reader has closed the pipe.
    """

    def emit(self, record):
        print(record.getMessage().replace(" (validation: ", " (test: "))


def _show_warning(message, *where):
    text = str(message).partition(" With warm_start")[0]  # advice for those who write Python
    print(f"sknn-basic: warning: {_one_line(text)}", file=sys.stderr)


def _one_line(message):
    text = printable(" ".join(str(message).split()))
    return text if len(text) <= MESSAGE_LENGTH else f"{text[:MESSAGE_LENGTH]}..."


def _train(options):
    if options.plot is not None:
        check_report(options.plot)
    progress_bars = [make_progress_bar()] if options.progress else []
    if options.file is None:
        data, source = load_photo_patches(), "the bundled photo patches"
    else:
        data = _read(options)
        source = " and ".join(filter(None, [options.file, options.test_file]))
    names = ", ".join(f"{label} = {short_name(name)}" for label, name in enumerate(data.classes[:N_NAMES]))
    if len(data.classes) > N_NAMES:
        names += f" and {len(data.classes) - N_NAMES} more"
    _say(
        f"Images: {source}",
        f"Training set: {data.train_set_x.shape}; test set: {data.test_set_x.shape}; classes: {names}",
    )
    models = []
    for name in ("logistic", "shallow") if options.model == "both" else (options.model,):
        classifier = _make_classifier(name, options)
        _say("", *repr(classifier).splitlines())
        try:
            models.append(_fit(classifier, data, progress_bars, is_validated=options.plot is not None))
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
    if options.plot is not None:
        write_report(models, data, options.plot)
        _say("", f"report: {options.plot}")


def _read(options):
    """Read the file; its images block by block at every step if asked for, or if memory may not suffice."""
    files = [file for file in (options.file, options.test_file) if file]
    n_bytes = sum(os.path.getsize(file) for file in files if os.path.isfile(file))  # noqa: PTH113, PTH202
    n_bytes *= FLOATS_PER_BYTE
    is_large = n_bytes > share_of_memory(MEMORY_SHARE, n_bytes)
    out_of_core = options.out_of_core or (is_large and find_spec("dask") is not None)
    return read_hdf5(*files, chunks="auto" if out_of_core else None)


def _make_classifier(name, options):
    shared = {
        "learning_rate": options.learning_rate,
        "max_iter": options.max_iter,
        "l2_regularization": options.l2_regularization,
        "record_every": options.record_every or "auto",  # which prints every 100th cost, as the notes do
    }
    if name == "logistic":
        return LogisticRegressionGD(**shared)
    return ShallowNNClassifier(
        options.hidden_layer_size, options.activation, random_state=options.random_state, **shared
    )


def _fit(classifier, data, progress_bars, is_validated):
    """Fit on the training set, print warnings, accuracies and time, and return the model."""
    with config_context(enable_metadata_routing=True):
        classifier.set_fit_request(X_val=True, y_val=True)
        model = make_pipeline(FlattenScaler(), classifier, transform_input=["X_val"])
        if progress_bars:
            model.set_callbacks(*progress_bars)
        is_known = np.isin(data.test_set_y, data.train_set_y)
        validation = {}
        if is_validated and is_known.any():
            validation = {"X_val": data.test_set_x[is_known], "y_val": data.test_set_y[is_known]}
        start = perf_counter()
        printer, level = _CostPrinter(), logger.level
        printer.addFilter(lambda record: not hasattr(record, "is_end"))
        logger.addHandler(printer)
        logger.setLevel(logging.INFO)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model.fit(data.train_set_x, data.train_set_y, **validation)
        finally:
            logger.setLevel(level)
            logger.removeHandler(printer)
        seconds = perf_counter() - start
    for warning in caught:
        _show_warning(warning.message)
    _say(
        f"train accuracy: {_accuracy(model, data.train_set_x, data.train_set_y)} %",
        f"test accuracy: {_accuracy(model, data.test_set_x, data.test_set_y)} %",
        f"trained in {seconds:.2f} s",
    )
    if any(warning.category is FitInterruptedWarning for warning in caught):
        raise KeyboardInterrupt
    return model


def _accuracy(model, X, y):
    """Return the accuracy in percent, in the notes' order of operations, to agree to the last digit."""
    return 100 - np.mean(computed(model.predict(X)) != y) * 100


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: error: {_one_line(message)}\n")


def _make_parser():
    parser = _OneLineParser(
        prog="sknn-basic",
        usage="%(prog)s [train] [FILE [TEST_FILE]] [options]",
        description="Train logistic regression and the one-hidden-layer network on images by gradient "
        "descent, print costs and accuracies. Without arguments: both on the bundled images, as in the "
        "notes' assignment.",
        epilog="The word train may be left out. A file of that name is ./train.",
    )
    add, number = parser.add_argument, partial(_add_number, parser)
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add("file", nargs="?", metavar="FILE", help="HDF5 file in the notes' layout (default: bundled images)")
    add("test_file", nargs="?", metavar="TEST_FILE", help="HDF5 file with the test set, if FILE has none")
    models = ["logistic", "shallow", "both"]
    add("--model", choices=models, default="both", help="what to train (%(default)s)")
    text = "size of a step, such as the notes' 0.005; auto suits the images"
    number("--learning-rate", _learning_rate, 0.005, "RATE", text)
    number("--max-iter", _positive_int, 2000, "N", "number of steps")
    number("--hidden-layer-size", _positive_int, 10, "N", "units of the hidden layer; shallow only")
    text = "activation of the hidden layer; shallow only (%(default)s)"
    add("--activation", choices=ACTIVATIONS, default="tanh", help=text)
    number("--l2-regularization", _penalty, 0.0, "L2", "l2 of l2/2 ||W||^2")
    number("--random-state", _seed, 0, "SEED", "seed of the initial weights; shallow only")
    text = "steps from one printed, and drawn, cost to the next"
    number("--record-every", _positive_int, None, "N", text, said="100, and more drawn")
    add(
        "--plot",
        metavar="REPORT",
        help="draw cost curves (the test set's too), confusion matrices, weights and mistakes in this "
        "file, such as report.png; needs the extra plots",
    )
    add(
        "--out-of-core",
        action="store_true",
        help="read the images block by block at each step, as is done anyway if they may not fit in memory; "
        "needs the extra dask",
    )
    add("--progress", action="store_true", help="show progress bars; needs the extra progress")
    return parser


def _add_number(parser, option, kind, default, metavar, text, said="%(default)s"):
    """Add an option that takes a number, and say its default."""
    parser.add_argument(option, type=kind, default=default, metavar=metavar, help=f"{text} ({said})")


def _number(kind, is_valid, expected, text):
    """Return `text` as a number of a type, or tell argparse what was expected."""
    with suppress(ValueError):
        number = kind(text)
        if is_valid(number):
            return number
    raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")


_positive_int = partial(_number, int, lambda number: number >= 1, "an integer of at least 1")
_seed = partial(_number, int, lambda number: 0 <= number < 2**32, "an integer from 0 to 2^32 - 1")
_penalty = partial(_number, float, lambda number: 0 <= number < inf, "a number of at least 0")
_rate = partial(_number, float, lambda number: 0 < number < inf, "auto or a number above 0")


def _learning_rate(text):
    return text if text == "auto" else _rate(text)


if __name__ == "__main__":
    main()
