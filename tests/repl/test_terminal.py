"""`dpp repl` on a terminal, as a person types into it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect")

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][B0]?|\r")


class Terminal:
    """A session under a pseudo-terminal; what is on the screen is looked at without the escape codes."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "XDG_STATE_HOME": str(folder),
            **environment,
        }
        env.pop("NO_COLOR", None)
        env.update({k: v for k, v in environment.items() if k == "NO_COLOR"})
        self.process = pexpect.spawn(
            sys.executable, ["-m", "dpplang.cli", "repl", *arguments],
            env=env, cwd=str(folder), dimensions=(40, 120), encoding="utf-8", timeout=30,
        )  # fmt: skip
        self.seen = ""
        self.wait("dpp> ")

    def type(self, text: str) -> None:
        self.process.send(text)

    def enter(self, text: str) -> None:
        self.process.send(text + "\r")

    def wait(self, text: str) -> str:
        """Everything shown from the last wait up to this text."""
        shown = ""
        while text not in _CODES.sub("", shown):
            shown += self.process.read_nonblocking(4096, timeout=30)
        self.seen += shown
        return _CODES.sub("", shown)

    def leave(self) -> int:
        """Ctrl-D, again if it was typed before the prompt was there to read it."""
        for _ in range(10):
            self.process.sendeof()
            if self.process.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=2) == 0:
                break
        self.process.close()
        return int(self.process.exitstatus or 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.process.close(force=True)


def test_items_over_several_lines(terminal: Terminal) -> None:
    terminal.enter("var x[2]")
    terminal.wait("[2]    affine    variable")
    terminal.enter("minimize sum(")
    terminal.wait("...")
    terminal.enter("x)")
    terminal.wait("minimize  scalar    affine  DPP")
    assert "\x1b[1;32mDPP" in terminal.seen  # in colour
    assert terminal.leave() == 0


def test_an_empty_line_ends_what_is_never_finished(terminal: Terminal) -> None:
    terminal.enter("minimize sum(")
    terminal.wait("...")
    terminal.enter("")
    terminal.wait("is never closed")
    terminal.enter("find")
    terminal.wait("any feasible point")


def test_completion(terminal: Terminal) -> None:
    terminal.enter("var weights[3]")
    terminal.wait("variable")
    terminal.type("minimize log_sum_e\tweig\t")
    terminal.wait("minimize log_sum_exp(weights")
    terminal.enter(")")
    terminal.wait("minimize  scalar    convex  DPP")


def test_ctrl_c_gives_up_the_line_and_ctrl_d_leaves(terminal: Terminal) -> None:
    terminal.type("var y +")
    terminal.process.sendcontrol("c")
    terminal.enter("var x")
    terminal.wait("x  scalar    affine    variable")
    assert terminal.leave() == 0


def test_history_outlives_the_session(tmp_path: Path) -> None:
    first = Terminal(tmp_path)
    first.enter("var x[12345]")
    first.wait("variable")
    assert first.leave() == 0
    again = Terminal(tmp_path)
    again.type("\x1b[A")
    again.wait("var x[12345]")
    again.process.close(force=True)


def test_ctrl_c_stops_a_solve(tmp_path: Path) -> None:
    """One large enough to take minutes, in a solver that does not look up from its work."""
    (tmp_path / "big.dpp").write_text(
        "dim n\nparam A[n, n], b[n]\nvar X[n, n] symmetric\nminimize lambda_max(X) + sum_squares(A @ X - A)\n"
        "subject to\n  X >> 0\n  diag(X) == b\n"
    )
    terminal = Terminal(tmp_path, "big.dpp")
    for line in (":dim n=70", ":bind A = randn(n, n)", ":bind b = ones(n)"):
        terminal.enter(line)
        terminal.wait("dpp> ")
    terminal.enter(":solve")
    terminal.wait(":solve")
    with pytest.raises(pexpect.TIMEOUT):
        terminal.process.expect("solved|error", timeout=3)
    terminal.process.sendintr()
    terminal.wait("stopped: the computation was ended")
    terminal.enter("1 + 1")
    terminal.wait("1 + 1  scalar  nonneg  constant")
    terminal.enter(":bind b = 2 * ones(n)")
    terminal.wait("entries from 2 to 2")
    assert terminal.leave() == 0


def test_no_color(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, NO_COLOR="1")
    terminal.enter("minimize x +* 1")
    terminal.wait("error[")
    assert "\x1b[1;31m" not in terminal.seen
    assert terminal.leave() == 0
