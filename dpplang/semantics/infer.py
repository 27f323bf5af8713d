"""Typing of expressions: shape, sign, curvature and DPP of every node, bottom up, symbolic in the dims.

Sums over index sets are typed once, never unrolled. An expression whose curvature is unknown is no mistake by
itself (it may stand where
curvature does not matter): :mod:`dpplang.semantics.blame` finds the culprit where a rule needs one.
"""

from __future__ import annotations

from typing import assert_never

from dpplang.core.diagnostics import Fix, Label
from dpplang.core.source import Span
from dpplang.lattice.dims import Poly, Shape, TooLarge
from dpplang.lattice.sign import Sign
from dpplang.semantics import hints
from dpplang.semantics.application import call
from dpplang.semantics.arguments import Called
from dpplang.semantics.arithmetic import combine, fold, transposed
from dpplang.semantics.build import constant, literal, negated, numeric
from dpplang.semantics.indexing import index
from dpplang.semantics.powers import power, quadratic_reading
from dpplang.semantics.primitives import stacked
from dpplang.semantics.report import Mistake, Report, mistake, replacement, suggestions
from dpplang.semantics.scope import POISON, Poison, Scope
from dpplang.semantics.tree import Const, DualRef, Expr, Facts, OptimalValue, Reason, Ref
from dpplang.semantics.walk import MAX_NESTING, MAX_NODES, State
from dpplang.syntax import ast


def infer(node: ast.Expr, scope: Scope, report: Report, state: State | None = None) -> Expr | None:
    """Type one expression.

    Args:
        scope: what its names mean. report: takes what is wrong with it.
        state: shared by the expressions of one program; a new one if there is none.

    Returns:
        The typed expression, or None if it, or a name it uses, is wrong.
    """
    return Inference(report, state or State()).infer(node, scope)


class Inference:
    """The walk. Every part is typed before its whole, so that two mistakes in one expression are both found."""

    def __init__(self, report: Report, state: State) -> None:
        self.report = report
        self.state = state

    def infer(self, node: ast.Expr | ast.Condition, scope: Scope) -> Expr | None:
        state = self.state
        state.nodes += 1
        state.depth += 1
        try:
            self._bounded(node)
            return self._infer(node, scope)
        except Mistake as error:
            self.report.add(*error.diagnostics)
            return None
        except TooLarge:
            what = "this size is too large an expression of dims"
            self.report.add(*mistake("NAM117", what, node.span, help=("give it a `dim` of its own",)).diagnostics)
            return None
        finally:
            state.depth -= 1

    def _bounded(self, node: ast.Node) -> None:
        """Raises:
        Mistake: the program is too large or too deep; once, then silently.
        """
        state = self.state
        if state.nodes <= MAX_NODES and state.depth <= MAX_NESTING:
            return
        if state.overflowed:
            raise Mistake
        state.overflowed = True
        if state.nodes > MAX_NODES:
            what = f"the program grows beyond {MAX_NODES} expressions when its `func` calls are written out"
        else:
            what = f"expressions are nested more than {MAX_NESTING} levels deep, `func` calls written out"
        raise mistake("NAM117", what, node.span, help=("name what is used more than once with `let`",))

    def _infer(self, node: ast.Expr | ast.Condition, scope: Scope) -> Expr | None:
        match node:
            case ast.Number():
                return constant(node.value, node.span)
            case ast.Name():
                return _name(node, scope)
            case ast.Unary():
                operand = self.infer(node.operand, scope)
                return operand if operand is None or node.op == "+" else negated(operand, node.span)
            case ast.Binary():
                return self._binary(node, scope)
            case ast.Transpose():
                operand = self.infer(node.operand, scope)
                return None if operand is None else transposed(operand, node.span)
            case ast.Index():
                return index(self, node, scope)
            case ast.Array():
                return self._array(node, scope)
            case ast.Call():
                return call(self, node, scope)
            case ast.Dual():
                return _dual(node, scope)
            case ast.Tuple():
                raise mistake(
                    "NAM119",
                    "a tuple stands only on the left of `in`, as `(t, x) in soc`",
                    node.span,
                    help=("`[a, b]` is a vector, `hstack(a, b)` joins vectors",),
                )
            case ast.Comparison() | ast.BoolOp() | ast.Not():
                return self._condition(node, scope)
            case _:
                assert_never(node)

    def _binary(self, node: ast.Binary, scope: Scope) -> Expr | None:
        left, right = self.infer(node.left, scope), self.infer(node.right, scope)
        if left is None or right is None:
            return None
        if node.op == "^":
            folded = fold("^", left, right, node.span)
            return folded or power(left, right, node, scope)
        if node.op == "@" and not scope.numeric:
            read = quadratic_reading(left, right, node.span, scope)
            if read is not None:
                return read
        return combine(node.op, left, right, node.span, node.op_span, scope.binders)

    def _array(self, node: ast.Array, scope: Scope) -> Expr | None:
        if not node.elements:
            raise mistake("SHP512", "an array literal needs at least one element", node.span)
        parts = [self.infer(e, scope) for e in node.elements]
        known = [p for p in parts if p is not None]
        if len(known) < len(parts):
            return None
        first = known[0]
        if all(isinstance(p, Const) and p.shape == first.shape for p in known):
            values = tuple(p.value for p in known if isinstance(p, Const))
            return literal(values, (Poly.const(len(known)), *first.shape), node.span)
        return stacked(known, Called("[…]", tuple(known), (), node.span, node.span))

    def _condition(self, node: ast.Condition, scope: Scope) -> Expr | None:
        """A truth value, for ``where``: numeric expressions only."""
        match node:
            case ast.Comparison():
                parts = [self.infer(o, scope) for o in node.operands]
                known = [p for p in parts if p is not None]
                if len(known) < len(parts):
                    return None
                tests = [
                    self._logical(_COMPARISONS[op], (a, b), node.span, scope)
                    for op, a, b in zip(node.ops, known[:-1], known[1:], strict=True)
                ]
                return self._all("and", tests, node.span, scope)
            case ast.BoolOp():
                tests = [self.infer(p, scope) for p in node.parts]
                sound = [t for t in tests if t is not None]
                return self._all(node.op, sound, node.span, scope) if len(sound) == len(tests) else None
            case ast.Not():
                part = self.infer(node.part, scope)
                return None if part is None else self._logical("not", (part,), node.span, scope)

    def _all(self, op: str, tests: list[Expr], span: Span, scope: Scope) -> Expr:
        result = tests[0]
        for test in tests[1:]:
            result = self._logical(op, (result, test), span, scope)
        return result

    def _logical(self, op: str, args: tuple[Expr, ...], span: Span, scope: Scope) -> Expr:
        if any(a.facts.variables for a in args) and not scope.numeric:
            raise mistake("DCP211", "a condition cannot depend on variables", span)
        shape: Shape = ()
        for arg in args:
            if arg.shape and shape and arg.shape != shape:
                raise mistake("SHP501", "both sides of a comparison need equal shapes, or a scalar", span)
            shape = shape or arg.shape
        return numeric(op, args, shape, Sign.NONNEG, span)


