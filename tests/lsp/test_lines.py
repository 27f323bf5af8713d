"""Offsets and positions, in every encoding, with every kind of line end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position

from dpplang.lsp.lines import Encoding, Lines

TEXTS = st.text(st.sampled_from("ax é𝒙\u2028\x0c\x85\n\r"), max_size=30)


@given(TEXTS, st.sampled_from(list(Encoding)))
def test_round_trip(text: str, encoding: Encoding) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        inside_end = text[offset - 1 : offset + 1] == "\r\n"
        if not inside_end:
            assert lines.offset(lines.position(offset)) == offset


@pytest.mark.parametrize(("encoding", "units"), [(Encoding.UTF8, 6), (Encoding.UTF16, 4), (Encoding.UTF32, 3)])
def test_units(encoding: Encoding, units: int) -> None:
    lines = Lines("a\nx𝒙y", encoding)
    assert lines.position(5) == Position(1, units)
    assert lines.offset(Position(1, 2)) == (4 if encoding is Encoding.UTF32 else 3)  # inside a letter: its start


@given(TEXTS, st.sampled_from(list(Encoding)), st.integers(0, 40), st.integers(0, 40))
def test_any_position_is_an_offset(text: str, encoding: Encoding, line: int, character: int) -> None:
    assert 0 <= Lines(text, encoding).offset(Position(line, character)) <= len(text)


def test_lines_end_where_the_protocol_ends_them() -> None:
    assert Lines("a\r\nb\rc\nd\u2028e\x0cf\x85g", Encoding.UTF16).count == 4
