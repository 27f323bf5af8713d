"""Every cone: projections by their optimality conditions, derivatives against central differences, region by region."""

from __future__ import annotations

import numpy as np
import pytest

from dpplang.asa.cones import Cones, svec, svec_size, unsvec
from dpplang.runtime.cones import Product, project_dual
from dpplang.runtime.cones.cone import Cone
from dpplang.runtime.cones.exponential import Exponential
from dpplang.runtime.cones.linear import Nonneg, Zero
from dpplang.runtime.cones.power import Power
from dpplang.runtime.cones.second_order import SecondOrder
from dpplang.runtime.cones.semidefinite import Semidefinite

POWERS = (0.5, 0.2, 0.77, 0.35)

CONES: dict[str, tuple[Cone, tuple[int, ...]]] = {
    "zero": (Zero(), (5, 1)),
    "nonneg": (Nonneg(), (5, 1)),
    "soc1": (SecondOrder(), (4, 1)),
    "soc2": (SecondOrder(), (4, 2)),
    "soc5": (SecondOrder(), (4, 5)),
    "psd1": (Semidefinite(1), (4, 1)),
    "psd2": (Semidefinite(2), (4, 3)),
    "psd5": (Semidefinite(5), (4, 15)),
    "exp": (Exponential(), (40, 3)),
    "pow": (Power(POWERS), (len(POWERS), 3)),
}


def violation(name: str, s: np.ndarray, dual: bool = False) -> float:
    """How far points stand outside the cone, by its definition and not by our projection."""
    x, y, z = (s[..., i] for i in range(3)) if s.shape[-1] == 3 else (None, None, None)
    with np.errstate(all="ignore"):
        match name:
            case "zero":
                return 0.0 if dual else float(np.abs(s).max())
            case "nonneg":
                return float(np.maximum(-s, 0).max())
            case "soc1" | "soc2" | "soc5":
                return float(np.maximum(np.linalg.norm(s[..., 1:], axis=-1) - s[..., 0], 0).max())
            case "psd1" | "psd2" | "psd5":
                return float(np.maximum(-np.linalg.eigvalsh(unsvec(s)), 0).max())
            case "exp" if not dual:
                # the gap as it is and in log form, x ≤ y log(z/y): each is ill-conditioned at one end
                gap = np.where(
                    y > 0, np.minimum(x - y * np.log(np.maximum(z, 0) / y), y * np.exp(x / y) - z), np.maximum(x, 0)
                )
                return float(np.maximum(np.maximum(gap, -y), -z).max())
            case "exp":
                # −u·exp(v/u) ≤ e·w  ⇔  v ≥ u·(1 + log(w/−u)) for u < 0
                gap = np.where(
                    x < 0, np.minimum(x * (1 + np.log(np.maximum(z, 0) / -x)) - y, -x * np.exp(y / x - 1) - z), -y
                )
                return float(np.maximum(np.maximum(gap, x), -z).max())
            case "pow":
                a = np.asarray(POWERS)
                if dual:
                    x, y = x / a, y / (1 - a)
                gap = np.abs(z) - np.maximum(x, 0) ** a * np.maximum(y, 0) ** (1 - a)
                return float(np.maximum(np.maximum(gap, -x), -y).max())
    raise AssertionError(name)


@pytest.mark.parametrize("name", CONES)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
def test_projection_satisfies_its_optimality_conditions(name: str, size: float) -> None:
    """s = Π(v) iff s ∈ K, s − v ∈ K*, ⟨s, s − v⟩ = 0."""
    cone, shape = CONES[name]
    v = np.random.default_rng(0).normal(size=(50, *shape)) * size
    s = cone.project(v)
    assert violation(name, s) <= 1e-9 * size
    assert violation(name, s - v, dual=True) <= 1e-9 * size
    inner = np.abs(np.sum(s * (s - v), axis=-1))
    assert inner.max() <= 1e-10 * size**2
    np.testing.assert_allclose(project_dual(cone, -v), s - v, atol=1e-12 * size)


@pytest.mark.parametrize("name", CONES)
def test_derivative_against_central_differences(name: str) -> None:
    cone, shape = CONES[name]
    rng = np.random.default_rng(1)
    v, h = rng.normal(size=(300, *shape)), 1e-6
    dv = rng.normal(size=v.shape)
    ahead, behind = cone.spectrum(v + h * dv), cone.spectrum(v - h * dv)
    change = np.abs(ahead.apply(dv) - behind.apply(dv)).max(axis=-1)
    smooth = change < 1e-3  # the segment v ± h·dv crosses no kink
    assert smooth.mean() > 0.97
    numeric = (cone.project(v + h * dv) - cone.project(v - h * dv)) / (2 * h)
    error = np.abs(cone.spectrum(v).apply(dv) - numeric).max(axis=-1)
    assert error[smooth].max() < 2e-6


