"""Applying fixes to a text: which, in which order, and until when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.edits import applicable, apply_edits, compatible, mend
from dpplang.core.source import Source, Span

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY


def edit(source: Source, start: int, end: int, text: str) -> Edit:
    return Edit(Span(source, start, end), text)


def finding(source: Source, at: int, *fixes: Fix, code: str = "DPP301") -> Diagnostic:
    return Diagnostic(code, "wrong", Label(Span(source, at, at + 1)), fixes=fixes)


def test_edits_are_made_at_once_in_any_order() -> None:
    source = Source("t", "abcdef")
    edits = [edit(source, 4, 5, "E"), edit(source, 0, 1, ""), edit(source, 2, 2, "--"), edit(source, 2, 2, "++")]
    assert apply_edits(source.text, edits) == "b--++cdEf"


def test_equal_edits_count_once_and_overlapping_ones_are_refused() -> None:
    source = Source("t", "abcdef")
    assert apply_edits(source.text, [edit(source, 1, 1, "x")] * 2) == "axbcdef"
    with pytest.raises(ValueError, match="overlapping"):
        apply_edits(source.text, [edit(source, 0, 3, "x"), edit(source, 2, 4, "y")])


@given(st.text(max_size=30), st.data())
def test_disjoint_edits_are_what_replacing_from_the_back_gives(text: str, data: st.DataObject) -> None:
    source = Source("t", text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    edits = [edit(source, a, b, data.draw(st.text(max_size=3))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    expected = text
    for one in reversed(edits):
        expected = expected[: one.span.start] + one.text + expected[one.span.end :]
    assert apply_edits(text, data.draw(st.permutations(edits))) == expected


def test_a_safe_fix_goes_before_an_unsafe_one_and_displayed_ones_are_never_applied() -> None:
    source, other = Source("t", "abc"), Source("t", "abc")
    shown = Fix("shown", (edit(source, 0, 1, "s"),), DISPLAY)
    risky = Fix("risky", (edit(source, 0, 1, "u"),), UNSAFE)
    good = Fix("good", (edit(source, 0, 1, "g"),), SAFE)
    elsewhere = Fix("elsewhere", (edit(other, 0, 1, "g"),), SAFE)
    words_only = Fix("words only", (), SAFE)
    assert applicable(finding(source, 0, shown, risky, good), source, unsafe=True) is good
    assert applicable(finding(source, 0, shown, risky), source) is None
    assert applicable(finding(source, 0, shown, risky), source, unsafe=True) is risky
    assert applicable(finding(source, 0, shown, elsewhere, words_only), source, unsafe=True) is None


def test_fixes_that_touch_one_place_go_one_at_a_time_unless_they_insert_or_agree_there() -> None:
    source = Source("t", "abcdef")
    first = Fix("1", (edit(source, 0, 0, "d = 1\n"), edit(source, 2, 3, "d")), SAFE)
    inserts = Fix("2", (edit(source, 0, 0, "e = 2\n"), edit(source, 4, 5, "e")), SAFE)
    agrees = Fix("3", (edit(source, 0, 0, "d = 1\n"), edit(source, 5, 6, "d")), SAFE)
    clashes = Fix("4", (edit(source, 3, 4, "x"),), SAFE)
    found = [finding(source, at, fix) for at, fix in enumerate((first, inserts, agrees, clashes))]
    chosen = compatible(found[:2] + found[3:] + [found[2]], source)
    assert [one.fix.title for one in chosen] == ["1", "2"]
    assert [one.fix.title for one in compatible([found[0], found[2]], source)] == ["1", "3"]


def checker(
    words: dict[str, tuple[str, Applicability]], code: str = "NAM101"
) -> Callable[[Source], Sequence[Diagnostic]]:
    """Finds words, each with a fix that replaces it."""

    def check(source: Source) -> Sequence[Diagnostic]:
        found: list[Diagnostic] = []
        for word, (better, applicability) in words.items():
            at = source.text.find(word)
            while at >= 0:
                fix = Fix(f"{word}→{better}", (edit(source, at, at + len(word), better),), applicability)
                found.append(Diagnostic(code, word, Label(Span(source, at, at + len(word))), fixes=(fix,)))
                at = source.text.find(word, at + 1)
        return found

    return check


def test_mending_goes_on_until_nothing_is_left() -> None:
    chain = checker({"cat": ("dog", SAFE), "dog": ("owl", SAFE), "emu": ("cat", UNSAFE)})
    mended = mend(Source("t", "cat dog emu cat"), chain)
    assert mended.source.text == "owl owl emu owl"
    assert [d.message for d in mended.diagnostics] == ["emu"]
    assert len(mended.applied) == 5
    assert mend(Source("t", "cat emu"), chain, unsafe=True).source.text == "owl owl"


def test_a_text_without_fixes_is_the_very_source() -> None:
    source = Source("t", "fine")
    assert mend(source, checker({})).source is source


def test_fixes_that_undo_each_other_or_grow_forever_end() -> None:
    circle = mend(Source("t", "cat"), checker({"cat": ("dog", SAFE), "dog": ("cat", SAFE)}))
    assert circle.source.text in ("cat", "dog")
    assert len(mend(Source("t", "cat"), checker({"cat": ("cat cat", SAFE)})).source.text) < 5000


def test_a_safe_fix_that_makes_new_errors_is_not_kept_and_hinders_no_other() -> None:
    def check(source: Source) -> Sequence[Diagnostic]:
        found = list(checker({"bad": ("worse worse worse", SAFE), "sad": ("fine", SAFE)})(source))
        return found + [Diagnostic("NAM104", "worse", Label(Span(source, 0, 1)))] * source.text.count("worse")

    mended = mend(Source("t", "bad sad"), check)
    assert mended.source.text == "bad fine"
    assert [one.fix.title for one in mended.applied] == ["sad→fine"]


def test_syntax_is_mended_first() -> None:
    def check(source: Source) -> Sequence[Diagnostic]:
        broken = list(checker({"==": ("=", SAFE)}, "SYN007")(source))
        return broken + list(checker({"x": ("y", SAFE)})(source))

    mended = mend(Source("t", "x == 1"), check)
    assert [one.diagnostic.code for one in mended.applied] == ["SYN007", "NAM101"]
    assert mended.source.text == "y = 1"
