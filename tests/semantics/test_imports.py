"""Imports read `.dpp` files below the importing file's folder, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpplang.semantics.loader import Loader
from dpplang.semantics.tree import AtomCall
from tests.semantics.helpers import run

USE = "var x\nminimize f(x)\n"


def check(folder: Path, text: str):
    return run(text, Loader(folder))


def test_functions_and_atoms_of_a_library_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "f.dpp").write_text('from "g.dpp" import g\nfunc f(x) = g(x) + h(x)\nfunc h(x) = abs(x)\n')
    (tmp_path / "sub" / "g.dpp").write_text("func g(x) = square(x)\n")
    assert check(tmp_path, f'from "sub/f.dpp" import f\n{USE}').errors == []


def test_what_is_not_imported_is_not_in_scope(tmp_path: Path) -> None:
    (tmp_path / "f.dpp").write_text("func f(x) = h(x)\nfunc h(x) = abs(x)\n")
    result = check(tmp_path, 'from "f.dpp" import f\nvar x\nminimize f(x) + h(x)\n')
    assert result.places == [("NAM104", "h")]


def test_a_circle_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.dpp").write_text('from "b.dpp" import g\nfunc f(x) = g(x)\n')
    (tmp_path / "b.dpp").write_text('from "a.dpp" import f\nfunc g(x) = f(x)\n')
    assert check(tmp_path, f'from "a.dpp" import f\n{USE}').errors == ["NAM113"]


def test_missing_name_has_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "f.dpp").write_text("func frob(x) = abs(x)\n")
    result = check(tmp_path, 'from "f.dpp" import frop\nvar x\nminimize frop(x)\n')
    assert result.places == [("NAM114", "frop")]
    assert result.diagnostics[0].fixes[0].edits[0].text == "frob"


@pytest.mark.parametrize("path", ["../f.dpp", "/etc/f.dpp", "f.txt", "sub/../../f.dpp", "nothere.dpp", "C:f.dpp"])
def test_paths_that_leave_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "f.dpp").write_text("func f(x) = abs(x)\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    assert check(inner, f'from "{path}" import f\n{USE}').errors == ["NAM112"]


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "f.dpp").write_text("func f(x) = abs(x)\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "f.dpp").symlink_to(tmp_path / "f.dpp")
    assert check(inner, f'from "f.dpp" import f\n{USE}').errors == ["NAM112"]


def test_a_text_without_a_folder_imports_nothing() -> None:
    assert run(f'from "f.dpp" import f\n{USE}').errors == ["NAM112"]


def test_an_imported_file_declares_no_tensors(tmp_path: Path) -> None:
    (tmp_path / "f.dpp").write_text("param p\nfunc f(x) = abs(x)\n")
    assert "NAM120" in check(tmp_path, f'from "f.dpp" import f\n{USE}').errors


def test_a_function_that_does_not_parse_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "lib.dpp").write_text("func f(x) = x +\n", encoding="utf-8")
    assert check(tmp_path, 'var x\nfrom "lib.dpp" import f\nminimize f(x)\n').errors == ["SYN014"]


SIZES = """\
atom size(x[n]) {
  curvature: convex
  sign:      nonneg
  value:     sum(abs(x))
  graph {
    var t[n]
    minimize sum(t)
    subject to
      up:   x <= t
      down: -x <= t
  }
}
atom twice(x[n]) {
  curvature: convex
  sign:      nonneg
  value:     2 * sum(abs(x))
  graph {
    minimize 2 * size(x)
  }
}
"""
PROGRAM = 'from "sizes.dpp" import twice\n{}dim n\nparam p[n]\nvar x[n]\nminimize twice(x - p){}\n'


def test_an_atom_means_what_it_does_in_its_own_file(tmp_path: Path) -> None:
    """The atom that its graph calls need not be imported with it, and cannot be replaced by another of that name."""
    (tmp_path / "sizes.dpp").write_text(SIZES)
    assert check(tmp_path, PROGRAM.format("", "")).errors == []
    own = SIZES[: SIZES.index("atom twice")].replace("sum(t)", "3 * sum(t)").replace("sum(abs(x))", "3 * sum(abs(x))")
    model = check(tmp_path, PROGRAM.format(own, " + size(x)")).model
    assert model is not None and model.objective is not None
    called = [part.atom for part in walk_calls(model.objective)]
    assert [(a.name, a.span.source.name) for a in called] == [("twice", "sizes.dpp"), ("size", "test.dpp")]
    assert [a.atom.span.source.name for a in walk_calls(called[0].graph.objective)] == ["sizes.dpp"]


def walk_calls(expr: object) -> list[AtomCall]:
    """The calls of atoms below an expression, outermost first."""
    own = [expr] if isinstance(expr, AtomCall) else []
    return own + [call for arg in getattr(expr, "args", ()) for call in walk_calls(arg)]


def test_an_atom_that_is_wrong_is_wrong_once(tmp_path: Path) -> None:
    (tmp_path / "sizes.dpp").write_text(SIZES.replace("2 * size(x)", "-size(x)"))
    once = ["ATM420", "ATM424"]
    (tmp_path / "middle.dpp").write_text('from "sizes.dpp" import twice\nfunc more(x[n]) = twice(x) + 1\n')
    assert check(tmp_path, PROGRAM.format("", "")).errors == once
    text = PROGRAM.format('from "middle.dpp" import more\n', " + more(x)")
    assert check(tmp_path, text).errors == once
    assert check(tmp_path, text.replace('"sizes.dpp"', '"middle.dpp"')).errors == once


def test_functions_of_two_files_that_have_one_name_are_two(tmp_path: Path) -> None:
    """`g` calls `h`, which calls the `g` of its own file: nothing is defined through itself."""
    (tmp_path / "h.dpp").write_text("func g(x) = abs(x)\nfunc h(x) = g(x)\n")
    (tmp_path / "g.dpp").write_text('from "h.dpp" import h\nfunc g(x) = h(x) + square(x)\n')
    assert check(tmp_path, 'from "g.dpp" import g\nvar x\nminimize g(x)\n').errors == []
    (tmp_path / "h.dpp").write_text("func g(x) = h(x)\nfunc h(x) = g(x)\n")
    assert check(tmp_path, 'from "g.dpp" import g\nvar x\nminimize g(x)\n').errors == ["NAM106"]
