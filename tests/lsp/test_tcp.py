"""The server on a port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO

import pytest

BROKEN = "dim n\nvar x[n]\nminimize sum(x) + y\n"


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def connected(port: int) -> socket.socket:
    """A connection, as soon as the server listens."""
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("the server never listens")


def send(stream: BinaryIO, **message: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def answer(stream: BinaryIO, number: int) -> Any:
    """The result of a request; what else is sent is passed over."""
    while True:
        size = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        message = json.loads(stream.read(size))
        if message.get("id") == number and "method" not in message:
            return message["result"]


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "dpplang.cli", "lsp", "--tcp", f"127.0.0.1:{port}"])
    yield process, port
    process.kill()
    process.wait()


def test_an_editor_is_served_on_a_port_until_it_leaves(served: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = served
    with closing(connected(port)) as connection, connection.makefile("rwb") as stream:
        capabilities = {"textDocument": {"diagnostic": {}}}
        send(
            stream,
            id=1,
            method="initialize",
            params={"capabilities": capabilities, "processId": None, "rootUri": None},
        )
        assert answer(stream, 1)["serverInfo"]["name"] == "dpp"
        send(stream, method="initialized", params={})
        document = {"uri": "file:///a.dpp", "languageId": "dpp", "version": 1, "text": BROKEN}
        send(stream, method="textDocument/didOpen", params={"textDocument": document})
        send(stream, id=2, method="textDocument/diagnostic", params={"textDocument": {"uri": "file:///a.dpp"}})
        assert [d["code"] for d in answer(stream, 2)["items"]] == ["NAM101"]
        send(stream, id=3, method="shutdown")
        assert answer(stream, 3) is None
        send(stream, method="exit")
    assert process.wait(timeout=60) == 0
