"""Projections and derivatives near the boundaries between regions and at extreme scales, against 60 digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpplang.asa.cones import Cones
from dpplang.runtime.cones import Product
from dpplang.runtime.cones.cone import Cone
from dpplang.runtime.cones.exponential import Exponential
from dpplang.runtime.cones.power import Power
from dpplang.runtime.cones.second_order import SecondOrder
from dpplang.runtime.cones.semidefinite import Semidefinite
from tests.runtime import precise

EXPONENTS = (0.5, 0.2, 0.77, 0.03)


def derivative(cone: Cone, point: np.ndarray) -> np.ndarray:
    """DΠ as a matrix; checks that it is symmetric with eigenvalues in [0, 1]."""
    spectrum = cone.spectrum(point)
    matrix = np.stack([spectrum.apply(e) for e in np.eye(point.shape[-1])], axis=-1)[0]
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues.min() > -1e-12 and eigenvalues.max() < 1 + 1e-12
    return matrix


def agrees(cone: Cone, reference, point: np.ndarray, tolerance: float = 1e-8) -> None:
    point = np.asarray(point, dtype=float)
    size = np.abs(point).max()
    exact = precise.projection(reference, point)
    found = cone.project(point[None])[0]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-13 * size, err_msg=f"{point!r}")
    np.testing.assert_allclose(
        derivative(cone, point[None]), precise.jacobian(reference, point), rtol=0, atol=tolerance, err_msg=f"{point!r}"
    )


def directions(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    found = rng.normal(size=(count, size))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def near_boundaries(cone: Cone, rng: np.random.Generator, size: int, count: int) -> list[np.ndarray]:
    """Points s − β·n near β = 0 and near s = 0: s on the boundary of the cone, n normal to it there."""
    made = []
    for v in rng.normal(size=(count, size)):
        s = cone.project(v[None])[0]
        y = s - v
        if not np.any(s) or not np.any(y):
            continue
        for eps in (1e-6, 1e-8, 1e-10, 1e-12):
            for a, b in ((1.0, eps), (1.0, -eps), (eps, 1.0), (-eps, 1.0)):
                made.append(a * s - b * y)
    return made


CURVED = {
    "soc2": (SecondOrder(), precise.soc, 2),
    "soc4": (SecondOrder(), precise.soc, 4),
    "exp": (Exponential(), precise.exponential, 3),
    **{f"pow{a}": (Power((a,)), precise.power(precise.mpf(a)), 3) for a in EXPONENTS},
}


class One:
    """A row of one power cone behind the interface of the others."""

    def __init__(self, cone: Cone) -> None:
        self._cone = cone

    def project(self, point: np.ndarray) -> np.ndarray:
        return self._cone.project(point[..., None, :])[..., 0, :]

    def spectrum(self, point: np.ndarray):
        from dpplang.runtime.cones.cone import Spectrum

        found = self._cone.spectrum(point[..., None, :])
        return Spectrum(found.values[..., 0, :], None if found.vectors is None else found.vectors[..., 0, :, :])


def cone_of(name: str):
    cone, reference, size = CURVED[name]
    return (One(cone) if name.startswith("pow") else cone), reference, size


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVED)
def test_near_the_boundaries_between_regions(name: str) -> None:
    cone, reference, size = cone_of(name)
    for point in near_boundaries(cone, np.random.default_rng(0), size, 3 if name != "soc2" else 6):
        agrees(cone, reference, point, 1e-6)


@pytest.mark.parametrize("name", CURVED)
@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
def test_scales(name: str, scale: float) -> None:
    """Π is homogeneous and DΠ constant along rays, to rounding, at any size."""
    cone, _, size = cone_of(name)
    v = np.random.default_rng(1).normal(size=(200, size))
    np.testing.assert_allclose(cone.project(scale * v), scale * cone.project(v), rtol=0, atol=1e-12 * scale)
    d = directions(np.random.default_rng(2), 200, size)
    np.testing.assert_allclose(cone.spectrum(scale * v).apply(d), cone.spectrum(v).apply(d), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVED)
def test_coordinates_of_sizes_far_apart(name: str) -> None:
    cone, reference, size = cone_of(name)
    rng = np.random.default_rng(3)
    for point in rng.normal(size=(16, size)) * 10.0 ** rng.integers(-4, 5, size=(16, size)):
        agrees(cone, reference, point, 1e-6)


finite = st.floats(-10, 10, allow_nan=False).filter(lambda e: e == 0 or abs(e) > 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVED)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_anywhere(name: str, data: st.DataObject) -> None:
    """At points that are not themselves on a boundary, where the derivative exists."""
    cone, reference, size = cone_of(name)
    point = np.array(data.draw(st.lists(finite, min_size=size, max_size=size)))
    rng = np.random.default_rng(4)
    point = point + 1e-3 * rng.normal(size=size)
    agrees(cone, reference, point, 1e-6)


RAYS = [-200.0, -40.0, -12.0, -3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 7.0, 25.0, 80.0]


@pytest.mark.parametrize("rho", RAYS)
@pytest.mark.parametrize("beta", [1e-9, 1e-3, 1.0, 1e6])
def test_exponential_rays(rho: float, beta: float) -> None:
    """α·a(ρ) + β·n(ρ) projects onto α·a(ρ), from the steepest to the flattest rays."""
    ray = np.array([rho, 1.0, np.exp(rho)])
    normal = np.array([1.0, 1.0 - rho, -np.exp(-rho)])
    point = ray / np.linalg.norm(ray) + beta * normal / np.linalg.norm(normal)
    agrees(Exponential(), precise.exponential, point, 1e-6)


@pytest.mark.parametrize("spread", [1e-12, 1e-9, 1e-6, 1e-3])
def test_semidefinite_with_eigenvalues_close_together(spread: float) -> None:
    """Repeated and nearly repeated eigenvalues of either sign: the derivative depends on the eigenspaces alone."""
    cone, rng = Semidefinite(4), np.random.default_rng(5)
    basis = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    i, j = np.tril_indices(4)
    j, i = i, j  # upper triangle, column by column
    weight = np.where(i == j, 1.0, np.sqrt(2.0))
    for values in ((1, 1 + spread, -1, -1 - spread), (1, 1, 1, -2), (2, -1, -1, -1 + spread)):
        matrix = (basis * np.array(values)) @ basis.T
        agrees(cone, precise.psd, weight * matrix[i, j], 1e-7)


@pytest.mark.parametrize("least", [1e-6, 1e-9, 1e-11])
@pytest.mark.parametrize("sign", [1, -1])
def test_semidefinite_near_singular(least: float, sign: int) -> None:
    cone, rng = Semidefinite(3), np.random.default_rng(6)
    basis = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    i, j = np.tril_indices(3)
    j, i = i, j
    matrix = (basis * np.array([2.0, sign * least, -1.5])) @ basis.T
    agrees(cone, precise.psd, np.where(i == j, 1.0, np.sqrt(2.0)) * matrix[i, j], 1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-8, 1e-3, 1.0, 1e3, 1e8]))
def test_moreau_decomposition_of_any_product(seed: int, scale: float) -> None:
    """v = Π_K(v) − Π_{K*}(−v), the two orthogonal; the derivatives add up to the identity; Π is nonexpansive."""
    cones = Cones(zero=1, nonneg=2, soc=(3, 2), psd=(2, 3), exp=2, pow=(0.3, 0.8))
    product = Product.of(cones)
    v, w = scale * np.random.default_rng(seed).normal(size=(2, 5, cones.rows))
    s, y = product.project(v), product.project_dual(-v)
    np.testing.assert_allclose(s - y, v, atol=1e-12 * scale)
    assert np.abs(np.sum(s * y, axis=-1)).max() < 1e-10 * scale**2
    moved = np.linalg.norm(product.project(v) - product.project(w), axis=-1)
    assert (moved <= (1 + 1e-9) * np.linalg.norm(v - w, axis=-1)).all()
    values = product.spectrum(v).values
    assert values.min() >= 0 and values.max() <= 1
    np.testing.assert_allclose(product.project(s), s, atol=1e-9 * scale)
