"""Products of two parametrized expressions, and quotients, written so that they are DPP.

A factor free of variables, the *scale*, meets an expression with variables and parameters. In this order:

    γ f(R w)        derived Rg = γ^(1/k) R, f(Rg w)     f homogeneous of degree k, γ > 0
    γ (2 f)         2 (γ f)
    γ (c f)         derived gc = γ c, gc f
    γ xᵀPx          derived gP = γ P                    γ ≥ 0
    S (B u + b)     var z, z == B u + b, S z            whatever is affine
    γ (f + g)       γ f + γ g
    γ f(B u + b)    var z, z == B u + b, γ f(z)
    γ Σ f           Σ γ f
    γ f             var t, t >= f, γ t                  γ > 0, or assumed so

Each is an identity of problems in the original variables and parameters (Agrawal et al. 2019, §4.1), and smooth where
the original is.
"""

from __future__ import annotations

from dpplang.core.diagnostics import Edit
from dpplang.lattice.curvature import Curvature
from dpplang.semantics.fixes.naming import joined, paired
from dpplang.semantics.fixes.positive import is_positive
from dpplang.semantics.fixes.rewrite import Impossible, Rewrite
from dpplang.semantics.fixes.scale import PRODUCT, TIGHTER, Scale
from dpplang.semantics.fixes.syntax import Place, parts, substituted
from dpplang.semantics.tree import Apply, AtomCall, Expr, Reduce, Take
from dpplang.syntax import ast
from dpplang.syntax.grouping import grouped, words
from dpplang.syntax.walk import walk

_DEGREE = {
    "norm1": 1, "norm2": 1, "norm_inf": 1, "norm_fro": 1, "norm_nuc": 1, "sigma_max": 1, "abs": 1, "max": 1, "pos": 1,
    "neg": 1, "lambda_max": 1, "sum_largest": 1, "sum_squares": 2, "square": 2,
}  # fmt: skip
"""Degree of homogeneity of atoms: f(λx) = λᵏ f(x) for λ > 0."""


def product(rewrite: Rewrite, place: Place) -> str:
    """Text for a product of two parametrized factors, one of them free of variables.

    Raises:
        Impossible: none of the rewrites applies.
    """
    left, right = _two(rewrite, place)
    scale, other = (right, left) if left.expr.facts.variables else (left, right)
    if scale.expr.facts.variables:
        raise Impossible
    op = place.node.op if isinstance(place.node, ast.Binary) else "*"
    facts = scale.expr.facts
    text = scale.text
    if not facts.dpp.is_affine:
        text = rewrite.derive(joined(scale.node), text, facts.shape, place.binders)
    positive = _is_positive(rewrite, scale)
    factor = Scale(grouped(text, PRODUCT), scale.node, op, scale is left, facts.shape, facts.sign, positive)
    return _scaled(rewrite, factor, other)


def quotient(rewrite: Rewrite, place: Place) -> str:
    """Text for ``e / p``: the reciprocal is derived and multiplied, or the divisor folded into a factor of e.

    Raises:
        Impossible: none of the rewrites applies.
    """
    left, right = _two(rewrite, place)
    facts = right.expr.facts
    positive = _is_positive(rewrite, right)
    divisor = Scale(right.text, right.node, "*", False, facts.shape, facts.sign, positive, divides=True)
    if left.expr.facts.dpp is Curvature.UNKNOWN:  # what is wrong there is mended there
        return divisor.times(rewrite, left.text, left.binders)
    return _scaled(rewrite, divisor, left)


def _is_positive(rewrite: Rewrite, place: Place) -> bool:
    """Proved, or assumed of what is not negative, if assuming is what is left."""
    if is_positive(place.expr, rewrite.around.derived):
        return True
    if not rewrite.assuming or not place.expr.facts.sign.is_nonneg:
        return False
    rewrite.assumptions.append(f"`{place.text}` is not 0")
    return True


def _two(rewrite: Rewrite, place: Place) -> tuple[Place, Place]:
    found = parts(place, rewrite.around.definitions)
    if len(found) != 2:
        raise Impossible
    return found[0], found[1]


