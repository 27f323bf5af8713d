"""What the features say, on a program that uses every kind of name."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from lsprotocol.types import CompletionItem, CompletionList, InlayHint, MarkupContent, TextEdit

from dpplang.core.edits import apply_edits
from dpplang.core.source import Source
from dpplang.lsp import completion, folding, formatting, hints, lens, navigation, signature, symbols, tokens, words
from dpplang.lsp.actions import actions, explanation
from dpplang.lsp.analysis import Session
from dpplang.lsp.diagnostics import diagnostics
from dpplang.lsp.hover import hover
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.offers import FIX_ALL
from dpplang.lsp.settings import Hints
from dpplang.lsp.sizes import Query, Size, Unsized
from dpplang.lsp.view import View
from dpplang.pipeline import Compilation
from dpplang.semantics.attributes import KNOWN
from dpplang.semantics.numeric_functions import NUMERIC_NAMES
from dpplang.semantics.primitives import PRIMITIVES
from dpplang.semantics.relations import ALIASES, CONES
from dpplang.syntax.words import ENTRY_WORDS, INFIX, ITEM_WORDS
from tests.lsp.helpers import PORTFOLIO, URI, at, marked, received, view_of


def edited(view: View, edits: list[TextEdit]) -> str:
    text = view.analysis.text
    for edit in sorted(edits, key=lambda e: view.offset(e.range.start), reverse=True):
        text = text[: view.offset(edit.range.start)] + edit.new_text + text[view.offset(edit.range.end) :]
    return text


def shown(needle: str, inside: int = 0, text: str = PORTFOLIO) -> str:
    found = hover(*at(text, needle, inside))
    if found is None:
        return ""
    assert isinstance(found.contents, MarkupContent)
    return found.contents.value


# --- hover -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needle", "inside", "says"),
    [
        ("mu[t]'", 0, ["param mu[T, n]", "a parameter", "line 4", "`[T, n]`"]),
        ("risk(w", 0, ["func risk(x[n])", "What a position may lose.", "**convex**", "**DPP**", "sum_squares(R @ x)"]),
        ("sum_squares", 2, ["atom sum_squares(x[n])", "Sum of squares", "convex, nonneg", "`R` is a derived"]),
        ("R @ x", 2, ["**affine**", "`[k]`", "`Omega` through `R`"]),
        ("budget[t", 2, ["its dual has shape `[T]`", "both sides of `==` must be affine"]),
        ("dual budget", 6, ["budget[t in T]", "`[T]`"]),
        ("maximize", 3, ["needs a concave objective"]),
        ("psd", 0, ["positive semidefinite"]),
        ("chol", 1, ["Lower Cholesky factor", "`derived`"]),
        ("x[n]) =", 0, ["an argument"]),
        ("t in T)", 0, ["an index variable"]),
        ("dim T", 0, ["the index set"]),
        ("dim T", 4, ["dim T = 12", "a size"]),
        ("for t", 0, ["index set"]),
    ],
)
def test_hover(needle: str, inside: int, says: list[str]) -> None:
    text = shown(needle, inside)
    assert [s for s in says if s not in text] == []
    assert "not DPP" not in text


def test_hover_says_what_is_not_dpp() -> None:
    assert "not DPP" in shown("* sum", 0, "dim n\nparam p, q\nvar x[n]\nminimize p * q * sum(x)\n")


def test_hover_on_a_comment_is_silent() -> None:
    assert shown("Multi", 2) == ""


def test_hover_on_a_broken_file() -> None:
    assert "param mu" in shown("mu[t]'", 0, PORTFOLIO.replace("budget[t in T]:", "budget[t in"))


# --- navigation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needle", "inside", "count"),
    [("R @ x", 0, 2), ("risk(w", 0, 2), ("w[0]", 0, 9), ("x[n])", 0, 3), ("T + 1", 0, 9), ("budget", 0, 2)],
)
def test_references(needle: str, inside: int, count: int) -> None:
    view, offset = at(PORTFOLIO, needle, inside)
    found = navigation.references(view, offset, declaration=True)
    assert len(found) == count
    assert len(navigation.references(view, offset, declaration=False)) == count - 1
    assert [h.range for h in navigation.highlights(view, offset)] == [f.range for f in found]


def test_definition_of_an_atom_is_in_the_library() -> None:
    (place,) = navigation.definition(*at(PORTFOLIO, "sum_squares"))
    assert place.uri.endswith("stdlib/quadratic.dpp")
    path = Path(place.uri.removeprefix("file://"))
    assert "atom sum_squares" in path.read_text(encoding="utf-8").split("\n")[place.range.start.line]


def test_definition_through_an_import(tmp_path: Path) -> None:
    (tmp_path / "lib.dpp").write_text("## Loss.\nfunc loss(x[n]) = sum_squares(x)\n", encoding="utf-8")
    text = 'dim n\nvar x[n]\nfrom "lib.dpp" import loss\nminimize lo‸ss(x)\n'
    (place,) = navigation.definition(*marked(text, tmp_path / "a.dpp"))
    assert place.uri == (tmp_path / "lib.dpp").as_uri() and place.range.start.line == 1
    (place,) = navigation.definition(*marked(text.replace("‸", "").replace("lib", "l‸ib"), tmp_path / "a.dpp"))
    assert place.uri == (tmp_path / "lib.dpp").as_uri() and place.range.start.line == 0


def test_index_variables_of_two_sums_are_two() -> None:
    text = "dim n\nvar x[n]\nminimize sum(x[i] for i in n) + sum(x[i]^2 for i in n)\n"
    assert len(navigation.references(*at(text, "x[i]", 2), declaration=True)) == 2


# --- rename ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["T", "n", "F", "mu", "Omega", "gamma", "R", "s", "risk", "w", "u", "budget", "turn"])
def test_rename_there_and_back(name: str) -> None:
    view = view_of(PORTFOLIO)
    mention = next(view.analysis.names.called(name))
    text = edited(view, navigation.rename(view, mention.span.start, "renamed"))
    again = view_of(text)
    assert again.analysis.diagnostics == () and text != PORTFOLIO
    back = next(again.analysis.names.called("renamed"))
    assert edited(again, navigation.rename(again, back.span.start, name)) == PORTFOLIO


def test_rename_of_an_argument_reaches_the_calls_that_name_it() -> None:
    text = "dim n\nvar x[n]\nfunc f(a[n], b = 1) = b * sum(a)\nminimize f(x, b = 2)\n"
    view, offset = at(text, "b = 2")
    assert edited(view, navigation.rename(view, offset, "scale")) == text.replace("b ", "scale ").replace("= b", "= b")


@pytest.mark.parametrize(
    ("needle", "new", "why"),
    [
        ("mu[t]'", "w", "declared in line 10"),
        ("risk(w", "huber", "standard library"),
        ("mu[t]'", "2x", "not a name"),
        ("mu[t]'", "in", "not a name"),
        ("mu[t]'", "t", "already means"),
        ("sum_squares", "q", "not declared"),
        ("abs(u", "q", "not declared"),
    ],
)
def test_rename_refused(needle: str, new: str, why: str) -> None:
    with pytest.raises(navigation.CannotRename, match=why):
        navigation.rename(*at(PORTFOLIO, needle), new)


def test_prepare_rename() -> None:
    found = navigation.renamable(*at(PORTFOLIO, "risk(w", 2))
    assert found is not None and found.placeholder == "risk"
    assert navigation.renamable(*at(PORTFOLIO, "sum_squares")) is None


# --- completion and signatures -----------------------------------------------------------------------------------


def completed(text: str, path: Path | None = None) -> dict[str, CompletionItem]:
    return {i.label: i for i in listed(*marked(text, path)).items}


def listed(view: View, offset: int) -> CompletionList:
    return received(completion.completion(view, offset, snippets=False), CompletionList)


HEAD = "dim n, m\nparam A[m, n], p pos\nvar x[n]\nfunc f(y[n]) = sum(y)\n"


@pytest.mark.parametrize(
    ("line", "has", "lacks"),
    [
        ("‸", ["minimize", "subject to", "param", "x"], ["psd", "soc"]),
        ("minimize ‸", ["x", "A", "f", "huber", "sum", "p"], ["psd", "dim", "chol", "soc"]),
        ("minimize hu‸", ["huber"], []),
        ("minimize A @ ‸", ["x"], ["minimize"]),
        ("var z[‸", ["n", "m"], ["x", "A"]),
        ("var z[n] ‸", ["nonneg", "in", "psd"], ["x", "huber"]),
        ("param z[n] ‸", ["nonneg", "sparse"], ["in"]),
        ("var ‸", [], ["x", "nonneg"]),
        ("subject to\n  c[t in ‸", ["n", "m"], ["x"]),
        ("subject to\n  x in ‸", ["soc", "nonneg"], ["n", "x"]),
        ("minimize sum(x[i] for i in ‸", ["n"], ["huber"]),
        ("minimize sum(x[‸] for i in n)", ["i", "n"], []),
        ("subject to\n  lo: x >= 0\nreturn dual ‸", ["lo"], ["x"]),
        ("subject to\n  lo: x >= 0\nreturn ‸", ["dual lo", "value", "x"], []),
        ("derived d = ‸", ["chol", "A", "p"], ["x", "huber"]),
        ("minimize huber(x, ‸", ["M =", "x"], []),
        ("minimize f(‸", ["x"], []),
        ("# a ‸", [], ["x"]),
        ("atom g(y) {\n  ‸", ["kind", "curvature", "graph"], ["minimize"]),
        ("atom g(y) {\n  curvature: ‸", ["convex", "concave"], ["x"]),
        ("func g(y[n], z) = ‸", ["y", "z", "x"], []),
    ],
)
def test_completion(line: str, has: list[str], lacks: list[str]) -> None:
    found = completed(HEAD + line)
    assert [h for h in has if h not in found] == []
    assert [x for x in lacks if x in found] == []


def test_completion_replaces_the_word_that_was_begun() -> None:
    item = completed(HEAD + "minimize hu‸")["huber"]
    assert isinstance(item.text_edit, TextEdit)
    assert (item.text_edit.range.start.character, item.text_edit.range.end.character) == (9, 11)


def test_completion_tells_of_an_atom() -> None:
    item = completion.resolve(completed(HEAD + "minimize ‸")["huber"])
    assert item.detail == "huber(x, param M nonneg = 1)"
    assert isinstance(item.documentation, MarkupContent) and "increasing in x where" in item.documentation.value


def test_completion_of_imports(tmp_path: Path) -> None:
    (tmp_path / "lib.dpp").write_text("func loss(x[n]) = sum_squares(x)\n", encoding="utf-8")
    assert "lib.dpp" in completed('from "‸', tmp_path / "a.dpp")
    assert list(completed('from "lib.dpp" import ‸', tmp_path / "a.dpp")) == ["loss"]


@pytest.mark.parametrize(
    ("line", "label", "parameter"),
    [
        ("minimize huber(‸", "huber(x, param M nonneg = 1)", 0),
        ("minimize huber(x, ‸", "huber(x, param M nonneg = 1)", 1),
        ("minimize huber(x, M = ‸", "huber(x, param M nonneg = 1)", 1),
        ("minimize huber(A[1, ‸", "huber(x, param M nonneg = 1)", 0),
        ("minimize f(‸", "f(y[n])", 0),
        ("minimize sum(x, ‸", "sum(x, axis, keepdims)", 1),
        ("minimize maximum(x, x, x, ‸", "maximum(x, y, …)", 1),
    ],
)
def test_signature(line: str, label: str, parameter: int) -> None:
    found = signature.signature_help(*marked(HEAD + line))
    assert found is not None
    assert (found.signatures[found.active_signature or 0].label, found.active_parameter) == (label, parameter)


def test_no_signature_outside_of_calls() -> None:
    assert signature.signature_help(*marked(HEAD + "minimize (x + ‸")) is None


# --- the whole text ----------------------------------------------------------------------------------------------


def test_every_kind_of_name_has_a_colour_of_its_own() -> None:
    looks = [v for k, v in tokens.KINDS.items()]
    assert len(set(looks)) == len(looks)
    view = view_of(PORTFOLIO)
    said = {PORTFOLIO[t.start : t.end]: (t.type, t.modifiers & ~1) for t in tokens.tokens(view, 0, len(PORTFOLIO))}
    assert len({said[name] for name in ("T", "F", "mu", "R", "w", "risk", "sum_squares", "chol", "sum", "t")}) == 10


@pytest.mark.parametrize("encoding", list(Encoding))
def test_tokens_and_their_deltas(encoding: Encoding) -> None:
    session = Session("a.dpp", None)
    text = "# 𝒙\n" + PORTFOLIO
    found = []
    for version in (text, text.replace("tau", "tau, rho", 1)):
        view = View(URI, session.analyze(version), Lines(version, encoding))
        found.append(tokens.encoded(view))
        assert json.loads(tokens.written(found[-1])) == tokens.encode(tokens.tokens(view, 0, len(version)), view.lines)
    old, new = (json.loads(tokens.written(chunks)) for chunks in found)
    (edit,) = json.loads(tokens.delta(*found))
    assert old[: edit["start"]] + edit["data"] + old[edit["start"] + edit["deleteCount"] :] == new
    assert len(edit["data"]) == 45  # the tokens of that line
    assert tokens.delta(found[1], found[1]) == "[]"


def test_tokens_of_a_range_are_those_of_the_whole() -> None:
    view = view_of(PORTFOLIO)
    whole = list(tokens.tokens(view, 0, len(PORTFOLIO)))
    assert list(tokens.tokens(view, 200, 500)) == [t for t in whole if t.start < 500 and t.end > 200]


def test_hints() -> None:
    view = view_of(PORTFOLIO)
    levels = [received(hints.hints(view, 0, len(PORTFOLIO), level), list[InlayHint]) for level in Hints]
    assert levels[0] == [] and 0 < len(levels[1]) < len(levels[2])
    by_line = {h.position.line: h.label for h in levels[1]}
    assert by_line[11] == "concave" and by_line[17] == "convex, nonneg" and by_line[8] == "convex, nonneg"


def test_lens() -> None:
    text = PORTFOLIO + "# dims: n = 3, k = 2, T = 4\n"
    title = lens.title(view_of(text).analysis)
    assert title.startswith("DPP · 7 parameters, 1 data, 2 variables, 5 constraints · 27 unknowns, ")
    assert title.endswith(" rows as written · T = 4, n = 3, k = 2")
    assert lens.title(view_of("param p\nvar x\nminimize x / p\n").analysis) == "DCP, not DPP · 1 error"
    assert lens.title(view_of("var x\nminimize sqrt(x)\n").analysis) == "not DCP · 1 error"


def test_lens_reads_sizes_from_settings(tmp_path: Path) -> None:
    (tmp_path / "dpp.toml").write_text('[dims]\nn = 2\n["a.dpp".dims]\nn = 5\n', encoding="utf-8")
    view = view_of("dim n\nparam q[n]\nvar x[n]\nminimize q' @ x\nsubject to\n  x >= 0\n", tmp_path / "a.dpp")
    assert "5 unknowns, 5 rows as written · n = 5" in lens.title(view.analysis)
    assert lens.lenses(view)[0].range.start.line == 3


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("n = 3, k = 2", "27 unknowns"),
        ("n = 3; k = 2", "27 unknowns"),
        ("n = 3 k = 2", "27 unknowns"),
        ("n = 3", "sizes: `k` has no size"),
        ("n = 3, k = 2, m = 4", "sizes: `m` is not a dim"),
        ("n = 3, k = 2.5", "sizes: `k = 2.5` is not a dim and its size, `k` has no size"),
        ("n = 3, k = 0", "sizes: `k = 0` is not a dim and its size"),
        ("n = 3, k 2", "sizes: `k 2` is not a dim and its size"),
    ],
)
def test_what_a_lens_says_of_sizes(comment: str, said: str) -> None:
    text = PORTFOLIO.replace("T = 12", "T = 4") + f"# dims: {comment}\n"
    assert said in lens.title(view_of(text).analysis)


def test_a_lens_is_silent_on_sizes_that_nobody_gave() -> None:
    assert "size" not in lens.title(view_of(PORTFOLIO).analysis)


def test_a_lens_shows_the_canonical_size() -> None:
    view = view_of(PORTFOLIO + "# dims: n = 3, k = 2, T = 4\n")
    found = Size(1200, 52, 7, zero=12, nonneg=28, exp=1, soc=((3, 2), (4, 1)), nonzeros=(3, 90), without_zeros=("F",))
    (shown,) = lens.lenses(view, found)
    assert shown.command is not None
    assert "canonical: 1,200 variables, 52 rows (12 =, 28 ≥, 3 soc(3…4), 1 exp) · T = 4" in shown.command.title
    assert shown.command.tooltip is not None and "as if F had no zeros" in shown.command.tooltip
    why = lens.title(view.analysis, Unsized("too large"))
    assert "rows as written, too large · T = 4" in why


def test_comments_do_not_change_what_is_asked_and_sizes_do() -> None:
    text = PORTFOLIO + "# dims: n = 3, k = 2\n"
    asked = Query.of(view_of(text).analysis)
    assert asked is not None and asked == Query.of(view_of("# a note\n\n" + text).analysis)
    assert asked != Query.of(view_of(text.replace("n = 3", "n = 4")).analysis)
    assert asked != Query.of(view_of(text.replace("<= tau", "<= 2 * tau")).analysis)
    assert Query.of(view_of(PORTFOLIO).analysis) is None and Query.of(view_of(text + "x").analysis) is None


def test_outline() -> None:
    view = view_of(PORTFOLIO)
    found = symbols.document_symbols(view.analysis.items, view.lines)
    constraints = next(s for s in found if s.name == "subject to").children
    assert constraints is not None
    assert [s.name for s in constraints] == ["start", "balance", "budget", "long", "turn"]
    assert [s.name for s in found if s.detail == "What a position may lose."] == ["risk"]
    assert all(s.range.start <= s.selection_range.start <= s.selection_range.end <= s.range.end for s in found)


def test_symbols_of_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "b.dpp").write_text("func hazard(x[n]) = sum(x)\n", encoding="utf-8")
    view = view_of(PORTFOLIO, tmp_path / "a.dpp")
    found = symbols.workspace_symbols([view], [tmp_path], "rd", Encoding.UTF16)
    assert [s.name for s in found] == ["hazard"]


def test_folding() -> None:
    view = view_of("# one\n# two\natom f(x) {\n  graph {\n    minimize x\n  }\n}\nsubject to\n  x >= 0\n")
    assert {(f.start_line, f.end_line) for f in folding.folding(view)} == {(0, 1), (2, 6), (3, 5), (7, 8)}


def test_selection_grows_from_the_word_to_the_text() -> None:
    view, offset = at(PORTFOLIO, "R @ x")
    current = folding.selection(view, view.lines.position(offset))
    texts: list[str] = []
    while current is not None:
        texts.append(PORTFOLIO[view.offset(current.range.start) : view.offset(current.range.end)])
        current = current.parent
    assert texts[:3] == ["R", "R @ x", "sum_squares(R @ x)"] and texts[-1] == PORTFOLIO
    assert all(a in b for a, b in pairwise(texts))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_formatting(end: str) -> None:
    text = "dim n\nvar  x[n]\nminimize sum( x )\nsubject to\n    x>=0\n".replace("\n", end)
    view = view_of(text)
    made = edited(view, formatting.formatting(view))
    assert made == "dim n\nvar x[n]\n\nminimize sum(x)\nsubject to\n  x >= 0\n".replace("\n", end)
    assert formatting.formatting(view_of(made)) == []
    some = edited(view, formatting.formatting(view, 4, 4))
    assert some == text.replace("    x>=0", "  x >= 0")


def test_a_broken_text_is_not_formatted() -> None:
    assert formatting.formatting(view_of("var  x\nminimize (x\n")) == []


# --- diagnostics and actions -------------------------------------------------------------------------------------

BAD = "dim n\nparam q[n], p pos\nvar x[n]\nminimize q' @ x / p\nsubject to\n  x >= 0\n"


def test_a_fix_mends() -> None:
    view = view_of(BAD)
    found = Compilation(Source("a.dpp", BAD)).diagnostics
    made = actions(view, 0, len(BAD), None, 3, found)
    kinds = [getattr(a.kind, "value", a.kind) for a in made]
    assert kinds.count("quickfix") == 2 and kinds.count(FIX_ALL) == 1
    for action in (made[0], made[-1]):
        assert action.edit is not None and action.edit.document_changes
        (change,) = action.edit.document_changes
        mended = edited(view, list(change.edits))  # type: ignore[union-attr]
        assert view_of(mended).analysis.diagnostics == ()
    assert actions(view, 0, len(BAD), [FIX_ALL], None, found)[0].edit is not None
    assert actions(view, 0, 5, ["quickfix"], None, found) == []
    fix = found[0].fixes[0]
    assert apply_edits(BAD, fix.edits) == mended


def test_a_diagnostic_of_an_imported_file_stands_at_the_import(tmp_path: Path) -> None:
    (tmp_path / "lib.dpp").write_text("func f(x) = x +\n", encoding="utf-8")
    view = view_of('var x\nfrom "lib.dpp" import f\nminimize x\n', tmp_path / "a.dpp")
    (found,) = diagnostics(view)
    assert found.range.start.line == 1 and found.message.startswith("lib.dpp:1:")
    assert found.related_information and found.related_information[0].location.uri.endswith("lib.dpp")


def test_no_range_of_a_diagnostic_is_empty() -> None:
    for text in ("var x\nminimize (x\n", "var x\n", "minimize", "dim n\nvar x[n\n", 'from "a.dpp'):
        assert all(d.range.start < d.range.end for d in diagnostics(view_of(text))), text


def test_explanations() -> None:
    assert "```dpp" in explanation("DPP302") and explanation("nonsense") == ""


# --- tables ------------------------------------------------------------------------------------------------------


def test_every_word_is_described() -> None:
    assert set(words.ITEMS) == set(ITEM_WORDS)
    assert set(words.ENTRIES) == set(ENTRY_WORDS)
    assert set(words.ATTRIBUTES) == set(KNOWN)
    assert set(words.CONES) == {*CONES, *ALIASES}
    assert set(words.FUNCTIONS) == set(PRIMITIVES)
    assert set(words.NUMERIC) == set(NUMERIC_NAMES)
    assert {*INFIX, "dual", "not", "const"} <= set(words.JOINTS)


# --- sets --------------------------------------------------------------------------------------------------------

WITH_SETS = """## Half a line.
atom half(x, param least) {
  kind: set
  graph {
    subject to
      x >= least
  }
}
param r nonneg
var x[3]
minimize sum(x)
subject to
  a: x in half(1)
  b: x in ball(r)
  c: x in 