_COMPARISONS = {"<=": "le", "<": "lt", ">=": "ge", ">": "gt", "==": "eq", "!=": "ne"}


def _name(node: ast.Name, scope: Scope) -> Expr | None:
    binding = scope.lookup(node.name)
    match binding:
        case Poison():
            return None
        case ast.Ident(span=span):
            raise mistake(
                "NAM103",
                f"`{node.name}` is used before it is defined",
                node.span,
                secondary=(Label(span, "defined here"),),
                help=("move the definition up: `let` and `derived` use what stands above them",),
            )
        case None:
            return _undeclared(node, scope)
        case Ref(symbol=symbol):
            # A reference of its own, so that messages point at this use; facts are shared.
            return Ref(symbol, facts=binding.facts, span=node.span, reason=binding.reason)
        case _:
            return binding


def _undeclared(node: ast.Name, scope: Scope) -> Expr:
    if node.name == "inf":
        return constant(float("inf"), node.span)
    if node.name == "value" and scope.returning:
        return OptimalValue(facts=Facts(()), span=node.span, reason=Reason("the optimal value"))
    if node.name in ("true", "True", "false", "False"):
        return constant(float(node.name.lower() == "true"), node.span)
    fixes = scope.file.spelling.near(node.name, scope.visible(), node.span) or _lookalikes(node, scope)
    label = f"did you mean {fixes[0].title.removeprefix('write ')}?" if fixes else "not declared"
    # Whoever forgot a declaration made one mistake, however often the name is used.
    scope.file.names[node.name] = POISON
    help_text = () if fixes else ("declare it: `param`, `data`, `var`, `dim`, or `let`",)
    hint = hints.of_name(node.name)
    if hint is not None and not any(f.title == f"write `{node.name.lower()}`" for f in fixes):
        fixes, label, help_text = (), "not declared", (hint,)
    raise mistake("NAM101", f"unknown name `{node.name}`", node.span, label, help=help_text, fixes=fixes)


def _lookalikes(node: ast.Name, scope: Scope) -> tuple[Fix, ...]:
    """Names that look the same, written with letters of another alphabet."""
    if not scope.file.spelling.affords(len(scope.file.names)):
        return ()
    shown = node.name.translate(hints.LOOKALIKES)
    twins = [name for name in scope.visible() if name != node.name and name.translate(hints.LOOKALIKES) == shown]
    titles = (f"write `{name}` in {hints.alphabet(name)} letters" for name in twins[:1])
    return tuple(replacement(title, node.span, name) for title, name in zip(titles, twins, strict=False))


def _dual(node: ast.Dual, scope: Scope) -> Expr:
    if not scope.returning:
        raise Mistake  # the parser said so
    name = node.constraint.name
    binding = scope.lookup(f"dual {name}")
    if isinstance(binding, DualRef):
        return DualRef(name, facts=binding.facts, span=node.span, reason=binding.reason)
    if isinstance(binding, Poison):
        raise Mistake
    affordable = scope.file.spelling.affords(len(scope.file.names))
    known = [n.removeprefix("dual ") for n in scope.visible() if n.startswith("dual ")] if affordable else []
    raise mistake(
        "NAM107",
        f"there is no constraint `{name}`",
        node.constraint.span,
        help=() if known or not affordable else ("only named constraints have duals to return: `name: relation`",),
        fixes=suggestions(name, known, node.constraint.span),
    )
