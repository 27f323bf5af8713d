"""Codes LNT1xx: warnings of what was hardly meant."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

_HEAD = "dim n\nparam b[n]\nvar x[n]\n"
_OK = "minimize sum_squares(x - b)"


def _program(failing: str, mended: str) -> tuple[str, str]:
    return f"{_HEAD}{failing}\n", f"{_HEAD}{mended}\n"


def _constrained(failing: str, mended: str) -> tuple[str, str]:
    return _program(f"{_OK}\nsubject to\n  {failing}", f"{_OK}\nsubject to\n  {mended}")


LINT_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "LNT100",
        "a comment that allows nothing",
        "`# allow: LNT103` at the end of a line, or alone on the line above, silences that warning there; `# allow everywhere: LNT103` in the whole file. "
        "What stands behind `allow:` is a list of codes of warnings, as they stand in the brackets of `warning[LNT103]`; errors cannot be allowed.",
        *_program(f"# allow: LNT199\n{_OK}", _OK),
    ),
    CodeInfo(
        "LNT101",
        "a name that is never used",
        "The name is declared, and nothing uses it. Often another name was meant where it should stand. A parameter that is not used must still be given a value at every call.",
        *_program(f"param weight nonneg\n{_OK}", f"param weight nonneg\n{_OK} + weight * norm1(x)"),
    ),
    CodeInfo(
        "LNT102",
        "a parameter that the solution does not depend on",
        "The parameter (or data) is used, but only by names that nothing uses, or in a term of the objective without variables. Its gradient is zero whatever is returned, "
        "except for the optimal `value`.",
        *_program(f"param shift\n{_OK} + shift", f"param shift\n{_OK} + shift * sum(x)"),
    ),
    CodeInfo(
        "LNT103",
        "a constraint that always holds",
        "The relation follows from signs that are declared or proved, so it says nothing. It costs rows, and its multiplier is not determined: a constraint `x >= 0` beside "
        "`var x[n] nonneg` can make derivatives that are not unique. Keep one of the two.",
        "dim n\nparam b[n]\nvar x[n] nonneg\nminimize sum_squares(x - b)\nsubject to\n  x >= 0\n",
        "dim n\nparam b[n]\nvar x[n] nonneg\nminimize sum_squares(x - b)\n",
    ),
    CodeInfo(
        "LNT104",
        "a constraint that never holds",
        "The sides of the relation can never meet: what is never negative is asked to be at most a negative number, or two numbers differ. The problem has no feasible point, whatever is bound.",
        *_constrained("norm1(x) <= -1", "norm1(x) <= 1"),
    ),
    CodeInfo(
        "LNT105",
        "a constraint about no variable",
        "Parameters and data alone stand in it: solving cannot make it hold. If it does not, the problem is infeasible. What is known of a parameter is declared behind its shape, and checked when it is bound.",
        *_constrained("sum(b) == 1", "sum(x) == 1"),
    ),
    CodeInfo(
        "LNT106",
        "a variable that nothing bounds",
        "The variable stands in the objective linearly and in no constraint, so the objective can be made better without end. A constraint, a bound where it is declared (`in [0, 1]`, `nonneg`) or a term that grows with it is missing.",
        *_program("minimize b' @ x", "minimize b' @ x + sum_squares(x)"),
    ),
    CodeInfo(
        "LNT107",
        "a constraint that is stated twice",
        "Two constraints say the same, if in other words. The solution is the same with one of them; with both, their multipliers (`dual`) are not determined one by one.",
        *_constrained("x >= 0\n  0 <= x", "x >= 0\n  x <= 1"),
    ),
    CodeInfo(
        "LNT108",
        "every entry set to one number",
        "A number spreads over all entries, so `x == 1` sets each of them to 1, and leaves nothing to solve for. Mostly a sum was meant, `sum(x) == 1`, or one entry, `x[0] == 1`.",
        *_constrained("x == 1", "sum(x) == 1"),
    ),
)
