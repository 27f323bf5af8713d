"""Texts made to grow without end while they are checked: refused, in bounded time, with a diagnostic."""

from __future__ import annotations

import time

import pytest

from tests.semantics.helpers import run


def doubling(first: str, then: str, count: int) -> str:
    lines = [f"let a0 = {first}", *(f"let a{i} = {then.replace('@', f'a{i - 1}')}" for i in range(1, count))]
    return "\n".join(lines) + "\n"


BOMBS = {
    "literal": doubling("1", "[@, @]", 40) + "var x\nminimize square(x)\n",
    "size": "dim a, b, c, d\n" + doubling("a + b + c + d", "@ * @", 15) + "var x\nminimize square(x - a14)\n",
    "index": "dim n\nvar x[n]\n" + doubling("n + 9", "@ * @", 12) + "minimize square(x[a11])\n",
    "kron": "dim n\nparam p[n, n]\nvar x\n" + doubling("p", "kron(@, @)", 40) + "minimize square(x) + sum(a39)\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_grows_without_end_is_refused(name: str) -> None:
    start = time.process_time()
    assert "NAM117" in run(BOMBS[name]).errors
    assert time.process_time() - start < 10


def rows(count: int, row: str, head: str = "param p, q\nvar x\n") -> str:
    """A program with many constraints, each with its number for ``#``."""
    lines = "".join(f"  {row.replace('#', f'{i:04d}')}\n" for i in range(count))
    return f"{head}minimize square(x)\nsubject to\n{lines}"


def chained(first: str, then: str, use: str) -> str:
    """A program with a ``let`` upon a ``let``, far deeper than Python's recursion."""
    head = f"param p\nvar x\n{doubling(first, then, 3000)}"
    return f"{head}minimize square(x)\nsubject to\n  {use.replace('@', 'a2999')} <= 1\n"


def doubled(body: str, then: str, count: int) -> str:
    """A program that calls a ``func`` twice in each of many others."""
    made = [f"func f0(a) = {body}", *(f"func f{i}(a) = {then.replace('@', f'f{i - 1}')}" for i in range(1, count))]
    return "\n".join(["param p", "var x", *made, "minimize square(x)", "subject to", f"  f{count - 1}(x) <= 1", ""])


INDICES = ", ".join(f"i{k} in n" for k in range(60)) + " if " + " and ".join(f"i{k} < i{k + 1}" for k in range(59))
HOSTILE = {
    "unknown names": rows(
        3000, "x >= paramter#", "var x\n" + "".join(f"param parameter{i:04d}\n" for i in range(3000))
    ),
    "unknown functions": rows(
        3000, "functon#(x) >= 1", "var x\n" + "".join(f"func function{i:04d}(a) = a\n" for i in range(3000))
    ),
    "unknown duals": rows(3000, "constraint#: x >= 0")
    + f"return {', '.join(f'dual konstraint{i:04d}' for i in range(3000))}\n",
    "not DPP": rows(3000, "p * q * x >= #"),
    "not DCP": rows(3000, "x * x >= #"),
    "index variables": rows(10, f"c#[{INDICES}]: y[i0] >= y[i59]", "dim n\nvar x, y[n]\n"),
    "doubling, not DPP": doubled("p * a", "@(a) + @(p * a)", 14),
    "doubling, not DCP": doubled("a * a", "@(a) + @(a + 1)", 12),
    "doubling depth": doubled("p * a", "@(@(a))", 11),
    "deep, not DPP": chained("p * x", "p * @", "@"),
    "deep, not DCP": chained("x", "square(@) - 1", "@"),
    "deep names": chained("p * x", "@", "p * @"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_checked_in_bounded_time(name: str) -> None:
    start = time.process_time()
    found = run(HOSTILE[name])
    assert found.errors or name == "index variables"
    assert time.process_time() - start < 10


def test_an_index_is_refuted_under_many_conditions() -> None:
    """The search decides conditions as soon as their index variables have values, so that it finds a member."""
    binders = ", ".join(f"i{k} in n" for k in range(6))
    ordered = " and ".join(f"i{k} <= i{k + 1}" for k in range(5))
    text = "dim n\nvar x[n]\nfind\nsubject to\n  c[@ if #]: x[i5 + 1] >= 0\n"
    assert run(text.replace("@", binders).replace("#", ordered)).errors == ["SHP505"]


@pytest.mark.parametrize(
    "text",
    [
        "dim n = 999999999999999999\nparam b[n]\nvar x[n]\nminimize sum_squares(x - b) + sum(x[i] for i in n)\n",
        "var x\nminimize x^1000000 + 2^(1000 * x)\n",
        "var x\nminimize square(x) + sum(ones(1000000000, 1000000000))\n",
        doubling("[1, 2]", "hstack(@, @)", 60) + "var x\nminimize square(x) + sum(a59)\n",
        "".join(f"param parameter{i}\n" for i in range(100))
        + "var x\nminimize square(x)\nsubject to\n"
        + "".join(f"  x >= paramter{i}\n" for i in range(100)),
    ],
    ids=["dim", "power", "ones", "hstack", "suggestions"],
)
def test_what_is_huge_is_checked_in_bounded_time(text: str) -> None:
    start = time.process_time()
    run(text)
    assert time.process_time() - start < 10
