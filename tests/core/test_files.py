"""Files written at once: all of it or nothing, and as they were in what the text does not say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dpplang.core.errors import WriteError
from dpplang.core.files import write_back


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_back(tmp_path / "new.dpp", "var x\n")
    finally:
        os.umask(mask)
    assert (tmp_path / "new.dpp").read_bytes() == b"var x\n"
    assert (tmp_path / "new.dpp").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["new.dpp"]


def test_what_the_text_does_not_say_is_kept(tmp_path: Path) -> None:
    file, link = tmp_path / "a.dpp", tmp_path / "link.dpp"
    file.write_bytes(b"\xef\xbb\xbfvar x\r\nfind\r\n")
    file.chmod(0o600)
    link.symlink_to(file)
    write_back(link, "var y\nfind\n")
    assert link.is_symlink() and file.read_bytes() == b"\xef\xbb\xbfvar y\r\nfind\r\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.dpp"
    file.write_text("var x\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError, match="cannot be written: No space left on device"):
        write_back(file, "var y\n")
    assert file.read_text() == "var x\n" and os.listdir(tmp_path) == ["a.dpp"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file or directory"):
        write_back(tmp_path / "none" / "a.dpp", "var x\n")
