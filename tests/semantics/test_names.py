"""Names: what is declared, what is not, and that one mistake is one error."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import model_of, run


def test_a_poisoned_name_makes_no_cascade() -> None:
    result = run(
        """
        dim n
        param b[n, missing]
        derived c = 2 * b
        let e = c + b
        var x[n]
        minimize sum_squares(x) + sum(e) + sum(c)
        subject to
          floor: x >= b[0]
        return x, dual floor
        """
    )
    assert result.places == [("NAM101", "missing")]


def test_every_mistake_of_an_expression_is_found() -> None:
    result = run("dim n\nparam b[n]\nvar x[n]\nminimize sum(x + aa) + sum(b[0, 0]) + ff(x)\n")
    assert result.places == [("NAM101", "aa"), ("SHP507", "b[0, 0]"), ("NAM104", "ff")]


def test_names_of_lines_that_do_not_parse_count_as_declared() -> None:
    result = run("dim n\nparam b[n], c[n)\nvar x[n]\nminimize sum_squares(x - b - c)\n")
    assert [c[:3] for c in result.codes] == ["SYN"]


def test_a_broken_objective_is_not_missing_too() -> None:
    assert [c[:3] for c in run("var x\nminimize x +* 2\nsubject to\n  x >= 1\n").codes] == ["SYN"]


def test_order_of_dims_and_tensors_is_free() -> None:
    model = model_of("param b[n]\nvar x[n]\nminimize sum_squares(x - b)\ndim n\n")
    assert [d.name for d in model.dims] == ["n"]


def test_an_atoms_name_is_not_reserved() -> None:
    model = model_of("dim n\nparam abs[n]\nvar x[n]\nminimize sum(abs(x - abs))\n")
    assert [p.name for p in model.params] == ["abs"]


def test_index_variables_are_unique_within_the_program() -> None:
    model = model_of(
        "dim T\nparam b[T]\nvar x[T]\nminimize sum(b[t] * x[t] for t in T)\nsubject to\n  low[t in T]: x[t] >= 0\n"
    )
    inner = model.objective.binders[0].name  # type: ignore[union-attr]
    assert inner != model.constraints[0].binders[0].name


def test_an_index_variable_may_shadow_a_dim() -> None:
    model = model_of("dim T = 3, t = 2\nvar x[T], y[t]\nminimize sum(square(x[t] - 1) for t in T) + sum_squares(y)\n")
    assert model.objective is not None


def test_function_scope_is_its_file_and_arguments() -> None:
    model = model_of("dim n\nparam b[n]\nfunc f(y[k], w) = w * sum_squares(y - b) / k\nvar x[n]\nminimize f(x, 2)\n")
    assert str(model.objective.facts.curvature.value) == "convex"  # type: ignore[union-attr]


def test_exponential_function_bombs_are_bounded() -> None:
    lines = ["func f0(x) = x + x"]
    lines += [f"func f{i}(x) = f{i - 1}(x) + f{i - 1}(x)" for i in range(1, 40)]
    result = run("\n".join([*lines, "var x", "minimize f39(x)"]) + "\n")
    assert result.codes == ["NAM117"]


def test_a_chain_of_lets_is_shared_not_copied() -> None:
    lines = ["let e0 = x"] + [f"let e{i} = e{i - 1} + e{i - 1}" for i in range(1, 60)]
    model = model_of("\n".join(["var x", *lines, "minimize square(e59)"]) + "\n")
    assert model.objective is not None


def test_deep_nesting_through_functions_is_bounded() -> None:
    lines = ["func f0(x) = x"] + [f"func f{i}(x) = 1 + f{i - 1}(x)" for i in range(1, 300)]
    assert run("\n".join([*lines, "var x", "minimize f299(x)"]) + "\n").codes == ["NAM117"]


def test_mutual_recursion_names_the_circle() -> None:
    result = run("func f(x) = g(x)\nfunc g(x) = f(x)\nvar x\nminimize f(x)\n")
    assert result.codes == ["NAM106"]
    assert "`f` → `g` → `f`" in result.diagnostics[0].message


@pytest.mark.parametrize(
    "line, code",
    [
        ("derived c = x", "NAM119"),
        ("param c[n] psd", "SHP518"),
        ("param c in [0, 1]", "NAM116"),
        ("var c[n] in [b, x]", "NAM119"),
        ("data c[n] = x", "NAM103"),
        ("data c[n] = [1, 2]", "SHP511"),
        ("dim c = 0", "SHP514"),
        ("derived c nonneg = -abs(sum(b)) - 1", "NAM122"),
        ("let c nonpos = sum_squares(x)", "NAM122"),
    ],
)
def test_declarations(line: str, code: str) -> None:
    assert run(f"dim n\nparam b[n]\nvar x[n]\n{line}\nminimize sum_squares(x - b)\n").errors == [code]


def test_names_of_functions_that_are_never_called_are_looked_up() -> None:
    result = run(
        "dim n\nparam b[n]\nvar x[n]\nfunc f(y[k]) = sum(y - c) + g(y) + sum(y[i] for i in k)\nminimize sum_squares(x - b)\n"
    )
    assert result.places == [("NAM101", "c"), ("NAM104", "g")]


def test_a_broken_constraint_hides_neither_its_dual_nor_the_others() -> None:
    result = run(
        "dim n\nparam b[n]\nvar x[n]\nminimize sum(x)\nsubject to\n  a: x >= c\n  d: sum_squares(x) >= 1\nreturn dual a\n"
    )
    assert result.codes == ["NAM101", "DCP206"]


def test_a_forgotten_declaration_is_one_mistake() -> None:
    result = run("param b[n]\nvar x[n], y[n]\nminimize sum(x[i] for i in n) + sum_squares(y)\n")
    assert result.places == [("NAM101", "n")]


def test_a_broken_keyword_hides_the_names_behind_it() -> None:
    result = run("dmi n\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b)\n")
    assert [c[:3] for c in result.codes] == ["SYN"]
