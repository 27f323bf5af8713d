"""What belongs in every place that the grammar knows, as a person would explain it to another.

A place is told by the last symbols that were read; the longest entry that fits speaks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

_DECLARATION = "a declaration is a name, its shape, attributes, and for some a default: `data w[n] nonneg = 1`"
_DEFINITION = "a definition reads `derived S[n, n] = chol(Q)'` or `let r = A @ x - b`; its shape may be left out"
_ATTRIBUTES = "behind a shape stand attributes: `nonneg pos nonpos neg psd nsd symmetric diagonal sparse(mask)`"
_BOUNDS = "bounds of a variable read `var x[n] in [0, 1]`"
_FUNCTION = "a function reads `func f(x[n], y) = sum(x) + y`"
_IMPORT = 'an import reads `from "file.dpp" import f, g`'
_ATOM = "an atom begins `atom name(x[n], param p) {`"
_FORMAL = "an argument of an atom is `x`, `x[n]`, `x[...]`, `param p nonneg = 1` or `const k`"
_OPERATOR = "an operator stands between two operands: `a + b`, `A @ x`, `w * x`"
_RELATION = "a relation has an expression on each side: `A @ x <= b`, `0 <= x <= 1`, `X >> 0`"
_OPERAND_ENDS = "behind an operand stand an operator (`+ - * / @ ^`), an index `x[i]`, or a relation"
_CALL = "arguments stand in `( )`, with commas between them, named ones last: `huber(r, M = 2)`"
_INDEX = "an index is a whole number or a slice: `x[0]`, `x[i, 1:n]`, `x[:]`"
_GENERATOR = "an index set reads `for i in n`, `for i in 1:n`, `for i in n, j in m if i < j`"
_LABEL = "a constraint has a name as in `cap: x <= 1`, and one for every index as in `cap[i in n if i > 0]: x[i] <= 1`"
_NO_MEMBER = "what a set must not contain is a test of its record: `test [2, 0] not in ball`"
_MEMBER = "`in` is followed by a cone or a set: `x in nonneg`, `(t, x) in soc`, `x in ball(2)`"
_CONDITION = "a condition compares indices: `i < j`, `i != 0 and j > 1`"
_GROUP = "brackets `( )` hold an expression, `[ ]` behind nothing a list: `[1, 2]`, `[[1, 0], [0, 1]]`"
_CLAUSE = "a clause is a word, and where it holds: `increasing in x where x >= 0`"
_RECORD = "entries read `kind: elementwise`, `curvature: convex`, `value: abs(x)`, `test f(1) == 1`, one to a line"

PLACES: dict[tuple[str, ...], str] = {
    # items
    (): "a line is a declaration, `minimize …`, `maximize …`, `find`, `subject to`, `return …`, or a constraint",
    ("DIM",): "`dim` is followed by names of sizes: `dim n, T = 12`",
    ("DATA",): "`data` is followed by names and shapes: `data A[m, n], b[m]`",
    ("PARAM",): "`param` is followed by names and shapes: `param Q[n, n] psd, q[n]`",
    ("VAR",): "`var` is followed by names and shapes: `var x[n] nonneg, t`",
    ("DATA", "NAME"): _DECLARATION,
    ("declaration", "COMMA"): "a `,` in a declaration is followed by the next name: `param a[n], b[n]`",
    ("NAME", "NAME"): _ATTRIBUTES,
    ("NAME", "IN"): _BOUNDS,
    ("NAME", "IN", "LSQB"): _BOUNDS,
    ("attributes", "ASSIGN"): "`=` is followed by what the name stands for: `data eps = 0.05`, `let r = A @ x - b`",
    ("DERIVED",): _DEFINITION,
    ("DERIVED", "NAME"): _DEFINITION,
    ("LET",): _DEFINITION,
    ("LET", "NAME"): _DEFINITION,
    ("FUNC",): _FUNCTION,
    ("FUNC", "NAME"): _FUNCTION,
    ("FUNC", "NAME", "LPAR"): _FUNCTION,
    ("FUNC", "NAME", "LPAR", "NAME"): _FUNCTION,
    ("FUNC", "NAME", "LPAR", "formals", "RPAR"): _FUNCTION,
    ("FUNC", "NAME", "LPAR", "formals", "RPAR", "ASSIGN"): _FUNCTION,
    ("FROM",): _IMPORT,
    ("FROM", "STRING"): _IMPORT,
    ("FROM", "STRING", "IMPORT"): _IMPORT,
    ("FROM", "STRING", "IMPORT", "NAME"): _IMPORT,
    ("COMMA", "NAME"): _IMPORT,
    ("NAME", "COMMA"): _IMPORT,
    ("__item_star_0", "COMMA"): _IMPORT,
    ("MINIMIZE",): "`minimize` is followed by a convex scalar expression: `minimize sum_squares(A @ x - b)`",
    ("MAXIMIZE",): "`maximize` is followed by a concave scalar expression: `maximize sum(log(x))`",
    ("FIND",): "`find` stands alone on its line: any feasible point will do",
    ("SUBJECT",): "the line before the constraints reads `subject to`",
    ("SUBJECT", "TO"): "the line before the constraints reads `subject to`",
    ("RETURN",): "`return` lists what comes back: `return x, dual cap, value`",
    ("DUAL", "NAME"): "`dual` and its name stand in `return`: `return x, dual cap`",
    # constraints
    ("LABEL",): _LABEL,
    ("LABEL", "LSQB"): _LABEL,
    ("LSQB", "NAME"): _LABEL,
    ("LABEL", "COLON"): _LABEL,
    ("LABEL", "LSQB", "domain", "RSQB"): _LABEL,
    ("LABEL", "LSQB", "domain", "RSQB", "COLON"): _LABEL,
    ("element", "IN"): _MEMBER,
    ("element", "IN", "NAME"): _MEMBER,
    ("element", "IN", "NAME", "LPAR"): _MEMBER,
    ("element", "NOT"): _NO_MEMBER,
    ("element", "NOT", "IN"): _NO_MEMBER,
    ("expression", "EQUAL"): _RELATION,
    ("expression", "LESS_EQUAL"): _RELATION,
    ("expression", "GREATER_EQUAL"): _RELATION,
    ("expression", "PRECEDES"): _RELATION,
    ("expression", "SUCCEEDS"): _RELATION,
    ("expression", "LESS"): _CONDITION,
    ("expression", "GREATER"): _CONDITION,
    ("expression", "UNEQUAL"): _CONDITION,
    # expressions
    ("PLUS",): _OPERATOR,
    ("MINUS",): _OPERATOR,
    ("STAR",): _OPERATOR,
    ("SLASH",): _OPERATOR,
    ("AT",): _OPERATOR,
    ("CARET",): "`^` is followed by a constant exponent: `x^2`, `x^-1`",
    ("NAME",): _OPERAND_ENDS,
    ("NUMBER",): _OPERAND_ENDS,
    ("RPAR",): _OPERAND_ENDS,
    ("RSQB",): _OPERAND_ENDS,
    ("QUOTE",): _OPERAND_ENDS,
    ("LPAR",): _GROUP,
    ("LSQB",): _GROUP,
    ("expression", "COMMA"): "a `,` is followed by the next part",
    ("NAME", "LPAR"): _CALL,
    ("_argument", "COMMA"): _CALL,
    ("NAME", "LPAR", "NAME"): _CALL,
    ("NAME", "ASSIGN"): "a named argument has a value: `huber(r, M = 2)`",
    ("postfix", "LSQB"): _INDEX,
    ("NAME", "LSQB"): "sizes stand in `[ ]`, with commas between them: `x[n]`, `A[m, n]`, `w[T + 1, n]`",
    ("subscript", "COMMA"): _INDEX,
    ("LSQB", "COLON"): _INDEX,
    ("start", "COLON"): _INDEX,
    ("expression", "COLON"): "a range has an end: `1:n`",
    ("expression", "FOR"): _GENERATOR,
    ("FOR", "NAME"): _GENERATOR,
    ("binder", "COMMA"): _GENERATOR,
    ("IF",): _CONDITION,
    ("AND",): _CONDITION,
    ("OR",): _CONDITION,
    ("expression",): _OPERAND_ENDS,
    ("MINIMIZE", "expression"): "an objective is one expression; `subject to` and the constraints stand below it",
    ("MAXIMIZE", "expression"): "an objective is one expression; `subject to` and the constraints stand below it",
    ("RETURN", "expression"): "`return` lists what comes back: `return x, dual cap, value`",
    ("NAME", "LPAR", "expression"): _CALL,
    ("LPAR", "expression"): _GROUP,
    ("LSQB", "expression"): _GROUP,
    ("postfix", "LSQB", "expression"): _INDEX,
    ("IN", "expression"): _GENERATOR,
    ("expression", "COLON", "expression"): _GENERATOR,
    ("IN", "LSQB", "expression"): _BOUNDS,
    ("_order", "expression"): _RELATION,
    ("_compare", "expression"): _CONDITION,
    ("NOT", "expression"): _CONDITION,
    ("condition",): _CONDITION,
    ("COMMA",): "a `,` is followed by the next part",
    ("domain",): _GENERATOR,
    ("LABEL", "LSQB", "domain"): _LABEL,
    ("_relation",): "a constraint ends with its line",
    ("attributes",): _DECLARATION,
    ("DERIVED", "NAME", "attributes"): _DEFINITION,
    ("DERIVED", "NAME", "shape", "attributes"): _DEFINITION,
    ("LET", "NAME", "attributes"): _DEFINITION,
    ("shape",): _DECLARATION,
    ("default",): "behind a default follows the next argument, or the end of them",
    # atoms
    ("relation",): "a test is one relation: `test huber(-3, M = 2) == 8`",
    ("TEST", "expression"): "a test is a relation that holds: `test huber(-3, M = 2) == 8`",
    ("REQUIRES", "COLON", "expression"): "`requires:` is a condition on constant arguments: `p > 1`",
    ("DOMAIN", "COLON", "expression"): "`domain:` lists relations on the arguments: `x >= 0`",
    ("clause",): _CLAUSE,
    ("ATOM",): _ATOM,
    ("ATOM", "NAME"): _ATOM,
    ("ATOM", "NAME", "LPAR"): _ATOM,
    ("ATOM", "NAME", "LPAR", "NAME"): _FORMAL,
    ("ATOM", "NAME", "LPAR", "formals", "RPAR"): "the record follows: `{`, an entry to a line, `}`",
    ("PARAM", "NAME"): _DECLARATION,
    ("CONST", "NAME"): _DECLARATION,
    ("formal", "COMMA"): "a `,` is followed by the next argument",
    ("LSQB", "ELLIPSIS"): "`x[...]` is an argument of any shape",
    ("ELLIPSIS", "RSQB"): "behind the shape of an argument stand its attributes and default: `param M pos = 1`",
    ("KIND",): _RECORD,
    ("VARIADIC",): _RECORD,
    ("SHAPE",): _RECORD,
    ("REQUIRES",): _RECORD,
    ("CURVATURE",): _RECORD,
    ("SIGN",): _RECORD,
    ("MONOTONE",): _RECORD,
    ("DOMAIN",): _RECORD,
    ("VALUE",): _RECORD,
    ("QUADRATIC",): _RECORD,
    ("GRAPH",): "a graph reads `graph {`, a small problem, `}`",
    ("TEST",): "a test is a relation that holds: `test huber(-3, M = 2) == 8`",
    ("KIND", "COLON"): "`kind:` is `elementwise`, `reduction` or `plain`",
    ("KIND", "COLON", "NAME"): "`kind:` is one word",
    ("VARIADIC", "COLON"): "`variadic:` is `yes`",
    ("VARIADIC", "COLON", "NAME"): "`variadic:` is one word",
    ("SHAPE", "COLON"): "`shape:` is a list of sizes: `[n, n]`",
    ("SHAPE", "COLON", "LSQB"): "`shape:` is a list of sizes: `[n, n]`",
    ("REQUIRES", "COLON"): "`requires:` is a condition on constant arguments: `p > 1`",
    ("CURVATURE", "COLON"): "`curvature:` is `affine`, `convex` or `concave`",
    ("SIGN", "COLON"): "`sign:` is `nonneg`, `nonpos` or `zero`, and where: `nonneg where x >= 0`",
    ("MONOTONE", "COLON"): "`monotone:` lists clauses: `increasing in x where x >= 0, decreasing in x where x <= 0`",
    ("DOMAIN", "COLON"): "`domain:` lists relations on the arguments: `x >= 0`",
    ("VALUE", "COLON"): "`value:` is a numeric expression: `where(abs(x) <= M, x^2, 2*M*abs(x) - M^2)`",
    ("QUADRATIC", "COLON"): "`quadratic:` is `x * x`, `x' @ x` or `x' @ P @ x`",
    ("COLON", "NAME"): _CLAUSE,
    ("COLON", "NAME", "IN"): _CLAUSE,
    ("COLON", "NAME", "IN", "NAME"): _CLAUSE,
    ("WHERE",): _CLAUSE,
    ("clause", "COMMA"): _CLAUSE,
}


def place(before: Sequence[str]) -> str | None:
    """What belongs behind the symbols that were read; None if nobody has said."""
    for size in range(min(len(before), 6), -1, -1):
        if size == 0 and before:
            return None
        found = PLACES.get(tuple(before[len(before) - size :]))
        if found is not None:
            return found
    return None
