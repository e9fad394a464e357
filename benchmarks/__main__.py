"""Run every question and write RESULTS.md: ``python -m benchmarks``."""

import argparse
from datetime import date
from pathlib import Path
from time import perf_counter

from . import (
    callbacks,
    defaults,
    device,
    growth,
    hdf5,
    hidden,
    lessons,
    memory,
    microscope,
    one_thread,
    peers,
    peers_torch,
    pictures,
    report,
    search,
    small,
    solvers,
    stored,
    tall,
    units,
    wide,
)
from .report import IMAGES, seconds
from .timing import machine

QUESTIONS = {
    "wide": wide,
    "hidden": hidden,
    "tall": tall,
    "one-thread": one_thread,
    "units": units,
    "device": device,
    "small": small,
    "lessons": lessons,
    "search": search,
    "callbacks": callbacks,
    "growth": growth,
    "memory": memory,
    "solvers": solvers,
    "stored": stored,
    "hdf5": hdf5,
    "microscope": microscope,
    "pictures": pictures,
}
ON_REQUEST = {"defaults": defaults}  # of accuracies, not of times: only where it is named


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "questions",
        nargs="*",
        metavar="QUESTION",
        help=f"of {', '.join(QUESTIONS)}; default all. Only if named: {', '.join(ON_REQUEST)}",
    )
    parser.add_argument("--quick", action="store_true", help="smaller jobs, a few minutes; prints only")
    options = parser.parse_args()
    known = QUESTIONS | ON_REQUEST
    if unknown := set(options.questions) - set(known):
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(known)}")
    report.saving = not options.quick and not options.questions
    peers_torch.compiling = not options.quick
    peers.most_forms = 2 if options.quick else None
    start = perf_counter()
    lines = []
    for name in options.questions or QUESTIONS:
        begin = perf_counter()
        section = known[name].run(options.quick)
        lines += [f"## {section.title}", "", *section.lines]
        print("\n".join([f"## {section.title}", "", *section.lines]))
        print(f"{name}: {seconds(perf_counter() - begin)}", flush=True)
    print(f"All in {seconds(perf_counter() - start)}.")
    if options.quick:
        print("These were small jobs: what is met or missed above says nothing, run it without --quick.")
    if report.saving:
        write(lines, perf_counter() - start)


def write(lines, time):
    head = [
        "# Results",
        "",
        f"Of `python -m benchmarks`, {date.today()}, in one run of {time / 60:.0f} minutes. Repeat it with "
        '`python -m pip install ".[bench]"` and, for the notes\' own images, SKNN_BASIC_CATS set to their '
        "folder. Jobs of a table ran in turn in one process; every peer took the same steps and reached the "
        "same cost. Compilation (JAX) and conversion of the data are not counted for peers; our times are of "
        "the whole `fit`, checks included. Times of one machine: read the ratios.",
        "",
        *(f"* {fact}" for fact in machine()),
        "",
    ]
    path = Path(__file__).with_name("RESULTS.md")
    path.write_text("\n".join([*head, *lines]).rstrip() + "\n")
    print(f"Wrote {path} and {IMAGES}.")


if __name__ == "__main__":
    main()
