"""What there is to say of a name or an expression, in Markdown: for hovers, completion and signature help."""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.lsp import words
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.imports import imported
from dpplang.lsp.names import Kind, Mention, Space
from dpplang.semantics.derivation import Claim, Derivation, Part
from dpplang.semantics.library import standard_library
from dpplang.semantics.why import why
from dpplang.syntax import ast

ROLES = {
    Kind.DIM: "a size",
    Kind.DATA: "data: bound once, a constant",
    Kind.PARAM: "a parameter: bound at every call, differentiated",
    Kind.DERIVED: "a derived parameter: computed at every call, differentiated",
    Kind.LET: "a name for an expression",
    Kind.VAR: "a variable",
    Kind.INDEX: "an index variable",
    Kind.FORMAL: "an argument",
}
_MOST_LINES = 30  # of a derivation


def code(text: str) -> str:
    """A fenced block; no text can end it early."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}dpp\n{text}\n{fence}"


def paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def one_line(node: ast.Node, most: int = 200) -> str:
    text = " ".join(node.span.text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def declaration_text(item: ast.AnyItem, name: str) -> str:
    """How a name is declared, alone: ``param Omega[k, k] psd``."""
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            word = next(w for w, t in _WORDS.items() if isinstance(item, t))
            found = next((d for d in item.declarations if d.name.name == name), None)
            return f"{word} {one_line(found)}" if found is not None else word
        case ast.AtomItem():
            return atom_signature(item)
        case _:
            return one_line(item)


_WORDS = {"dim": ast.DimItem, "data": ast.DataItem, "param": ast.ParamItem, "var": ast.VarItem}


def atom_signature(item: ast.AtomItem) -> str:
    """``huber(x, param M pos = 1)``."""
    return f"{item.name.name}({', '.join(one_line(f) for f in item.formals)})"


def atom_facts(item: ast.AtomItem) -> str:
    """``convex, nonneg; increasing in x where x >= 0`` of a record."""
    if item.kind == "set":
        return "a convex set"
    curvature = [] if item.curvature is None else [item.curvature.word]
    sign = [one_line(c) for c in item.sign if c.word != "unknown"]
    monotone = [one_line(c) for c in item.monotone]
    return "; ".join(part for part in (", ".join(curvature + sign), ", ".join(monotone)) if part)


def atom_description(records: Sequence[ast.AtomItem]) -> str:
    """The records of an atom: each signature with its doc and facts."""
    if len(records) == 1:
        record = records[0]
        return paragraphs(code(f"atom {atom_signature(record)}"), record.doc, f"*{atom_facts(record)}*")
    lines = [f"- `{atom_signature(r)}`: {first_line(r.doc)} *{atom_facts(r)}*" for r in records]
    return paragraphs(code(f"atom {records[0].name.name}(…)"), "\n".join(lines))


def first_line(doc: str) -> str:
    return doc.strip().split("\n", 1)[0]


def word_description(word: words.Word, kind: str = "") -> str:
    return paragraphs(code(word.signature), word.doc, f"*{kind}*" if kind else "")


def builtin_description(name: str, kind: Kind) -> str:
    """A function that no file of the user's defines."""
    if kind is Kind.ATOM:
        return atom_description(standard_library().items(name))
    if kind is Kind.PRIMITIVE and name in words.FUNCTIONS:
        return word_description(words.FUNCTIONS[name])
    if kind is Kind.NUMERIC and name in words.NUMERIC:
        return word_description(words.NUMERIC[name], "numeric: of constants, and of parameters in `derived`")
    return ""


def expression_facts(found: Derivation) -> str:
    """``convex, nonneg, [n], depends on Omega through R: DPP``."""
    facts = found.facts
    words_ = [f"**{facts.curvature.value}**" if facts.curvature.value != "unknown" else "**unknown curvature**"]
    if facts.sign is not Sign.UNKNOWN:
        words_.append(facts.sign.value)
    words_.append(f"`{show_shape(facts.shape)}`" if facts.shape else "scalar")
    if found.dependence:
        names = ", ".join(map(str, found.dependence[:4]))
        more = f" and {len(found.dependence) - 4} more" if len(found.dependence) > 4 else ""
        words_.append(f"depends on {names}{more}" + ("" if found.computed else f": **{found.verdict.value}**"))
    return ", ".join(words_)


def derivation(part: Part | Claim) -> str:
    """The derivation tree, in a block that keeps its columns."""
    lines = why(part).split("\n")
    if len(lines) < 2:
        return ""
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "…"]
    return "```text\n" + "\n".join(line.replace("```", "'''") for line in lines) + "\n```"


def mention_description(analysis: Analysis, mention: Mention) -> str:
    """What a name is, and where it was declared; empty for one that nothing declares."""
    kind = analysis.names.kind(mention)
    found = analysis.names.declared.get((_space(mention), mention.name))
    if kind in (Kind.ATOM, Kind.PRIMITIVE, Kind.NUMERIC) and found is None:
        return builtin_description(mention.name, kind)
    if mention.space is Space.CONE:
        return word_description(words.CONES[mention.name]) if mention.name in words.CONES else ""
    if kind is Kind.CONSTANT:
        return word_description(words.CONSTANTS[mention.name])
    if found is not None and not (mention.space is Space.LOCAL and not mention.implicit):
        declaration, item = found
        if isinstance(item, ast.AtomItem):
            return paragraphs(atom_description([item]))
        if isinstance(item, ast.ImportItem) and (described := _imported_description(analysis, mention.name)):
            return described
        where = f"line {declaration.span.line}"
        role = ROLES.get(kind, kind.value)
        return paragraphs(code(declaration_text(item, mention.name)), item.doc, f"*{role}; {where}*")
    if mention.space in (Space.LOCAL, Space.ARGUMENT) and kind in ROLES:
        return paragraphs(code(_local_text(analysis, mention)), f"*{ROLES[kind]}*")
    return ""


def _imported_description(analysis: Analysis, name: str) -> str:
    found = imported(analysis, name)
    records = [d for d in found if isinstance(d, ast.AtomItem)]
    if records:
        return atom_description(records)
    return "".join(
        paragraphs(code(one_line(d)), d.doc, f"*func; {d.span.source.name}, line {d.name.span.line}*")
        for d in found[:1]
    )


def _space(mention: Mention) -> Space:
    return Space.VALUE if mention.implicit else mention.space


def _local_text(analysis: Analysis, mention: Mention) -> str:
    """The formal or the binder that a local name is."""
    declared = next((m for m in analysis.mentions_of(mention) if m.declares), mention)
    for node in reversed(analysis.path_to(declared.span.start)):
        if isinstance(node, ast.Formal | ast.Binder | ast.Declaration) and node.name.name == mention.name:
            return one_line(node)
    return mention.name
