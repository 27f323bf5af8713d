"""Every work beside every peer that is installed: ``python -m benchmarks``.

    --only NAME     one row (again and again for more); a prefix will do
    --quick         shorter runs, and what takes minutes is left out
    --resume        keep the rows that are there already
    --list          the names of the rows
    --out FOLDER    write benchmarks.md and benchmarks.svg there, of all rows that have been measured

Each row is kept as JSON under build/benchmarks as soon as it is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benchmarks import report
from benchmarks.machine import describe
from benchmarks.row import NAMES, Settings, measure_row

SLOW = ("sparse-qp-256", "sparse-qp-1024", "dense-qp-128-factor", "logistic-128", "compile-1000")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    parser.add_argument("--results", type=Path, default=Path("build/benchmarks"), metavar="FOLDER")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds a layer may take in all (120)")
    parser.add_argument("--memory", type=float, default=16.0, help="GiB a layer may take, 0 for no bound (16)")
    parser.add_argument("--nice", type=int, default=0, help="priority of the runs, as in nice(1) (0)")
    args = parser.parse_args()
    if args.list:
        print("\n".join(NAMES))
        return
    chosen: set[str] = set()
    for only in args.only:
        named = {only} if only in NAMES else {name for name in NAMES if name.startswith(only)}
        if not named:
            parser.error(f"no row is called {only!r}: see --list")
        chosen |= named
    names = [n for n in NAMES if (n in chosen if chosen else not (args.quick and n in SLOW))]
    if args.nice:
        os.nice(args.nice)
    args.results.mkdir(parents=True, exist_ok=True)
    (args.results / "machine.json").write_text(json.dumps(describe().as_dict(), indent=1))
    settings = Settings(0.7 if args.quick else 3.0, args.patience, args.memory)
    for position, name in enumerate(names, 1):
        path = args.results / f"{name}.row.json"
        if args.resume and path.exists():
            continue
        start = time.perf_counter()
        print(f"[{position}/{len(names)}] {name}", file=sys.stderr, flush=True)
        row = measure_row(name, settings, lambda words: print(words, file=sys.stderr, flush=True))
        path.write_text(json.dumps(row, indent=1))
        print(f"  {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    rows = report.load(args.results, NAMES if args.out else names)
    machine = report.load_machine(args.results)
    print(report.summary(rows, machine))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        report.write(args.out, rows, machine, args.results)


if __name__ == "__main__":
    main()
