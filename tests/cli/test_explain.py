"""``dpp explain CODE``: every example shows what it says, the mended one is right, and fixes mend the failing one."""

from __future__ import annotations

import pytest

from dpplang.cli.explain import page
from dpplang.cli.main import main
from dpplang.core.codes import CODES
from dpplang.core.codes.info import CodeInfo
from dpplang.core.diagnostics import Applicability
from dpplang.core.edits import mend
from dpplang.core.source import Source
from dpplang.pipeline import Compilation

WITH_PROGRAM = [info for info in CODES.values() if info.failing]
# What no text alone can show: bound values, results, other files, sizes beyond what a page takes.
ELSEWHERE = ("BND", "CVX", "DIF", "SOL", "SYN017", "NAM113", "NAM114", "NAM117", "NAM120")


def test_codes_without_an_example_could_have_none() -> None:
    assert all(info.failing or code.startswith(ELSEWHERE) for code, info in CODES.items())


@pytest.mark.parametrize("info", WITH_PROGRAM, ids=lambda i: i.code)
def test_the_failing_example_shows_the_code_and_the_mended_one_has_no_error(info: CodeInfo) -> None:
    found = Compilation(Source("m.dpp", info.failing)).diagnostics
    assert info.code in {d.code for d in found}
    assert info.mended
    mended = Compilation(Source("m.dpp", info.mended))
    assert info.code not in {d.code for d in mended.diagnostics}
    assert mended.model is not None


@pytest.mark.parametrize("info", WITH_PROGRAM, ids=lambda i: i.code)
def test_fixes_of_the_failing_example_mend_it(info: CodeInfo) -> None:
    found = [d for d in Compilation(Source("m.dpp", info.failing)).diagnostics if d.code == info.code]
    kinds = {f.applicability for d in found for f in d.fixes if f.edits}
    if Applicability.SAFE in kinds or Applicability.UNSAFE in kinds:
        unsafe = Applicability.SAFE not in kinds
        result = mend(Source("m.dpp", info.failing), lambda s: Compilation(s).diagnostics, unsafe=unsafe)
        assert info.code not in {d.code for d in result.diagnostics}


@pytest.mark.parametrize("info", CODES.values(), ids=lambda i: i.code)
def test_the_page_shows_all_of_it(info: CodeInfo) -> None:
    shown = page(info, 80)
    assert shown.startswith(f"{info.code}: {info.title}\n\n")
    assert (f"[{info.code}]: " in shown) is bool(info.failing)
    assert ("This one is right:" in shown) is bool(info.mended)
    assert "\x1b[" not in shown


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "[dpp301]"]) == 0
    out = capsys.readouterr().out
    assert "    minimize p * q * sum(x)\n" in out
    assert "= fix (safe): derived pq = p * q\n" in out
