"""Programs to files and back; files that lie."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from dpplang.asa.evaluate import evaluate
from dpplang.asa.program import Program
from dpplang.asa.serialize import from_bytes, load, save, to_bytes
from dpplang.core.errors import DiagnosticsError, DppError
from tests.bind.programs import box, interval, least, with_constants

PROGRAMS = {"box": box, "least": least, "interval": interval, "constants": with_constants}


def _same_map(a, b):
    assert (abs(a.matrix - b.matrix)).sum() == 0
    np.testing.assert_array_equal(a.constant, b.constant)


def _same(a: Program, b: Program) -> None:
    assert [p.name for p in a.parameters] == [p.name for p in b.parameters]
    assert a.parameters == b.parameters
    assert (a.cones, a.sense, a.rows, a.sizes, a.name) == (b.cones, b.sense, b.rows, b.sizes, b.name)
    for name in ("P", "A"):
        assert getattr(a, name).shape == getattr(b, name).shape
        np.testing.assert_array_equal(getattr(a, name).indices, getattr(b, name).indices)
        np.testing.assert_array_equal(getattr(a, name).indptr, getattr(b, name).indptr)
        _same_map(getattr(a, name).values, getattr(b, name).values)
    for name in ("q", "d", "b"):
        _same_map(getattr(a, name), getattr(b, name))
    for group in ("outputs", "variables", "duals"):
        for s, t in zip(getattr(a, group), getattr(b, group), strict=True):
            assert (s.name, s.shape) == (t.name, t.shape)
            np.testing.assert_array_equal(s.rows, t.rows)
            np.testing.assert_array_equal(s.columns, t.columns)
            _same_map(s.values, t.values)
    for (name, value), (other, copy) in zip(a.constants, b.constants, strict=True):
        assert name == other
        np.testing.assert_array_equal(value, copy)


@pytest.mark.parametrize("name", PROGRAMS)
def test_round_trip(name, tmp_path):
    program = PROGRAMS[name]()
    save(program, tmp_path / "p.npz")
    copy = load(tmp_path / "p.npz")
    _same(program, copy)
    assert to_bytes(copy) == to_bytes(program)


def test_shared_nodes_stay_shared():
    from dataclasses import replace

    from tests.asa.build import op, ref

    node = ref("z")
    for _ in range(60):
        node = op("mul", node, node)
    program = box()
    changed = tuple(replace(p, value=node) if p.name == "w" else p for p in program.parameters)
    copy = from_bytes(to_bytes(replace(program, parameters=changed)))
    value = next(p.value for p in copy.parameters if p.name == "w")
    assert evaluate(value, {"z": np.asarray(1.0)}, np) == 1.0


def _edited(change, program: Program | None = None) -> bytes:
    """The file with its header (a dict) and arrays changed in place by ``change``."""
    arrays = dict(np.load(io.BytesIO(to_bytes(program or with_constants()))))
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _value(header, name="w"):
    return next(p for p in header["parameters"] if p["name"] == name)["value"]


def _bad_op(h, a):
    _value(h)[-1]["op"] = "__import__"


def _forward_reference(h, a):
    _value(h)[0]["args"] = [3]


def _unknown_name(h, a):
    next(n for n in _value(h) if n["op"] == "ref")["options"] = [["name", "os"]]


def _huge(h, a):
    _value(h)[:] = [{"op": "full", "args": [], "shape": [10**6, 10**6], "options": [["value", 1.0]]}]


def _blow_up(h, a):
    n = 10**5
    line = {"op": "full", "args": [], "shape": [n], "options": [["value", 1.0]]}
    _value(h)[:] = [line, {"op": "outer", "args": [0, 0], "shape": [1], "options": []}]


def _lie(h, a):
    _value(h)[-1]["shape"] = [7]


def _deep(h, a):
    nested: object = 1.0
    for _ in range(500):
        nested = [nested]
    _value(h)[:] = [{"op": "const", "args": [], "shape": [], "options": [["value", nested]]}]


def _set(key, value):
    def change(h, a):
        h[key] = value

    return change


def _drop(key):
    def change(h, a):
        (h if key in h else a).pop(key)

    return change


def _array(name, edit):
    def change(h, a):
        a[name] = edit(a[name])

    return change


def _poke(name, index, value):
    def edit(array):
        array = array.copy()
        array[index] = value
        return array

    return _array(name, edit)


@pytest.mark.parametrize(
    "change",
    [
        _bad_op, _forward_reference, _unknown_name, _huge, _blow_up, _lie, _deep,
        _set("version", 99), _set("format", "x"), _set("sense", "wish"), _set("rows", []), _set("parameters", []),
        _set("cones", {"zero": -2, "nonneg": 4, "soc": [], "psd": [], "exp": 0, "pow": []}), _set("A", [2, 3]),
        _set("A", "xy"), _set("name", 3), _set("outputs", [{"name": "x", "shape": [1]}]),
        _set("variables", [{"name": "x", "shape": [-1]}]),
        _drop("q.constant"), _drop("cones"), _drop("parameters"),
        _poke("A.indices", 0, 9), _poke("A.indices", 0, -1), _poke("A.indptr", 1, 5), _poke("A.values.indices", 0, 99),
        _poke("outputs.0.columns", 0, 99), _poke("outputs.0.rows", 0, -1),
        _array("A.indices", lambda a: a.astype(float)), _array("q.constant", lambda a: a.astype(complex)),
        _array("q.constant", lambda a: a[:-1]), _array("b.data", lambda a: a[:-1]), _array("A.indptr", lambda a: a[None]),
        _array("constants.0", lambda a: a.astype("U3")),
    ],
    ids=lambda c: c.__qualname__,
)  # fmt: skip
def test_a_file_that_lies_is_refused(change):
    with pytest.raises(DiagnosticsError) as error:
        from_bytes(_edited(change))
    assert [d.code for d in error.value.diagnostics] == ["BND730"]


class _Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit(42)",))


def test_pickles_are_never_loaded(tmp_path):
    def pickled(h, a):
        a["constants.0"] = np.array([_Bomb()], dtype=object)

    with pytest.raises(DppError):
        from_bytes(_edited(pickled))
    with pytest.raises(DppError):
        from_bytes(pickle.dumps(_Bomb()))


def test_compressed_members_are_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", b"0" * 10**6)
    with pytest.raises(DppError, match="not a stored array"):
        from_bytes(buffer.getvalue())


def test_any_damage_is_a_clear_error_or_harmless():
    """Bytes flipped and files cut at random places: a program or a DppError, nothing else."""
    content = to_bytes(with_constants())
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
        for candidate in (bytes(damaged), content[: rng.integers(len(content))]):
            try:
                from_bytes(candidate)
            except DppError:
                continue


def test_a_missing_file(tmp_path):
    with pytest.raises(DiagnosticsError, match="No such file"):
        load(tmp_path / "nothing.npz")
