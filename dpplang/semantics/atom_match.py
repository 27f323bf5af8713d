"""Whether the arguments of a call fit one record of an atom: which argument is which formal, modes, attributes,
shapes.

Records of one name are tried in order. A record that does not fit leaves a :class:`Mismatch` whose ``stage`` says how
far it got, so that the message is about the record that was meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.dims import Poly, Shape, show_shape, size
from dpplang.semantics.atom_constants import integer, number
from dpplang.semantics.atom_definite import is_nsd, is_psd, is_symmetric
from dpplang.semantics.atom_requires import Known, holds, implied
from dpplang.semantics.tree import Atom, Expr, Ref, Role, TypedFormal
from dpplang.syntax import ast

ARITY, KEYWORD, AXIS, SHAPE, MODE, REQUIRES, ATTRIBUTE = range(7)

Keywords = tuple[tuple[ast.Ident, Expr], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """The call as the user wrote it: the whole, and the atom's name in it; ``requires`` is what the record around it,
    if there is one, says of its constants."""

    name: str
    span: Span
    name_span: Span
    requires: ast.Condition | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Arguments in the order of the formals, sizes of the atom's own dims, the result's shape before ``keepdims``."""

    atom: Atom
    args: tuple[Expr, ...]
    sizes: dict[str, Poly]
    shape: Shape
    axis: int | None
    keepdims: bool


@dataclass(frozen=True, slots=True)
class Mismatch:
    """``words`` are the attributes that were missing (stage ATTRIBUTE), or the condition that failed (REQUIRES)."""

    stage: int
    diagnostic: Diagnostic
    words: tuple[str, ...] = ()


def signature(atom: Atom) -> str:
    """``huber(x, param M = 1)``, as it is shown in messages."""
    return f"{atom.name}({', '.join(map(_formal, atom.formals))})"


def _formal(formal: TypedFormal) -> str:
    symbol = formal.symbol
    shape = "[...]" if formal.any_shape else f"{show_shape(symbol.shape)}" if symbol.shape else ""
    words = [f"{formal.mode} " if formal.mode else "", symbol.name, shape]
    words += [f" {a.name}" for a in symbol.attributes]
    default = None if formal.default is None else number(formal.default)
    return "".join(words) + ("" if default is None else f" = {default:g}")


def match(atom: Atom, arguments: tuple[Expr, ...], keywords: Keywords, site: Site) -> Match | Mismatch:
    """Fit the arguments of a call to one record."""
    bound = _bind(atom, arguments, keywords, site)
    if isinstance(bound, Mismatch):
        return bound
    args, options = bound
    axis = _axis(args[0], options, site)
    if isinstance(axis, Mismatch):
        return axis
    along, keepdims = axis
    shaped = _shapes(atom, args, along, site)
    if isinstance(shaped, Mismatch):
        return shaped
    sizes, shape = shaped
    wrong = _modes(atom, args, site) or _requires(atom, args, site) or _attributes(atom, args, site)
    return wrong or Match(atom, args, sizes, shape, along, keepdims)


def _bind(
    atom: Atom, arguments: tuple[Expr, ...], keywords: Keywords, site: Site
) -> tuple[tuple[Expr, ...], dict[str, tuple[ast.Ident, Expr]]] | Mismatch:
    """Arguments in the order of the formals, and what is left of the keywords: ``axis`` and ``keepdims``."""
    formals = [f.symbol.name for f in atom.formals]
    options = ("axis", "keepdims") if atom.kind == "reduction" else ()
    if len(arguments) > len(formals):
        return _arity(atom, len(arguments), site)
    given = dict(zip(formals, arguments, strict=False))
    extra: dict[str, tuple[ast.Ident, Expr]] = {}
    for ident, value in keywords:
        if ident.name in given or ident.name in extra:
            message = f"argument `{ident.name}` of `{site.name}` is given twice"
            return Mismatch(KEYWORD, Diagnostic("ATM402", message, Label(ident.span)))
        if ident.name in formals:
            given[ident.name] = value
        elif ident.name in options:
            extra[ident.name] = (ident, value)
        else:
            return _unknown_keyword(atom, ident, [*formals, *options])
    args: list[Expr] = []
    for formal in atom.formals:
        value = given.get(formal.symbol.name, formal.default)
        if value is None:
            return _arity(atom, len(arguments) + len(keywords) - len(extra), site, formal.symbol.name)
        args.append(value)
    return tuple(args), extra


