"""The commands as a person calls them: output, exit codes, and what they say to every mistake."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dpplang import __version__
from dpplang.cli.main import COMMANDS, main

SMOKE = Path(__file__).parent / "smoke"
STDLIB = Path(__file__).parents[2] / "stdlib"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Dpp = Callable[..., Result]


@pytest.fixture
def dpp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dpp:
    """Run ``dpp`` in a folder that holds the smoke programs."""
    shutil.copytree(SMOKE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert "ICE901" not in captured.err, captured.err
        return Result(code, captured.out, captured.err)

    return call


def qp_values() -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in json.loads((SMOKE / "qp.json").read_text()).items()}


def test_help_names_every_command(dpp: Dpp) -> None:
    found = dpp("--help")
    assert found.code == 0
    assert all(command in found.out for command in COMMANDS)
    assert dpp("--version").out == f"dpp {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, dpp: Dpp) -> None:
    with pytest.raises(SystemExit) as stop:
        dpp(command, "--help")
    assert stop.value.code == 0


def test_check_of_a_good_program(dpp: Dpp) -> None:
    found = dpp("check", "qp.dpp")
    assert (found.code, found.out) == (0, "1 file: no errors\n")


def test_check_shows_every_error_with_its_source(dpp: Dpp) -> None:
    found = dpp("check", "qp.dpp", "broken.dpp")
    assert found.code == 1
    assert "broken.dpp:5:" in found.out
    assert "broken.dpp:8:" in found.out
    assert "2 files: 2 errors" in found.out
    assert "\x1b[" not in found.out


def test_check_as_json(dpp: Dpp) -> None:
    found = dpp("check", "broken.dpp", "--format", "json")
    assert found.code == 1
    diagnostics = json.loads(found.out)
    assert [(d["file"], d["line"]) for d in diagnostics] == [("broken.dpp", 5), ("broken.dpp", 8)]
    required = {
        "code",
        "severity",
        "message",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "notes",
        "help",
        "fixes",
    }
    assert all(required <= set(d) for d in diagnostics)
    assert json.loads(dpp("check", "qp.dpp", "--format", "json").out) == []


def test_check_as_sarif(dpp: Dpp) -> None:
    found = dpp("check", "broken.dpp", "--format", "sarif")
    assert found.code == 1
    assert len(json.loads(found.out)["runs"][0]["results"]) == 2


def test_solve_prints_and_writes(dpp: Dpp, tmp_path: Path) -> None:
    found = dpp("solve", "qp.dpp", "--data", "qp.json", "--out", "x.npz", "--plot", "x.png")
    assert found.code == 0, found.err
    assert "solved" in found.out
    assert "dual.ineq" in found.out
    with np.load(tmp_path / "x.npz") as saved:
        assert set(saved.files) == {"value", "x", "dual.ineq"}
        x = saved["x"]
    values = qp_values()
    assert np.all(values["G"] @ x <= values["h"] + 1e-6)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_solve_as_json_agrees_from_every_format(dpp: Dpp, tmp_path: Path) -> None:
    values = qp_values()
    np.savez(tmp_path / "all.npz", **values)
    np.save(tmp_path / "q.npy", values["q"])
    np.savetxt(tmp_path / "G.csv", values["G"], delimiter=",")
    (tmp_path / "bounds.csv").write_text("row,h\nfirst,1.0\nsecond,0.75\n")
    (tmp_path / "matrix.csv").write_text("name,a,b,c\nfirst,1,1,1\nsecond,0,1,-1\n")
    calls = (
        ("--data", "qp.json"),
        ("--data", "all.npz"),
        ("--data", "q.npy", "--data", "G.csv", "--data", "bounds.csv"),
        ("--data", "all.npz", "--data", "G=matrix.csv", "--set", "h=[1, 0.75]", "--dim", "n=3"),
    )
    answers = [dpp("solve", "qp.dpp", *call, "--json") for call in calls]
    assert [a.code for a in answers] == [0, 0, 0, 0], [a.err for a in answers]
    parsed = [json.loads(a.out) for a in answers]
    assert parsed[0]["status"] == "solved"
    assert all(p == parsed[0] for p in parsed[1:])


def test_a_batch_may_go_on_past_an_element_without_a_solution(dpp: Dpp, tmp_path: Path) -> None:
    (tmp_path / "box.dpp").write_text("param low\nvar x\nminimize x\nsubject to\n  low: x >= low\n  high: x <= 1\n")
    call = ("solve", "box.dpp", "--set", "low=[0, 2]")
    stopped = dpp(*call)
    assert stopped.code == 1
    assert "SOL800" in stopped.err
    masked = dpp(*call, "--on-failure", "nan", "--json")
    assert masked.code == 0, masked.err
    found = json.loads(masked.out)
    assert found["status"] == ["solved", "infeasible"]
    assert found["outputs"]["x"] == [pytest.approx(0, abs=1e-6), None]
    assert "1 infeasible, 1 solved" in dpp(*call, "--on-failure", "nan").out


def test_gradcheck_agrees_and_can_fail(dpp: Dpp) -> None:
    found = dpp("gradcheck", "qp.dpp", "--data", "qp.json")
    assert found.code == 0, found.out + found.err
    assert found.out.count("agrees") == 3
    assert dpp("gradcheck", "qp.dpp", "--data", "qp.json", "--tolerance", "0").code == 1


def test_gradcheck_draws_what_is_not_given(dpp: Dpp) -> None:
    found = dpp("gradcheck", "qp.dpp", "--dim", "n=4", "--dim", "m=2", "--set", "h=[3, 3]")
    assert found.code == 0, found.out + found.err
    assert "drawn at random: q, G" in found.out


def test_asa_describes_the_program(dpp: Dpp, tmp_path: Path) -> None:
    found = dpp("asa", "qp.dpp", "--dim", "n=3", "--dim", "m=2", "--json", "--out", "program.npz")
    assert found.code == 0, found.err
    description = json.loads(found.out)
    assert [p["name"] for p in description["parameters"]] == ["q", "G", "h"]
    assert description["parameters"][0]["touches"] == {"q": 3}
    assert description["parameters"][1]["touches"] == {"A": 6}
    assert description["parameters"][2]["touches"] == {"b": 2}
    assert description["dims"] == {"n": 3, "m": 2} or description["dims"] == {"m": 2, "n": 3}
    assert (tmp_path / "program.npz").is_file()
    assert "parameter" in dpp("asa", "qp.dpp", "--data", "qp.json").out


@pytest.mark.parametrize(("phase", "expected"), [("ast", "File"), ("types", "Model"), ("asa", '"variables"')])
def test_build_emits(phase: str, expected: str, dpp: Dpp) -> None:
    found = dpp("build", "qp.dpp", f"--emit={phase}", "--dim", "n=3", "--dim", "m=2")
    assert found.code == 0, found.err
    assert expected in found.out


def test_explain(dpp: Dpp) -> None:
    found = dpp("explain", "DPP301")
    assert found.code == 0
    assert found.out.startswith("DPP301: ")
    assert "DPP301" in dpp("explain").out


def test_atoms(dpp: Dpp) -> None:
    listing = dpp("atoms")
    assert listing.code == 0
    assert "huber" in listing.out
    one = dpp("atoms", "huber")
    assert one.code == 0
    assert "Huber penalty" in one.out
    assert one.out.startswith("# stdlib/piecewise.dpp:")
    assert "convex, nonneg; increasing in x where x >= 0" in one.out.splitlines()[0]
    assert "x[...] in simplex(param total nonneg = 1)" in listing.out
    assert "Kronecker" in dpp("atoms", "kron").out


def test_the_page_of_the_atoms_is_that_of_their_records(dpp: Dpp) -> None:
    page = (STDLIB.parent / "docs" / "atoms.md").read_text(encoding="utf-8")
    assert dpp("atoms", "--markdown").out == page, "`make atoms` writes it anew"
    for name in (*CVXPYS, *AFFINE, *CONES, "simplex", "ball", "box", "perspective"):
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", page), name


CVXPYS = [
    "abs",
    "entr",
    "exp",
    "huber",
    "inv_pos",
    "kl_div",
    "log",
    "log1p",
    "log_normcdf",
    "loggamma",
    "logistic",
    "maximum",
    "minimum",
    "neg",
    "pos",
    "power",
    "rel_entr",
    "scalene",
    "sqrt",
    "square",
    "xexp",
    "cummax",
    "cvar",
    "dotsort",
    "geo_mean",
    "harmonic_mean",
    "inv_prod",
    "lambda_max",
    "lambda_min",
    "lambda_sum_largest",
    "lambda_sum_smallest",
    "log_det",
    "log_sum_exp",
    "matrix_frac",
    "max",
    "min",
    "mixed_norm",
    "norm1",
    "norm2",
    "norm_inf",
    "norm_nuc",
    "norm_fro",
    "pnorm",
    "quad_form",
    "quad_over_lin",
    "sigma_max",
    "std",
    "var",
    "sum_largest",
    "sum_smallest",
    "sum_squares",
    "tr_inv",
    "tv",
    "von_neumann_entr",
    "quantum_rel_entr",
    "ptp",
]


AFFINE = [
    "sum",
    "mean",
    "cumsum",
    "diff",
    "diag",
    "trace",
    "upper_tri",
    "vec_to_upper_tri",
    "vec",
    "squeeze",
    "reshape",
    "transpose",
    "hstack",
    "vstack",
    "concatenate",
    "stack",
    "bmat",
    "multiply",
    "matmul",
    "vdot",
    "outer",
    "conv",
    "convolve",
    "kron",
    "partial_trace",
    "partial_transpose",
]
CONES = ["nonneg", "nonpos", "zero", "soc", "rsoc", "rotated_soc", "exp_cone", "pow_cone", "psd", "nsd"]


def test_atoms_as_json(dpp: Dpp) -> None:
    records = json.loads(dpp("atoms", "--json").out)
    kinds = {record["name"]: record["kind"] for record in records}
    assert {kinds[name] for name in CVXPYS} == {"elementwise", "reduction", "plain"}
    assert {kinds[name] for name in AFFINE} == {"affine"}
    assert {kinds[name] for name in CONES} == {"cone"}
    assert {kinds[name] for name in ("simplex", "ball", "box")} == {"set"}
    assert kinds["perspective"] == "operator"
    assert len({tuple(record) for record in records}) == 1, "every entry has the same keys"
    (huber,) = json.loads(dpp("atoms", "huber", "--json").out)
    assert huber["curvature"] == "convex" and huber["sign"] == ["nonneg"]
    assert huber["monotone"] == ["increasing in x where x >= 0", "decreasing in x where x <= 0"]
    assert huber["line"] == 1 + (STDLIB / "piecewise.dpp").read_text(encoding="utf-8").split("atom huber")[0].count(
        "\n"
    )
    assert (
        huber["file"] == "piecewise.dpp" and "minimize" in huber["graph"] and huber["doc"].startswith("Huber penalty")
    )


MISTAKES = {
    "no such command": (("chekc", "qp.dpp"), "did you mean `dpp check`?"),
    "unknown option": (("check", "qp.dpp", "--fast"), "--help"),
    "no file named": (("check",), "--help"),
    "missing program": (("check", "qq.dpp"), "did you mean `qp.dpp`?"),
    "a folder": (("check", "."), "is a folder"),
    "wrong choice": (("check", "qp.dpp", "--format", "xml"), "invalid choice"),
    "malformed dim": (("check", "qp.dpp", "--dim", "n"), "--dim n=10"),
    "negative dim": (("check", "qp.dpp", "--dim", "n=-1"), "--dim n=10"),
    "dim given twice": (("check", "qp.dpp", "--dim", "n=1", "--dim", "n=2"), "two sizes"),
    "unknown dim": (("check", "qp.dpp", "--dim", "k=1"), "no dim `k`"),
    "missing data": (("solve", "qp.dpp", "--data", "none.json"), "there is no file `none.json`"),
    "unreadable json": (("solve", "qp.dpp", "--data", "bad.json"), "line 1, column 7"),
    "json that is no object": (("solve", "qp.dpp", "--data", "list.json"), "holds no object"),
    "ragged json": (("solve", "qp.dpp", "--data", "ragged.json"), "not an array of numbers"),
    "unknown name": (("solve", "qp.dpp", "--data", "extra.json"), "does not declare"),
    "not an npz": (("solve", "qp.dpp", "--data", "fake.npz"), "NumPy"),
    "pickled npy": (("solve", "qp.dpp", "--data", "q=object.npy"), "NumPy"),
    "other format": (("solve", "qp.dpp", "--data", "q.xlsx"), "does not read"),
    "nameless csv": (("solve", "qp.dpp", "--data", "table.csv"), "--data q=table.csv"),
    "words in a csv": (("solve", "qp.dpp", "--data", "G=words.csv"), "row 2, column 2"),
    "ragged csv": (("solve", "qp.dpp", "--data", "G=ragged.csv"), "row 2"),
    "empty csv": (("solve", "qp.dpp", "--data", "G=empty.csv"), "no rows"),
    "malformed setting": (("solve", "qp.dpp", "--set", "q"), "--set gamma=0.1"),
    "setting without a declaration": (("solve", "qp.dpp", "--set", "z=1"), "does not declare"),
    "output format": (("solve", "qp.dpp", "--data", "qp.json", "--out", "x.txt"), ".npz and .json"),
    "output folder": (("solve", "qp.dpp", "--data", "qp.json", "--out", "no/x.npz"), "cannot be written"),
    "plot format": (("solve", "qp.dpp", "--data", "qp.json", "--plot", "x.docx"), "--plot"),
    "unknown code": (("explain", "DPP999"), "no diagnostic code"),
    "unknown atom": (("atoms", "hubr"), "did you mean `huber`?"),
    "zero step": (("gradcheck", "qp.dpp", "--data", "qp.json", "--step", "0"), "positive"),
    "unknown phase": (("build", "qp.dpp", "--emit", "hir"), "invalid choice"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_message_that_says_what_to_do(name: str, dpp: Dpp, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"q": ]}')
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "ragged.json").write_text('{"q": [[1, 2], [3]]}')
    (tmp_path / "extra.json").write_text('{"z": 1}')
    (tmp_path / "fake.npz").write_text("not a zip")
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "q.xlsx").write_text("")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "words.csv").write_text("1,2\n3,four\n")
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    (tmp_path / "empty.csv").write_text("a,b\n")
    arguments, expected = MISTAKES[name]
    found = dpp(*arguments)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert expected in found.err


def test_errors_of_the_program_and_of_values_are_diagnostics(dpp: Dpp, tmp_path: Path) -> None:
    assert dpp("solve", "broken.dpp").code == 1
    missing = dpp("solve", "qp.dpp", "--set", "q=[1, 2, 3]")
    assert missing.code == 1
    assert "error[" in missing.err
    (tmp_path / "infeasible.dpp").write_text("var x\nminimize x\nsubject to\n  low: x >= 1\n  high: x <= 0\n")
    infeasible = dpp("solve", "infeasible.dpp")
    assert infeasible.code == 1
    assert "error[SOL" in infeasible.err
