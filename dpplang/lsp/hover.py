"""Hover: what stands here, its facts, and why it has them."""

from __future__ import annotations

from lsprotocol.types import Hover, MarkupContent, MarkupKind, Range

from dpplang.core.source import Span
from dpplang.lattice.dims import show_shape
from dpplang.lsp import words
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.describe import (
    derivation,
    expression_facts,
    mention_description,
    paragraphs,
    word_description,
)
from dpplang.lsp.names import Kind, Mention, Space
from dpplang.lsp.view import View
from dpplang.semantics.derivation import constraint_claim, derive, objective_claim
from dpplang.semantics.outputs import dual_shape
from dpplang.semantics.tree import Expr
from dpplang.syntax import ast
from dpplang.syntax.classes import Class


def hover(view: View, offset: int) -> Hover | None:
    analysis = view.analysis
    mention = analysis.mention_at(offset)
    if mention is not None:
        text = _of_mention(analysis, mention, offset)
        if text:
            return _hover(text, view.range(mention.span))
    token = next((t for t in analysis.classes(offset, offset + 1)), None)
    if token is not None:
        text = _of_word(analysis.text[token.start : token.end], token.kind, analysis, offset)
        if text:
            return _hover(text, view.lines.range(token.start, token.end))
        if token.kind in (Class.COMMENT, Class.DOC, Class.STRING):
            return None
    found = analysis.expression_at(offset)
    if found is None:
        return None
    node, expr = found
    return _hover(_facts(analysis, expr, offset), view.range(node.span))


def _hover(text: str, at: Range) -> Hover:
    return Hover(MarkupContent(MarkupKind.Markdown, text), at)


def _of_mention(analysis: Analysis, mention: Mention, offset: int) -> str:
    described = mention_description(analysis, mention)
    if mention.space is Space.CONSTRAINT:
        return paragraphs(described, _of_constraint(analysis, mention.name))
    if mention.space in (Space.ARGUMENT, Space.CONE):
        return described
    if analysis.names.kind(mention) is Kind.DIM:
        return described
    if mention.declares and mention.space is Space.VALUE:
        named = analysis.checked.typed.named(mention.name)
        return described if named is None else paragraphs(described, _facts(analysis, named, offset))
    found = analysis.expression_at(offset)
    if found is None or not _is_of(found[0], mention.span):
        return described
    return paragraphs(described, _facts(analysis, found[1], offset))


def _is_of(node: ast.Node, span: Span) -> bool:
    """Whether a name stands for the node: it is that name, or the call of that function."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Call) and node.function.span == span)


def _of_constraint(analysis: Analysis, name: str) -> str:
    program = analysis.checked.typed
    constraints = [c for c in program.model.constraints if c.name == name]
    if not constraints:
        return ""
    dual = dual_shape(constraints[0]) if len(constraints) == 1 else None
    shape = "" if dual is None else f"its dual has shape `{show_shape(dual)}`"
    return paragraphs(shape, *(derivation(constraint_claim(c, program)) for c in constraints[:3]))


def _of_word(text: str, kind: Class, analysis: Analysis, offset: int) -> str:
    match kind:
        case Class.DECLARATOR | Class.KEYWORD if text in words.ITEMS:
            return paragraphs(word_description(words.ITEMS[text]), _of_objective(analysis, text, offset))
        case Class.KEYWORD if text in words.ENTRIES:
            return word_description(words.ENTRIES[text])
        case Class.JOINT if text in words.JOINTS:
            return word_description(words.JOINTS[text])
        case Class.ATTRIBUTE if text in words.ATTRIBUTES:
            return word_description(words.ATTRIBUTES[text])
        case _:
            return ""


def _of_objective(analysis: Analysis, word: str, offset: int) -> str:
    if word not in ("minimize", "maximize"):
        return ""
    claim = objective_claim(analysis.checked.typed)
    item = analysis.item_at(offset)
    if claim is None or item is None or not item.span.start <= claim.span.start <= item.span.end:
        return ""
    return derivation(claim)


def _facts(analysis: Analysis, expr: Expr, offset: int) -> str:
    """What is proved of an expression, and by which rules; in a ``derived``, of what is computed."""
    item = analysis.item_at(offset)
    part = derive(expr, analysis.checked.typed, computed=isinstance(item, ast.DerivedItem))
    return paragraphs(expression_facts(part.derivation), derivation(part) if part.derivation.parts else "")
