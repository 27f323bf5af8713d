"""List what may stand in a program, or show one atom or set: its record, its facts, and where it is written."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from dpplang.cli.usage import UsageError

if TYPE_CHECKING:
    from dpplang.cli.catalogue import Entry


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as huber; without one, all are listed")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the records as JSON")
    form.add_argument("--markdown", action="store_true", help="print the page docs/atoms.md")


def run(args: argparse.Namespace) -> int:
    from dpplang.cli.catalogue import as_json, entries, page
    from dpplang.semantics.library import standard_library

    library = standard_library()
    if args.markdown:
        print(page(library), end="")
        return 0
    found = entries(library)
    if args.name is not None:
        found = tuple(e for e in found if e.name == args.name)
        if not found:
            names = sorted({e.name for e in entries(library)})
            raise UsageError(f"there is no atom `{args.name}`", _suggestion(args.name, names))
    if args.json:
        print(json.dumps([as_json(e) for e in found], indent=1, ensure_ascii=False))
    elif args.name is None:
        width = max(len(e.signature) for e in found)
        for entry in found:
            print(f"{entry.signature:<{width}}  {_first_line(entry.doc)}".rstrip())
    else:
        print("\n\n".join(map(_shown, found)))
    return 0


def _shown(entry: Entry) -> str:
    """A record as it is written, behind what it says of itself in one line; what has none in two."""
    if entry.item is None:
        return f"{entry.signature}\n{entry.doc} ({entry.facts.replace('`', '')})"
    doc = "".join(f"## {line}\n" for line in entry.doc.split("\n")) if entry.doc else ""
    text = entry.item.span.text
    return f"# {entry.place}: {entry.facts}\n\n{doc}{text[text.index('atom') :].rstrip()}"


def _first_line(doc: str) -> str:
    return doc.split("\n", 1)[0]


def _suggestion(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else "`dpp atoms` lists them all"
