"""Expressions, conditions and relations as documents: as few parentheses as the grammar allows, breaks where it does.

A line is broken behind a comma or an operator, since only there it goes on outside of brackets; the operators that bind
least are broken first, all of one level together. Comments between the parts stay there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from dpplang.core.source import Span
from dpplang.syntax import ast
from dpplang.syntax.document import HARD, LINE, SOFT, Doc, Remark, group, joined, nest, width
from dpplang.syntax.remarks import Remarks
from dpplang.syntax.words import ITEM_WORDS

WIDTH = 100
INDENT = 2
# How tightly a form binds; a part that binds less tightly than its place asks for stands in parentheses.
_SUM, _TERM, _FACTOR, _POWER, _POSTFIX = range(1, 6)
_BINDING = {"+": (_SUM, _TERM), "-": (_SUM, _TERM), "*": (_TERM, _FACTOR), "/": (_TERM, _FACTOR), "@": (_TERM, _FACTOR)}
_OR, _AND, _NOT = range(1, 4)
_SHORT = 16  # columns of what is not worth a line of its own

Element = ast.Expr | ast.Slice | ast.Generator | ast.Condition | ast.Keyword


class Phrases:
    """Makes documents of parts of items; takes the comments that stood in them out of ``remarks``."""

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks

    # --- expressions ---------------------------------------------------------------------------------------------

    def expression(self, node: ast.Expr, place: int = _SUM, tight: bool = False) -> Doc:
        """``place``: how tightly it must bind to need no parentheses; ``tight``: no spaces around operators."""
        match node:
            case ast.Number():
                return _number(node)
            case ast.Name():
                return node.name
            case ast.Unary():
                return self._grouped((node.op, self.expression(node.operand, _FACTOR, tight)), place > _FACTOR)
            case ast.Binary(op="^"):
                parts = (self.expression(node.left, _POSTFIX, True), "^", self.expression(node.right, _FACTOR, True))
                return self._grouped(parts, place > _POWER)
            case ast.Binary():
                own = _BINDING[node.op][0]
                return self._grouped(self._operation(node, own, tight), place > own)
            case ast.Transpose():
                return (self.expression(node.operand, _POSTFIX, tight), "'")
            case ast.Index():
                return (
                    self.expression(node.operand, _POSTFIX, tight),
                    "[",
                    joined(", ", map(self.subscript, node.items)),
                    "]",
                )
            case ast.Array():
                return self._bracketed("[", node.elements, "]", node.span, node.span.start, fill=_is_row(node))
            case ast.Tuple():
                return self._bracketed("(", node.elements, ")", node.span, node.span.start)
            case ast.Call():
                function, arguments = node.function, (*node.arguments, *node.keywords)
                return (function.name, self._bracketed("(", arguments, ")", node.span, function.span.end))
            case ast.Dual():
                return f"dual {node.constraint.name}"
            case _:
                assert_never(node)

    def _operation(self, node: ast.Binary, level: int, tight: bool) -> Doc:
        """All operators of one level, from the left: ``a + b - c``."""
        operands, ops = [node.right], [node.op]
        left = node.left
        while isinstance(left, ast.Binary) and left.op in _BINDING and _BINDING[left.op][0] == level:
            operands.append(left.right)
            ops.append(left.op)
            left = left.left
        operands.append(left)
        operands.reverse()
        ops.reverse()
        first, *others = operands
        docs = [self.expression(first, level, tight), *(self.expression(o, level + 1, tight) for o in others)]
        if tight:
            return tuple(p for op, d in zip(("", *ops), docs, strict=True) for p in (op, d))
        made: list[Doc] = []
        for position, op in enumerate(ops, 1):
            separator = self._separator(f" {op}", operands[position - 1].span, operands[position], docs[position])
            made += [separator, docs[position]]
        # A product goes on further to the right, so that it does not look like terms of a sum.
        return group(docs[0], *made) if level == _SUM else group(docs[0], nest(INDENT, *made))

    def _grouped(self, doc: Doc, in_brackets: bool) -> Doc:
        if not in_brackets:
            return doc
        return group("(", nest(INDENT, () if opens_item(doc) else SOFT, doc), SOFT, ")")

    def subscript(self, item: ast.Expr | ast.Slice) -> Doc:
        return self.slice(item) if isinstance(item, ast.Slice) else self.expression(item, tight=True)

    def slice(self, node: ast.Slice) -> Doc:
        start: Doc = "" if node.start is None else self.expression(node.start, tight=True)
        stop: Doc = "" if node.stop is None else self.expression(node.stop, tight=True)
        return (start, ":", stop)

    def element(self, node: Element) -> Doc:
        """What may stand in brackets."""
        match node:
            case ast.Slice():
                return self.slice(node)
            case ast.Generator():
                body = self.expression(node.body)
                return (
                    nest(INDENT, body) if isinstance(node.body, ast.Binary) else body,
                    self._separator("", node.body.span, node.binders[0], "for"),
                    *("for ", self.domain(node.binders, node.condition)),
                )
            case ast.Comparison() | ast.BoolOp() | ast.Not():
                return self.condition(node)
            case ast.Keyword():
                return (f"{node.name.name} = ", self.expression(node.value))
            case _:
                return self.expression(node)

    # --- lists ---------------------------------------------------------------------------------------------------

    def _bracketed(
        self, opener: str, elements: Sequence[Element], closer: str, span: Span, opened: int, fill: bool = False
    ) -> Doc:
        """Elements in brackets; where they do not fit, each on a line of its own, or as many as fit if ``fill``.

        Args:
            span: ends with the closing bracket. opened: where the opening one stands, or before it.
        """
        if not elements:
            return opener + closer
        docs = [self.element(e) for e in elements]
        if len(docs) > 1:
            docs = [nest(INDENT, d) if isinstance(e, ast.Binary) else d for d, e in zip(docs, elements, strict=True)]
        comments = self._comments(opened, elements[0].span.start)
        first: Doc = (*comments, HARD) if comments else () if opens_item(docs[0]) else SOFT
        body = self.listed(elements, docs, fill=fill)
        last = (*self._comments(elements[-1].span.end, span.end, ends=True), SOFT)
        return group(opener, nest(INDENT, first, body), *last, closer)

    def listed(self, elements: Sequence[ast.Node], docs: Sequence[Doc], *, fill: bool = False) -> Doc:
        """Elements with commas between them, broken at all of them or, if ``fill``, where a line is full."""
        made: list[Doc] = [docs[0]]
        for position in range(1, len(docs)):
            separator = self._separator(",", elements[position - 1].span, elements[position], docs[position])
            made.append(group(separator, docs[position]) if fill else (separator, docs[position]))
        return tuple(made)

    def _separator(self, mark: str, before: Span, following: ast.Node, doc: Doc) -> Doc:
        """A mark, and a break behind it unless what follows would be read as an item at a line's start."""
        comments = self._comments(before.end, following.span.start)
        if comments:
            return (mark, *comments, HARD)
        return f"{mark} " if opens_item(doc) else (mark, LINE)

    def _comments(self, start: int, end: int, ends: bool = False) -> tuple[Doc, ...]:
        """The comments that stood there; if they ``end`` a list, they are indented as its elements are."""
        trailing, alone = self._remarks.between(start, end)
        own = tuple(part for text in alone for part in (HARD, text))
        found = (*((Remark(trailing),) if trailing else ()), *((nest(INDENT, *own) if ends else own,) if own else ()))
        return found

    # --- conditions, relations, domains --------------------------------------------------------------------------

    def condition(self, node: ast.Condition, place: int = _OR) -> Doc:
        match node:
            case ast.Comparison():
                return self._chain(node.operands, node.ops)
            case ast.BoolOp():
                own = _OR if node.op == "or" else _AND
                docs = [self.condition(p, own + 1) for p in node.parts]
                made: list[Doc] = [docs[0]]
                for position in range(1, len(docs)):
                    parts = node.parts
                    separator = self._separator(
                        f" {node.op}", parts[position - 1].span, parts[position], docs[position]
                    )
                    made += [separator, docs[position]]
                return self._grouped(group(*made), place > own)
            case ast.Not():
                return ("not ", self.condition(node.part, _NOT))
            case _:
                assert_never(node)

    def relation(self, node: ast.Relation | ast.Membership) -> Doc:
        if isinstance(node, ast.Relation):
            return self._chain(node.operands, node.ops)
        extra: tuple[ast.Expr | ast.Keyword, ...] = (*node.arguments, *node.keywords)
        arguments = self._bracketed("(", extra, ")", node.span, node.cone.span.end) if extra else ""
        word = " not in " if node.negated else " in "
        return (self.expression(node.element), word, node.cone.name, arguments)

    def _chain(self, operands: Sequence[ast.Expr], ops: Sequence[str]) -> Doc:
        docs = [self.expression(operand) for operand in operands]
        # What goes on below is indented, so that it does not look like a relation of its own.
        docs = [nest(INDENT, d) if isinstance(o, ast.Binary) else d for d, o in zip(docs, operands, strict=True)]
        commented = self._remarks.within(operands[0].span.end, operands[1].span.start)
        if len(ops) == 1 and _attached(*operands) and not commented:
            return (docs[0], f" {ops[0]} ", docs[1])
        made: list[Doc] = []
        for position, op in enumerate(ops, 1):
            before, following = operands[position - 1 : position + 1]
            made += [self._separator(f" {op}", before.span, following, docs[position]), docs[position]]
        return group(docs[0], nest(INDENT, *made))

    def domain(self, binders: Sequence[ast.Binder], condition: ast.Condition | None) -> Doc:
        docs = [self.binder(b) for b in binders]
        listed = self.listed(binders, docs)
        if condition is None:
            return listed
        tested = self.condition(condition)
        return (listed, self._separator("", binders[-1].span, condition, "if"), "if ", tested)

    def binder(self, binder: ast.Binder) -> Doc:
        return (f"{binder.name.name} in ", self.subscript(binder.domain))

    # --- what follows a head -------------------------------------------------------------------------------------

    def headed(self, head: Doc, node: ast.Expr, place: int = _SUM) -> Doc:
        """An expression behind a head (``minimize``, ``derived p =``): beside it if it fits there or breaks well inside
        its brackets, else on lines of its own."""
        doc = self.expression(node, place)
        if opens_item(doc) or (hugs(node) and width(doc, WIDTH - INDENT) is None):
            return (head, " ", doc)
        return group(head, nest(INDENT, LINE, doc))


