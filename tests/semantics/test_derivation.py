"""Derivations: every rule down to the names, the place where one breaks, and the typing of expressions in a program."""

from __future__ import annotations

from dpplang.core.source import Source
from dpplang.lattice.curvature import Curvature
from dpplang.pipeline import Compilation
from dpplang.semantics.derivation import (
    Claim,
    Part,
    Verdict,
    constraint_claim,
    derive,
    objective_claim,
)
from dpplang.semantics.typed import Typed, expression_at, type_in
from dpplang.semantics.why import lines, why

PORTFOLIO = """\
dim n, k
param gamma pos, Omega[k, k] psd, F[k, n], mu[n]
derived R[k, n] = chol(Omega)' @ F
var w[n]
let risk = sum_squares(R @ w)
func cost(x[n]) = norm1(x) * 2
minimize gamma * risk - mu' @ w + cost(w)
subject to
  budget: sum(w) == 1
  long: 0 <= w
  root: sqrt(w) <= 1
"""


def typed(text: str) -> Typed:
    return Compilation(Source("test.dpp", text)).checked.typed


def parts(whole: Part | Claim) -> list[Part]:
    """All parts of a derivation, wholes first."""
    below = whole.parts if isinstance(whole, Claim) else whole.derivation.parts
    return [p for part in below for p in (part, *parts(part))]


def faults(whole: Part | Claim) -> list[tuple[str, str]]:
    """What is wrong, and where."""
    found = [*parts(whole), *([whole] if isinstance(whole, Part) else [])]
    return list(dict.fromkeys((p.derivation.text, p.complaint) for p in found if p.complaint))


def fault_of(program: str, expression: str, wanted: Curvature | None = None) -> list[tuple[str, str]]:
    program_typed = typed(program)
    probed = type_in(program_typed, expression)
    assert probed.expr is not None, [d.message for d in probed.diagnostics]
    return faults(derive(probed.expr, program_typed, wanted, computed=probed.numeric))


def objective(text: str) -> Claim:
    claim = objective_claim(typed(text))
    assert claim is not None
    return claim


def test_names_that_the_reader_gave_are_put_back() -> None:
    shown = [p.derivation.shown for p in parts(objective(PORTFOLIO))]
    assert "risk" in shown and "cost(w)" in shown
    assert "chol(Omega)' @ F" in shown  # what computes `R`


def test_parameters_are_reached_through_derived_ones() -> None:
    (risk,) = [p.derivation for p in parts(objective(PORTFOLIO)) if p.derivation.name == "risk"]
    assert [str(d) for d in risk.dependence] == ["`Omega` through `R`", "`F` through `R`"]


def test_the_place_where_dpp_breaks_is_one_product() -> None:
    claim = objective(PORTFOLIO)
    assert claim.verdict is Verdict.NOT_DPP
    assert [text for text, _ in faults(claim)] == ["gamma * risk"]


def test_what_is_computed_is_never_at_fault() -> None:
    assert fault_of(PORTFOLIO, "chol(Omega) @ Omega") == []
    assert type_in(typed(PORTFOLIO), "chol(Omega) @ Omega").numeric


def test_demands_reach_the_smallest_part() -> None:
    program = "param p nonneg\nvar x, y\nminimize x\n"
    wanted = Curvature.CONVEX
    assert fault_of(program, "square(x) + 2 * sqrt(y)", wanted) == [("sqrt(y)", "concave, where it must be convex")]
    assert fault_of(program, "square(x) - 2 * square(y)", wanted) == [("square(y)", "convex, where it must be concave")]
    assert fault_of(program, "exp(sqrt(y))", wanted) == [("sqrt(y)", "concave, where it must be convex")]
    assert fault_of(program, "p * square(x)", wanted) == []


def test_every_kind_of_fault_is_in_words() -> None:
    program = "param p, q, r pos\nvar x, y\nminimize x\n"
    assert fault_of(program, "x * y") == [("x * y", "both factors depend on variables")]
    assert fault_of(program, "p * q * x")[0][0] == "p * q"
    assert fault_of(program, "x / y") == [("x / y", "the divisor depends on variables")]
    assert "products by parameters, not quotients" in fault_of(program, "x / r")[0][1]
    assert fault_of(program, "p * square(x)") == [
        ("p * square(x)", "the sign of a factor of a convex expression is unknown: it may turn it around")
    ]
    assert fault_of(program, "square(x) + sqrt(y)") == [("square(x) + sqrt(y)", "a part is convex and another concave")]
    assert fault_of(program, "sqrt(r) * x") == [
        ("sqrt(r) * x", "a factor that depends on parameters must be affine in them")
    ]
    assert fault_of(program, "square(p) + sqrt(r)") == [
        ("square(p) + sqrt(r)", "with parameters counted as affine a part is convex and another concave")
    ]
    vectors = "dim n\nparam a, w[n] nonneg\nvar x[n]\nminimize 0\n"
    assert "multiplies two arguments that depend on parameters" in fault_of(vectors, "dotsort(a * x, w)")[0][1]


