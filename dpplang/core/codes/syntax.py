"""Codes SYN0xx."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

_HEAD = "dim n\nparam b[n]\nvar x[n]\n"
_BODY = "minimize sum_squares(x - b)\n"
_OK = _HEAD + _BODY


def _constrained(failing: str, mended: str) -> tuple[str, str]:
    """Two programs that differ in their constraint."""
    return tuple(f"{_HEAD}{_BODY}subject to\n  {line}\n" for line in (failing, mended))  # type: ignore[return-value]


def _minimized(failing: str, mended: str) -> tuple[str, str]:
    """Two programs that differ in their objective."""
    return f"{_HEAD}minimize {failing}\n", f"{_HEAD}minimize {mended}\n"


def _declared(failing: str, mended: str) -> tuple[str, str]:
    """Two programs that differ in a declaration."""
    return f"{failing}\n{_OK}", f"{mended}\n{_OK}"


_ATOM = "atom twice(x) {{\n  kind: elementwise\n  curvature: affine\n  {}\n  value: 2 * x\n  graph {{\n    minimize 2 * x\n  }}\n}}\n"

SYNTAX_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "SYN001",
        "something else was expected here",
        "The line is read from left to right; at the marked place nothing that the language knows can go on with what stands "
        "there. The message says what could. Items end with their line; a line goes on inside brackets and behind an operator or a comma.",
        *_constrained("(x, 1) >= 0", "x >= 0"),
    ),
    CodeInfo(
        "SYN002",
        "a character that means nothing",
        "The character is no part of any word, number or sign of the language. Names are made of letters, digits and `_`; a comment "
        "begins with `#`.",
        *_minimized("sum_squares(x - $b)", "sum_squares(x - b)"),
    ),
    CodeInfo(
        "SYN003",
        "a string that is not closed, or in other quotes",
        'File names in `from "file.dpp" import …` stand between two `"` on one line. A `\'` transposes.',
        'let s = "abc\n' + _OK,
        _OK,
    ),
    CodeInfo(
        "SYN004",
        "a bracket that is never closed",
        "Inside brackets a line goes on until they are closed. Where they are not, the item is taken to end with its line (or with the "
        "last line that is indented deeper), so that the rest of the file is still checked.",
        *_minimized("sum_squares(x - b", "sum_squares(x - b)"),
    ),
    CodeInfo(
        "SYN005",
        "a closing bracket without its opening one",
        "Every `)`, `]` and `}` closes the last bracket opened before it, and that must be of its own kind. `{ }` hold the record of an "
        "atom and its graph, and nothing else.",
        *_minimized("sum_squares(x - b))", "sum_squares(x - b)"),
    ),
    CodeInfo(
        "SYN006",
        "a sign of another language",
        "What is meant is clear, and is read as that, but here it is written differently: powers with `^`, the transpose with `'`, "
        "inequalities with `<=` and `>=`, conditions with `and`, `or`, `not`, comments with `#`, matrices as lists of rows, norms and functions by "
        "their names alone. The fix rewrites it.",
        *_minimized("sum(x**2)", "sum(x^2)"),
    ),
    CodeInfo(
        "SYN007",
        "`=` in a constraint",
        "An equation is `==`. A single `=` defines: `let e = …`, `derived p = …`, a default `data eps = 0.05`, a named argument.",
        *_constrained("sum(x) = 1", "sum(x) == 1"),
    ),
    CodeInfo(
        "SYN008",
        "a strict inequality as a constraint",
        "`<` and `>` describe an open set, on whose boundary no minimum need exist; solvers work with closed sets. Write `<=` or `>=`, with a "
        "margin where the boundary itself must be excluded (`x >= 1e-3`). In conditions of indices `<` and `>` are at home.",
        *_constrained("x < 1", "x <= 1"),
    ),
    CodeInfo(
        "SYN009",
        "`!=` as a constraint",
        "The points where two expressions differ are not a convex set, so no convex problem can have that constraint. In conditions of "
        "indices (`for i in n if i != 0`) it is at home.",
        *_constrained("x != 1", "x >= 1"),
    ),
    CodeInfo(
        "SYN010",
        "two operands with nothing between them",
        "Products are written out: `2 * x`, `A @ x`. Arguments, indices and declarations are separated by commas.",
        *_minimized("2 sum_squares(x - b)", "2 * sum_squares(x - b)"),
    ),
    CodeInfo(
        "SYN011",
        "`for`, `if` or `and` out of place",
        "`expr for i in n if cond` is the only argument of `sum`, `max`, `min`, `hstack` or `vstack`. A constraint for every index is named: "
        "`cap[i in n]: x[i] <= 1`. Positional arguments stand before named ones.",
        *_constrained("x[i] <= 1 for i in n", "cap[i in n]: x[i] <= 1"),
    ),
    CodeInfo(
        "SYN012",
        "the line before the constraints",
        "Constraints follow a line that reads `subject to`, with no colon.",
        f"{_HEAD}{_BODY}subject to:\n  x >= 0\n",
        f"{_HEAD}{_BODY}subject to\n  x >= 0\n",
    ),
    CodeInfo(
        "SYN013",
        "a keyword that does not exist",
        "An item begins with `dim`, `data`, `param`, `derived`, `let`, `var`, `func`, `from`, `atom`, `minimize`, `maximize`, `find`, `subject to` "
        "or `return`; anything else is a constraint. The line begins with a word that is close to one of them, or with one "
        "of another language (`def`, `vector`, `import`, `end`, `Minimize`, `solve()`); the message says what it is here, if it is anything.",
        *_declared("paramm p", "param p"),
    ),
    CodeInfo(
        "SYN014",
        "a line that ends too early",
        "The item is not complete. A line goes on inside brackets, or if it ends in an operator or a comma; the next line was not taken for its "
        "continuation because it begins an item of its own.",
        *_constrained("x >=", "x >= 0"),
    ),
    CodeInfo(
        "SYN015",
        "a number that a double cannot hold",
        "Numbers are IEEE doubles: up to 1.8e308, and down to 4.9e-324. `inf` is a bound that does not bind.",
        *_constrained("x <= 1e999", "x <= 1e99"),
    ),
    CodeInfo(
        "SYN016",
        "nested too deeply",
        "At most 100 brackets may be open at once, and an expression may be 150 levels deep; a sum of more than 150 terms written out is as deep. "
        "Name its parts with `let`, or write it as `sum(… for i in n)` or a product with a vector.",
        f"{_HEAD}minimize {'(' * 101}sum_squares(x - b){')' * 101}\n",
        _OK,
    ),
    CodeInfo(
        "SYN017",
        "a file that is too big",
        "A program of more than a million characters is not read. Numbers belong into `data`, which is bound from arrays.",
    ),
    CodeInfo(
        "SYN018",
        "a tuple out of place",
        "`(t, x)` lists the parts of a point of a cone, to the left of `in`: `(t, x) in soc`. An array is `[a, b]`; vectors are joined by `hstack(a, b)`.",
        *_minimized("sum_squares((x, b))", "sum_squares(hstack(x, b))"),
    ),
    CodeInfo(
        "SYN019",
        "`dual` outside of `return`",
        "The dual variable of a constraint is a result of solving; it stands in `return` alone: `return x, dual cap`.",
        f"{_HEAD}minimize sum_squares(x - dual cap)\nsubject to\n  cap: x <= 1\n",
        f"{_HEAD}{_BODY}subject to\n  cap: x <= 1\nreturn x, dual cap\n",
    ),
    CodeInfo(
        "SYN020",
        "a declaration that its kind does not have",
        "A `dim` is a size: no shape, no attributes, a whole number as default. Defaults are for `dim` and `data`; a `var` is "
        "found by the solver, a `param` bound at every call. The arguments of a `func` have no modes. Shapes stand in `[ ]` and are made of "
        "sizes; what is known of a tensor is said by words behind its shape, and the bounds of a `var` as `in [0, 1]`.",
        *_declared("var y = 1", "data y = 1"),
    ),
    CodeInfo(
        "SYN021",
        "a record of an atom that is not in order",
        "A record holds each entry at most once, `test` as often as wanted; its `graph { … }` holds `var`, `let`, one objective, "
        "`subject to` and constraints. See the table in docs/language.md, §7.",
        _ATOM.format("concavity: none") + _OK,
        _ATOM.format("monotone: increasing in x") + _OK,
    ),
    CodeInfo(
        "SYN022",
        "a line that begins with an operator",
        "A line ends its item unless it stands in brackets, or ends in an operator or a comma. To go on with an expression, put the operator at "
        "the end of the line before.",
        _HEAD + "minimize sum_squares(x)\n  + sum(x)\n",
        _HEAD + "minimize sum_squares(x) +\n  sum(x)\n",
    ),
    CodeInfo(
        "SYN023",
        "an expression where a constraint is expected",
        "A line without a keyword is a constraint: a relation (`==`, `<=`, `>=`, `<<`, `>>`), or a membership (`(t, x) in soc`).",
        *_constrained("norm1(x)", "norm1(x) <= 1"),
    ),
    CodeInfo(
        "SYN024",
        "a method or an attribute",
        "Values have no methods and no attributes: functions stand before their arguments (`sum(x)`, not `x.sum()`), sizes are the dims that shapes are "
        "declared with (`n`, not `x.shape[0]`), and functions of the library have no module's name before them.",
        *_minimized("(x - b).norm()", "norm2(x - b)"),
    ),
    CodeInfo(
        "SYN025",
        "more errors than are shown",
        "After the first hundred syntax errors of a file the rest are only counted: they rarely tell more.",
        "\n".join(["let a ="] * 101) + "\n",
        _OK,
    ),
    CodeInfo(
        "SYN026",
        "a chain that runs both ways",
        "The relations of a chain run one way, `lo <= x <= hi` or `hi >= x >= lo`, `==` among them. `a >= x <= b` bounds nothing from both sides: state "
        "the two relations apart. Often the right side of the first is missing: a line that ends in an operator goes on in the next.",
        *_constrained("x >=\n  x <= 1", "x >= 0\n  x <= 1"),
    ),
)