def _scaled(rewrite: Rewrite, scale: Scale, other: Place) -> str:
    """Text for the scale times an expression."""
    facts = other.expr.facts
    if not facts.params:
        return scale.times(rewrite, other.text, other.binders)
    if not facts.variables:
        return rewrite.derive(_joined(scale, other.node), scale.folded(other.text), facts.shape, other.binders)
    opened = rewrite.around.definitions.opened(other)
    if opened is None:
        raise Impossible
    below = parts(opened, rewrite.around.definitions)
    for attempt in (_hoisted, _passed, _regrouped, _quadratic_form):
        text = rewrite.tried(lambda attempt=attempt: attempt(rewrite, scale, opened, below))
        if text is not None:
            return text
    if facts.dpp.is_affine:
        return scale.times(rewrite, rewrite.introduce(other), other.binders)
    match opened.expr, below:
        case Apply(op="add" | "sub" as op), [left, right]:
            sign = "+" if op == "add" else "-"
            first = _scaled(rewrite, scale, left)
            return f"{first} {sign} {grouped(_scaled(rewrite, scale, right), PRODUCT)}"
        case Apply(op="neg"), [operand]:
            return f"-{grouped(_scaled(rewrite, scale, operand), TIGHTER)}"
        case _:
            pass
    free = rewrite.tried(lambda: isolated(rewrite, other))
    if free is not None:
        return scale.times(rewrite, free, other.binders)
    inside = rewrite.tried(lambda: _pushed(rewrite, scale, opened, below))
    if inside is not None:
        return inside
    relation = {Curvature.CONVEX: ">=", Curvature.CONCAVE: "<="}.get(facts.dpp)
    if relation is None or not scale.sign.is_nonneg or not _has_graph(other.expr):
        raise Impossible
    if not scale.positive:
        rewrite.assumptions.append(f"`{scale.text}` is not 0")
    return scale.times(rewrite, rewrite.introduce(other, "t", relation), other.binders)


def _hoisted(rewrite: Rewrite, scale: Scale, other: Place, below: list[Place]) -> str | None:
    """γ f(R w) with γ in the factor that is free of variables, where f is homogeneous and γ positive."""
    if not scale.spreads or not scale.positive or not below:
        return None
    match other.expr:
        case Apply(op="sum") if len(below) == 1:
            inner = _hoisted(rewrite, scale, below[0], parts(below[0], rewrite.around.definitions))
            return None if inner is None else _patched(other, {id(below[0].node): inner})
        case AtomCall(atom=atom) if atom.name in _DEGREE and not any(p.expr.facts.params for p in below[1:]):
            degree = _DEGREE[atom.name]
        case _:
            return None
    argument = rewrite.around.definitions.opened(below[0])
    factors = parts(below[0], rewrite.around.definitions)
    if argument is None or len(factors) != 2 or not isinstance(argument.expr, Apply):
        return None
    fixed = [f for f in factors if not f.expr.facts.variables]
    if argument.expr.op not in ("mul", "matmul") or len(fixed) != 1:
        return None
    moving = next(f for f in factors if f is not fixed[0])
    if moving.expr.facts.params:
        return None
    name = _weighted(fixed[0].node, scale)
    value = scale.folded(fixed[0].text) if degree == 1 else scale.rooted(fixed[0].text)
    hoisted = rewrite.derive(name, value, fixed[0].expr.shape, other.binders)
    inner = substituted(argument.node, argument.names, {id(fixed[0].node): hoisted})
    return _patched(other, {id(below[0].node): inner})


def _passed(rewrite: Rewrite, scale: Scale, other: Place, below: list[Place]) -> str | None:
    """γ (2 f) as 2 (γ f): a constant stays where it is."""
    if not scale.spreads or not isinstance(other.expr, Apply) or other.expr.op not in ("mul", "div") or len(below) != 2:
        return None
    left, right = below
    if left.expr.facts.is_constant and other.expr.op == "mul":
        return f"{grouped(left.text, PRODUCT)} * {grouped(_scaled(rewrite, scale, right), TIGHTER)}"
    if right.expr.facts.is_constant:
        sign = "*" if other.expr.op == "mul" else "/"
        return f"{grouped(_scaled(rewrite, scale, left), PRODUCT)} {sign} {grouped(right.text, TIGHTER)}"
    return None


def _pushed(rewrite: Rewrite, scale: Scale, other: Place, below: list[Place]) -> str | None:
    """γ Σ f as Σ γ f."""
    is_sum = isinstance(other.expr, Apply | Reduce) and other.expr.op == "sum"
    if not scale.spreads or not is_sum or len(below) != 1:
        return None
    if isinstance(other.expr, Reduce) and _bound_in(other) & words(scale.text):
        return None
    return _patched(other, {id(below[0].node): _scaled(rewrite, scale, below[0])})


def _bound_in(place: Place) -> set[str]:
    generators = (n for n in walk(place.node) if isinstance(n, ast.Generator))
    return {b.name.name for g in generators for b in g.binders}


def _has_graph(expr: Expr) -> bool:
    """Whether every atom can stand in a constraint."""
    match expr:
        case AtomCall(atom=atom, args=args):
            return (atom.graph is not None or not expr.facts.variables) and all(map(_has_graph, args))
        case Apply(args=args):
            return all(map(_has_graph, args))
        case Reduce(body=body):
            return _has_graph(body)
        case Take(operand=operand):
            return _has_graph(operand)
        case _:
            return True


