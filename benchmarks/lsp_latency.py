"""Latencies of the language server, over its own pipe: a program of 2,000 lines, a keystroke, then every request.

    python benchmarks/lsp_latency.py [LINES] [KEYSTROKES]

Every round types or deletes a character somewhere and asks one thing, so that the answer waits for the analysis of the
new text; `diagnostics` is from the keystroke to the diagnostics. Also: from the start of the process to the first
diagnostics of a small program, and the first of the large one. Milliseconds by the wall clock, and beside them
the processor time that the server took on average, since the wall counts whatever else the machine does.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

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


class Client:
    """Speaks to a server; one thing at a time."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "dpplang.cli", "lsp"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.ids = count(1)
        self.call(
            "initialize", {"capabilities": {"textDocument": {"diagnostic": {}}}, "processId": None, "rootUri": None}
        )
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
            message = json.loads(self.process.stdout.read(size))
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


def requests(text: str, lines: list[str], rng: random.Random) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every request, with parameters at a random place."""
    line = rng.randrange(len(lines))
    place = {"position": {"line": line, "character": rng.randrange(len(lines[line]) + 1)}}
    end = min(line + 50, len(lines) - 1)
    window = {"range": {"start": {"line": line, "character": 0}, "end": {"line": end, "character": 0}}}
    return {
        "diagnostics": ("diagnostic", {}),
        "completion": ("completion", place),
        "hover": ("hover", place),
        "signature help": ("signatureHelp", place),
        "definition": ("definition", place),
        "references": ("references", {**place, "context": {"includeDeclaration": True}}),
        "highlight": ("documentHighlight", place),
        "semantic tokens, 50 lines": ("semanticTokens/range", window),
        "semantic tokens, all": ("semanticTokens/full", {}),
        "inlay hints, 50 lines": ("inlayHint", window),
        "code lens": ("codeLens", {}),
        "folding": ("foldingRange", {}),
        "symbols": ("documentSymbol", {}),
    }


def start_up() -> tuple[float, float]:
    """Milliseconds from the process's start to the first diagnostics of a small program, and to the first answer."""
    start = time.perf_counter()
    client = Client()
    ready = time.perf_counter()
    client.open("file:///bench/small.dpp", program(30))
    client.diagnostics("file:///bench/small.dpp")
    done = time.perf_counter()
    client.close()
    return (done - start) * 1e3, (ready - start) * 1e3


def keystrokes(lines: int, rounds: int) -> None:
    rng = random.Random(0)
    text = program(lines)
    client = Client()
    start = time.perf_counter()
    client.open(URI, text)
    found = client.diagnostics(URI)
    print(f"{text.count(chr(10))} lines: first diagnostics ({len(found)}) {(time.perf_counter() - start) * 1e3:.0f} ms")
    rows = text.split("\n")
    times: dict[str, list[float]] = {name: [] for name in requests(text, rows, rng)}
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
            method, params = requests(text, rows, rng)[name]
            start, taken = time.perf_counter(), client.cpu()
            document = {"uri": URI, "version": version}
            client.tell(
                "textDocument/didChange",
                {"textDocument": document, "contentChanges": [{"range": span, "text": change}]},
            )
            client.call(f"textDocument/{method}", {"textDocument": {"uri": URI}, **params})
            times[name].append((time.perf_counter() - start) * 1e3)
            busy[name] += client.cpu() - taken
    print(f"\n{'from the keystroke to its answer, ms':<38} {'p50':>7} {'p95':>7} {'p99':>7} {'CPU':>7}")
    every = [t for found in times.values() for t in found]
    for name, found in [*times.items(), ("all", every)]:
        ordered = sorted(found)
        at = [ordered[min(int(len(ordered) * q), len(ordered) - 1)] for q in (0.5, 0.95, 0.99)]
        mean = busy.get(name, sum(busy.values())) / len(ordered) * 1e3
        print(f"{name:<38} " + " ".join(f"{value:7.1f}" for value in (*at, mean)))
    client.close()


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    starts = sorted(start_up() for _ in range(5))
    print(f"start to first diagnostics: best {starts[0][0]:.0f} ms, median {starts[2][0]:.0f} ms of 5")
    keystrokes(lines, rounds)


if __name__ == "__main__":
    main()
