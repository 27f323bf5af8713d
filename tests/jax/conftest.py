"""JAX in double precision, as the torch layer's tests are; without JAX every test here is skipped, aloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    jax = pytest.importorskip("jax", reason="JAX is missing: `pip install dpplang[jax]`")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
