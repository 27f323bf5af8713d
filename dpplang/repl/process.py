"""The process that computes, as the REPL sees it: started when it is first needed, ended by Ctrl-C, started again.

A solver in native code cannot be interrupted from within; a process can be ended.
"""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from dpplang.repl.messages import Reply, Request


class Computer:
    """Sends requests to the process that ``command`` starts, and waits for the replies. Both ends are this program's
    own."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, request: Request) -> Reply:
        """The reply.

        Raises:
            KeyboardInterrupt: the user did not want to wait; the process was ended.
        """
        process = self._started()
        try:
            _send(process.stdin, request)
            return pickle.load(_stream(process.stdout))
        except KeyboardInterrupt:
            self.close()
            raise
        except (EOFError, OSError, pickle.UnpicklingError):
            code = process.wait()
            self.close()
            from dpplang.repl.messages import Reply

            return Reply(problem=f"the process that computes has ended (exit code {code})", help="out of memory?")

    def close(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process


def _send(stream: IO[bytes] | None, message: Request) -> None:
    pickle.dump(message, _stream(stream))
    _stream(stream).flush()


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
