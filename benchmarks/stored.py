"""Data that is not in memory as floats: a step from files and bytes, wide data, a cluster of two workers."""

import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, LogisticRegressionGD, read_hdf5
from sknn_basic._descent import choice

from .ours import NUMPY, OURS, numpy_alone
from .report import Section, dot_chart, seconds, table, verdict
from .timing import added_bytes, in_turn, steps_in_turn

MIB = 2**20
RATE = 1e-4
IN_MEMORY = "float64 in memory"
FILE = """
import numpy as np
from sklearn.pipeline import make_pipeline
from sknn_basic import FlattenScaler, LogisticRegressionGD, read_hdf5
data = read_hdf5({path!r}, chunks="auto")
model = make_pipeline(FlattenScaler(), LogisticRegressionGD(1e-4, 3))
small = np.zeros((20, 64, 64, 3), np.uint8)
small[1::2] = 9
import dask.array
model.fit(dask.array.from_array(small), np.arange(20) % 2)  # loads what a fit imports and compiles
def job():
    model.fit(data.train_set_x, data.train_set_y)
"""


def run(quick=False):
    import dask.array as da

    lines = []
    m = 2000 if quick else 30_000
    with tempfile.TemporaryDirectory() as folder:
        images, y = pixels(m, (64, 64, 3))
        sources = write(Path(folder), images, y)
        lines += steps(images, y, sources, 1 if quick else 3)
        lines += memory(Path(folder), 2000 if quick else 100_000)
        lines += wide(Path(folder), *((300, 32) if quick else (3000, 128)))
    lines += cluster(da, *((20_000, 50) if quick else (8_000_000, 50)))
    return Section("Data that is not in memory", lines)


def pixels(m, shape):
    """Random images, of which one class is a little brighter."""
    rng = np.random.default_rng(0)
    y = np.arange(m) % 2
    images = rng.integers(0, 250, (m, *shape), np.uint8)
    images[1::2] += 5
    return images, y


