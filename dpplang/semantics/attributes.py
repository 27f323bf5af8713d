"""Attributes of declarations: which there are, what they may stand on, and whether they contradict each other."""

from __future__ import annotations

from dpplang.core.diagnostics import Label
from dpplang.lattice.dims import Shape, show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics import hints
from dpplang.semantics.report import Mistake, mistake, replacement, suggestions
from dpplang.semantics.scope import Scope
from dpplang.semantics.tree import Expr, Role, TypedAttribute
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast

SIGNS = {"nonneg": Sign.NONNEG, "pos": Sign.NONNEG, "nonpos": Sign.NONPOS, "neg": Sign.NONPOS}
MATRICES = ("psd", "nsd", "symmetric", "diagonal")
KNOWN = (*SIGNS, *MATRICES, "sparse", "in")
_EXCLUSIVE = (("nonneg", "nonpos", "pos", "neg"), ("psd", "nsd"))


def typed_attributes(
    walk: Walk, attributes: tuple[ast.Attribute, ...], shape: Shape, role: Role, scope: Scope
) -> tuple[TypedAttribute, ...]:
    """The attributes that make sense; the others are reported."""
    typed: list[TypedAttribute] = []
    for attribute in attributes:
        try:
            found = _attribute(walk, attribute, shape, role, scope)
            _contradictions(found, typed)
        except Mistake as error:
            walk.report.add(*error.diagnostics)
            meant = _meant(attribute, shape)
            if meant is None or any(other.name == meant for other in typed):
                continue
            found = TypedAttribute(meant, (), attribute.span)
        typed.append(found)
    return tuple(typed)


def _meant(node: ast.Attribute, shape: Shape) -> str | None:
    """The attribute that a misspelt word is read on as, so that it is one mistake."""
    if node.name in KNOWN or node.name in hints.WHOLE:
        return None
    near = suggestions(node.name, (*SIGNS, *MATRICES), node.span)
    meant = hints.ATTRIBUTES.get(node.name) or (near[0].edits[0].text if near else None)
    square = len(shape) >= 2 and shape[-1] == shape[-2]
    return None if meant in MATRICES and not square else meant


def _attribute(walk: Walk, node: ast.Attribute, shape: Shape, role: Role, scope: Scope) -> TypedAttribute:
    name = node.name
    if name in hints.WHOLE:
        raise mistake("NAM115", f"unknown attribute `{name}`", node.span, help=(hints.WHOLE_NUMBERS,))
    if name not in KNOWN:
        ours = hints.ATTRIBUTES.get(name)
        fixes = (replacement(f"write `{ours}`", node.span, ours),) if ours else None
        raise mistake(
            "NAM115",
            f"unknown attribute `{name}`",
            node.span,
            fixes=fixes or suggestions(name, (k for k in KNOWN if k != "in"), node.span),
            notes=(f"attributes are {', '.join(f'`{k}`' for k in KNOWN[:-1])} and, for variables, `in [lo, hi]`",),
        )
    if name in MATRICES and (len(shape) < 2 or shape[-1] != shape[-2]):
        raise mistake("SHP518", f"`{name}` is for square matrices, not shape {show_shape(shape)}", node.span)
    wanted = {"sparse": 1, "in": 2}.get(name, 0)
    if len(node.arguments) != wanted:
        raise mistake("NAM116", f"`{name}` takes {wanted or 'no'} argument{'' if wanted == 1 else 's'}", node.span)
    if name == "in" and role is not Role.VAR:
        raise mistake("NAM116", "bounds `in [lo, hi]` are for variables", node.span)
    arguments = [walk.infer(a, scope) for a in node.arguments]
    sound = tuple(a for a in arguments if a is not None)
    if len(sound) < len(arguments):
        raise Mistake
    for argument in sound:
        _argument(name, argument, shape)
    return TypedAttribute(name, sound, node.span)


def _argument(name: str, argument: Expr, shape: Shape) -> None:
    if argument.facts.variables:
        raise mistake("NAM119", f"`{name}` cannot depend on variables", argument.span)
    if name == "sparse":
        if argument.facts.params:
            raise mistake("NAM119", "the mask of `sparse` must be constant: a literal or `data`", argument.span)
        if argument.shape != shape:
            raise mistake(
                "SHP518",
                f"the mask has shape {show_shape(argument.shape)}, the tensor {show_shape(shape)}",
                argument.span,
                show_shape(argument.shape),
            )
    elif argument.shape not in ((), shape):
        raise mistake(
            "SHP518",
            f"a bound is a scalar or has the variable's shape {show_shape(shape)}, not {show_shape(argument.shape)}",
            argument.span,
            show_shape(argument.shape),
        )


def _contradictions(attribute: TypedAttribute, earlier: list[TypedAttribute]) -> None:
    for other in earlier:
        if other.name == attribute.name:
            raise _clash(attribute, other, "is given twice")
        for group in _EXCLUSIVE:
            if (
                other.name in group
                and attribute.name in group
                and SIGNS.get(other.name, 0) != SIGNS.get(attribute.name, 1)
            ):
                raise _clash(attribute, other, f"contradicts `{other.name}`")


def _clash(attribute: TypedAttribute, other: TypedAttribute, what: str) -> Mistake:
    secondary = (Label(other.span, "first here"),) if other.span else ()
    assert attribute.span is not None
    return mistake("NAM116", f"`{attribute.name}` {what}", attribute.span, secondary=secondary)


def contradicted(attributes: tuple[TypedAttribute, ...], sign: Sign) -> TypedAttribute | None:
    """A declared sign that an expression of sign ``sign`` cannot have (zero allowed on the way)."""
    for attribute in attributes:
        declared = SIGNS.get(attribute.name)
        strict = attribute.name in ("pos", "neg")
        if declared is not None and (sign is -declared or (sign is Sign.ZERO and strict)):
            return attribute
    return None
