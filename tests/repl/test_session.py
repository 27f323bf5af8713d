"""What a session is made of: where an item ends, what replaces what, completion, and safe values."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.core.source import Source
from dpplang.repl.completion import VALUES, complete
from dpplang.repl.recipes import NAMES, evaluate
from dpplang.repl.session import Session, add, entries_of, is_incomplete
from dpplang.repl.shell import Shell
from dpplang.repl.state import Refused, State
from tests.repl.transcripts import tools
from tests.syntax.helpers import FILES


def session(text: str) -> Session:
    entries, doc = entries_of(Source("t", text))
    return add(Session(doc=doc), entries).session


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("var x", False),
        ("var x[", True),
        ("minimize", True),
        ("minimize x +", True),
        ("minimize x + 1", False),
        ("cap: sum(", True),
        ("cap: sum(x\n) <= 1", False),
        ("cap:", True),
        ("param a,", True),
        ("atom f(x) {", True),
        ("atom f(x) {\n  curvature: convex", True),
        ("atom f(x) {\n  graph {\n    var t\n  }", True),
        ("atom f(x) {\n  curvature: convex\n}", False),
        ("func f(x) =", True),
        ("## a doc", True),
        ("subject to", False),
        ("find", False),
        ("x <= 1  # why", False),
        ("x <=  # why", True),
        ("", False),
        ("var x[\n\n", False),  # an empty line ends it all the same
        ("sum(x for t in", True),
    ],
)
def test_where_an_item_ends(text: str, more: bool) -> None:
    assert is_incomplete(text + ("" if text.endswith("\n") else "\n")) is more


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_shipped_files_go_in_whole_and_come_out_whole(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text(encoding="utf-8")
    assert session(text).source.text == text


def test_lines_of_a_file_fed_one_by_one_are_its_items() -> None:
    for path in FILES:
        text = path.read_text("utf-8")
        pending, chunks = "", []
        for line in text.splitlines():
            if not line.strip() and not pending:
                continue
            pending += line + "\n"
            if not is_incomplete(pending):
                chunks.append(pending)
                pending = ""
        made = Session()
        for chunk in chunks:
            entries, _ = entries_of(Source("t", chunk))
            made = add(made, entries).session
        kinds = [type(e.item) for e in session(text).entries]
        assert [type(e.item) for e in made.entries] == kinds, path


def test_what_replaces_what() -> None:
    before = session("dim n\nparam a, b[n]\nvar x[n]\nminimize sum(x)\nc: x >= 0\nx <= 1\n")
    for text, count in (("param b", 7), ("var x[n]", 6), ("maximize sum(x)", 6), ("c: x >= 1", 6), ("x <= 1", 6)):
        after = add(before, entries_of(Source("t", text))[0]).session
        assert len(after.entries) == count, text
        assert not after.errors or text == "param b"
    rest = add(before, entries_of(Source("t", "param b"))[0]).session.source.text
    assert "param a\nparam b\n" in rest


def test_items_stand_in_the_order_of_a_program() -> None:
    made = Session()
    for text in ("var x", "x <= 1", "return x", "minimize a * x", "param a", "dim n", "c: x >= 0"):
        made = add(made, entries_of(Source("t", text))[0]).session
    assert made.source.text == (
        "dim n\nvar   x\nparam a\n\nminimize a * x\nsubject to\n  x <= 1\n  c: x >= 0\n\nreturn x\n"
    )


def test_an_older_session_is_never_changed() -> None:
    before = session("var x\nminimize x\n")
    text = before.source.text
    add(before, entries_of(Source("t", "var x[3]"))[0])
    assert before.source.text == text


def test_completion() -> None:
    made = session(
        "dim n\nparam gamma pos, mu[n]\nvar weights[n]\nminimize gamma * norm1(weights)\nlong: weights >= 0\n"
    )

    def texts(text: str) -> list[str]:
        return [c.text for c in complete(made, text)]

    assert "weights" in texts("cap: wei")
    assert "sum_squares(" in texts("minimize sum_sq")
    (what,) = [c.what for c in complete(made, "minimize huber(we + hub") if c.text == "huber("]
    assert what.startswith("(x, param M")
    assert texts("par")[0] == "param "
    assert "nonneg" in texts("param s nonn") and "symmetric" in texts("var X[n, n] symm")
    assert texts("param v[") == ["n"]
    assert "soc" in texts("(t, x) in so")
    assert "chol(" in texts("derived R = cho") and "chol(" not in texts("minimize cho")
    assert texts(":so") == [":solve"]
    assert "mu = " in texts(":bind m") and "randn(" in texts(":bind mu = ran")
    assert "long" in texts(":why lo") and "DPP301" in texts(":explain DPP30")
    assert texts(":grad weights wrt ga") == ["gamma"]
    assert texts(":dim ") == ["n="] and "tolerance" in texts(":set tol")


def test_saving_replaces_no_other_file_unasked(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.dpp").write_text("var y\n")
    shell = Shell(State(session("var x\nfind")), tools())
    assert "is there already" in shell.answer(":save other.dpp")
    assert (tmp_path / "other.dpp").read_text() == "var y\n"
    assert shell.answer(":save mine") == "saved mine.dpp"
    shell.answer("x >= 1")
    assert shell.answer(":save") == "saved mine.dpp"
    assert (tmp_path / "mine.dpp").read_text() == "var x\n\nfind\nsubject to\n  x >= 1\n"
    assert shell.answer(":save other.dpp !") == "saved other.dpp"
    assert "y" not in (tmp_path / "other.dpp").read_text()


def test_saving_that_fails_leaves_the_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.dpp").write_text("var y\n")
    shell = Shell(State(session("var x\nfind")), tools())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert "cannot be written: No space left on device" in shell.answer(":save mine.dpp !")
    assert (tmp_path / "mine.dpp").read_text() == "var y\n"


def test_a_pasted_script_is_run_step_by_step() -> None:
    shell = Shell(State(Session()), tools())
    said = shell.answer("var x\nminimize square(\n  x)\n:type x\nx >= 1\n:undo")
    assert "- x >= 1" in said and "x  scalar    affine  DPP" in said
    assert shell.state.session.source.text == "var x\n\nminimize square(x)\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 items · empty"),
        ("var x", "1 item · no objective yet"),
        ("var x\nminimize x", "2 items · DPP"),
        ("var x\nfind", "2 items · DPP"),
        ("var x\nminimize sqrt(x)", "2 items · 1 error: this is concave: `minimize` needs a convex objective"),
    ],
)
def test_the_verdict_below_the_prompt(text: str, words: str) -> None:
    toolbar = Shell(State(session(text)), tools()).toolbar()
    assert f" new program · {words}" in "".join(part[1] for part in toolbar)


def test_every_function_of_values_is_completed() -> None:
    assert VALUES == NAMES


def test_completion_of_files(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    for name in ("a.dpp", "ab.csv", "abc.dpp", ".a.dpp"):
        (tmp_path / name).write_text("")
    (tmp_path / "aa").mkdir()
    assert [c.text for c in complete(Session(), ":load a")] == ["a.dpp", "aa/", "abc.dpp"]
    assert [c.text for c in complete(session("param x\n"), ":bind x = ab")] == ["ab.csv", "abs("]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("[1, -2]", [1, -2]),
        ("[[1, 2], [3, 4]]'", [[1, 3], [2, 4]]),
        ("2 * ones(n) - 1", [1, 1, 1]),
        ("eye(2) @ [3, 4]", [3, 4]),
        ("linspace(0, 1, 3)", [0, 0.5, 1]),
        ("arange(n)^2", [0, 1, 4]),
        ("known[1:]", [6, 7]),
        ("sum(abs(known))", 18),
        ("diag([1, 2])", [[1, 0], [0, 2]]),
    ],
)
def test_values(text: str, value: object) -> None:
    np.testing.assert_allclose(evaluate("x", text, {"n": 3, "known": np.array([5.0, 6, 7])}, 0), value)


def test_random_values_are_the_same_every_time() -> None:
    first, again = evaluate("x", "randn(4)", {}, 0), evaluate("x", "randn(4)", {}, 0)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, evaluate("y", "randn(4)", {}, 0))
    assert not np.array_equal(first, evaluate("x", "randn(4)", {}, 1))
    assert np.all(np.linalg.eigvalsh(evaluate("x", "psd(5)", {}, 0)) > 0)


@pytest.mark.parametrize(
    "text",
    ["open('/etc/passwd')", "__import__", "randn(1e9)", "randn(10^6, 10^6)", "1 +", "x.__class__", "randn(-1)", "[1, [2, 3]]",
     "nothing", "eye(2, 3)", "sum(i for i in 3)", "ones(0.5)", "exp(1, 2)", "dual x"],
)  # fmt: skip
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(Refused):
        evaluate("x", text, {}, 0)