def test_every_fault_of_the_checker_is_in_its_derivation() -> None:
    """A program has a DCP or DPP error just where one of its claims does not hold."""
    lines = (
        "x * y <= 1",
        "sqrt(x) <= 1",
        "p * q * x == 1",
        "square(x) == 1",
        "x / p <= 1",
        "exp(-x) >= p",
        "p * x <= 1",
    )
    for line in lines:
        compilation = Compilation(Source("t.dpp", f"param p pos, q\nvar x, y\nminimize x + y\nsubject to\n  {line}\n"))
        typed_program = compilation.checked.typed
        claim = constraint_claim(typed_program.model.constraints[0], typed_program)
        codes = {d.code[:3] for d in compilation.diagnostics if d.is_error}
        verdict = {"DCP": Verdict.NOT_DCP, "DPP": Verdict.NOT_DPP}.get(next(iter(codes), ""), Verdict.DPP)
        assert claim.verdict is verdict, (line, codes)
        assert bool(faults(claim)) == bool(codes), line


def test_sides_stand_in_the_order_of_the_text() -> None:
    program = typed("var x\nminimize x\nsubject to\n  a: x >= square(x)\n")
    claim = constraint_claim(program.model.constraints[0], program)
    assert [(p.role, p.derivation.text) for p in claim.parts] == [("left", "x"), ("right", "square(x)")]


def test_a_shared_part_is_one_derivation() -> None:
    program = "var x\n" + "let a0 = square(x)\n" + "".join(f"let a{i + 1} = a{i} + a{i}\n" for i in range(60))
    whole = objective(program + "minimize a60\n").parts[0].derivation
    left, right = whole.parts
    assert left.derivation is right.derivation
    shown = why(objective(program + "minimize a60\n"))
    assert len(shown.split("\n")) < 60 and "as above" in shown


def test_expressions_are_found_by_place() -> None:
    program = typed(PORTFOLIO)
    source = program.model.objective.span.source  # type: ignore[union-attr]

    def at(text: str, inside: int = 0) -> str:
        found = expression_at(program, source, PORTFOLIO.index(text) + inside)
        return "" if found is None else found.span.text

    assert at("R @ w", 2) == "R @ w"
    assert at("gamma * risk", 6) == "gamma * risk"
    assert at("norm1(x)", 1) == "norm1(x)"
    assert at("sqrt(w)", 5) == "w"
    assert at("subject to") == ""


def test_typing_an_expression_leaves_the_program_as_it_was() -> None:
    program = typed(PORTFOLIO)
    assert type_in(program, "nothing + 1").expr is None
    again = type_in(program, "nothing + 1")
    assert [d.code for d in again.diagnostics] == ["NAM101"]  # it was not poisoned by the first
    assert type_in(program, "w +").expr is None and type_in(program, "w +").diagnostics


def test_a_program_with_errors_is_typed_as_far_as_it_goes() -> None:
    program = typed(
        "var x, y\nlet e = square(x)\nminimize nonsense(x)\nsubject to\n  a: e <= 1\n  b: y + [1, 2] <= z\n"
    )
    assert program.model.objective is None
    assert [c.name for c in program.model.constraints] == ["a"]
    named = program.named("e")
    assert named is not None and derive(named, program).derivation.name == "e"


def test_why_shows_every_rule_down_to_the_names() -> None:
    claim = objective("param p nonneg\nvar x\nminimize p * square(x) + abs(x)\n")
    assert why(claim).split("\n") == [
        "`minimize` needs a convex objective",
        "p * square(x) + abs(x)           scalar  nonneg  convex    DPP  p",
        "│ `add` is affine, so the curvature of its parts stays",
        "├ p * square(x)                  scalar  nonneg  convex    DPP  p",
        "│ │ a nonneg constant times a convex expression",
        "│ ├ p                            scalar  nonneg  constant  DPP  p",
        "│ └ square(x)                    scalar  nonneg  convex    DPP",
        "│   │ `square` is convex, not monotone in `x`",
        "│   └ argument, not monotone: x  scalar          affine    DPP",
        "└ abs(x)                         scalar  nonneg  convex    DPP",
        "  │ `abs` is convex, not monotone in `x`",
        "  └ argument, not monotone: x    scalar          affine    DPP",
    ]


def test_what_is_wrong_is_marked() -> None:
    shown = why(objective(PORTFOLIO))
    assert "✗ both factors depend on parameters: DPP asks that one be free of them" in shown
    assert shown.count("✗") == 1


def test_a_tree_is_cut_to_the_columns_it_may_take() -> None:
    whole = objective(PORTFOLIO)
    narrow = lines(whole, 30)
    assert len(narrow) == len(lines(whole))
    assert all(len(n.guide + n.role) + max(len(n.text), 16) <= 30 + 24 for n in narrow if n.cells)
    assert any(n.text.endswith("…") for n in narrow)
