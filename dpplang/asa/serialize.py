"""Programs as files: ``.npz`` with a JSON header, no pickle, nothing executed.

The header holds what is not an array; every array lies under the name the header's reader expects (``A.indptr``,
``variables.0.values.matrix.data``). Numeric expressions are lists of nodes whose operands are earlier nodes, so reading
them needs no recursion. :func:`load` trusts nothing: what it returns is checked by :mod:`dpplang.asa.validate`.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import scipy.sparse as sp  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.asa.evaluate import in_order
from dpplang.asa.numeric import Numeric, Option
from dpplang.asa.program import AffineMap, OutputMap, Parameter, Program, RowBlock, SparseMatrixMap
from dpplang.asa.validate import FormatError, validate
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import DiagnosticsError
from dpplang.core.source import Origin

FORMAT = "dpplang program"
VERSION = 1

Json = Any
Arrays = dict[str, NDArray[Any]]


def save(program: Program, path: str | Path) -> None:
    """Write a program to ``path``, as it is named.

    Raises:
        OSError: the file cannot be written.
    """
    Path(path).write_bytes(to_bytes(program))


def load(path: str | Path) -> Program:
    """Read a program that :func:`save` wrote. Safe for files from strangers.

    Raises:
        DiagnosticsError: BND730, there is no such file, or it is no program, or one of another version, or damaged.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise _refusal(str(path), error.strerror or str(error)) from None
    return from_bytes(content, str(path))


def to_bytes(program: Program) -> bytes:
    """The file's content."""
    arrays: Arrays = {}
    header = {
        "format": FORMAT,
        "version": VERSION,
        "name": program.name,
        "sense": program.sense,
        "sizes": [list(pair) for pair in program.sizes],
        "cones": asdict(program.cones),
        "constants": [name for name, _ in program.constants],
        "parameters": [_parameter(p) for p in program.parameters],
        "rows": [{"start": r.start, "stop": r.stop, "kind": r.kind, "origin": asdict(r.origin)} for r in program.rows],
    }
    for i, (_, value) in enumerate(program.constants):
        arrays[f"constants.{i}"] = value
    for name in ("P", "A"):
        matrix: SparseMatrixMap = getattr(program, name)
        header[name] = list(matrix.shape)
        arrays[f"{name}.indptr"], arrays[f"{name}.indices"] = matrix.indptr, matrix.indices
        _put_map(arrays, f"{name}.values", matrix.values)
    for name in ("q", "d", "b"):
        _put_map(arrays, name, getattr(program, name))
    for group in ("outputs", "variables", "duals"):
        maps: tuple[OutputMap, ...] = getattr(program, group)
        header[group] = [{"name": o.name, "shape": list(o.shape)} for o in maps]
        for i, output in enumerate(maps):
            arrays[f"{group}.{i}.rows"], arrays[f"{group}.{i}.columns"] = output.rows, output.columns
            _put_map(arrays, f"{group}.{i}.values", output.values)
    text = json.dumps(header, allow_nan=False, ensure_ascii=False)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, header=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    return buffer.getvalue()


def from_bytes(content: bytes, name: str = "<bytes>") -> Program:
    """Read what :func:`to_bytes` made; ``name`` is for messages.

    Raises:
        DiagnosticsError: BND730.
    """
    try:
        program = _read(content)
        validate(program)
    except FormatError as error:
        raise _refusal(name, str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, MemoryError) as error:
        raise _refusal(name, f"a part of it is missing or malformed ({type(error).__name__}: {error})") from None
    return program


def _refusal(name: str, reason: str) -> DiagnosticsError:
    message = f"`{name}` is not a program that can be run: {reason}"
    return DiagnosticsError([Diagnostic("BND730", message, help=("write it anew with `program.save`",))])


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "shape": list(parameter.shape),
        "offset": parameter.offset,
        "attributes": list(parameter.attributes),
        "value": None if parameter.value is None else _nodes(parameter.value),
        "origin": asdict(parameter.origin),
        "support": parameter.support,
    }


def _nodes(numeric: Numeric) -> Json:
    nodes = in_order(numeric)
    place = {id(node): i for i, node in enumerate(nodes)}
    return [
        {
            "op": n.op,
            "args": [place[id(a)] for a in n.args],
            "shape": list(n.shape),
            "options": [[name, _pack(value)] for name, value in n.options],
        }
        for n in nodes
    ]


