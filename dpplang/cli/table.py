"""CSV files: numbers, with an optional heading row and leading columns of text."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpplang.cli.usage import UsageError


@dataclass(frozen=True, slots=True)
class Table:
    """``cells`` are the rows below the heading, as text; ``heading`` is empty if the first row holds numbers."""

    path: Path
    heading: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def tensor(self, rank: int) -> NDArray[np.float64]:
        """All numbers, without leading columns of text; a single row or column serves a declared vector or scalar.

        Raises:
            UsageError: a cell that is no number, or a shape that no tensor of that rank has.
        """
        width = len(self.cells[0])
        first = next((j for j in range(width) if any(_is_number(row[j]) for row in self.cells)), width)
        if first == width:
            raise UsageError(f"`{self.path}` holds no numbers", "write one row to a line, cells split by commas")
        values = np.array([[self._number(i, j) for j in range(first, width)] for i in range(len(self.cells))])
        if rank == 0 and values.size == 1:
            return values[0, 0]
        if rank == 1 and 1 in values.shape:
            return values.reshape(-1)
        return values

    def column(self, heading: str, rank: int) -> NDArray[np.float64]:
        """The numbers of the column with that heading.

        Raises:
            UsageError: a cell that is no number, or a declared rank that a column does not have.
        """
        if rank > 1 or (rank == 0 and len(self.cells) > 1):
            raise UsageError(
                f"`{heading}` is declared with rank {rank}; a column of `{self.path}` is a vector of {len(self.cells)}",
                f"put it into a file of its own, as in `--data {heading}=FILE.csv`",
            )
        j = self.heading.index(heading)
        values = np.array([self._number(i, j) for i in range(len(self.cells))])
        return values if rank else values[0]

    def _number(self, i: int, j: int) -> float:
        try:
            return float(self.cells[i][j])
        except ValueError:
            raise self._no_number(i, j) from None

    def _no_number(self, i: int, j: int) -> UsageError:
        line = i + 1 + bool(self.heading)
        text = self.cells[i][j]
        return UsageError(
            f"row {line}, column {j + 1} of `{self.path}` is {repr(text) if text else 'empty'}, not a number",
            "every cell behind the leading columns of text must be a number (NaN is written `nan`)",
        )


def read_table(path: Path) -> Table:
    """Read a comma-separated file.

    Raises:
        UsageError: it is not UTF-8 text, has no numbers, or rows of different lengths.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [tuple(cell.strip() for cell in row) for row in csv.reader(file) if any(row)]
    except UnicodeDecodeError as error:
        raise UsageError(f"`{path}` is not UTF-8 text (byte {error.start})", "save it as UTF-8") from None
    except csv.Error as error:
        raise UsageError(
            f"`{path}` is not a CSV file: {error}", "write one row to a line, cells split by commas"
        ) from None
    heading = rows[0] if rows and not any(map(_is_number, rows[0])) else ()
    cells = rows[1:] if heading else rows
    if not cells:
        raise UsageError(f"`{path}` holds no rows of numbers", "write one row to a line, cells split by commas")
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"row {i + 1} of `{path}` has {len(row)} cells, the first row has {len(rows[0])}",
                "give every row the same number of cells",
            )
    return Table(path, heading, tuple(cells))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
