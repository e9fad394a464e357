"""Run this package inside others and check values: ``python -m benchmarks.works_with [NAME ...]``.

Each package gets a virtual environment of its own in a temporary folder. All of them take about 40 minutes, with some
gigabytes of downloads. What was found goes to works_with.json, beside that of other packages, and all of it to
WORKS_WITH.md, which the site shows.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from platform import python_version

ROOT = Path(__file__).parents[1]
BASE = ["scikit-learn==1.9.1", "numpy==2.4.6", "scipy==1.17.1", "numba==0.68.1"]
ONNX = ["skl2onnx==1.20.0", "onnx==1.23.2"]
PINS = {  # a file of `companions`, and what it needs: first the package itself, by pip (==) or by npm (@)
    "scikit_learn": BASE[:1],
    "mlflow": ["mlflow==3.17.2", "skops==0.16.0"],
    "skops": ["skops==0.16.0"],
    "imbalanced_learn": ["imbalanced-learn==0.14.2"],
    "shap": ["shap==0.51.0"],
    "fairlearn": ["fairlearn==0.15.0"],
    "mapie": ["mapie==1.6.0"],
    "cleanlab": ["cleanlab==2.9.0"],
    "optuna": ["optuna==5.0.0", "optuna-integration==5.0.0", "pandas==3.1.1"],
    "skrub": ["skrub==0.11.0"],
    "mlxtend": ["mlxtend==0.25.0"],
    "dask_ml": ["dask-ml==2025.1.0", "dask[array,distributed]==2026.8.0"],
    "ray": ["ray==2.60.0"],
    "openvino": ["openvino==2026.4.1", *ONNX],
    "onnxruntime_node": ["onnxruntime-node@1.30.0", *ONNX],
    "hummingbird": ["hummingbird-ml==0.4.12"],
    "m2cgen": ["m2cgen==0.10.0"],
    "yellowbrick": ["yellowbrick==1.5"],
}
FAILED = "**fails**"


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.works_with", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PINS)}; default all")
    names = parser.parse_args().names
    if unknown := set(names) - set(PINS):
        parser.error(f"no such package: {', '.join(unknown)}; there are {', '.join(PINS)}")
    found = {}
    for name in names or PINS:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            package = PINS[name][0].replace("==", " ").replace("@", " ")
            found[name] = [(package, *row) for row in outcomes(name, Path(folder))]
    write(found)
    sys.exit(any(result.startswith(FAILED) for rows in found.values() for _, _, result, _ in rows))


def outcomes(name, folder):
    """Return [what was checked, what came out, whether it is a limit] for a package, in a new environment."""
    if "@" in PINS[name][0] and not shutil.which("npm"):
        return [("", "not run: there is no npm", False)]
    try:
        python = install(PINS[name], folder)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "HOME": str(folder)}
        environment |= {"NODE_PATH": str(folder / "node_modules"), "NUMBA_CACHE_DIR": str(folder)}
        command = [python, "-m", "benchmarks.companions", name, "found.json"]
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=900)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return [("", f"{FAILED}: {error}", False)]
    return json.loads((folder / "found.json").read_text())


def install(pins, folder):
    """Install what a package needs into a folder; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    with_pip = [*BASE, *(pin for pin in pins if "@" not in pin), f"{ROOT}[fast]"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *with_pip], check=True)
    for pin in pins:
        if "@" in pin:  # without scripts: that of onnxruntime-node downloads the libraries for graphics cards
            npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, pin]
            subprocess.run(npm, check=True)
    return python


def write(found):
    """Write what was found, in place of what earlier runs found of the same packages."""
    path = Path(__file__).with_suffix(".json")
    known = json.loads(path.read_text(encoding="utf-8")) | found if path.exists() else found
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    lines = [
        f"Of `python -m benchmarks.works_with`, last on {date.today()}, with Python {python_version()}, "
        f'{", ".join(BASE).replace("==", " ")}. A result "to 3e-09" is the largest difference; "equal" means to the '
        "last bit.",
        *["", "## What was checked", "", *rows(known, is_limit=False)],
        *["", "## What does not work, and why", "", *rows(known, is_limit=True)],
    ]
    Path(__file__).with_name("WORKS_WITH.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def rows(known, is_limit):
    """Return the lines of a table of what works, or of what does not."""
    found = [row for name in PINS for row in known.get(name, []) if row[-1] == is_limit]
    head = ["| package | what was checked | result |", "|---|---|---|"]
    return [*head, *(f"| {package} | {law} | {result} |" for package, law, result, _ in found)]


if __name__ == "__main__":
    main()