def _arity(atom: Atom, count: int, site: Site, missing: str = "") -> Mismatch:
    needed = sum(f.default is None for f in atom.formals)
    most = len(atom.formals)
    expected = str(most) if needed == most else f"{needed} to {most}"
    plural = "" if expected == "1" else "s"
    label = f"`{missing}` is missing" if missing else f"{count} given"
    message = f"`{site.name}` takes {expected} argument{plural}, {count} given"
    return Mismatch(
        ARITY,
        Diagnostic("ATM401", message, Label(site.span, label), notes=(f"its signature is `{signature(atom)}`",)),
    )


def _unknown_keyword(atom: Atom, ident: ast.Ident, known: list[str]) -> Mismatch:
    from difflib import get_close_matches

    close = get_close_matches(ident.name, known, n=1, cutoff=0.6)
    fix = Fix(f"write `{close[0]}`", (Edit(ident.span, close[0]),), Applicability.UNSAFE) if close else None
    return Mismatch(
        KEYWORD,
        Diagnostic(
            "ATM402",
            f"`{atom.name}` has no argument `{ident.name}`",
            Label(ident.span, f"did you mean `{close[0]}`?" if close else ""),
            notes=(f"its signature is `{signature(atom)}`",),
            fixes=(fix,) if fix else (),
        ),
    )


def _axis(first: Expr, options: dict[str, tuple[ast.Ident, Expr]], site: Site) -> tuple[int | None, bool] | Mismatch:
    keepdims = integer(options["keepdims"][1]) if "keepdims" in options else 0
    if keepdims not in (0, 1):
        span = options["keepdims"][1].span
        return Mismatch(AXIS, Diagnostic("ATM408", "`keepdims` must be 0 or 1", Label(span)))
    if "axis" not in options:
        return None, bool(keepdims)
    value, rank = integer(options["axis"][1]), len(first.shape)
    if value is None or not -rank <= value < rank:
        what = f"shape {show_shape(first.shape)}" if rank else "no axes"
        message = f"the argument of `{site.name}` has {what}, so `axis` must be " + (
            f"a whole number from {-rank} to {rank - 1}" if rank else "left out"
        )
        secondary = (Label(first.span, show_shape(first.shape)),)
        return Mismatch(AXIS, Diagnostic("ATM408", message, Label(options["axis"][1].span), secondary))
    return value % rank, bool(keepdims)


def _shapes(
    atom: Atom, args: tuple[Expr, ...], axis: int | None, site: Site
) -> tuple[dict[str, Poly], Shape] | Mismatch:
    if atom.kind == "elementwise":
        return _elementwise(args, site)
    sizes: dict[str, Poly] = {}
    ahead: Shape = ()
    behind: Shape = ()
    for position, (formal, arg) in enumerate(zip(atom.formals, args, strict=True)):
        actual = arg.shape
        if position == 0 and atom.kind == "reduction":
            ahead, behind = ((), ()) if axis is None else (actual[:axis], actual[axis + 1 :])
            actual = (size(actual) if axis is None else actual[axis],)
        elif formal.any_shape:
            actual = (size(actual),)
        if len(actual) != len(formal.symbol.shape) or not _unify(formal.symbol.shape, actual, sizes):
            return _unfit(atom, args, position, sizes)
    return sizes, (*ahead, *(p.substitute(sizes) for p in atom.shape), *behind)


def _elementwise(args: tuple[Expr, ...], site: Site) -> tuple[dict[str, Poly], Shape] | Mismatch:
    shaped = [a for a in args if a.shape]
    for other in shaped[1:]:
        if other.shape != shaped[0].shape:
            first, second = show_shape(shaped[0].shape), show_shape(other.shape)
            return Mismatch(
                SHAPE,
                Diagnostic(
                    "ATM403",
                    f"`{site.name}` works entry by entry: shapes {first} and {second} differ",
                    Label(other.span, second),
                    (Label(shaped[0].span, first),),
                    help=("arguments must have one shape, or be scalars",),
                ),
            )
    return {}, shaped[0].shape if shaped else ()


def _unify(formal: Shape, actual: Shape, sizes: dict[str, Poly]) -> bool:
    """Bind the dims of a formal shape; False if one already has another value."""
    for wanted, have in zip(formal, actual, strict=True):
        name = wanted.terms[0][0][0] if wanted.degree == 1 and len(wanted.terms) == 1 else ""
        if name and wanted == Poly.var(name) and name not in sizes:
            sizes[name] = have
        elif wanted.substitute(sizes) != have:
            return False
    return True


