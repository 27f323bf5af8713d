"""List the atoms of the standard library, or show one's record: signature, curvature, monotonicity, value, graph."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dpplang.cli.usage import UsageError
from dpplang.syntax.ast import AtomItem, Node


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as huber; without one, all are listed")
    parser.add_argument("--json", action="store_true", help="print the records as JSON")


def run(args: argparse.Namespace) -> int:
    from dpplang.semantics.library import standard_library

    library = standard_library()
    if args.json and args.name is None:
        records = [_record(item) for name in library.names() for item in library.items(name)]
        print(json.dumps(records, indent=1, ensure_ascii=False))
        return 0
    if args.name is None:
        rows = [
            (_signature(item.span.text), _first_line(item.doc))
            for name in library.names()
            for item in library.items(name)
        ]
        width = max(len(signature) for signature, _ in rows)
        for signature, doc in rows:
            print(f"{signature:<{width}}  {doc}".rstrip())
        return 0
    items = library.items(args.name)
    if not items:
        raise UsageError(f"there is no atom `{args.name}`", _suggestion(args.name, library.names()))
    if args.json:
        print(json.dumps([_record(item) for item in items], indent=1, ensure_ascii=False))
        return 0
    for i, item in enumerate(items):
        doc = "".join(f"## {line}\n" for line in item.doc.strip().split("\n")) if item.doc else ""
        print(("\n" if i else "") + doc + item.span.text[item.span.text.index("atom") :].rstrip())
    return 0


def _record(item: AtomItem) -> dict[str, object]:
    """One record for a machine: its clauses as they are written, ``null`` or empty where there is none."""

    def text(node: Node | None) -> str | None:
        return None if node is None else node.span.text

    return {
        "name": item.name.name,
        "signature": _signature(item.span.text),
        "doc": item.doc.strip(),
        "kind": item.kind,
        "requires": text(item.requires),
        "curvature": item.curvature.word if item.curvature is not None else None,
        "sign": [clause.span.text for clause in item.sign],
        "monotone": [clause.span.text for clause in item.monotone],
        "domain": [relation.span.text for relation in item.domain],
        "value": text(item.value),
        "quadratic": text(item.quadratic),
        "graph": text(item.graph),
        "file": Path(item.span.source.name).name,
        "line": item.span.source.position(item.span.start)[0],
    }


def _signature(record: str) -> str:
    """``huber(x, param M pos = 1)`` of a record's text."""
    return " ".join(record[record.index("atom") + len("atom") : record.index("{")].split())


def _first_line(doc: str) -> str:
    return doc.strip().split("\n", 1)[0]


def _suggestion(name: str, names: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else "`dpp atoms` lists them all"
