"""Pure algebra of facts: symbolic dims, sign, curvature, monotonicity. Knows no syntax and no arrays."""
