"""The affine–solver–affine program as a value: cones, affine maps, numeric expressions, serialization."""
