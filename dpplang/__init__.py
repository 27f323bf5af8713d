"""dpplang: a language for differentiable convex optimization."""
