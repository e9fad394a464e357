"""The command: the notes' assignment, on the bundled images and on files."""

import io
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from models import images
from sknn_basic import LogisticRegressionGD, __version__, load_photo_patches, write_hdf5
from sknn_basic.__main__ import main

NOTES_COSTS = """
    0.693147 0.584508 0.466949 0.376007 0.331463 0.303273 0.279880 0.260042 0.242941 0.228004
    0.214820 0.203078 0.192544 0.183033 0.174399 0.166521 0.159305 0.152667 0.146542 0.140872
""".split()


def write_small(path, names=("dark", "light")):
    """Write small images of classes of these names, in training and test set."""
    X, y = images(len(names), 30, (4, 5), 80, 80)
    X = X.astype(np.uint8)
    write_hdf5(path, X[:20], y[:20], X[20:], y[20:], names)


def printed(capsys, *argv):
    """Run the command, which shall print nothing on standard error; return its standard output."""
    main([str(argument) for argument in argv])
    out, error = capsys.readouterr()
    assert error == ""
    return out


def fails(capsys, *argv):
    """Run the command with bad arguments; return its one line on standard error."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in argv])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_notes_assignment(cats_folder, capsys):
    """On the cats: the notes' twenty costs and both accuracies, character for character."""
    files = [str(cats_folder / f"{name}_catvnoncat.h5") for name in ("train", "test")]
    lines = printed(capsys, "train", *files, "--model", "logistic").splitlines()
    expected = [f"Cost after iteration {100 * i}: {cost}" for i, cost in enumerate(NOTES_COSTS)]
    start = lines.index(expected[0])
    assert lines[start : start + 20] == expected
    assert lines[start + 20] == "train accuracy: 99.04306220095694 %"
    assert lines[start + 21] == "test accuracy: 70.0 %"
    assert "(209, 64, 64, 3)" in lines[1]
    assert "(50, 64, 64, 3)" in lines[1]
    assert "0 = non-cat, 1 = cat" in lines[1]


def test_options_reach_the_classifiers(tmp_path, capsys):
    """Each option is a parameter of what is trained."""
    write_small(tmp_path / "small.h5")
    given = (
        "--learning-rate 0.01 --max-iter 4 --hidden-layer-size 3 --activation relu "
        "--l2-regularization 0.5 --random-state 7 --record-every 2"
    )
    out = printed(capsys, "train", tmp_path / "small.h5", *given.split())
    words = given.removeprefix("--").replace("relu", "'relu'").split(" --")
    for parameter in [word.replace("-", "_").replace(" ", "=") for word in words if "record" not in word]:
        assert parameter in out
    costs = [line.split(":")[0] for line in out.splitlines() if line.startswith("Cost")]
    assert costs == ["Cost after iteration 0", "Cost after iteration 2"] * 2
    for name, other in (("shallow", "LogisticRegressionGD"), ("logistic", "ShallowNNClassifier")):
        assert other in out
        assert other not in printed(capsys, tmp_path / "small.h5", *given.split(), "--model", name)


def test_own_file_with_three_classes(tmp_path, capsys):
    """A file of the user's own: other shapes, more classes."""
    write_small(tmp_path / "mine.h5", ["dark", "light", "grey"])
    out = printed(capsys, "train", tmp_path / "mine.h5", "--max-iter", 50, "--learning-rate", 0.05)
    assert "0 = dark, 1 = light, 2 = grey" in out
    assert out.count("train accuracy: ") == 2