def hugs(node: ast.Expr) -> bool:
    """Whether an expression ends in brackets that hold nearly all of it: ``sum(…)``, ``0.5 * sum(…)``, ``-f(…)``."""
    match node:
        case ast.Call() | ast.Array():
            return True
        case ast.Unary(operand=operand):
            return hugs(operand)
        case ast.Binary(op="*" | "/" | "@", left=ast.Number() | ast.Name(), right=right):
            return isinstance(right, ast.Call)
        case _:
            return False


def breaks_in_brackets(left: ast.Expr, right: ast.Expr) -> bool:
    """Whether of a relation's sides one is short, and the other best broken inside its brackets."""
    return (_is_short(right) and hugs(left)) or (_is_short(left) and hugs(right))


def _attached(left: ast.Expr, right: ast.Expr) -> bool:
    """Whether no line is broken between two sides of a relation, since a short one looks lost on a line of its own."""
    return breaks_in_brackets(left, right) or (_is_short(right) and isinstance(left, ast.Binary))


def _is_short(node: ast.Expr) -> bool:
    return width(Phrases(Remarks((), None)).expression(node), _SHORT) is not None


def _is_row(node: ast.Array) -> bool:
    """Whether an array is a row of plain numbers and names, of which many go on a line."""
    return all(isinstance(e.operand if isinstance(e, ast.Unary) else e, ast.Number | ast.Name) for e in node.elements)


def opens_item(doc: Doc) -> bool:
    """Whether a document begins with a word that could open an item at a line's start: there it must not stand."""
    while not isinstance(doc, str):
        parts = doc if isinstance(doc, tuple) else (getattr(doc, "body", ""),)
        doc = next((p for p in parts if p != ""), "")
    word = ""
    for character in doc:
        if not (character.isalnum() or character == "_"):
            break
        word += character
    return word in ITEM_WORDS


def _number(node: ast.Number) -> str:
    try:
        written = float(node.text.replace("_", "")) == node.value
    except ValueError:
        written = False
    if written:
        return node.text
    return str(int(node.value)) if node.is_integer else repr(node.value)
