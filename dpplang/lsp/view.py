"""An analysis as one client sees it: with its positions, and the files that other spans lie in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsprotocol.types import Location, Position, Range

from dpplang.core.resources import resource_dir
from dpplang.core.source import Source, Span
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.lines import Encoding, Lines

_LIBRARY = "stdlib/"


@dataclass(frozen=True)
class View:
    """``uri`` is the client's for the text."""

    uri: str
    analysis: Analysis
    lines: Lines

    @property
    def encoding(self) -> Encoding:
        return self.lines.encoding

    def offset(self, position: Position) -> int:
        return self.lines.offset(position)

    def range(self, span: Span) -> Range:
        return self.lines.range(span.start, span.end)

    def location(self, span: Span) -> Location | None:
        """Where a span is: in this text, in an imported file, or in the standard library; None if nowhere on disk."""
        if span.source is self.analysis.source:
            return Location(self.uri, self.range(span))
        path = _path_of(span.source)
        if path is None:
            return None
        return Location(path.as_uri(), Lines(span.source.text, self.encoding).range(span.start, span.end))


def _path_of(source: Source) -> Path | None:
    if source.name.startswith(_LIBRARY):
        return resource_dir("stdlib") / source.name.removeprefix(_LIBRARY)
    return source.path
