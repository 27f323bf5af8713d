"""Tune a portfolio on real stock prices: check, compile, solve, differentiate, take gradient steps, draw a plot.

It is examples/portfolio/portfolio.py. Needs torch and matplotlib (pip install 'dpplang[torch,plot]').
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from dpplang.cli.usage import UsageError
from dpplang.core.resources import resource_dir


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", default="portfolio.png", help="where the plot goes (portfolio.png)")
    parser.add_argument("--steps", type=int, default=25, help="gradient steps (default 25)")


def run(args: argparse.Namespace) -> int:
    for package in ("torch", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"the demo needs {package}", "pip install 'dpplang[torch,plot]'")
    script = resource_dir("examples") / "portfolio" / "portfolio.py"
    spec = importlib.util.spec_from_file_location("portfolio", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["portfolio"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.main(plot=Path(args.out), steps=args.steps)
    return 0
