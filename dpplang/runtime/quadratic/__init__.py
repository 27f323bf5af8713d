"""Strictly convex quadratic programs, a whole batch at once: a dual active-set method in dense linear algebra.

    minimize ½ uᵀPu + qᵀu   subject to   A u = b (equalities),  A u + s = b, s ≥ 0 (inequalities),     P ≻ 0

Its optimality system, for a set F of inequalities held at equality, is solved in the range of P^-½ Aᵀ (`range_space`);
the right F is found by block principal pivoting (`pivoting`). The same factors give the derivatives (`method`).
"""
