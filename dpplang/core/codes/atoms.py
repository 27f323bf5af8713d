"""Codes ATM4xx: calls of atoms, records of atoms, and the proof of their contracts."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo


def _program(body: str) -> str:
    return f"dim n\nparam b[n]\nvar x[n]\n{body}\n"


def _with_atom(record: str, use: str) -> str:
    return f"{record}\nvar x\nminimize {use}\nsubject to\n  x >= 1\n"


def _atom(entries: str, signature: str = "gap(x)") -> str:
    return f"atom {signature} {{\n  {entries}\n}}"


_GAP = "kind: elementwise\n  curvature: convex\n  value: maximum(x, 0)"

ATOM_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "ATM401",
        "wrong number of arguments",
        "An atom takes the arguments of its signature: those without a default must be given, and no more than there are "
        "(atoms that are `variadic`, as `maximum`, fold any number from the left). `dpp atoms NAME` shows the signature.",
        _program("minimize kl_div(sum(x), 1, 2)"),
        _program("minimize kl_div(sum(x), 1)"),
    ),
    CodeInfo(
        "ATM402",
        "unknown named argument",
        "The name before `=` is not one of the atom's arguments, or the argument is given twice. "
        "`axis` and `keepdims` are known to atoms of kind `reduction` only.",
        _program("minimize sum(huber(x, N = 2))"),
        _program("minimize sum(huber(x, M = 2))"),
    ),
    CodeInfo(
        "ATM403",
        "shapes of the arguments do not fit the atom",
        "An elementwise atom takes arguments of one shape, or scalars, which spread. Other atoms say the shapes they take in "
        "their signature: `quad_form(x[n], P[n, n])` wants a vector and a square matrix of the same size.",
        _program("param S[n + 1, n]\nminimize sum(maximum(S @ x, b))"),
        _program("param S[n, n]\nminimize sum(maximum(S @ x, b))"),
    ),
    CodeInfo(
        "ATM404",
        "argument must be constant",
        "This argument is marked `const` in the atom's signature: it may depend on literals, dims and data, not on parameters "
        "or variables, because the atom's graph is not affine in it.",
        _program("param k nonneg\nminimize sum_largest(x, k)"),
        _program("data k nonneg\nminimize sum_largest(x, k)"),
    ),
    CodeInfo(
        "ATM405",
        "argument must be affine in parameters and free of variables",
        "This argument is marked `param` in the atom's signature: it enters the problem's data, so it must be an affine "
        "function of the parameters. Put anything else into a `derived` parameter.",
        _program("param p nonneg, q nonneg\nminimize sum(huber(x - b, M = p * q))"),
        _program("param p nonneg, q nonneg\nderived M nonneg = p * q\nminimize sum(huber(x - b, M = M))"),
    ),
    CodeInfo(
        "ATM406",
        "argument lacks a property that the atom needs",
        "The signature says `nonneg`, `psd` or the like, and it cannot be proved of the argument. Declare it where the tensor "
        "is declared (it is checked when values are bound).",
        _program("data P[n, n]\nminimize quad_form(x, P)"),
        _program("data P[n, n] psd\nminimize quad_form(x, P)"),
    ),
    CodeInfo(
        "ATM407",
        "no form of the atom fits its constant argument",
        "Some atoms have several records that differ in what they require of a constant, as `power(x, p)` does of `p`. "
        "The constant must be a number that is known when the program is checked.",
        _program("data p\nminimize sum(power(x, p))"),
        _program("minimize sum(power(x, 3))"),
    ),
    CodeInfo(
        "ATM408",
        "bad axis",
        "`axis` must be a whole number that names an axis of the first argument (negative ones count from the end); "
        "`keepdims` is 0 or 1.",
        _program("minimize sum(norm1(x, axis = 1))"),
        _program("minimize norm1(x, axis = 0)"),
    ),
    CodeInfo(
        "ATM410",
        "atom lacks an entry",
        "A record needs `curvature:`, `value:` and `graph { … }` (or, for an atom that only serves quadratic objectives, `quadratic:`).",
        _with_atom(_atom("kind: elementwise\n  curvature: convex\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM411",
        "clause names something that is not an argument",
        "`monotone:` and the conditions after `where` speak of the arguments in the atom's signature.",
        _with_atom(_atom(_GAP + "\n  monotone: increasing in y\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  monotone: increasing in x\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM412",
        "malformed clause",
        "A condition after `where` compares an argument with zero: `x >= 0`, `x <= 0` or `x == 0`. The words of `sign:` are "
        "`nonneg nonpos zero unknown`, those of `monotone:` `increasing decreasing constant`, those of `curvature:` `affine convex concave`.",
        _with_atom(
            _atom(_GAP + "\n  monotone: increasing in x where x >= 1\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"
        ),
        _with_atom(
            _atom(_GAP + "\n  monotone: increasing in x where x >= 0\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"
        ),
    ),
    CodeInfo(
        "ATM413",
        "atom of that name is already there",
        "A file's own atom may not take the name of one of the standard library, and two records of one name must differ in "
        "the ranks, modes or attributes of their arguments or in `requires:`. Rename it.",
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }", "abs(x)"), "abs(x)"),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM414",
        "atom is defined through itself",
        "An atom's graph may use other atoms, as long as they do not lead back to it.",
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize gap(x)\n  }"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM415",
        "shape of an entry differs from the signature",
        "`value:`, `quadratic:` and the graph's objective must have the shape that the record declares (`shape:`; a scalar if "
        "there is none, or if the atom is elementwise or a reduction).",
        _with_atom(
            _atom("curvature: convex\n  value: x\n  graph {\n    minimize max(x)\n  }", "gap(x[n])"), "gap(ones(2) * x)"
        ),
        _with_atom(
            _atom("curvature: convex\n  value: max(x)\n  graph {\n    minimize max(x)\n  }", "gap(x[n])"),
            "gap(ones(2) * x)",
        ),
    ),
    CodeInfo(
        "ATM416",
        "signature does not fit the kind of the atom",
        "Elementwise atoms have scalar arguments; a reduction's first argument is a vector `x[n]`; a variadic atom has two "
        "arguments of one mode; a shape in a signature is a list of names or whole numbers.",
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: convex\n  value: max(x)\n  graph {\n    minimize max(x)\n  }",
                "gap(x[n])",
            ),
            "gap(ones(2) * x)",
        ),
        _with_atom(
            _atom(
                "kind: reduction\n  curvature: convex\n  value: max(x)\n  graph {\n    minimize max(x)\n  }",
                "gap(x[n])",
            ),
            "gap(ones(2) * x)",
        ),
    ),
    CodeInfo(
        "ATM420",
        "graph of the atom is not DCP",
        "The contract is proved by checking the graph as a problem, with the arguments as variables: its objective must be "
        "convex (minimize) or concave (maximize) and its constraints must be DCP. Then the optimal value is jointly convex "
        "(concave) in the arguments.",
        _with_atom(
            _atom("kind: elementwise\n  curvature: convex\n  value: sqrt(x)\n  graph {\n    minimize sqrt(x)\n  }"),
            "gap(x)",
        ),
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: concave\n  domain: x >= 0\n  value: sqrt(x)\n  graph {\n    maximize sqrt(x)\n  }"
            ),
            "0 - gap(x)",
        ),
    ),
    CodeInfo(
        "ATM421",
        "declared curvature is not what the graph proves",
        "A graph that minimizes defines a convex function, one that maximizes a concave one; an affine atom's graph has no "
        "variables and an affine objective.",
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: concave\n  value: maximum(x, 0)\n  graph {\n    minimize pos(x)\n  }"
            ),
            "gap(x)",
        ),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM422",
        "graph is not affine in an argument declared `param`",
        "An argument of mode `param` becomes data of the problem, so the graph must pass the DPP rules with it as a parameter. "
        "Declare it `const` if it only ever is a number or data.",
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: convex\n  value: p^2 * abs(x)\n  graph {\n    minimize (p * p) * abs(x)\n  }",
                "gap(x, param p nonneg)",
            ),
            "gap(x, 2)",
        ),
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: convex\n  value: p^2 * abs(x)\n  graph {\n    minimize (p * p) * abs(x)\n  }",
                "gap(x, const p nonneg)",
            ),
            "gap(x, 2)",
        ),
    ),
    CodeInfo(
        "ATM423",
        "monotonicity is not proved",
        "The structure of the graph does not show the declared monotonicity. It is taken on trust in composition, so a wrong "
        "one would let problems through that are not convex. Write the graph with inequalities that only tighten (or only "
        "loosen) as the argument grows, or drop the clause.",
        _with_atom(_atom(_GAP + "\n  monotone: decreasing in x\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  monotone: increasing in x\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM424",
        "declared sign contradicts the graph",
        "The sign of the graph's objective is known, and it is not the one that the record declares.",
        _with_atom(_atom(_GAP + "\n  sign: nonpos\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  sign: nonneg\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM425",
        "not a quadratic form",
        "`quadratic:` is `x * x`, `x' @ x` or `x' @ P @ x`, or one of these times or over a constant or parameter; "
        "it says how the atom enters a quadratic objective.",
        _with_atom(_atom(_GAP + "\n  quadratic: abs(x)\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: convex\n  value: x * x\n  quadratic: x * x\n  graph {\n    minimize square(x)\n  }"
            ),
            "gap(x)",
        ),
    ),
    CodeInfo(
        "ATM426",
        "graph is not the value",
        "The optimal value of the graph must be `value:`, wherever `domain:` holds, and nowhere else may the graph be feasible. A graph "
        "without variables, or with one scalar that is its objective, is held against the value at sampled points while the "
        "program is checked.",
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: convex\n  value: maximum(x, 0)\n  graph {\n    minimize 2 * pos(x)\n  }"
            ),
            "gap(x)",
        ),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }"), "gap(x)"),
    ),
    CodeInfo(
        "ATM427",
        "value is not defined everywhere on the domain",
        "`value:` is not a number at some arguments that `domain:` allows, as the root of a negative number is not. "
        "Say in `domain:` where the atom is defined; its graph must imply it.",
        _with_atom(
            _atom("kind: elementwise\n  curvature: concave\n  value: sqrt(x)\n  graph {\n    maximize sqrt(x)\n  }"),
            "0 - gap(x)",
        ),
        _with_atom(
            _atom(
                "kind: elementwise\n  curvature: concave\n  domain: x >= 0\n  value: sqrt(x)\n  graph {\n    maximize sqrt(x)\n  }"
            ),
            "0 - gap(x)",
        ),
    ),
    CodeInfo(
        "ATM428",
        "test of an atom fails",
        "The `test` lines of a record are evaluated by its `value:` while the program is checked, to a relative tolerance of 1e-6.",
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }\n  test gap(2) == 3"), "gap(x)"),
        _with_atom(_atom(_GAP + "\n  graph {\n    minimize pos(x)\n  }\n  test gap(2) == 2"), "gap(x)"),
    ),
    CodeInfo(
        "ATM429",
        "no perspective",
        "`perspective(f(x), s)` is s·f(x/s): every variable in its first argument is divided by the scale. So there must be one, "
        "the scale may not be among them, and what they stand in must have a graph, which a quadratic form with a parameter has not.",
        _program("var s nonneg\nminimize perspective(sum_squares(x) + s, s)"),
        _program("var s nonneg\nminimize perspective(sum_squares(x), s) + s"),
    ),
)
