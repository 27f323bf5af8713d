"""Code actions: every fix with its edits, all safe ones at once, and the explanation of a code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Command,
    Diagnostic,
    OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from dpplang.core import diagnostics as core
from dpplang.core.codes import CODES
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.lsp.diagnostics import place, to_protocol
from dpplang.lsp.offers import EXPLAIN, FIX_ALL
from dpplang.lsp.view import View
from dpplang.pipeline import Compilation


def actions(
    view: View,
    start: int,
    end: int,
    only: Sequence[str] | None,
    version: int | None,
    found: Sequence[core.Diagnostic],
    meant: Iterable[Diagnostic] = (),
) -> list[CodeAction]:
    """What can be done about what touches [start, end], and about diagnostics that are ``meant``: Neovim names those
    of the whole line.

    Args:
        only: the kinds that the client asks for; all if None. version: of the text, for edits that must not be late.
        found: the diagnostics of the text with their fixes, spans in any source of the same text.
    """
    made: list[CodeAction] = []
    named = {(d.code, view.offset(d.range.start)) for d in meant}
    if _wanted(CodeActionKind.QuickFix, only):
        for diagnostic in found:
            span = diagnostic.primary.span if diagnostic.primary is not None else None
            if span is None:
                continue
            touched = span.start <= end and start <= span.end
            if touched or (diagnostic.code, view.offset(place(view, span).start)) in named:
                made += _fixes(view, diagnostic, version)
                made += _explain(view, diagnostic)
    if _wanted(FIX_ALL, only):
        made += _all_safe(view, found, version)
    return made


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    kind = _text(kind)
    return only is None or any(kind == o or kind.startswith(f"{o}.") for o in map(_text, only))


def _text(kind: str) -> str:
    return str(kind.value) if isinstance(kind, CodeActionKind) else kind


def _fixes(view: View, diagnostic: core.Diagnostic, version: int | None) -> Iterable[CodeAction]:
    usable = [f for f in diagnostic.fixes if f.edits and f.applicability is not core.Applicability.DISPLAY]
    preferred = next((f for f in usable if f.applicability is core.Applicability.SAFE), None)
    for fix in usable:
        assumes = "" if fix.applicability is core.Applicability.SAFE else " (assumes that this is meant)"
        yield CodeAction(
            f"{fix.title}{assumes}",
            kind=CodeActionKind.QuickFix,
            diagnostics=[to_protocol(view, diagnostic)],
            is_preferred=fix is preferred,
            edit=_edit(
                view, [TextEdit(view.lines.range(e.span.start, e.span.end), e.text) for e in fix.edits], version
            ),
        )


def _explain(view: View, diagnostic: core.Diagnostic) -> Iterable[CodeAction]:
    info = CODES.get(diagnostic.code)
    if info is not None:
        title = f"Explain {info.code}: {info.title}"
        command = Command(title, EXPLAIN, arguments=[diagnostic.code])
        yield CodeAction(
            title, kind=CodeActionKind.QuickFix, command=command, diagnostics=[to_protocol(view, diagnostic)]
        )


def _all_safe(view: View, found: Sequence[core.Diagnostic], version: int | None) -> Iterable[CodeAction]:
    """Fix what can be fixed without assuming anything, round after round, as `dpp check --fix` does."""
    safe = [f for d in found for f in d.fixes if f.applicability is core.Applicability.SAFE and f.edits]
    if not safe:
        return
    analysis = view.analysis
    source = Source(analysis.source.name, analysis.text)
    mended = mend(source, lambda text: Compilation(text, analysis.loader).diagnostics)
    if mended.source.text != analysis.text:
        count = len(mended.applied)
        yield CodeAction(
            f"Apply all safe fixes ({count})",
            kind=FIX_ALL,
            edit=_edit(view, [_difference(view, mended.source.text)], version),
        )


def _difference(view: View, new: str) -> TextEdit:
    """One edit, of what lies between the common start and the common end."""
    old = view.analysis.text
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
    return TextEdit(view.lines.range(start, len(old) - tail), new[start : len(new) - tail])


def _edit(view: View, edits: list[TextEdit], version: int | None) -> WorkspaceEdit:
    document = OptionalVersionedTextDocumentIdentifier(view.uri, version)
    return WorkspaceEdit(changes={view.uri: edits}) if version is None else WorkspaceEdit(
        document_changes=[TextDocumentEdit(document, list(edits))]
    )  # fmt: skip


def explanation(code: str) -> str:
    """The page of a code in Markdown, empty if there is none such."""
    info = CODES.get(code)
    if info is None:
        return ""
    parts = [f"# {info.code}: {info.title}", info.explanation]
    if info.failing:
        parts.append(f"This program shows it:\n\n```dpp\n{info.failing.strip()}\n```")
    if info.mended:
        parts.append(f"This one is right:\n\n```dpp\n{info.mended.strip()}\n```")
    return "\n\n".join(part for part in parts if part) + "\n"
