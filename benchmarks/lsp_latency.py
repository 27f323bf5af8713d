"""Latencies of the language server, over its own pipe: a program of 2,000 lines, a keystroke, then every request.

    python -m benchmarks.lsp_latency [LINES] [KEYSTROKES] [--starts N] [--json FILE]

Every round types or deletes a character somewhere and asks one thing, so that the answer waits for the analysis of the
new text: from the keystroke to the last byte of the answer, which the client reads as JSON only afterwards.
Milliseconds by the wall clock, and beside them the processor time that the server took on average, since the wall
counts whatever else the machine does.

Also: from the start of the process to the first diagnostics of a small program, with the bytecode of everything at
hand and without that of dpplang, in turns with a pygls server that does nothing but answer `initialize`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import dpplang

PACKAGE = Path(dpplang.__file__).resolve().parent
URI = "file:///bench/large.dpp"
BLOCK = """
## The loss of block {k}.
param Q{k}[n, n] psd, q{k}[n]
param A{k}[m, n], b{k}[m] nonneg, gamma{k} pos
data F{k}[n, m]
var x{k}[n], u{k}[T, n], s{k} nonneg
derived S{k}[n, n] = chol(Q{k})'
let r{k} = S{k} @ x{k}
func risk{k}(y[n]) = sum_squares(S{k} @ y) + norm1(y)
let f{k} = sum_squares(r{k}) + gamma{k} * s{k}{more}
"""
CONSTRAINTS = """\
  eq{k}: A{k} @ x{k} == b{k}
  cap{k}: risk{k}(x{k}) <= s{k}
  box{k}: -1 <= x{k} <= 1
  turn{k}[t in T]: norm1(u{k}[t]) <= gamma{k}
  smooth{k}[t in T - 1]: u{k}[t + 1] == u{k}[t] + F{k} @ b{k}
  cone{k}: (s{k}, x{k}) in soc
  ent{k}: sum(exp(x{k})) + huber(q{k}' @ x{k}, M = 2) <= 100
"""


def program(lines: int) -> str:
    """A program of about so many lines, with everything that programs have."""
    blocks = range(max(lines // 18, 1))
    head = "".join(BLOCK.format(k=k, more=f" + f{k - 1}" if k % 10 else "") for k in blocks)
    sums = " + ".join(f"f{k}" for k in blocks if k % 10 == 9 or k == blocks[-1])
    tail = "".join(CONSTRAINTS.format(k=k) for k in blocks)
    return f"## A large program.\ndim n, m, T = 12\n{head}\nminimize {sums}\nsubject to\n{tail}"


SERVER = ("-m", "dpplang.cli", "lsp")
EMPTY_SERVER = ("-c", "from pygls.lsp.server import LanguageServer; LanguageServer('empty', '0').start_io()")
CAPABILITIES = {
    "textDocument": {
        "diagnostic": {},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "completion": {"completionItem": {"snippetSupport": True}},
    }
}


class Client:
    """Speaks to a server; one thing at a time.

    Attributes:
        answered: when the last answer was there, as ``time.perf_counter`` has it.
    """

    def __init__(self, command: Sequence[str] = SERVER, **environment: str) -> None:
        everything = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        command = [sys.executable, *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=everything)
        self.ids = count(1)
        self.answered = 0.0
        self.call("initialize", {"capabilities": CAPABILITIES, "processId": None, "rootUri": None})
        self.tell("initialized", {})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method: str, params: object) -> None:
        self.send({"method": method, "params": params})

    def call(self, method: str, params: object) -> Any:
        """The result of a request; notifications on the way are passed over."""
        number = next(self.ids)
        self.send({"id": number, "method": method, "params": params})
        assert self.process.stdout is not None
        while True:
            size = 0
            while line := self.process.stdout.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            body = self.process.stdout.read(size)
            self.answered = time.perf_counter()
            message = json.loads(body)
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]

    def open(self, uri: str, text: str) -> None:
        document = {"uri": uri, "languageId": "dpp", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def diagnostics(self, uri: str) -> list[Any]:
        return self.call("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"]

    def cpu(self) -> float:
        """Seconds of the processor that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.call("shutdown", None)
        self.tell("exit", None)
        self.process.wait()


def requests(lines: list[str], tokens: str, rng: random.Random) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every request, with parameters at a random place; ``tokens``: the id of those that the client has."""
    line = rng.randrange(len(lines))
    at = {"line": line, "character": rng.randrange(len(lines[line]) + 1)}
    place = {"position": at}
    end = min(line + 50, len(lines) - 1)
    window = {"range": {"start": {"line": line, "character": 0}, "end": {"line": end, "character": 0}}}
    whole = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": len(lines), "character": 0}}}
    return {
        "diagnostics": ("diagnostic", {}),
        "completion": ("completion", place),
        "hover": ("hover", place),
        "signature help": ("signatureHelp", place),
        "definition": ("definition", place),
        "references": ("references", {**place, "context": {"includeDeclaration": True}}),
        "highlight": ("documentHighlight", place),
        "prepare rename": ("prepareRename", place),
        "semantic tokens, 50 lines": ("semanticTokens/range", window),
        "semantic tokens, all": ("semanticTokens/full", {}),
        "semantic tokens, changed": ("semanticTokens/full/delta", {"previousResultId": tokens}),
        "inlay hints, 50 lines": ("inlayHint", window),
        "inlay hints, all": ("inlayHint", whole),
        "code lens": ("codeLens", {}),
        "folding": ("foldingRange", {}),
        "selection": ("selectionRange", {"positions": [at]}),
        "symbols": ("documentSymbol", {}),
    }


def start_ups(times: int) -> dict[str, list[float]]:
    """Milliseconds from the start of a process to the first diagnostics of a small program, of an empty server to its
    answer to `initialize`."""
    found: dict[str, list[float]] = {"with bytecode": [], "without ours": [], "an empty pygls server": []}
    with tempfile.TemporaryDirectory() as kept, tempfile.TemporaryDirectory() as others:
        all_kept = {"PYTHONPYCACHEPREFIX": kept, "PYTHONDONTWRITEBYTECODE": ""}
        others_kept = {"PYTHONPYCACHEPREFIX": others, "PYTHONDONTWRITEBYTECODE": ""}
        _to_first_diagnostics(all_kept)  # writes the bytecode of everything
        shutil.copytree(kept, others, dirs_exist_ok=True)
        shutil.rmtree(Path(others, *PACKAGE.parts[1:]))
        for _ in range(times):
            found["with bytecode"].append(_to_first_diagnostics(all_kept))
            found["without ours"].append(_to_first_diagnostics({**others_kept, "PYTHONDONTWRITEBYTECODE": "1"}))
            found["an empty pygls server"].append(_to_initialize(all_kept))
    return found


def _to_first_diagnostics(environment: dict[str, str]) -> float:
    start = time.perf_counter()
    client = Client(SERVER, **environment)
    client.open("file:///bench/small.dpp", program(30))
    client.diagnostics("file:///bench/small.dpp")
    taken = client.answered - start
    client.close()
    return taken * 1e3


def _to_initialize(environment: dict[str, str]) -> float:
    start = time.perf_counter()
    client = Client(EMPTY_SERVER, **environment)
    taken = client.answered - start
    client.close()
    return taken * 1e3


def keystrokes(lines: int, rounds: int) -> dict[str, dict[str, float]]:
    """Of every request, and of all: p50, p95 and p99 from the keystroke to its answer, and the server's processor
    time on average, in milliseconds; under `first diagnostics` those of the whole program."""
    rng = random.Random(0)
    text = program(lines)
    client = Client()
    start = time.perf_counter()
    client.open(URI, text)
    client.diagnostics(URI)
    first = (client.answered - start) * 1e3
    rows, tokens = text.split("\n"), ""
    times: dict[str, list[float]] = {name: [] for name in requests(rows, tokens, rng)}
    busy = dict.fromkeys(times, 0.0)
    version, last = 1, (0, 0)
    for _ in range(rounds):
        for name in times:
            version += 1
            line = rng.randrange(len(rows))
            column = rng.randrange(len(rows[line]) + 1)
            if version % 2:  # what was typed is deleted again, so that the text stays one that people write
                line, column = last
                change, after = "", rows[line][:column] + rows[line][column + 1 :]
            else:
                change = rng.choice("x1 (+,'")
                after = rows[line][:column] + change + rows[line][column:]
                last = (line, column)
            stop = column + (0 if change else 1)
            rows[line] = after
            span = {"start": {"line": line, "character": column}, "end": {"line": line, "character": stop}}
            method, params = requests(rows, tokens, rng)[name]
            start, taken = time.perf_counter(), client.cpu()
            document = {"uri": URI, "version": version}
            client.tell(
                "textDocument/didChange",
                {"textDocument": document, "contentChanges": [{"range": span, "text": change}]},
            )
            answer = client.call(f"textDocument/{method}", {"textDocument": {"uri": URI}, **params})
            times[name].append((client.answered - start) * 1e3)
            busy[name] += client.cpu() - taken
            tokens = answer["resultId"] if method.startswith("semanticTokens/full") else tokens
    client.close()
    found = {name: _quantiles(every, busy[name] * 1e3 / rounds) for name, every in times.items()}
    together = [t for every in times.values() for t in every]
    found["all"] = _quantiles(together, sum(busy.values()) * 1e3 / len(together))
    return {"first diagnostics": {"p50": first}, **found}


def _quantiles(times: Sequence[float], busy: float) -> dict[str, float]:
    ordered = sorted(times)
    at = {f"p{q}": ordered[min(len(ordered) * q // 100, len(ordered) - 1)] for q in (50, 95, 99)}
    return {**at, "processor": busy}


def main() -> None:
    parser = argparse.ArgumentParser(description="Latencies of the language server.")
    parser.add_argument("lines", type=int, nargs="?", default=2000, help="of the program that is typed into")
    parser.add_argument("keystrokes", type=int, nargs="?", default=60, help="for every request")
    parser.add_argument("--starts", type=int, default=5, help="of every kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    starts = start_ups(given.starts)
    print(f"{'start to first diagnostics, ms':<38} {'best':>7} {'median':>7}")
    for name, every in starts.items():
        print(f"{name:<38} {min(every):7.0f} {sorted(every)[len(every) // 2]:7.0f}")
    found = keystrokes(given.lines, given.keystrokes)
    count = program(given.lines).count("\n")
    print(f"\n{count} lines: first diagnostics {found['first diagnostics']['p50']:.0f} ms")
    print(f"\n{'from the keystroke to its answer, ms':<38} {'p50':>7} {'p95':>7} {'p99':>7} {'CPU':>7}")
    for name, figures in found.items():
        if name != "first diagnostics":
            print(f"{name:<38} " + " ".join(f"{value:7.1f}" for value in figures.values()))
    if given.json is not None:
        given.json.write_text(json.dumps({"lines": count, "start": starts, "keystroke": found}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