def write(folder, images, y):
    """Return {name: images} of the same images in files."""
    import dask.array as da

    np.save(folder / "images.npy", images)
    chunks = (max(2**24 // (8 * images[0].size), 1), *images.shape[1:])
    layouts = {"HDF5 in one piece": None, "HDF5, a chunk an image": (1, *images.shape[1:])}
    sources = {"memmap": da.from_array(np.load(folder / "images.npy", mmap_mode="r"), chunks)}
    for i, (name, layout) in enumerate(layouts.items()):
        path = folder / f"{i}.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("train_set_x", data=images, chunks=layout)
            file["train_set_y"], file["test_set_x"], file["test_set_y"] = y, images[:2], y[:2]
            file["list_classes"] = [b"dark", b"bright"]
        sources[name] = read_hdf5(path, chunks="auto").train_set_x
    return sources | {"bytes in memory": da.from_array(images, chunks)}


def steps(images, y, sources, repeats):
    """A step from each source, with the compiled steps and without."""
    X = FlattenScaler().fit_transform(images)
    jobs = {}
    for name, source in {IN_MEMORY: X, **sources}.items():
        jobs[f"{name}, {OURS}"] = fit = partial(fit_steps, source, y)
        jobs[f"{name}, {NUMPY}"] = partial(in_numpy, fit)
    times, results = steps_in_turn(jobs, (2, 10), repeats)
    for result in results[10].values():
        np.testing.assert_allclose(result.coef_, results[10][f"{IN_MEMORY}, {OURS}"].coef_, rtol=1e-8)
    best, plain = times[f"{IN_MEMORY}, {OURS}"], times[f"{IN_MEMORY}, {NUMPY}"]
    rows = [
        [name, seconds(times[f"{name}, {OURS}"]), ratio2(times[f"{name}, {OURS}"] / best),
         seconds(times[f"{name}, {NUMPY}"]), ratio2(times[f"{name}, {NUMPY}"] / plain)]
        for name in (IN_MEMORY, *sources)
    ]  # fmt: skip
    lines = [f"A step of logistic regression on {len(X):,} images of 64 x 64 x 3 bytes:", ""]
    lines += table(["", OURS, "of in memory", NUMPY, "of in memory"], rows)
    bounds = {"memmap": 1.5, "HDF5, a chunk an image": 2.2, "bytes in memory": 1.2}
    lines += [
        verdict(
            f"{name}: a step of NumPy alone, of that on floats in memory",
            times[f"{name}, {NUMPY}"] / plain,
            bound,
            False,
        )
        for name, bound in bounds.items()
    ]
    name = "bytes in memory"
    lines += [
        verdict(
            f"{name}: a compiled step, of that on floats in memory",
            times[f"{name}, {OURS}"] / best,
            0.5,
            False,
        ),
        "",
    ]
    dot_chart("stored.png", {"A step": times}, lambda name: name.endswith(OURS), "seconds a step")
    return [*lines, "![Seconds a step, of images in memory and in files](images/stored.png)", ""]


def ratio2(value):
    return f"{value:.2f}"


def fit_steps(source, y, n_steps):
    if source.ndim == 2:
        return LogisticRegressionGD(RATE, n_steps).fit(source, y)
    return make_pipeline(FlattenScaler(), LogisticRegressionGD(RATE, n_steps)).fit(source, y)[-1]


def in_numpy(fit, n_steps):
    with numpy_alone():
        return fit(n_steps)


def memory(folder, m):
    """What a fit from a file adds to the process."""
    path = folder / "large.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        x = file.create_dataset("train_set_x", (m, 64, 64, 3), np.uint8, chunks=(1, 64, 64, 3))
        for start in range(0, m, 1000):
            x[start : start + 1000] = rng.integers(0, 255, (min(1000, m - start), 64, 64, 3), np.uint8)
        file["train_set_y"], file["test_set_x"], file["test_set_y"] = np.arange(m) % 2, x[:2], [0, 1]
        file["list_classes"] = [b"dark", b"bright"]
    added = added_bytes(FILE.format(path=str(path)))
    bound = 100 * MIB + 16 * m
    path.unlink()
    return [
        verdict(f"a fit from a file of {m * 12_288 / 1e9:.1f} GB adds {added / MIB:.0f} MiB: share of the bound",
                added / bound, 1.0, False),
        "",
    ]  # fmt: skip


def wide(folder, m, side):
    """2,000 steps on wide images in a file: on the Gram matrix, or reading the file at every step."""
    images, y = pixels(m, (side, side, 3))
    sources = write(folder, images, y)
    lines, few = [], (2, 6)
    for name in ("HDF5, a chunk an image", "bytes in memory"):
        with streaming():
            times, _ = steps_in_turn({"": partial(fit_steps, sources[name], y)}, few, 1)
        gram, _ = in_turn({"": partial(fit_steps, sources[name], y, 2000)}, 1)
        lines += [
            f"2,000 steps on {m:,} images of {side} x {side} x 3, {name}: {seconds(gram[''])}; read at every step "
            f"{seconds(2000 * times[''])} (from {few[1] - few[0]} steps).",
            "",
            verdict(
                f"wide, {name}: times faster than reading at every step", 2000 * times[""] / gram[""], 20
            ),
            "",
        ]
    return lines


@contextmanager
def streaming():
    with patch.object(choice, "prefers_gram", lambda *args: False):
        yield


def cluster(da, m, n):
    """A step on two workers of one thread, of that of two threads in memory; and what a step takes at least."""
    from distributed import Client, LocalCluster, wait

    random = da.random.RandomState(0)
    X_da = random.standard_normal((m, n), chunks=(-(-m // 64), n))
    X = X_da.compute()
    y = (X[:, 0] + np.random.default_rng(0).standard_normal(m) > 0).astype(int)
    times = steps_in_turn({"memory": partial(fit_steps, X, y)}, (5, 45), 3)[0]
    del X
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local, Client(local):
        for n_chunks in (8, 64, 512):
            samples = X_da.rechunk((-(-m // n_chunks), n)).persist()
            wait(samples)
            times |= steps_in_turn({n_chunks: partial(fit_steps, samples, y)}, (5, 45), 3)[0]
            del samples
        small = da.from_array(np.ones((1000, n)), (100, n))
        floor = steps_in_turn({"": partial(fit_steps, small, y[:1000])}, (5, 105), 3)[0][""]
    return [
        f"A step on {m:,} x {n} takes {seconds(times['memory'])} in memory; on a cluster of two workers of one thread "
        + ", ".join(f"{seconds(times[k])} in {k} chunks" for k in (8, 64, 512))
        + f"; on 1,000 x {n}, {seconds(floor)}.",
        "",
        verdict(
            "cluster: a step (64 chunks), of that on two threads in memory",
            times[64] / times["memory"],
            1.3,
            False,
        ),
        verdict("cluster: milliseconds of a step on little data", 1e3 * floor, 12, False),
        verdict("cluster: 512 chunks, of the time of 8", times[512] / times[8], 1.2, False),
        "",
    ]