"""


def test_a_set_is_described_found_and_renamed_as_an_atom_is() -> None:
    assert "Half a line." in shown("half(1)", 1, WITH_SETS)
    assert "Euclidean ball" in shown("ball(r)", 1, WITH_SETS)
    assert "a convex set" in shown("ball(r)", 1, WITH_SETS)


def test_sets_are_completed_behind_in_and_nowhere_else() -> None:
    def labels(needle: str, inside: int) -> set[str]:
        return {i.label for i in listed(*at(WITH_SETS, needle, inside)).items}

    assert {"simplex", "ball", "box", "half", "soc", "rotated_soc"} <= labels("x in \n", 5)
    assert not labels("sum(x)", 0) & {"simplex", "half", "box"}


def test_fixes_of_diagnostics_that_the_client_names_though_the_cursor_is_elsewhere_on_the_line() -> None:
    text = "param q, p pos\nvar x\nminimize q * x / p + x^2\n"
    view = view_of(text)
    found = Compilation(view.analysis.source).diagnostics
    shown = diagnostics(view)
    at_start = text.index("minimize")
    titles = [
        [a.title for a in actions(view, at_start, at_start, ["quickfix"], None, found, meant)] for meant in ((), shown)
    ]
    assert titles[0] == []
    assert [d.code for d in shown] == ["DPP302"] and any("derived" in title for title in titles[1])


def test_of_many_names_those_that_what_is_typed_may_stand_for() -> None:
    """The list is incomplete, so that the client asks again with the next letter; the nearest are in it."""
    declared = "".join(f"param alpha{k}\nparam beta{k}\n" for k in range(400))
    view, offset = marked(f"{declared}var x\nminimize be‸ * x\n")
    found = listed(view, offset)
    names = {i.label for i in found.items if i.label.startswith(("alpha", "beta"))}
    assert found.is_incomplete
    assert len(names) == completion.MOST and "beta399" in names and not any(n.startswith("alpha") for n in names)
    view, offset = marked(f"{declared}var x\nminimize beta17‸ * x\n")
    again = listed(view, offset)
    assert {i.label for i in again.items} >= {"beta17", "beta170", "beta179"}
    few, offset = marked("param beta\nvar x\nminimize be‸ * x\n")
    assert not listed(few, offset).is_incomplete
