"""`python -m editors.generate [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from editors.generate.files import generated

HERE = Path(__file__).parents[1]


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    stale = [p for p, text in generated().items() if not (HERE / p).is_file() or (HERE / p).read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"editors/{path} is not up to date: run `python -m editors.generate`", file=sys.stderr)
        else:
            (HERE / path).parent.mkdir(parents=True, exist_ok=True)
            (HERE / path).write_text(generated()[path], encoding="utf-8")
            print(f"wrote editors/{path}")
    return int(check and bool(stale))


sys.exit(main(sys.argv[1:]))
