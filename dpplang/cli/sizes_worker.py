"""The process behind the language server that lowers programs, to say how large they are: it solves nothing.

A line of JSON comes in for every program, one goes out with its sizes, or with why there are none. The first line out
says that the numeric libraries are loaded. The process ends with its input, whatever it is doing; it takes no more
memory than :data:`MEMORY`, and for a program no more time than :data:`SECONDS`.

    in   {"text": …, "name": …, "folder": … or null, "files": {path: text of what is imported}, "dims": {"n": 10}}
    out  {"size": {…}} or {"too_large": true} or {"problem": "what is wrong with the sizes"} or {"fault": …}
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from dpplang.cli.worker import answers
from dpplang.core.errors import BindError
from dpplang.semantics.loader import Files, Loader

if TYPE_CHECKING:
    from dpplang.semantics.tree import Model, Symbol

MEMORY = 2 << 30
"""Bytes of address space, where the platform keeps to a limit."""
SECONDS = 10.0
"""Of the processor, so that a busy machine sizes what an idle one does; where the platform can tell. The server has a
limit of its own, by the clock."""
ENTRIES = 20_000_000
"""Entries of tensors and rows of constraints beyond which lowering is not tried: for platforms without a limit."""


def main() -> None:
    out = answers()
    warnings.simplefilter("ignore")  # of values that were made up
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # nothing here is worth more, and each thread has buffers of its own
    if hasattr(os, "nice"):
        os.nice(10)
    _limit_memory()
    _tell(out, _loaded())
    for line in _lines():
        _tell(out, reply(json.loads(line)))


def _loaded() -> dict[str, Any]:
    try:
        import dpplang.lowering.lower  # noqa: F401
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    return {"ready": True}


def _tell(out: Any, message: dict[str, Any]) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _lines() -> Iterator[bytes]:
    """Lines of the input. It is read while a program is lowered, so that its end is noticed."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)

    Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):  # a system that knows the limit but does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most < 0 else min(MEMORY, most), most))


class _TooLong(BaseException):
    """Time is up. No error that code on the way might expect."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises:
    _TooLong: it takes longer.
    """
    if not hasattr(signal, "setitimer"):  # on Windows
        yield
        return

    def stop(*_: object) -> None:
        raise _TooLong

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def reply(request: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """The answer to one request: never an exception."""
    try:
        with _at_most(seconds):
            return _sized(request)
    except (MemoryError, _TooLong):
        return {"too_large": True}
    except BindError as error:
        return {"problem": error.diagnostics[0].message}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}


def _sized(request: dict[str, Any]) -> dict[str, Any]:
    from dpplang.core.source import Source
    from dpplang.lowering.lower import lower
    from dpplang.semantics.check import check
    from dpplang.semantics.library import standard_library
    from dpplang.semantics.sizes import solve_sizes
    from dpplang.syntax.parser import parse

    parsed = parse(Source(request["name"], request["text"]))
    folder = request["folder"]
    loader = Loader() if folder is None else Loader(Path(folder), files=_Sent(request["files"]))
    model = check(parsed.file, loader=loader, library=standard_library()).model
    if model is None:
        return {"fault": "the program has errors here, and none in the editor"}
    found = solve_sizes(model, {}, request["dims"])
    if found.diagnostics:
        raise BindError(found.diagnostics)
    if _entries(model, found.sizes) > ENTRIES:
        return {"too_large": True}
    absent = [s for s in model.data if s.default is None]
    try:
        program = lower(model, found.sizes, {s.name: _stand_in(s, found.sizes) for s in absent})
    except BindError as error:
        if absent and error.diagnostics[0].code not in _OF_SIZES:
            return {"problem": ""}  # it may be the stand-in's fault
        raise
    return {"size": size_of(program) | {"without_zeros": [s.name for s in absent]}}


_OF_SIZES = ("BND740", "BND741")  # an index leaves its axis, an extremum over nothing


def size_of(program: Any) -> dict[str, Any]:
    """What `dpp asa` says of a program's size, but cones of one kind are (dimension, how many) pairs."""
    from dpplang.asa.describe import extent

    sizes = extent(program)
    for kind in ("soc", "psd", "pow"):
        sizes["cones"][kind] = sorted(Counter(sizes["cones"][kind]).items())
    try:
        sizes["nonzeros"] = {"P": program.P.nnz, "A": program.A.nnz}
    except MemoryError:  # those of dense blocks are written out only here
        sizes["nonzeros"] = None
    return sizes


class _Sent(Files):
    """The files as the editor has them: nothing is read from the disk."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = {Path(path): text for path, text in texts.items()}

    def is_file(self, path: Path) -> bool:
        return path in self._texts

    def text(self, path: Path) -> str:
        return self._texts[path]


def _entries(model: Model, sizes: dict[str, int]) -> int:
    """Of all tensors, and rows of the relations as they are written."""
    from dpplang.lattice.dims import size

    shapes = [s.shape for s in (*model.data, *model.params, *model.variables, *(d.symbol for d in model.derived))]
    return sum(int(size(shape).evaluate(sizes)) for shape in (*shapes, *(c.shape for c in model.constraints)))


def _stand_in(symbol: Symbol, sizes: dict[str, int]) -> Any:
    """Data that were not given: as declared and without a zero, so that no entry is missing for their sake; positive
    where they may be, so that a root or a logarithm of them is a number."""
    import numpy as np

    from dpplang.lowering.declared import as_declared

    shape = tuple(int(axis.evaluate(sizes)) for axis in symbol.shape)
    return as_declared(symbol, np.random.default_rng(0).uniform(0.5, 1.5, shape))
