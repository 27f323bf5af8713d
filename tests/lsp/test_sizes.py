"""Canonical sizes: the process that lowers, and the one that asks it, which outlives whatever happens there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from dpplang.cli import sizes_worker
from dpplang.cli.main import main
from dpplang.cli.worker import command
from dpplang.lsp import beside, sizer
from dpplang.lsp.analysis import Session
from dpplang.lsp.files import Files
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.sizer import Sizer
from dpplang.lsp.sizes import TOO_LARGE, Answer, Query, Size, Unsized
from dpplang.pipeline import load
from tests.lsp.helpers import view_of

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.dpp"))
WORKER = command("dpplang.cli.sizes_worker")
QP = "dim n\nparam q[n]\nvar x[n]\nminimize q' @ x\nsubject to\n  x >= 0\n"


def query_of(text: str, path: Path | None = None) -> Query:
    found = Query.of(view_of(text, path).analysis)
    assert found is not None
    return found


# --- the process that lowers -------------------------------------------------------------------------------------


def answers(*queries: Query) -> list[dict[str, Any]]:
    """What the process says to these, one after the other."""
    lines = [json.dumps(query.message()) for query in queries]
    with subprocess.Popen(WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"ready": True}
        found = []
        for line in lines:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            found.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.wait() == 0
    return found


def test_sizes_are_those_of_dpp_asa(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Data have no value in an editor: they stand there without a zero, as here."""
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    programs = [load(path).model for path in EXAMPLES]
    sizes = [{d.name: 3 + k for k, d in enumerate(model.dims)} for model in programs]
    shown = ["\n# dims: " + ", ".join(f"{n} = {v}" for n, v in dims.items()) for dims in sizes]
    asked = [query_of(text + dims, path) for text, dims, path in zip(texts, shown, EXAMPLES, strict=True)]
    assert len(asked) >= 5
    for path, model, dims, found in zip(EXAMPLES, programs, sizes, answers(*asked), strict=True):
        shapes = {s.name: tuple(p.evaluate(dims) for p in s.shape) for s in model.data if s.default is None}
        np.savez(tmp_path / "data.npz", **{name: np.full(shape, 0.7) for name, shape in shapes.items()})
        given = [f"--dim={n}={v}" for n, v in dims.items()] + [f"--data={tmp_path / 'data.npz'}"]
        assert main(["asa", str(path), "--json", *given]) == 0
        told = json.loads(capsys.readouterr().out)
        size = Size.read(found["size"])
        assert (size.variables, size.rows) == (told["variables"], told["rows"])
        assert size.parameters == told["parameters_entries"]
        assert size.nonzeros == tuple(told["nonzeros"][name]["all"] for name in "PA")
        assert (size.zero, size.nonneg, size.exp) == tuple(told["cones"][kind] for kind in ("zero", "nonneg", "exp"))
        for kind in ("soc", "psd", "pow"):
            assert sorted(told["cones"][kind]) == [s for s, count in getattr(size, kind) for _ in range(count)]
        assert size.without_zeros == tuple(shapes)


def test_what_has_no_size() -> None:
    huge = query_of(QP + "# dims: n = 100000000\n")
    dense = "dim n\ndata A[n, n]\nvar x[n]\nminimize sum(x)\nsubject to\n  A @ x <= 1\n# dims: n = 4400\n"
    told = answers(huge, query_of(dense), query_of(QP.replace("x >= 0", "x[5] >= 0") + "# dims: n = 3\n"))
    assert told[0] == {"too_large": True}
    assert told[1] == {"too_large": True} or sys.platform != "linux"  # 20 million terms in 2 GiB
    assert "5" in told[2]["problem"] and "axis" in told[2]["problem"]


def test_imports_are_what_the_editor_has(tmp_path: Path) -> None:
    """Not what is on disk, which nobody reads."""
    lib = tmp_path / "lib.dpp"
    lib.write_text("func f(y[n]) = 2 * y\n", encoding="utf-8")
    text = 'from "lib.dpp" import f\ndim n = 3\nvar x[n]\nminimize sum(f(x))\nsubject to\n  x >= 0\n'
    files = Files()
    session = Session("a.dpp", tmp_path / "a.dpp", files)
    on_disk = Query.of(session.analyze(text))
    files.open(lib.resolve(), Lines("func f(y[n]) = abs(y)\n", Encoding.UTF16))
    edited = Query.of(session.analyze(text))
    lib.unlink()
    assert on_disk is not None and edited is not None and on_disk != edited
    first, second = answers(on_disk, edited)
    assert (first["size"]["variables"], second["size"]["variables"]) == (3, 6)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no clock of the processor")
