"""Files come from strangers: bounded depth, size and time, and a table cache that nothing can spoil."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dpplang.syntax import ast, tables
from dpplang.syntax.cache import cache_dir, read_cached, write_cached
from dpplang.syntax.limits import MAX_BRACKETS, MAX_CHARACTERS, MAX_DEPTH, MAX_ERRORS
from dpplang.syntax.printer import print_node
from tests.syntax.helpers import clean, codes, one, read

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 5000 + "x" + ")" * 5000,
        "[" * 5000 + "x" + "]" * 5000,
        "(" * 5000,
        "f(" * 3000 + "x" + ")" * 3000,
        " + ".join(["x"] * 5000),
        "-" * 5000 + "x",
        "^".join(["x"] * 5000),
        "x" + "'" * 5000,
        "x" + "[0]" * 5000,
    ],
    ids=lambda t: t[:6],
)
def test_depth_is_bounded(deep: str) -> None:
    found = codes(f"dim n\nlet z = {deep}\nvar x\n")
    assert found in ([(2, "SYN016")], [(2, "SYN016"), (2, "SYN004")]), found
    assert [type(i) for i in read(f"dim n\nlet z = {deep}\nvar x\n").file.items] == [ast.DimItem, ast.VarItem]


@pytest.mark.parametrize("opener", ["atom f(x) { ", "graph { ", "{ "])
def test_records_do_not_nest(opener: str) -> None:
    text = opener * 5000
    assert {c for _, c in codes(text)} >= {"SYN005"}
    assert {c for _, c in codes(text + "}" * 5000)} >= {"SYN005"}


def test_depth_that_is_allowed() -> None:
    chain = one(f"let z = {' + '.join(['x'] * (MAX_DEPTH - 5))}\n", ast.LetItem)
    assert hash(chain) == hash(clean(print_node(chain) + "\n").items[0])
    one(f"let z = {'(' * MAX_BRACKETS}x{')' * MAX_BRACKETS}\n", ast.LetItem)
    one(f"c[i in n if {'not ' * 100}i > 0]: x >= 0\n", ast.ConstraintItem)


def test_size_is_bounded() -> None:
    assert [c for _, c in codes("#" * (MAX_CHARACTERS + 1))] == ["SYN017"]


def test_errors_are_counted_not_listed() -> None:
    found = codes("let a =\n" * 500)
    assert len(found) == MAX_ERRORS and found[-1][1] == "SYN025"


@pytest.mark.parametrize("line", ["(\n", "(1,\n", "x[\n", "atom f(x) {\n", "a: (x\n", ")\n", "f((((((((\n", "x <= \n"])
def test_time_does_not_explode(line: str) -> None:
    """A hundred thousand characters of trouble, in a time that is far from quadratic."""
    start = time.process_time()
    assert read(line * (100_000 // len(line))).diagnostics
    assert time.process_time() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize("line", ["x <= (\n", ") ", "(1,\n", "ab c\n", "$%^&*+-=,.;:'\"\n"])
def test_a_megabyte_of_junk_takes_seconds(line: str) -> None:
    start = time.process_time()
    found = read(line * (MAX_CHARACTERS // len(line))).diagnostics
    assert 0 < len(found) <= MAX_ERRORS
    assert time.process_time() - start < 15


def test_tables_survive_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPPLANG_CACHE", str(tmp_path / "deep" / "cache"))
    built = tables.load_tables.__wrapped__()
    (file,) = (tmp_path / "deep" / "cache").iterdir()
    assert tables.load_tables.__wrapped__() == built == tables.load_tables()
    for damage in ("", "{", "[]", "{}", file.read_text().replace('"rows":[{', '"rows":[{"NAME":99999,', 1)):
        file.write_text(damage)
        assert tables.load_tables.__wrapped__() == built


def test_tables_without_a_place_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("DPPLANG_CACHE", str(blocked / "cache"))
    assert tables.load_tables.__wrapped__() == tables.load_tables()


@pytest.mark.parametrize("home", ["none", "read-only", "a file"])
def test_tables_wherever_home_is(home: str, tmp_path: Path) -> None:
    """No HOME, one that cannot be written to, one that is no folder: a program is checked all the same."""
    where = tmp_path / "home"
    if home == "a file":
        where.write_text("not a folder")
    else:
        where.mkdir(mode=0o500)
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "DPPLANG_CACHE")}
    if home != "none":
        environment["HOME"] = str(where)
    script = "import sys; from dpplang.cli.main import main; sys.exit(main(['check', sys.argv[1]]))"
    program = ROOT / "examples" / "qp" / "qp.dpp"
    found = subprocess.run(
        [sys.executable, "-c", script, str(program)], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["home"], "nothing is written beside the program"


def test_a_home_that_nobody_knows_is_no_folder_called_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DPPLANG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user without an entry
    assert cache_dir().is_absolute()
    write_cached(cache_dir() / "x.json", "{}")
    assert read_cached(cache_dir() / "x.json") is None


def test_tables_with_processes_that_write_at_once(tmp_path: Path) -> None:
    """Each leaves whole tables, or takes another's; nothing half-written stays."""
    script = "from dpplang.syntax.tables import load_tables; print(len(load_tables().rows))"
    environment = {**os.environ, "DPPLANG_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
    said = {process.communicate()[0] for process in running}
    assert said == {f"{len(tables.load_tables().rows)}\n"}
    assert all(process.returncode == 0 for process in running)
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["rows"]


def test_tables_with_many_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPPLANG_CACHE", str(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: tables.load_tables.__wrapped__(), range(8)))
    assert all(t == made[0] for t in made) and len(list(tmp_path.iterdir())) == 1
