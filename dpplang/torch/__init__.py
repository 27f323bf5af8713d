"""A program as a PyTorch module."""

from dpplang.torch.layer import Layer
from dpplang.torch.result import Result

__all__ = ["Layer", "Result"]
