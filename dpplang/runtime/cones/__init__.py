"""Cones, one a file: projection, its derivative; duals by Moreau's decomposition."""

from dpplang.runtime.cones.cone import Cone, Spectrum, project_dual
from dpplang.runtime.cones.product import Product, ProductSpectrum

__all__ = ["Cone", "Product", "ProductSpectrum", "Spectrum", "project_dual"]
