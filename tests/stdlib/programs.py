"""Programs generated from records: the atom of variables that are fixed to parameters, so that its graph is solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import dpplang
from dpplang.pipeline import Problem
from dpplang.semantics.atom_sample import Point, sample
from dpplang.semantics.atom_walk import walk
from dpplang.semantics.tree import Atom, AtomCall, TypedFormal


@dataclass(frozen=True)
class Fixed:
    """``problem`` has a parameter ``p_x`` for every convex formal x, and ``x`` for every ``param`` formal; ``constants`` are
    the values of the ``const`` ones, ``data`` those of them that are matrices or vectors."""

    problem: Problem
    constants: dict[str, np.ndarray]
    data: dict[str, np.ndarray]


def array(point: Point, name: str) -> np.ndarray:
    tensor = point[name]
    return np.array(tensor.entries).reshape(tensor.shape)


def points(atom: Atom, count: int, *, whole: bool) -> list[dict[str, np.ndarray]]:
    """Sampled arguments in the domain, all with the same constants; only (or no) points with whole numbers."""
    found: list[dict[str, np.ndarray]] = []
    for point in sample(atom):
        arrays = {name: array(point, name) for name in point}
        moving = [arrays[f.symbol.name] for f in atom.formals if f.mode != "const"]
        if all((a == np.round(a)).all() for a in moving) is whole:
            first = found[0] if found else arrays
            found.append({**arrays, **{f.symbol.name: first[f.symbol.name] for f in atom.formals if f.mode == "const"}})
    spaced = max(len(found) // count, 1)
    return found[::spaced][:count]


@dataclass(frozen=True)
class Text:
    """A program that fixes an atom's arguments, and the ``data`` it needs."""

    text: str
    data: dict[str, np.ndarray]


def program_text(atom: Atom, point: dict[str, np.ndarray], *, scaled: bool = False) -> Text:
    """The program at the constants of a point; with ``scaled``, of the atom's perspective, its scale fixed to ``p_scale``."""
    data: dict[str, np.ndarray] = {}
    lines: list[str] = []
    relations: list[str] = []
    arguments: list[str] = []
    for formal in atom.formals:
        name, value = formal.symbol.name, point[formal.symbol.name]
        shape = f"[{', '.join(map(str, value.shape))}]" if value.shape else ""
        words = " ".join(a.name for a in formal.symbol.attributes)
        arguments.append(name)
        match formal.mode:
            case "":
                lines += [f"param p_{name}{shape}", f"var {name}{shape} {words}"]
                relations.append(_equal(formal, value))
            case "param":
                lines.append(f"param {name}{shape} {words}")
            case _ if value.shape:
                data[name] = value
                lines.append(f"data {name}{shape} {words}")
            case _:
                arguments[-1] = "inf" if np.isinf(value) else repr(float(value))
    assert atom.graph is not None
    call = f"{atom.name}({', '.join(arguments)})"
    objective = f"sum({call})" if atom.shape else call
    if scaled:
        lines += ["param p_scale", "var scale"]
        relations.append("  scale == p_scale")
        objective = f"perspective({objective}, scale)"
    text = "\n".join(
        [
            *lines,
            f"{atom.graph.sense} {objective}",
            "subject to",
            *relations,
            "return value",
        ]
    )
    return Text(text, data)


def fixed(atom: Atom, point: dict[str, np.ndarray]) -> Fixed:
    """The program at the constants of a point, of an atom of the library."""
    made = program_text(atom, point)
    problem = dpplang.parse(made.text)
    assert problem.model.objective is not None
    used = [e.atom for e in walk(problem.model.objective) if isinstance(e, AtomCall)]
    assert not used or used[0] is atom, f"another record of `{atom.name}` was chosen in\n{made.text}"
    constants = {f.symbol.name: point[f.symbol.name] for f in atom.formals if f.mode == "const"}
    return Fixed(problem, constants, made.data)


def _equal(formal: TypedFormal, value: np.ndarray) -> str:
    name, order = formal.symbol.name, len(value) if value.shape else 0
    if formal.symbol.has("symmetric"):  # an equation for every entry would say most things twice
        return f"  fix_{name}[i in 0:{order}, j in i:{order}]: {name}[i, j] == p_{name}[i, j]"
    return f"  {name} == p_{name}"