@pytest.mark.parametrize("name", CONES)
def test_second_derivative_against_central_differences(name: str) -> None:
    cone, shape = CONES[name]
    rng = np.random.default_rng(6)
    v, h = rng.normal(size=(300, *shape)), 1e-6
    a, b, c = (rng.normal(size=v.shape) for _ in range(3))
    numeric, half = (
        (cone.spectrum(v + step * c).apply(b) - cone.spectrum(v - step * c).apply(b)) / (2 * step)
        for step in (h, h / 2)
    )
    found = cone.second(v, b, c)
    smooth = np.abs(numeric - half).max(axis=-1) < 1e-4 * (1 + np.abs(half).max(axis=-1))
    assert smooth.mean() > 0.97
    error = np.abs(found - half).max(axis=-1) / (1 + np.abs(half).max(axis=-1))
    assert error[smooth].max() < 1e-5
    # ⟨a, D²Π[b, c]⟩ is symmetric in all three, and as DΠ is homogeneous of degree 0, D²Π(v)[·, v] = 0
    inner = np.sum(a * found, axis=-1)
    for other in (np.sum(b * cone.second(v, c, a), axis=-1), np.sum(c * cone.second(v, a, b), axis=-1)):
        np.testing.assert_allclose(other, inner, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cone.second(v, b, v), 0, atol=1e-8)


@pytest.mark.parametrize("name", CONES)
def test_second_derivative_is_zero_at_the_apex_and_inside_of_the_cone_and_its_polar(name: str) -> None:
    cone, shape = CONES[name]
    inside = {"exp": (-1.0, 1.0, 2.0), "pow": (1.0, 1.0, 0.1)}.get(name, (1.0, *(0.0,) * (shape[-1] - 1)))
    outside = {"exp": (1.0, -1.0, -1.0)}.get(name, tuple(-x for x in inside))
    if name.startswith("psd"):
        identity = svec(np.eye({1: 1, 3: 2, 15: 5}[shape[-1]]))
        inside, outside = tuple(identity), tuple(-identity)
    b = np.random.default_rng(8).normal(size=shape)
    for point in (np.zeros(shape), np.broadcast_to(inside, shape), np.broadcast_to(outside, shape)):
        np.testing.assert_array_equal(cone.second(point, b, b), 0)


@pytest.mark.parametrize("name", CONES)
def test_spectrum_is_orthonormal_between_zero_and_one_and_keeps_the_projection(name: str) -> None:
    """U is orthonormal, 0 ≤ λ ≤ 1, and as Π is homogeneous, DΠ(v) v = Π(v)."""
    cone, shape = CONES[name]
    v = np.random.default_rng(2).normal(size=(100, *shape))
    spectrum = cone.spectrum(v)
    assert spectrum.values.min() >= 0 and spectrum.values.max() <= 1
    if spectrum.vectors is not None:
        gram = np.swapaxes(spectrum.vectors, -1, -2) @ spectrum.vectors
        np.testing.assert_allclose(gram, np.broadcast_to(np.eye(shape[-1]), gram.shape), atol=1e-12)
    np.testing.assert_allclose(spectrum.apply(v), cone.project(v), atol=1e-9)


SPECIAL = {
    "exp": [
        ((0, 0, 0), (0, 0, 0)), ((-1, 0, 2), (-1, 0, 2)), ((-1, -2, 3), (-1, 0, 3)), ((-1, -2, -3), (-1, 0, 0)),
        ((0, 1, 1), (0, 1, 1)), ((0, 1, 5), (0, 1, 5)), ((1, 0, -5), (0, 0, 0)), ((0, -1, 0), (0, 0, 0)),
        ((0, 0, 4), (0, 0, 4)), ((-3, 0, -1), (-3, 0, 0)),
    ],
    "soc5": [((0, 0, 0, 0, 0), (0, 0, 0, 0, 0)), ((-1, 0, 0, 0, 0), (0, 0, 0, 0, 0)), ((0, 3, 0, 0, 4), (2.5, 1.5, 0, 0, 2))],
}  # fmt: skip