def _unfit(atom: Atom, args: tuple[Expr, ...], position: int, sizes: dict[str, Poly]) -> Mismatch:
    formal, arg = atom.formals[position].symbol, args[position]
    known = ", ".join(f"{name} = {value}" for name, value in sizes.items() if str(value) != name)
    return Mismatch(
        SHAPE,
        Diagnostic(
            "ATM403",
            f"argument `{formal.name}` of `{atom.name}` must have shape {show_shape(formal.shape)}, "
            f"this has shape {show_shape(arg.shape)}",
            Label(arg.span, show_shape(arg.shape)),
            tuple(Label(a.span, show_shape(a.shape)) for a in args[:position]),
            notes=(f"its signature is `{signature(atom)}`" + (f", here with {known}" if known else ""),),
        ),
    )


def _modes(atom: Atom, args: tuple[Expr, ...], site: Site) -> Mismatch | None:
    for formal, arg in zip(atom.formals, args, strict=True):
        name, facts = formal.symbol.name, arg.facts
        if formal.mode == "const" and not facts.is_constant:
            held_back = sorted(s.name for s in facts.variables | facts.params)
            kind = "variable" if facts.variables else "parameter"
            diagnostic = Diagnostic(
                "ATM404",
                f"argument `{name}` of `{site.name}` must be constant",
                Label(arg.span, f"depends on the {kind} {_quoted(held_back)}"),
                help=("literals, dims and `data` are constant",),
            )
            return Mismatch(MODE, diagnostic)
        if formal.mode == "param" and facts.variables:
            names = sorted(s.name for s in facts.variables)
            diagnostic = Diagnostic(
                "ATM405",
                f"argument `{name}` of `{site.name}` must be free of variables",
                Label(arg.span, f"depends on the variable {_quoted(names)}"),
            )
            return Mismatch(MODE, diagnostic)
        if formal.mode == "param" and not facts.dpp.is_affine:
            diagnostic = Diagnostic(
                "ATM405",
                f"argument `{name}` of `{site.name}` must be affine in the parameters",
                Label(arg.span, f"not affine in {_quoted(sorted(s.name for s in facts.params))}"),
                help=("give it a name of its own: `derived` computes any function of the parameters",),
            )
            return Mismatch(MODE, diagnostic)
    return None


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _requires(atom: Atom, args: tuple[Expr, ...], site: Site) -> Mismatch | None:
    if atom.requires is None:
        return None
    around = implied(site.requires)
    constants = {f.symbol.name: a for f, a in zip(atom.formals, args, strict=True) if f.mode == "const"}
    known = {name: found for name, arg in constants.items() if (found := _known(arg, around)) is not None}
    fitting = holds(atom.requires, known)
    if fitting:
        return None
    said = atom.requires.span.text
    undecided = [name for name in constants if name not in known or known[name].value is None]
    blamed = constants[undecided[0]] if fitting is None and undecided else next(iter(constants.values()), None)
    label = f"does not fit `{said}`" if fitting is False else "must be a number known when the program is checked"
    message = f"`{site.name}` is not defined for this constant argument"
    span = site.span if blamed is None else blamed.span
    where = () if atom.requires.span.source is not span.source else (Label(atom.requires.span, "required here"),)
    return Mismatch(REQUIRES, Diagnostic("ATM407", message, Label(span, label), where), (said,))


def _known(arg: Expr, around: dict[str, Known]) -> Known | None:
    value = number(arg)
    if value is not None:
        return Known.exactly(value)
    return around.get(arg.symbol.name) if isinstance(arg, Ref) and arg.symbol.role is Role.FORMAL else None


def _attributes(atom: Atom, args: tuple[Expr, ...], site: Site) -> Mismatch | None:
    for formal, arg in zip(atom.formals, args, strict=True):
        for attribute in formal.symbol.attributes:
            if not _has(arg, attribute.name):
                name = formal.symbol.name
                diagnostic = Diagnostic(
                    "ATM406",
                    f"argument `{name}` of `{site.name}` must be {attribute.name}",
                    Label(arg.span, f"not known to be {attribute.name}"),
                    help=(f"declare it `{attribute.name}`: that is checked when values are bound",),
                )
                return Mismatch(ATTRIBUTE, diagnostic, (attribute.name,))
    return None


def _has(arg: Expr, attribute: str) -> bool:
    sign, value = arg.facts.sign, number(arg)
    match attribute:
        case "nonneg":
            return sign.is_nonneg or (value is not None and value >= 0)
        case "nonpos":
            return sign.is_nonpos or (value is not None and value <= 0)
        case "pos":
            return value > 0 if value is not None else sign.is_nonneg
        case "neg":
            return value < 0 if value is not None else sign.is_nonpos
        case "psd":
            return is_psd(arg)
        case "nsd":
            return is_nsd(arg)
        case "symmetric":
            return is_symmetric(arg)
        case "diagonal":
            return getattr(arg, "op", "") == "diag" and len(arg.shape) == 2
        case _:
            return False