def _pack(value: Option) -> Json:
    """JSON has no infinities, NaN or tuples: tuples become lists, the other three strings in an object."""
    if isinstance(value, tuple):
        return [_pack(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _unpack(value: Json) -> Option:
    if isinstance(value, list):
        return tuple(_unpack(v) for v in cast(list[Json], value))
    if isinstance(value, dict):
        return float(cast(dict[str, str], value)["float"])
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise FormatError("an option of a numeric expression is not a plain value")


def _put_map(arrays: Arrays, name: str, affine: AffineMap) -> None:
    matrix: Any = affine.matrix
    arrays[f"{name}.constant"] = affine.constant
    arrays[f"{name}.data"] = matrix.data
    arrays[f"{name}.indices"] = matrix.indices
    arrays[f"{name}.indptr"] = matrix.indptr


def _read(content: bytes) -> Program:
    arrays = _arrays(content)
    if "header" not in arrays:
        raise FormatError("it has no header")
    header: Json = json.loads(arrays["header"].astype(np.uint8).tobytes().decode())
    if not isinstance(header, dict) or cast(Json, header).get("format") != FORMAT:
        raise FormatError("its header is not one of ours")
    header = cast(dict[str, Json], header)
    if header.get("version") != VERSION:
        raise FormatError(f"it has version {header.get('version')}, and this release reads version {VERSION}")
    parameters = tuple(_read_parameter(p) for p in header["parameters"])
    n_theta = sum(p.size for p in parameters)

    def affine(name: str) -> AffineMap:
        constant = _floats(arrays[f"{name}.constant"])
        data, indices, indptr = (arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
        _check_pattern(name, indptr, indices, constant.shape[0], n_theta)
        matrix = sp.csr_array((_floats(data), _ints(indices), _ints(indptr)), shape=(constant.shape[0], n_theta))
        return AffineMap(matrix, constant)

    def sparse(name: str) -> SparseMatrixMap:
        rows, columns = (int(k) for k in header[name])
        indptr, indices = _ints(arrays[f"{name}.indptr"]), _ints(arrays[f"{name}.indices"])
        _check_pattern(name, indptr, indices, columns, rows)
        return SparseMatrixMap((rows, columns), indptr, indices, affine(f"{name}.values"))

    def outputs(group: str) -> Iterable[OutputMap]:
        for i, entry in enumerate(header[group]):
            rows, columns = (_ints(arrays[f"{group}.{i}.{part}"]) for part in ("rows", "columns"))
            yield OutputMap(_text(entry["name"]), _shape(entry["shape"]), rows, columns, affine(f"{group}.{i}.values"))

    return Program(
        parameters=parameters,
        P=sparse("P"),
        q=affine("q"),
        d=affine("d"),
        A=sparse("A"),
        b=affine("b"),
        cones=_read_cones(header["cones"]),
        sense=_text(header["sense"]),
        outputs=tuple(outputs("outputs")),
        variables=tuple(outputs("variables")),
        duals=tuple(outputs("duals")),
        rows=tuple(_read_block(r) for r in header["rows"]),
        sizes=tuple((_text(name), int(size)) for name, size in header["sizes"]),
        name=_text(header["name"]),
        constants=tuple((_text(name), _floats(arrays[f"constants.{i}"])) for i, name in enumerate(header["constants"])),
    )


def _arrays(content: bytes) -> Arrays:
    """The members, which must be stored and not compressed: what is read is never larger than the file."""
    arrays: Arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise FormatError(f"its member `{member.filename}` is not a stored array")
                data = archive.read(member)
                array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False, max_header_size=4096)
                arrays[member.filename.removesuffix(".npy")] = array
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
        raise FormatError("it is not an intact .npz archive") from None
    return arrays


def _check_pattern(name: str, indptr: NDArray[Any], indices: NDArray[Any], major: int, minor: int) -> None:
    """A compressed pattern: as many pointers as there are lines, increasing, and indices in range."""
    sound = (
        indptr.ndim == indices.ndim == 1
        and indptr.shape[0] == major + 1
        and indptr[0] == 0
        and indptr[-1] == indices.shape[0]
        and bool(np.all(np.diff(_ints(indptr)) >= 0))
        and (indices.size == 0 or (int(indices.min()) >= 0 and int(indices.max()) < minor))
    )
    if not sound:
        raise FormatError(f"the sparsity pattern of `{name}` is inconsistent")


def _read_parameter(entry: Json) -> Parameter:
    support = entry["support"]
    return Parameter(
        name=_text(entry["name"]),
        shape=_shape(entry["shape"]),
        offset=int(entry["offset"]),
        attributes=tuple(_text(a) for a in entry["attributes"]),
        value=None if entry["value"] is None else _read_nodes(entry["value"]),
        origin=_read_origin(entry["origin"]),
        support=None if support is None else tuple(int(i) for i in support),
    )


def _read_nodes(entries: Json) -> Numeric:
    nodes: list[Numeric] = []
    for entry in entries:
        places = [int(i) for i in entry["args"]]
        if any(not 0 <= i < len(nodes) for i in places):
            raise FormatError("a numeric expression uses a node before it is there")
        options = tuple((_text(name), _unpack(value)) for name, value in entry["options"])
        nodes.append(Numeric(_text(entry["op"]), tuple(nodes[i] for i in places), _shape(entry["shape"]), options))
    if not nodes:
        raise FormatError("a numeric expression is empty")
    return nodes[-1]


def _read_block(entry: Json) -> RowBlock:
    return RowBlock(int(entry["start"]), int(entry["stop"]), _read_origin(entry["origin"]), _text(entry["kind"]))


def _read_cones(entry: Json) -> Cones:
    return Cones(
        zero=int(entry["zero"]),
        nonneg=int(entry["nonneg"]),
        soc=_shape(entry["soc"]),
        psd=_shape(entry["psd"]),
        exp=int(entry["exp"]),
        pow=tuple(float(a) for a in entry["pow"]),
    )


def _read_origin(entry: Json) -> Origin:
    return Origin(
        _text(entry["name"]), _text(entry["file"]), int(entry["line"]), int(entry["column"]), _text(entry["text"])
    )


def _shape(entry: Json) -> tuple[int, ...]:
    shape = tuple(int(k) for k in entry)
    if any(k < 0 for k in shape) or len(shape) > 32 or math.prod(shape) > 2**40:
        raise FormatError(f"{list(shape)} is not a shape")
    return shape


def _text(entry: Json) -> str:
    if not isinstance(entry, str):
        raise FormatError("a name is not a text")
    return entry


def _floats(array: NDArray[Any]) -> NDArray[np.float64]:
    if array.dtype != np.float64:
        raise FormatError(f"an array of numbers has dtype {array.dtype}")
    return array


def _ints(array: NDArray[Any]) -> NDArray[np.int64]:
    if array.dtype.kind != "i" or array.ndim != 1:
        raise FormatError(f"an array of indices has dtype {array.dtype} and {array.ndim} axes")
    return array.astype(np.int64)
