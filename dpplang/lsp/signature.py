"""Signature help: the forms of the function around the cursor, and which argument is being written."""

from __future__ import annotations

from lsprotocol.types import (
    MarkupContent,
    MarkupKind,
    ParameterInformation,
    SignatureHelp,
    SignatureInformation,
)

from dpplang.lsp import words
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.describe import atom_facts, one_line, paragraphs
from dpplang.lsp.imports import imported
from dpplang.lsp.names import Space
from dpplang.lsp.place import CallAt, place_at
from dpplang.lsp.view import View
from dpplang.semantics.library import standard_library
from dpplang.syntax import ast


def signature_help(view: View, offset: int) -> SignatureHelp | None:
    place = place_at(view.analysis, offset)
    call = place.call
    if call is None:
        return None
    found = _signatures(view.analysis, call.function)
    if not found:
        return None
    active = next((i for i, s in enumerate(found) if _position(s, call) is not None), 0)
    return SignatureHelp(found, active_signature=active, active_parameter=_position(found[active], call))


def _position(signature: SignatureInformation, call: CallAt) -> int | None:
    """Which parameter the argument at the cursor is; the last takes all the others where it ends in ``…``."""
    labels = [str(p.label) for p in signature.parameters or ()]
    if call.keyword:
        names = [_name(label) for label in labels]
        return names.index(call.keyword) if call.keyword in names else None
    if call.position < len(labels):
        return call.position
    return len(labels) - 1 if labels and "…" in signature.label else None


def _name(label: str) -> str:
    words_ = label.split("=")[0].split("[")[0].split()
    return next((w for w in words_ if w not in ("param", "const")), "")


def _signatures(analysis: Analysis, function: str) -> list[SignatureInformation]:
    found = analysis.names.declared.get((Space.FUNCTION, function))
    if found is not None:
        item = found[1]
        if isinstance(item, ast.FuncItem | ast.AtomItem):
            return [_of_formals(function, item.formals, item.doc, _facts(item))]
        return [_of_formals(function, d.formals, d.doc, _facts(d)) for d in imported(analysis, function)]
    records = standard_library().items(function)
    if records:
        return [_of_formals(function, r.formals, r.doc, _facts(r), variadic=r.variadic) for r in records]
    word = words.FUNCTIONS.get(function) or words.NUMERIC.get(function)
    if word is None:
        return []
    inside = word.signature[word.signature.index("(") + 1 : -1]
    parts = [inside] if inside.startswith("[") else [p.strip() for p in inside.split(",")]
    return [_information(word.signature, [p for p in parts if p != "…"], word.doc)]


def _facts(item: ast.FuncItem | ast.AtomItem) -> str:
    return atom_facts(item) if isinstance(item, ast.AtomItem) else one_line(item)


def _of_formals(
    name: str, formals: tuple[ast.Formal, ...], doc: str, facts: str, *, variadic: bool = False
) -> SignatureInformation:
    labels = [one_line(f) for f in formals]
    shown = [*labels, "…"] if variadic else labels
    return _information(f"{name}({', '.join(shown)})", labels, paragraphs(doc, f"*{facts}*" if facts else ""))


def _information(label: str, parameters: list[str], doc: str) -> SignatureInformation:
    return SignatureInformation(
        label,
        documentation=MarkupContent(MarkupKind.Markdown, doc) if doc else None,
        parameters=[ParameterInformation(p) for p in parameters],
    )