def test_a_program_may_take_so_much_of_the_processor() -> None:
    dense = "dim n\ndata A[n, n]\nvar x[n]\nminimize sum(x)\nsubject to\n  A @ x <= 1\n# dims: n = 1000\n"
    message = query_of(dense).message()
    assert sizes_worker.reply(message, seconds=0.01) == {"too_large": True}
    assert sizes_worker.reply(message)["size"]["variables"] == 1000, "nothing is left of what was stopped"


def test_a_value_that_was_made_up_is_not_to_blame() -> None:
    (told,) = answers(query_of("data a\nvar x\nminimize exp(1000 * a) * x\nsubject to\n  x >= a\n"))
    assert told == {"problem": ""}


def test_the_process_ends_with_its_input_whatever_it_does() -> None:
    slow = query_of("dim n\ndata A[n, n]\nvar x[n]\nminimize sum(x)\nsubject to\n  A @ x <= 1\n# dims: n = 2000\n")
    with subprocess.Popen(WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()
        process.stdin.write(json.dumps(slow.message()) + "\n")
        process.stdin.close()
        assert process.stdout.read() == "", "it did not finish first"
        assert process.wait() == 0


# --- the process that asks ---------------------------------------------------------------------------------------

# What stands behind `# do` in the text is done; texts are written to a file as they come.
FAKE = """
import json, os, sys, time
print(json.dumps({"ready": True}), flush=True)
log, mark = sys.argv[1:]
open(log, "a").write(f"started {os.getpid()}\\n")
for line in sys.stdin:
    text = json.loads(line)["text"]
    what = text.partition("# do ")[2].strip()
    open(log, "a").write(what + "\\n")
    if what == "sleep":
        time.sleep(1000)
    if what == "crash" or what == "crash once" and not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(1)
    cones = {"zero": 0, "nonneg": 1, "exp": 0, "soc": [], "psd": [], "pow": []}
    size = {"variables": len(text), "rows": 1, "parameters_entries": 0, "cones": cones, "nonzeros": None, "without_zeros": []}
    print(json.dumps({"fault": "no"} if what == "fault" else {"size": size}), flush=True)
"""


def asking(do: str, rows: int = 1) -> Query:
    """``rows``: to make another program of it."""
    return query_of(f"var x\nminimize x\nsubject to\n  x >= {rows}\n# do {do}\n")


class Asked:
    """A sizer of the process above, what it did and what was said."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.said: list[str] = []
        self.sizer = Sizer([sys.executable, "-c", FAKE, str(self.log), str(folder / "mark")], self.said.append)

    def done(self) -> list[str]:
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line for line in lines if not line.startswith("started")]

    def started(self) -> list[int]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [int(line.split()[1]) for line in lines if line.startswith("started")]

    async def until(self, do: str) -> None:
        while do not in self.done():
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.sizer.close()
    if made.sizer._work is not None:
        await asyncio.wait((made.sizer._work,))
    for pid in made.started() if made.log.exists() else []:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)  # not even a zombie


def is_size(answer: Answer | None) -> bool:
    return isinstance(answer, Size)


@pytest.mark.asyncio
async def test_an_answer_is_kept(asked: Asked) -> None:
    query = asking("answer")
    assert asked.sizer.known(query) is None
    found = await asked.sizer.ask("a", query)
    assert isinstance(found, Size) and found.variables == len(query.text)
    assert asked.sizer.known(query) == found == await asked.sizer.ask("b", query)
    assert asked.done() == ["answer"]


@pytest.mark.asyncio
async def test_what_is_stale_is_not_computed(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizer, "PATIENCE", 0.0)
    under_way = asked.sizer.ask("a", asking("sleep"))
    await asked.until("sleep")
    stale = asked.sizer.ask("a", asking("stale", 2))
    other = asked.sizer.ask("b", asking("other", 3))
    newest = asked.sizer.ask("a", asking("newest", 4))
    assert under_way.result() is None and stale.result() is None
    assert is_size(await newest) and is_size(await other)
    assert sorted(asked.done()) == ["newest", "other", "sleep"]
    assert len(asked.started()) == 2 and not asked.said


@pytest.mark.asyncio
async def test_what_is_nearly_done_is_finished(asked: Asked) -> None:
    """A new process would take longer."""
    await asked.sizer.ask("a", asking("first"))
    queries = [asking(f"edit {k}", k) for k in range(2, 12)]
    for query in queries[:-1]:
        asked.sizer.ask("a", query)
        await asyncio.sleep(0)
    assert is_size(await asked.sizer.ask("a", queries[-1]))
    assert len(asked.started()) == 1 and len(asked.done()) < len(queries)


@pytest.mark.asyncio
async def test_the_same_again_is_not_asked_twice(asked: Asked) -> None:
    assert asked.sizer.ask("a", asking("once")) is asked.sizer.ask("a", asking("once"))
    asked.sizer.drop("b")
    assert is_size(await asked.sizer.ask("a", asking("once"))) and asked.done() == ["once"]


@pytest.mark.asyncio
async def test_a_text_that_is_closed_is_not_sized(asked: Asked) -> None:
    gone = asked.sizer.ask("a", asking("gone"))
    asked.sizer.drop("a")
    assert await gone is None and is_size(await asked.sizer.ask("b", asking("there", 2)))
    assert asked.done() == ["there"]


@pytest.mark.asyncio
async def test_it_may_take_too_long(asked: Asked) -> None:
    await asked.sizer.ask("b", asking("first"))
    asked.sizer._timeout = 0.05
    assert await asked.sizer.ask("a", asking("sleep", 2)) == TOO_LARGE
    asked.sizer._timeout = 1000
    assert asked.sizer.known(asking("sleep", 2)) == TOO_LARGE
    assert is_size(await asked.sizer.ask("a", asking("next", 3))) and len(asked.started()) == 2


@pytest.mark.asyncio
async def test_a_crash_is_survived(asked: Asked) -> None:
    assert is_size(await asked.sizer.ask("a", asking("crash once")))
    assert await asked.sizer.ask("a", asking("crash", 2)) == Unsized()
    assert is_size(await asked.sizer.ask("a", asking("next", 3)))
    assert asked.done() == ["crash once"] * 2 + ["crash"] * 2 + ["next"] and not asked.said


@pytest.mark.asyncio
async def test_after_crash_upon_crash_it_is_left(asked: Asked) -> None:
    first, second = asked.sizer.ask("a", asking("crash")), asked.sizer.ask("b", asking("crash", 2))
    assert await first == Unsized() and await second == Unsized()
    assert len(asked.started()) == sizer.CRASHES and len(asked.said) == 1
    assert await asked.sizer.ask("c", asking("next", 3)) == Unsized() and len(asked.started()) == sizer.CRASHES


@pytest.mark.asyncio
async def test_a_fault_of_ours_is_said_once(asked: Asked) -> None:
    assert await asked.sizer.ask("a", asking("fault")) == Unsized()
    assert await asked.sizer.ask("a", asking("fault", 2)) == Unsized()
    assert is_size(await asked.sizer.ask("a", asking("next", 3))) and len(asked.said) == 1


@pytest.mark.asyncio
async def test_idle_it_ends_and_starts_again(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizer, "IDLE", 0.0)
    assert is_size(await asked.sizer.ask("a", asking("first")))
    while asked.sizer._work is not None:
        await asyncio.sleep(0.01)
    assert not asked.sizer.ready and is_size(await asked.sizer.ask("a", asking("second", 2)))
    assert len(asked.started()) == 2


@pytest.mark.parametrize("missing", ["a command that is not there", "NumPy that is broken"])
@pytest.mark.asyncio
async def test_without_numpy_sizes_are_as_written(missing: str, tmp_path: Path) -> None:
    broken = tmp_path / "numpy.py"
    broken.write_text("raise ImportError('broken')\n", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import dpplang.cli.sizes_worker as m; m.main()"
    words = [str(tmp_path / "none")] if missing.startswith("a ") else [sys.executable, "-P", "-c", code]
    said: list[str] = []
    made = Sizer(words, said.append)
    assert await made.ask("a", asking("answer")) == Unsized() == await made.ask("a", asking("answer", 2))
    assert len(said) == 1 and ("ImportError: broken" in said[0] or "none" in said[0])
    made.close()


@pytest.mark.asyncio
async def test_one_that_does_not_start_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "START", 0.05)
    with pytest.raises(beside.Ended):
        await beside.Process.start([sys.executable, "-c", "import time; time.sleep(1000)"])


def test_the_query_holds_what_the_worker_needs(tmp_path: Path) -> None:
    query = query_of(QP + "# dims: n = 2\n", tmp_path / "a.dpp")
    assert query.message()["folder"] == str(tmp_path) and query.message()["dims"] == {"n": 2}
    assert replace(query, text="") == query, "the text is told by its meaning"
