"""Models that skl2onnx has converted, for the runtimes that read them."""

import numpy as np
import skl2onnx

from .models import close, fitted, of_images


def exported():
    """Return (model, bytes of its ONNX form, rows) in float32 and float64, on two classes and three, and of images."""
    found = []
    for precision in (np.float32, np.float64):
        for model, X, _ in fitted():
            rows = X.astype(precision)
            found.append((model, skl2onnx.to_onnx(model, rows[:1]).SerializeToString(), rows))
    pipeline, images = of_images()
    return [*found, (pipeline, skl2onnx.to_onnx(pipeline, images[:1]).SerializeToString(), images)]


def compared(run):
    """Require of `run(bytes, rows)` the labels of each model, and its probabilities to float32; return how far apart."""
    apart = []
    for model, content, rows in exported():
        labels, probabilities = run(content, rows)
        assert np.array_equal(np.asarray(labels).astype(model.classes_.dtype), model.predict(rows))
        apart.append(close(probabilities, model.predict_proba(rows), 1e-5))
    return max(apart)


def tails(run):
    """Require the relative precision of float32 of the probabilities of rows far from the boundary."""
    apart = []
    for model, content, rows in exported()[:4]:
        _, found = run(content, rows * 5)
        expected = model.predict_proba(rows * 5)
        is_normal = expected > 1e-30
        apart.append(close(found[is_normal] / expected[is_normal], np.ones(is_normal.sum()), 1e-3))
    return max(apart)
