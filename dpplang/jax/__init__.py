"""A program as a function that JAX compiles, maps and differentiates."""

try:
    import jax as _jax  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "jax":
        raise
    raise ImportError("dpplang.jax needs JAX, which is not installed: `pip install 'dpplang[jax]'`") from None

from dpplang.jax.layer import Layer
from dpplang.jax.result import Result

__all__ = ["Layer", "Result"]
