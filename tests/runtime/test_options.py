"""A misspelt option is an error with a suggestion, never silent."""

from __future__ import annotations

import pytest

from dpplang.core.codes import CODES
from dpplang.core.errors import BindError
from dpplang.runtime.options import OPTION_NAMES, Options


def complaint(**options: object) -> str:
    with pytest.raises(BindError) as caught:
        Options.of(**options)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code}: {diagnostic.message}; " + "; ".join(diagnostic.help)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"tolerence": 1e-6}, "SOL801: there is no option `tolerence`; did you mean `tolerance`?"),
        ({"max_iters": 5}, "SOL801: there is no option `max_iters`; did you mean `max_iterations`?"),
        (
            {"solver": "clarable"},
            "SOL802: option `solver` is `auto`, `clarabel`, `scs` or `moreau`, not 'clarable'; did you mean `clarabel`?",
        ),
        (
            {"derivative": "exakt"},
            "SOL802: option `derivative` is `exact`, `least_squares`, `smoothed` or `diffcp`, not 'exakt'; did you mean `exact`?",
        ),
        ({"tolerance": 0}, "SOL802: option `tolerance` is a number between 0 and 1, not 0; "),
        ({"tolerance": "small"}, "SOL802: option `tolerance` is a number between 0 and 1, not 'small'; "),
        ({"tolerance": float("nan")}, "SOL802: option `tolerance` is a number between 0 and 1, not nan; "),
        ({"max_iterations": 2.5}, "SOL802: option `max_iterations` is a positive integer, or None, not 2.5; "),
        ({"threads": 0}, "SOL802: option `threads` is a positive integer, or None, not 0; "),
        ({"threads": True}, "SOL802: option `threads` is a positive integer, or None, not True; "),
        ({"time_limit": -1}, "SOL802: option `time_limit` is a number of seconds, or None, not -1; "),
        ({"refine": -1}, "SOL802: option `refine` is a number of steps from 0 to 20, not -1; "),
        ({"verbose": 1}, "SOL802: option `verbose` is True or False, not 1; "),
    ],
)
def test_complaints(options: dict[str, object], expected: str) -> None:
    assert complaint(**options) == expected


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(BindError) as caught:
        Options.of(solver="x", threads=-1)
    assert [d.code for d in caught.value.diagnostics] == ["SOL802", "SOL802"]


def test_options_are_values() -> None:
    assert Options.of(accept_inaccurate=0, solver="scs") == Options(accept_inaccurate=0, solver="scs")
    assert len({Options(), Options.of()}) == 1


def test_every_option_is_in_the_explanation() -> None:
    assert all(f"`{name}`" in CODES["SOL801"].explanation for name in OPTION_NAMES)