def test_bad_files_end_in_one_line(tmp_path, capsys):
    names = "none.h5 text.h5 folder one_class.h5".split()
    (tmp_path / "text.h5").write_text("not HDF5")
    (tmp_path / "folder").mkdir()
    write_hdf5(tmp_path / "one_class.h5", *[np.ones((2, 3, 3), np.uint8), [0, 0]] * 2, ["this", "that"])
    for path in [tmp_path / name for name in names]:
        assert str(path) in fails(capsys, "train", path)
    assert "trian does not exist: expected an HDF5 file" in fails(capsys, "trian")  # a mistyped command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--learning-rate 0", "argument --learning-rate: expected auto or a number above 0, got '0'"),
        ("--learning-rate nan", "got 'nan'"),
        ("--learning-rate fast", "got 'fast'"),
        ("--model shallow --hidden-layer-size 1000000000000", "memory"),
        ("--max-iter 0", "argument --max-iter: expected an integer of at least 1, got '0'"),
        ("--max-iter 1.5", "got '1.5'"),
        ("--hidden-layer-size -3", "got '-3'"),
        ("--record-every 0", "argument --record-every"),
        ("--l2-regularization -1", "expected a number of at least 0"),
        ("--random-state -1", "argument --random-state"),
        ("--activation step", "invalid choice: 'step'"),
        ("--model svm", "invalid choice: 'svm'"),
        ("--colour=red", "unrecognized arguments: --colour=red"),
    ],
)
def test_bad_options_end_in_one_line(options, message, capsys):
    assert message in fails(capsys, "train", *options.split())
    assert message in fails(capsys, *options.split())


@pytest.mark.parametrize(
    "arguments",
    [
        "--max-iter 3 --model both --learning-rate auto",
        "--max-iter 3 all.h5 --model logistic",
        "--max-iter 3 --model logistic all.h5 all.h5",
        "all.h5 all.h5 --model=logistic --max-iter=3",
        "all.h5 --max-iter 3 all.h5 --model logistic",
    ],
)
def test_train_may_be_left_out(arguments, tmp_path, monkeypatch, capsys):
    """With files and options in any order, what is printed is the same but for the time."""
    monkeypatch.chdir(tmp_path)
    write_small("all.h5")
    both = [printed(capsys, *argv) for argv in (["train", *arguments.split()], arguments.split())]
    with_it, without = (re.sub(r"trained in .* s|Preparing .*\n", "", out) for out in both)
    assert with_it == without
    files = " and ".join(["all.h5"] * arguments.count("all.h5")) or "the bundled photo patches"
    assert without.startswith(f"Images: {files}\n")
    assert "max_iter=3" in without


@pytest.mark.parametrize("argv", [["./train"], ["train", "train"]])
def test_a_file_that_is_called_train(argv, tmp_path, monkeypatch, capsys):
    """The word alone is the command; as ./train, or after that word, it is the file."""
    monkeypatch.chdir(tmp_path)
    write_small("train")
    assert re.match(r"Images: (\./)?train\n", printed(capsys, *argv, "--max-iter=1"))
    out = printed(capsys, "train", "--max-iter=1", "--learning-rate=0.001")
    assert out.startswith("Images: the bundled photo patches\n")


@pytest.mark.filterwarnings("default")
def test_divergence_is_one_line(capsys):
    """A rate that is too large is told on standard error; the command still ends well."""
    main(["train", "--model", "logistic", "--learning-rate", "100", "--max-iter", "5"])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("sknn-basic: warning: Gradient descent")