@pytest.mark.parametrize(("name", "point", "expected"), [(n, p, e) for n, rows in SPECIAL.items() for p, e in rows])
def test_special_points(name: str, point: tuple[float, ...], expected: tuple[float, ...]) -> None:
    cone, _ = CONES[name]
    np.testing.assert_allclose(cone.project(np.array([point], dtype=float))[0], expected, atol=1e-14)
    assert np.isfinite(cone.spectrum(np.array([point], dtype=float)).values).all()


@pytest.mark.parametrize(
    "point", [(0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (1.0, -2.0, 0.0), (-1.0, 2.0, 0.0), (0.0, 0.0, 1.0), (-1.0, -1.0, 0.1)]
)
def test_power_special_points(point: tuple[float, ...]) -> None:
    cone = Power(POWERS)
    v = np.broadcast_to(np.array(point), (4, 3)).copy()
    s = cone.project(v)
    assert violation("pow", s) <= 1e-12 and violation("pow", s - v, dual=True) <= 1e-12
    spectrum = cone.spectrum(v)
    assert np.isfinite(spectrum.values).all() and np.isfinite(spectrum.vectors).all()


def test_exponential_extremes() -> None:
    """Points whose nearest ray is very steep or very flat, sizes far apart, both sides of every boundary."""
    rng = np.random.default_rng(3)
    v = rng.normal(size=(4000, 3)) * 10.0 ** rng.integers(-6, 7, size=(4000, 3))
    edges = np.array([(r, 1, np.exp(r)) for r in np.linspace(-30, 8, 60)])
    near = (edges[None] + rng.choice([0, 1e-12, -1e-12, 1e-9, -1e-9], size=(8, 60, 3))).reshape(-1, 3)
    cone = Exponential()
    for points in (v, near, -near):
        s = cone.project(points)
        scale = np.maximum(np.abs(points).max(axis=-1), 1e-300)
        assert np.isfinite(s).all()
        assert (np.abs(np.sum(s * (s - points), axis=-1)) / scale**2).max() < 1e-9
        # nonexpansive and idempotent: what a wrong ray would break
        np.testing.assert_allclose(cone.project(s) / scale[:, None], s / scale[:, None], atol=1e-9)
        assert violation("exp", s / scale[:, None]) < 1e-8
        assert violation("exp", (s - points) / scale[:, None], dual=True) < 1e-8
        values = cone.spectrum(points).values
        assert np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1


def test_product_groups_cones_of_one_dimension() -> None:
    cones = Cones(zero=2, nonneg=3, soc=(3, 2, 3), psd=(2, 3, 2), exp=2, pow=(0.3, 0.6))
    product = Product.of(cones)
    assert product.size == cones.rows
    v = np.random.default_rng(4).normal(size=(6, cones.rows))
    parts: list[tuple[Cone, int]] = [(Zero(), 1)] * 2 + [(Nonneg(), 1)] * 3 + [(SecondOrder(), k) for k in cones.soc]
    parts += [(Semidefinite(k), svec_size(k)) for k in cones.psd] + [(Exponential(), 3)] * 2
    start, expected = 0, []
    for cone, size in parts:
        expected.append(cone.project(v[:, start : start + size]))
        start += size
    expected.append(Power(cones.pow).project(v[:, start:].reshape(6, 2, 3)).reshape(6, 6))
    np.testing.assert_allclose(product.project(v), np.concatenate(expected, axis=1), atol=1e-13)
    np.testing.assert_allclose(product.project(v) - product.project_dual(-v), v, atol=1e-12)
    dv = np.random.default_rng(5).normal(size=v.shape)
    numeric = (product.project(v + 1e-6 * dv) - product.project(v - 1e-6 * dv)) / 2e-6
    np.testing.assert_allclose(product.spectrum(v).apply(dv), numeric, atol=1e-5)
    other = np.random.default_rng(6).normal(size=v.shape)
    ahead, behind = product.spectrum(v + 1e-6 * dv).apply(other), product.spectrum(v - 1e-6 * dv).apply(other)
    np.testing.assert_allclose(product.second(v, other, dv), (ahead - behind) / 2e-6, atol=1e-4)


def test_second_derivative_of_a_product_leaves_out_what_is_an_apex_to_rounding() -> None:
    product = Product.of(Cones(soc=(3, 3)))
    v = np.array([[0.5, 1.0, 2.0, 1e-16, 2e-16, -1e-16]])
    b = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    found = product.second(v, b, b)
    assert np.abs(found[:, :3]).min() > 0.01
    np.testing.assert_array_equal(found[:, 3:], 0)
    assert Product.of(Cones(zero=1, nonneg=2)).polyhedral and not product.polyhedral
