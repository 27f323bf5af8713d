"""Codes NAM1xx, DCP2xx, DPP3xx, SHP5xx and, from the sizes of dims, BND70x."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo


def _program(statement: str, declarations: str = "", rest: str = "") -> str:
    """A small program: dim n, variable x[n], and what is given."""
    lines = ["dim n", "param b[n]", "var x[n]", *declarations.splitlines(), statement, *rest.splitlines()]
    return "\n".join(lines) + "\n"


def _weighted(use: str, declarations: str = "", rest: str = "") -> str:
    """A program with an atom of its own, that multiplies its arguments."""
    atom = (
        "atom weighted(x, param w nonneg) {\n  curvature: convex\n  value: w * abs(x)\n"
        "  graph {\n    minimize w * abs(x)\n  }\n}\n"
    )
    return atom + _program(f"minimize {use}", f"param p nonneg\n{declarations}", rest)


_OK = "minimize sum_squares(x - b)"

NAMES = (
    CodeInfo(
        "NAM101",
        "unknown name",
        "The name is not declared in this file. Every tensor, size and named expression is declared: `dim`, `data`, `param`, `derived`, "
        "`let` or `var`.",
        _program("minimize sum_squares(x - bb)"),
        _program(_OK),
    ),
    CodeInfo(
        "NAM102",
        "name declared twice",
        "A file declares each name once. Index variables may be reused from one sum or constraint to the next.",
        _program(_OK, "param b"),
        _program(_OK, "param c"),
    ),
    CodeInfo(
        "NAM103",
        "used before it is defined",
        "`let` and `derived` use what stands above them, so that they can be computed in the order in which they are read.",
        _program("minimize sum_squares(x - c)", "derived c = 2 * d\nderived d = b"),
        _program("minimize sum_squares(x - c)", "derived d = b\nderived c = 2 * d"),
    ),
    CodeInfo(
        "NAM104",
        "unknown function",
        "What is called is neither a `func` of this file, nor an atom of the library (`dpp atoms` lists them), nor an affine "
        "primitive, nor a function of the numeric library. Generators stand in `sum max min hstack vstack`.",
        _program("minimize sum_square(x - b)"),
        _program(_OK),
    ),
    CodeInfo(
        "NAM105",
        "wrong number of arguments",
        "A `func` takes as many arguments as it declares, and a primitive those of its signature.",
        _program("minimize f(x, b)", "func f(y[n]) = sum(y)"),
        _program("minimize f(x)", "func f(y[n]) = sum(y)"),
    ),
    CodeInfo(
        "NAM106",
        "function is defined through itself",
        "A `func` is written out at every call, so it cannot call itself, nor one that calls it.",
        _program("minimize f(x)", "func f(y[n]) = f(y) + 1"),
        _program("minimize f(x)", "func f(y[n]) = sum(y) + 1"),
    ),
    CodeInfo(
        "NAM107",
        "no such constraint",
        "`dual name` gives the dual of the constraint that is written `name: relation`.",
        _program(_OK, rest="subject to\n  floor: x >= 0\nreturn x, dual flor"),
        _program(_OK, rest="subject to\n  floor: x >= 0\nreturn x, dual floor"),
    ),
    CodeInfo(
        "NAM108",
        "a chain of relations has no single dual",
        "`lo <= x <= hi` is two constraints with a dual each. Name them one by one to return a dual.",
        _program(_OK, rest="subject to\n  box: 0 <= x <= 1\nreturn dual box"),
        _program(_OK, rest="subject to\n  low: 0 <= x\n  high: x <= 1\nreturn dual high"),
    ),
    CodeInfo(
        "NAM109",
        "no objective",
        "A program minimizes, maximizes, or finds a feasible point: `minimize …`, `maximize …`, `find`. A file without one may "
        "hold `func` and `atom` items only.",
        "var x\nsubject to\n  x >= 0\n",
        "var x\nfind\nsubject to\n  x >= 0\n",
    ),
    CodeInfo(
        "NAM110",
        "two objectives",
        "A program has one objective. Add them up with weights.",
        _program(_OK, rest="minimize sum(x)"),
        _program("minimize sum_squares(x - b) + sum(x)"),
    ),
    CodeInfo(
        "NAM111",
        "two `return` items",
        "A program has one `return`; it lists everything.",
        _program(_OK, rest="return x\nreturn x"),
        _program(_OK, rest="return x"),
    ),
    CodeInfo(
        "NAM112",
        "file cannot be read",
        "A program is a UTF-8 text. An import reads a `.dpp` file below the folder of the importing file or of the library, "
        "never one outside of it.",
        'from "missing.dpp" import f\n' + _program(_OK),
        _program(_OK),
    ),
    CodeInfo(
        "NAM113",
        "files import each other in a circle",
        "Imports must not lead back to the importing file, nor be nested too deep. Move what both need into a third file.",
    ),
    CodeInfo("NAM114", "imported name is not there", "The imported file defines no `func` or `atom` of that name."),
    CodeInfo(
        "NAM115",
        "unknown attribute",
        "Attributes are `nonneg nonpos pos neg psd nsd symmetric diagonal sparse(mask)` and, for variables, `in [lo, hi]`.",
        _program(_OK, "param c nonnegative"),
        _program(_OK, "param c nonneg"),
    ),
    CodeInfo(
        "NAM116",
        "attribute does not apply here",
        "Attributes must not contradict each other; bounds are for variables; a dim has neither shape nor attributes.",
        _program(_OK, "param c nonneg nonpos"),
        _program(_OK, "param c nonneg"),
    ),
    CodeInfo(
        "NAM117",
        "program is too large",
        "`func` calls are written out and `let` is shared, within bounds that keep checking quick. Name what is used more than once with `let`.",
    ),
    CodeInfo(
        "NAM118",
        "unknown named argument",
        "The name before `=` is not an argument of this function, or it is given twice.",
        _program("minimize sum(x, axes = 0)"),
        _program("minimize sum(x, axis = 0)"),
    ),
    CodeInfo(
        "NAM119",
        "not allowed here",
        "Some things stand in some places only: `dual` and `value` in `return`, tuples on the left of `in`; a `derived` parameter, a bound or a default "
        "cannot depend on variables.",
        _program("minimize sum_squares(x - c)", "derived c[n] = 2 * x"),
        _program("minimize sum_squares(x - c)", "derived c[n] = 2 * b"),
    ),
    CodeInfo(
        "NAM120",
        "item not allowed in an imported file",
        "A file that is imported holds `func`, `atom` and import items only: tensors belong to the program.",
    ),
    CodeInfo(
        "NAM121",
        "unknown cone",
        "The cones are `nonneg nonpos zero soc rsoc exp_cone pow_cone(a) psd nsd`.",
        _program(_OK, rest="subject to\n  x in nonnegative"),
        _program(_OK, rest="subject to\n  x in nonneg"),
    ),
    CodeInfo(
        "NAM122",
        "declared sign contradicts the expression",
        "The sign of a `derived`, a `let` or a default follows from its expression; an attribute may say more, but not the opposite.",
        _program("minimize sum_squares(x - c)", "derived c[n] nonpos = exp(b)"),
        _program("minimize sum_squares(x - c)", "derived c[n] nonneg = exp(b)"),
    ),
)

DCP = (
    CodeInfo(
        "DCP201",
        "product of two expressions with variables",
        "A product is DCP if one factor is constant in the variables. The square of one expression is an atom (`square`, `sum_squares`), and "
        "`x' @ P @ x` with a semidefinite P is `quad_form`.",
        _program("minimize x' @ x"),
        _program("minimize sum_squares(x)"),
    ),
    CodeInfo(
        "DCP202",
        "argument does not fit the function",
        "The composition rule: a convex function takes a convex argument where it increases, a concave one where it decreases, and an affine "
        "one anywhere; a concave function the other way round. The sign of the argument can decide which holds.",
        _program("minimize exp(sqrt(sum(x)))"),
        _program("minimize exp(sum(x))"),
    ),
    CodeInfo(
        "DCP204",
        "objective has the wrong curvature",
        "`minimize` needs a convex objective, `maximize` a concave one. Every part that is added must have that curvature.",
        _program("minimize sum(sqrt(x))"),
        _program("maximize sum(sqrt(x))"),
    ),
    CodeInfo(
        "DCP205",
        "equality of something that is not affine",
        "The solutions of f(x) = 0 form a convex set for an affine f only. Often an inequality says what is meant: at the optimum it is tight.",
        _program(_OK, rest="subject to\n  sum_squares(x) == 1"),
        _program(_OK, rest="subject to\n  sum_squares(x) <= 1"),
    ),
    CodeInfo(
        "DCP206",
        "inequality the wrong way round",
        "The smaller side must be convex and the larger side concave.",
        _program(_OK, rest="subject to\n  norm2(x) >= 1"),
        _program(_OK, rest="subject to\n  norm2(x) <= 1"),
    ),
    CodeInfo(
        "DCP207",
        "scaling by a constant of unknown sign",
        "A convex expression times a negative number is concave, so the sign of the factor must be known: declare it `nonneg` or "
        "`nonpos`; that is checked when values are bound.",
        _program("minimize gamma * sum_squares(x)", "param gamma"),
        _program("minimize gamma * sum_squares(x)", "param gamma nonneg"),
    ),
    CodeInfo(
        "DCP208",
        "division by an expression with variables",
        "Divide by constants only. For a positive denominator, `inv_pos(y)` is 1/y, and `quad_over_lin(x, y)` is Σx²/y.",
        _program("minimize 1 / sum(x)"),
        _program("minimize inv_pos(sum(x))"),
    ),
    CodeInfo(
        "DCP209",
        "quadratic form of unknown definiteness",
        "`x' @ P @ x` is convex for a positive semidefinite P and concave for a negative one: declare the matrix `psd` or `nsd`; that is checked when it is bound.",
        _program("minimize x' @ P @ x", "data P[n, n]"),
        _program("minimize x' @ P @ x", "data P[n, n] psd"),
    ),
    CodeInfo(
        "DCP210",
        "returned expression is not affine",
        "`return` takes affine expressions of variables, duals and `value`, so that their derivatives are exact. Compute the rest from what is returned.",
        _program(_OK, rest="return sum_squares(x)"),
        _program(_OK, rest="return sum(x)"),
    ),
    CodeInfo(
        "DCP211",
        "not a function of variables",
        "Exponents are constant (or the base is a positive number), and functions of the numeric library apply to constants and parameters only.",
        _program("minimize sum(tanh(x))"),
        _program("minimize sum(abs(x))"),
    ),
    CodeInfo(
        "DCP212",
        "cone of something that is not affine",
        "What is said to be in a cone must be affine in the variables.",
        _program(_OK, rest="subject to\n  (1, square(x)) in soc"),
        _program(_OK, rest="subject to\n  (1, x) in soc"),
    ),
    CodeInfo(
        "DCP213",
        "not in a set",
        "What is outside of a convex set is not convex. `not in` stands in the `test` lines of a set's record alone.",
        _program(_OK, rest="subject to\n  x not in simplex"),
        _program(_OK, rest="subject to\n  x in simplex"),
    ),
)

DPP = (
    CodeInfo(
        "DPP301",
        "product of two parametrized expressions",
        "Disciplined parametrized programming counts parameters as affine, so that the problem's data are affine in them. A product needs one factor free of "
        "parameters, unless the other has no variables. A `derived` parameter computes products of parameters before the problem is solved.",
        _program("minimize p * q * sum(x)", "param p, q"),
        _program("minimize pq * sum(x)", "param p, q\nderived pq = p * q"),
    ),
    CodeInfo(
        "DPP302",
        "division by a parameter",
        "Compute the reciprocal before the problem is solved, in a `derived` parameter, and multiply by it.",
        _program("minimize sum_squares(x) / p", "param p pos"),
        _program("minimize p_inv * sum_squares(x)", "param p pos\nderived p_inv = 1 / p"),
    ),
    CodeInfo(
        "DPP303",
        "not affine in the parameters",
        "What multiplies variables must be affine in the parameters, and functions of parameters must keep the curvature that their place needs. A `derived` parameter can be any function.",
        _program("minimize exp(p) * sum(x)", "param p"),
        _program("minimize e * sum(x)", "param p\nderived e = exp(p)"),
    ),
    CodeInfo(
        "DPP304",
        "parameters in two arguments that an atom multiplies",
        "This atom's definition multiplies two of its arguments, so only one may depend on parameters. A new variable that is set "
        "equal to one of them takes the parameter out of the product.",
        _weighted("weighted(p * x[0], p)"),
        _weighted("weighted(z, p)", "var z", "subject to\n  z == p * x[0]"),
    ),
    CodeInfo(
        "DPP305",
        "parametric quadratic form outside the objective",
        "`quad_form(x, P)` with a parameter P becomes the quadratic part of the objective, so it can only be added up there. Elsewhere, use a factor of P.",
        _program("minimize sum(x)", "param P[n, n] psd", "subject to\n  quad_form(x, P) <= 1"),
        _program("minimize sum(x)", "param P[n, n] psd\nderived S = chol(P)'", "subject to\n  sum_squares(S @ x) <= 1"),
    ),
)

SHAPES = (
    CodeInfo(
        "SHP501",
        "shapes differ",
        "Elementwise operations and relations need equal shapes, or a scalar on one side, which spreads; there is no other broadcasting.",
        _program("minimize sum(x + c)", "param c[n + 1]"),
        _program("minimize sum(x + c)", "param c[n]"),
    ),
    CodeInfo(
        "SHP502",
        "`*` where `@` fits",
        "`*` is elementwise, `@` is the matrix product.",
        _program("minimize sum(A * x)", "param A[n + 1, n]"),
        _program("minimize sum(A @ x)", "param A[n + 1, n]"),
    ),
    CodeInfo(
        "SHP503",
        "matrix product does not fit",
        "`@` contracts the last axis on the left with the first on the right; they need the same size.",
        _program("minimize sum(A @ x)", "param A[n, n + 1]"),
        _program("minimize sum(A' @ x)", "param A[n, n + 1]"),
    ),
    CodeInfo(
        "SHP504",
        "wrong number of axes",
        "The function takes tensors of another rank.",
        _program("minimize trace(x)"),
        _program("minimize trace(diag(x))"),
    ),
    CodeInfo(
        "SHP505",
        "index out of range",
        "Indices count from 0; an index that leaves its range for some member of its index set is an error before any data is there.",
        _program("minimize x[n]"),
        _program("minimize x[n - 1]"),
    ),
    CodeInfo(
        "SHP506",
        "slice out of range",
        "Slices are half-open: `a:b` is a, …, b − 1, with 0 ≤ a ≤ b ≤ size.",
        _program("minimize sum(x[0:n + 1])"),
        _program("minimize sum(x[0:n])"),
    ),
    CodeInfo(
        "SHP507",
        "too many indices",
        "An index or a slice stands for one axis; there are more of them than the tensor has axes.",
        _program("minimize x[0, 0]"),
        _program("minimize x[0]"),
    ),
    CodeInfo(
        "SHP508",
        "not an index expression",
        "Indices, ranges and conditions are whole numbers built from dims, index variables and numbers with `+ - *`.",
        _program("minimize x[b[0]]"),
        _program("minimize x[0]"),
    ),
    CodeInfo(
        "SHP509",
        "objective is not a scalar",
        "An objective is one number: sum the entries, or weigh them.",
        _program("minimize square(x)"),
        _program("minimize sum(square(x))"),
    ),
    CodeInfo(
        "SHP510",
        "no tensor determines a dim",
        "A warning: sizes are read off the shapes of data and parameters. This one must be given when the program is bound.",
        "dim n, m\nparam b[n]\nvar x[n], y[m]\nminimize sum_squares(x - b) + sum_squares(y)\n",
        "dim n, m = 3\nparam b[n]\nvar x[n], y[m]\nminimize sum_squares(x - b) + sum_squares(y)\n",
    ),
    CodeInfo(
        "SHP511",
        "declared shape differs",
        "A `derived`, a `let`, a default or an argument of a `func` does not have the shape that is declared.",
        _program("minimize sum_squares(x - c)", "derived c[n] = b[1:]"),
        _program("minimize sum_squares(x - c)", "derived c[n] = 2 * b"),
    ),
    CodeInfo(
        "SHP512",
        "parts do not fit together",
        "The elements of an array have one shape; the parts of a stack differ along the stacked axis only.",
        _program("minimize sum([x, 1] )"),
        _program("minimize sum(hstack(x, 1))"),
    ),
    CodeInfo(
        "SHP513",
        "bad axis",
        "`axis` names an axis of the argument; negative ones count from the end.",
        _program("minimize sum(x, axis = 1)"),
        _program("minimize sum(x, axis = 0)"),
    ),
    CodeInfo(
        "SHP514",
        "not a size",
        "Sizes, axes and orders are whole numbers; sizes are built from dims with `+ - *`.",
        _program(_OK, "param c[n / 2]"),
        _program(_OK, "param c[2 * n]"),
    ),
    CodeInfo(
        "SHP515",
        "constant has no value",
        "The constant is not a number: division by zero, a root of a negative number, an overflow.",
        _program("minimize sum(x) * (1 / 0)"),
        _program("minimize sum(x) * (1 / 2)"),
    ),
    CodeInfo(
        "SHP516",
        "parts do not fit the cone",
        "Each cone says how many parts its elements have and of which shapes; `>>` and `<<` compare square matrices.",
        _program(_OK, rest="subject to\n  (x, 1) in exp_cone"),
        _program(_OK, rest="subject to\n  (x, 1, 2) in exp_cone"),
    ),
    CodeInfo(
        "SHP517",
        "members have different shapes",
        "All members of an index set have one shape, and their number is known where they are stacked or have a dual.",
        _program(_OK, rest="subject to\n  up[i in n]: x[0:i] <= 1"),
        _program(_OK, rest="subject to\n  up[i in n]: x[i] <= 1"),
    ),
    CodeInfo(
        "SHP518",
        "attribute does not fit the shape",
        "`psd nsd symmetric diagonal` are for square matrices; masks and bounds have the tensor's shape.",
        _program(_OK, "param P[n, n + 1] psd"),
        _program(_OK, "param P[n, n] psd"),
    ),
)

BINDING = (
    CodeInfo("BND701", "tensors disagree about a dim", "Two tensors that are bound give one dim two values."),
    CodeInfo(
        "BND702",
        "too few axes",
        "A tensor that is bound needs the axes of its declaration; axes before these are batch axes.",
    ),
    CodeInfo("BND703", "not a positive size", "A dim is a positive whole number, and no shape may come out negative."),
    CodeInfo(
        "BND704",
        "a dim has no value",
        'No tensor that is bound determines the dim, and it has no default: give it as `dims={"n": 10}` or `--dim n=10`.',
    ),
    CodeInfo("BND705", "unknown name", "The program declares no dim or tensor of that name."),
    CodeInfo("BND706", "axis of a fixed size", "The declaration says which size this axis has."),
)

SEMANTICS_CODES: tuple[CodeInfo, ...] = (*NAMES, *DCP, *DPP, *SHAPES, *BINDING)
