"""Short ways to parse, and the .dpp files the project ships."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from dpplang.core.source import Source
from dpplang.syntax import ast
from dpplang.syntax.parser import Parsed, parse, parse_expression

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("stdlib/*.dpp"), *ROOT.glob("examples/*/*.dpp")])
Item = TypeVar("Item", bound=ast.Item)


def read(text: str) -> Parsed:
    return parse(Source("t.dpp", text))


def clean(text: str) -> ast.File:
    """A file that must parse."""
    parsed = read(text)
    assert not parsed.diagnostics, [(d.code, d.message) for d in parsed.diagnostics]
    return parsed.file


def one(text: str, kind: type[Item]) -> Item:
    """The only item of a text."""
    (item,) = clean(text).items
    assert isinstance(item, kind)
    return item


def expression(text: str) -> ast.Expr:
    value, diagnostics = parse_expression(Source("e", text))
    assert value is not None and not diagnostics, [(d.code, d.message) for d in diagnostics]
    return value


def codes(text: str) -> list[tuple[int, str]]:
    """(line, code) of everything wrong."""
    return [(d.primary.span.line if d.primary else 0, d.code) for d in read(text).diagnostics]
