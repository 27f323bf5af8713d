"""Renaming over files, in little workspaces made at random: every file means the same afterwards, and back again."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from dpplang.lsp.across import references
from dpplang.lsp.navigation import CannotRename
from dpplang.lsp.rename import edit, rename
from tests.lsp import little


def applied(folder: Path, texts: dict[str, str], places: dict[Path, list[tuple[int, int]]], new: str) -> dict[str, str]:
    ranges = {path.relative_to(folder.resolve()).as_posix(): found for path, found in places.items()}
    return {path: edit(text, ranges.get(path, []), new) for path, text in texts.items()}


def renames(folder: Path, seed: int, most: int) -> tuple[int, int]:
    """How many were made, and how many refused."""
    rng = random.Random(seed)
    texts = little.little(rng)
    little.written(folder, texts)
    before = little.said(folder, texts)
    assert not any(code[:3] != "LNT" for found in before.values() for code, _, _ in found), (texts, before)
    made = refused = 0
    wanted = little.targets(folder, texts)
    for target in rng.sample(wanted, min(most, len(wanted))):
        workspace = little.workspace(folder)
        new = rng.choice(["quite_new", "q", *little.NAMES, "t", "p", "huber", "return"])
        try:
            places = rename(workspace, target, new)
        except CannotRename as error:
            own = any(workspace.records(path, target.function) for path in workspace.everything())
            assert not own or "language's own" in str(error) or new not in ("quite_new", "q"), (target, str(error))
            refused += 1
            continue
        if not places:
            assert new == target.name
            continue
        made += 1
        assert places == references(workspace, target, declaration=True)
        after = applied(folder, texts, places, new)
        little.written(folder, after)
        old = target.name
        now = little.said(folder, after)
        for path, found in now.items():
            renamed = [
                (c, m.replace(f"`{old}`", f"`{new}`").replace(f" {old}`", f" {new}`"), n) for c, m, n in before[path]
            ]
            again = [(c, m.replace(f"`{old}`", f"`{new}`").replace(f" {old}`", f" {new}`"), n) for c, m, n in found]
            assert again == renamed, (texts, target, new)
        by = len(new) - len(old)
        shift = sum(by for s, _ in places.get(target.path, ()) if s < target.start)
        there = replace(target, start=target.start + shift if target.start >= 0 else -1)
        there = replace(there, argument=new) if target.argument else replace(there, function=new)
        workspace = little.workspace(folder)
        assert references(workspace, there, declaration=True) == little.moved(places, by)
        back = rename(workspace, there, old)
        assert applied(folder, after, back, old) == texts
        little.written(folder, texts)
    return made, refused


@pytest.mark.parametrize("seed", range(12))
def test_there_and_back(tmp_path: Path, seed: int) -> None:
    """Seeds to thousands are run by hand."""
    renames(tmp_path, seed, 5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_more_there_and_back(tmp_path: Path, seed: int) -> None:
    renames(tmp_path, seed, 30)


def test_enough_is_renamed_and_refused(tmp_path: Path) -> None:
    counts = []
    for seed in range(200, 206):
        (tmp_path / str(seed)).mkdir()
        counts.append(renames(tmp_path / str(seed), seed, 10))
    assert sum(made for made, _ in counts) > 15 and sum(refused for _, refused in counts) > 5
