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