def _regrouped(rewrite: Rewrite, scale: Scale, other: Place, below: list[Place]) -> str | None:
    """γ (c f) as (γ c) f, and γ (f / c) as (γ / c) f."""
    if not isinstance(other.expr, Apply) or other.expr.op not in ("mul", "matmul", "div") or len(below) != 2:
        return None
    fixed = [p for p in below if not p.expr.facts.variables]
    if len(fixed) != 1 or not fixed[0].expr.facts.params:
        return None
    constant, rest = fixed[0], next(p for p in below if p is not fixed[0])
    inner, shape, on_left = other.expr.op, constant.expr.shape, constant is below[0]
    if inner == "div":
        if constant is not below[1] or not scale.spreads or scale.divides:
            return None
        value, op, on_left = f"{scale.text} / {grouped(constant.text)}", "*", True
    elif scale.spreads:
        value, op = scale.folded(constant.text), "*" if inner == "mul" else "@"
    elif scale.op == "*" and inner == "mul" and shape in ((), scale.shape):
        value, op, on_left, shape = scale.folded(constant.text), "*", True, scale.shape
    elif scale.op == "@" and inner == "mul" and not shape:
        value, op = f"{grouped(constant.text, PRODUCT)} * {grouped(scale.text, TIGHTER)}", "@"
        on_left, shape = scale.on_left, scale.shape
    elif scale.op == "@" and inner == "matmul" and scale.on_left and on_left:
        value, op = f"{scale.text} @ {grouped(constant.text, TIGHTER)}", "@"
        shape = (*scale.shape[:-1], *shape[1:])
    else:
        return None
    combined = rewrite.derive(_joined(scale, constant.node), value, shape, other.binders)
    positive = scale.positive and is_positive(constant.expr, rewrite.around.derived)
    sign = scale.sign * constant.expr.facts.sign
    return _scaled(rewrite, Scale(combined, constant.node, op, on_left, shape, sign, positive), rest)


def _weighted(node: ast.Expr, scale: Scale) -> str:
    """``Rg`` for R with γ in it; ``Omega_scaled`` where one letter more would not be seen."""
    name = joined(node)
    return name + _initial(scale.text) if len(name) <= 2 else f"{name}_scaled"


def _joined(scale: Scale, node: ast.Expr) -> str:
    """A name for the scale times a factor, or for the factor over the divisor."""
    other = _initial(scale.text, 8)
    if scale.divides:
        return f"{joined(node)}_over_{other}"
    return paired(other, joined(node))


def _quadratic_form(rewrite: Rewrite, scale: Scale, other: Place, below: list[Place]) -> str | None:
    """γ xᵀPx with a parameter P as the form of γP, which is semidefinite as P is."""
    call = other.expr
    if not isinstance(call, AtomCall) or call.atom.name != "quad_form" or not call.args[1].facts.params:
        return None
    if len(below) != 2 or not scale.spreads or not scale.sign.is_nonneg or below[0].expr.facts.params:
        return None
    matrix = below[1]
    word = "psd" if call.atom.curvature is Curvature.CONVEX else "nsd"
    value = scale.folded(matrix.text)
    name = _weighted(matrix.node, scale)
    scaled = rewrite.derive(name, value, matrix.expr.shape, other.binders, word)
    return _patched(other, {id(matrix.node): scaled})


def isolated(rewrite: Rewrite, place: Place) -> str:
    """Text of an expression in which every part with parameters that is affine is a new variable. A ``let`` keeps its
    name: the variable stands for the same wherever it is used.

    Raises:
        Impossible: a parameter stands where no variable can.
    """
    facts = place.expr.facts
    if not facts.params:
        return place.text
    if facts.dpp.is_affine:
        return rewrite.introduce(place)
    opened = rewrite.around.definitions.opened(place)
    below = [] if opened is None else parts(opened, rewrite.around.definitions)
    if opened is None or not below:
        raise Impossible
    patches: dict[int, str] = {}
    match opened.expr:
        case AtomCall(atom=atom, args=args):
            fixed = [a for f, a in zip(atom.formals, args, strict=True) if f.mode]
            if any(a.facts.params for a in fixed):
                raise Impossible
        case Reduce() | Apply(op="add" | "sub" | "neg" | "sum" | "mul" | "matmul" | "hstack" | "vstack"):
            pass
        case _:
            raise Impossible
    scales = [p for p in below if not p.expr.facts.variables and p.expr.facts.params]
    if isinstance(opened.expr, Apply) and opened.expr.op in ("mul", "matmul") and scales:
        raise Impossible
    let = isinstance(place.node, ast.Name)
    for part in below:
        if part.expr.facts.params:
            patches[id(part.node)] = text = _fitting(part, isolated(rewrite, part))
            if let and text != part.text:
                rewrite.patches.append(Edit(part.node.span, text))
    return place.text if let else _patched(opened, patches)


def _fitting(part: Place, text: str) -> str:
    """Text in the place of a part: in brackets where the part was more than a name."""
    return text if text == part.text else grouped(text) if isinstance(part.node, ast.Binary) and " " in text else text


def _patched(place: Place, patches: dict[int, str]) -> str:
    return substituted(place.node, place.names, patches)


def _initial(text: str, most: int = 1) -> str:
    """What a name is made of: the first letters of a text's first name."""
    letters = "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
    return next((w for w in letters if w.isidentifier()), "c")[:most]
