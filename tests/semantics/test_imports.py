"""Imports read `.dpp` files below the importing file's folder, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpplang.semantics.loader import Loader
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