def test_plot_draws_a_report(tmp_path, capsys):
    """Costs, of the test set beside, and accuracies are those of a model fitted by hand on images / 255."""
    pytest.importorskip("matplotlib.pyplot")
    path = tmp_path / "report.png"
    argv = "train", "--model=logistic", "--max-iter=20", "--record-every=10", "--learning-rate=0.001"
    out = printed(capsys, *argv, "--plot", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert out.splitlines()[-1] == f"report: {path}"
    x, y, x_test, y_test, _ = load_photo_patches()
    X, X_test = x.reshape(len(x), -1) / 255, x_test.reshape(len(x_test), -1) / 255
    model = LogisticRegressionGD(0.001, 20, record_every=10).fit(X, y, X_val=X_test, y_val=y_test)
    for step, cost, beside in zip((0, 10), model.loss_curve_, model.validation_loss_curve_, strict=True):
        assert f"Cost after iteration {step}: {cost:f} (test: {beside:f})" in out
    accuracies = [float(number) for number in re.findall(r"accuracy: (.*) %", out)]
    expected = [100 * model.score(X, y), 100 * model.score(X_test, y_test)]
    np.testing.assert_allclose(accuracies, expected, rtol=1e-12)


def test_plot_of_a_test_set_with_more_classes(tmp_path, capsys):
    """Images of a class that the training set lacks are mistakes, and have no cost."""
    pytest.importorskip("matplotlib.pyplot")
    X, y = np.arange(120).reshape(10, 3, 4).astype(np.uint8), np.arange(10) % 2
    path, options = tmp_path / "more.h5", ["--model=logistic", "--max-iter=5", "--plot", tmp_path / "r.png"]
    write_hdf5(path, X, y, X[:6], np.arange(6) % 3, ["a", "b", "c"])
    assert "(test: 0.693147)" in printed(capsys, "train", path, *options)
    write_hdf5(path, X, y, X[:6], np.full(6, 2), ["a", "b", "c"], overwrite=True)
    out = printed(capsys, "train", path, *options)
    assert "(test: " not in out
    assert "test accuracy: 0.0 %" in out


@pytest.mark.parametrize("name", ["report.txt", "none/report.png", ""])
def test_a_report_that_cannot_be_written_is_told_before_training(name, tmp_path, capsys):
    pytest.importorskip("matplotlib.pyplot")
    error = fails(capsys, "train", "--plot", tmp_path / name if name else "")
    assert name.replace("/", os.sep) in error


@pytest.mark.parametrize(
    ("option", "package", "extra"),
    [("--plot=report.png", "matplotlib", "plots"), ("--progress", "rich", "progress")],
)
def test_missing_extras_end_in_one_line(option, package, extra, monkeypatch, capsys):
    for name in [n for n in sys.modules if n.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert f"python -m pip install 'sknn-basic[{extra}]'" in fails(capsys, "train", option)


def test_progress_shows_bars(capsys, monkeypatch):
    pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "150")
    out = printed(capsys, "train", "--max-iter", "20", "--progress")
    for name in ("LogisticRegressionGD - fit", "ShallowNNClassifier - fit"):
        assert any(name in line and "100%" in line for line in out.splitlines())


@pytest.mark.interrupts
def test_an_interruption_shows_what_was_reached(monkeypatch, capsys):
    """Ctrl-C: the accuracies of the weights reached, no second model, exit code 130."""

    def interrupt(step, *costs):
        if step == 300:
            raise KeyboardInterrupt

    monkeypatch.setattr("sknn_basic._fitting.base.log_cost", interrupt)
    with pytest.raises(SystemExit) as exit_:
        main(["train"])
    assert exit_.value.code == 130
    out, error = capsys.readouterr()
    assert "weights of step 300 of 2000" in error
    assert out.count("test accuracy: ") == 1
    assert "ShallowNNClassifier" not in out


def test_help_and_version(capsys):
    for argv, expected in (
        (["--help"], "[train] [FILE [TEST_FILE]] [options]"),
        (["--help"], "--l2-regularization"),
        (["train", "--help"], "--l2-regularization"),
        (["--version"], f"sknn-basic {__version__}\n"),
    ):
        with pytest.raises(SystemExit) as exit_:
            main(argv)
        assert exit_.value.code == 0
        assert expected in capsys.readouterr().out


ODD_NAMES = ["\x1b[2J\x1b]0;title\x07", "\r\ngone", "\u202egnp.\u2066", "\x9b31m", "a" * 10**5]


def is_shown(text):
    """Whether text has only what a terminal shows, in lines that fit on a screen."""
    return all(line.isprintable() and len(line) < 3000 for line in text.split("\n"))


def test_names_of_classes_and_files_are_escaped_and_shortened(tmp_path, monkeypatch, capsys):
    """Escape sequences, new lines, reversed text, a name of 100,000 letters: shown, but not obeyed."""
    monkeypatch.chdir(tmp_path)
    name = "odd.h5" if os.name == "nt" else "\x1b[2Jodd\n\u202e.h5"
    write_small(name, ODD_NAMES)
    out = printed(capsys, name, "--max-iter", "1")
    assert is_shown(out)
    shown = r"0 = \x1b[2J\x1b]0;title\x07, 1 = \r\ngone, 2 = \u202egnp.\u2066, 3 = \x9b31m, 4 = aaaaaaa"
    assert f"classes: {shown}" in out.splitlines()[1]
    write_small("many.h5", np.resize(ODD_NAMES, 100))
    out = printed(capsys, "many.h5", "--max-iter", "1", "--model", "logistic")
    assert is_shown(out)
    assert "19 = aaa" in out
    assert "... and 80 more\n" in out
    for argument in ("\x1b[2J\u202e.h5", "--\x1b[2J", "--max-iter=\x1b[2J", "a" * 10**5, "\udcff\x85"):
        assert is_shown(fails(capsys, argument))
    broken = "odd.h5" if os.name == "nt" else "\x9b\x07.h5"
    Path(broken).write_text("text")
    assert is_shown(fails(capsys, broken))


@pytest.mark.filterwarnings("default")
def test_warnings_are_lines_without_control_characters(tmp_path, monkeypatch, capsys):
    """From the reading of files too, not only from the fits."""

    def read(*paths, chunks):
        warnings.warn("odd \x1b[2J\nname", UserWarning, stacklevel=2)
        return load_photo_patches()

    monkeypatch.setattr("sknn_basic.__main__.read_hdf5", read)
    main(["file.h5", "--max-iter", "1", "--learning-rate", "0.001"])
    assert capsys.readouterr().err == "sknn-basic: warning: odd \\x1b[2J name\n"


def test_output_to_what_is_no_file(monkeypatch):
    """Such as the output of a notebook, which cannot be reconfigured."""
    monkeypatch.setattr("sys.stdout", io.StringIO())
    main(["--max-iter", "1"])
    assert "train accuracy" in sys.stdout.getvalue()


def test_a_reader_that_closes_the_pipe_ends_the_command_quietly():
    """As `python -m sknn_basic | head -n 1` does: no traceback on standard error."""
    command = [sys.executable, "-m", "sknn_basic", "--model=logistic", "--max-iter=2", "--learning-rate=auto"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline().startswith(b"Images: ")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(timeout=300) == 0


def test_default_command(capsys):
    """Everything on the bundled images, and not a warning."""
    out = printed(capsys)
    assert out.count("Cost after iteration 1900: ") == 2
    assert "train accuracy: 100.0 %" in out
    assert "(209, 64, 64, 3)" in out
    assert "0 = temple, 1 = flower" in out


@pytest.mark.parametrize("asked", [True, False])
def test_images_that_may_not_fit_in_memory(asked, tmp_path, monkeypatch, capsys):
    """Read block by block if asked for, or if the file is large: the same costs, and a report."""
    pytest.importorskip("dask.array")
    pytest.importorskip("matplotlib")
    write_small(tmp_path / "x.h5")
    options = [tmp_path / "x.h5", "--model=logistic", "--max-iter=30", "--record-every=10"]
    expected = printed(capsys, *options)
    if asked:
        options += ["--out-of-core", "--plot", tmp_path / "r.png"]
    else:
        monkeypatch.setattr("sknn_basic.__main__.share_of_memory", lambda share, n_bytes: 10**4)
    out = re.sub(r" \(test: .*\)", "", printed(capsys, *options))  # which a report shows
    assert "for its Gram matrix" in out or "at each step" in out
    for line in expected.splitlines():
        assert line in out.splitlines() or "trained in" in line
    assert (tmp_path / "r.png").exists() == asked
