"""The size of a program once it is lowered: what is asked for, and what can be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeAlias

from dpplang.lsp.analysis import Analysis
from dpplang.lsp.files import Reader
from dpplang.lsp.given import given_sizes
from dpplang.semantics import loader
from dpplang.syntax import ast


@dataclass(frozen=True, slots=True)
class Query:
    """A program at sizes. Equal if the programs are, whatever comments and empty lines they have.

    Attributes:
        text, name: of the program. folder: what its imports are relative to; None if it has none.
        imports: paths and texts of the files that it imports, directly or not, as the editor has them.
        dims: every dim and its size. meaning: a digest of the items and of what is imported.
    """

    text: str = field(compare=False, repr=False)
    name: str = field(compare=False)
    folder: str | None = field(compare=False)
    imports: tuple[tuple[str, str], ...] = field(compare=False, repr=False)
    dims: tuple[tuple[str, int], ...]
    meaning: bytes

    @staticmethod
    def of(analysis: Analysis) -> Query | None:
        """None if the text is no program or has errors, or some dim has no size."""
        model = analysis.model
        if model is None or not any(isinstance(item, ast.ObjectiveItem) for item in analysis.items):
            return None
        given = given_sizes(analysis.text, analysis.path, model)
        if not given.complete:
            return None
        imports = _imports(analysis.loader.files)
        parts = [analysis.text[item.span.start : item.span.end] for item in analysis.items]
        whole = "\0".join((*parts, *(word for both in imports for word in both)))
        digest = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16)
        folder = None if analysis.path is None else str(analysis.path.parent)
        return Query(analysis.text, analysis.source.name, folder, imports, tuple(given.sizes.items()), digest.digest())

    def message(self) -> dict[str, Any]:
        """As the worker understands it."""
        files, dims = dict(self.imports), dict(self.dims)
        return {"text": self.text, "name": self.name, "folder": self.folder, "files": files, "dims": dims}


def _imports(files: loader.Files) -> tuple[tuple[str, str], ...]:
    """What the last analysis read."""
    if not isinstance(files, Reader):
        return ()
    texts = ((path, files.files.text_or_none(path)) for path in sorted(files.asked))
    return tuple((str(path), text) for path, text in texts if text is not None)


@dataclass(frozen=True, slots=True)
class Size:
    """Attributes:
    variables, rows: of the canonical program. parameters: entries of θ.
    zero, nonneg: rows. exp: cones. soc, psd, pow: (dimension, order or exponent, number of cones) pairs.
    nonzeros: of P and A; None if they are too many to be counted.
    without_zeros: data that have no value, and stand there as if no entry were zero.
    """

    variables: int
    rows: int
    parameters: int
    zero: int
    nonneg: int
    exp: int
    soc: tuple[tuple[int, int], ...] = ()
    psd: tuple[tuple[int, int], ...] = ()
    pow: tuple[tuple[float, int], ...] = ()
    nonzeros: tuple[int, int] | None = None
    without_zeros: tuple[str, ...] = ()

    @staticmethod
    def read(found: dict[str, Any]) -> Size:
        """From the worker's words."""
        cones, nonzeros = found["cones"], found["nonzeros"]
        return Size(
            found["variables"],
            found["rows"],
            found["parameters_entries"],
            cones["zero"],
            cones["nonneg"],
            cones["exp"],
            *(tuple((size, count) for size, count in cones[kind]) for kind in ("soc", "psd", "pow")),
            nonzeros=None if nonzeros is None else (nonzeros["P"], nonzeros["A"]),
            without_zeros=tuple(found["without_zeros"]),
        )

    def cones(self) -> str:
        """``12 =, 30 ≥, 4 soc(3)``; the cones of one kind are named once, with the least and the greatest of them."""
        parts = [f"{count:,} {sign}" for count, sign in ((self.zero, "="), (self.nonneg, "≥")) if count]
        parts += [_cones(found, name) for found, name in ((self.soc, "soc"), (self.psd, "psd")) if found]
        parts += [f"{self.exp:,} exp"] if self.exp else []
        parts += [f"{sum(count for _, count in self.pow):,} pow"] if self.pow else []
        return ", ".join(parts)


def _cones(found: tuple[tuple[int, int], ...], name: str) -> str:
    least, most = min(size for size, _ in found), max(size for size, _ in found)
    return f"{sum(count for _, count in found):,} {name}({least:,}{f'…{most:,}' if most > least else ''})"


@dataclass(frozen=True, slots=True)
class Unsized:
    """There is no size to be had, and why, if that is worth saying."""

    why: str = ""


Answer: TypeAlias = Size | Unsized
TOO_LARGE = Unsized("too large to be lowered here")
