"""Smooth programs in the variables of the source: the graphs of exp, log, entropy, powers … taken back out.

A conic program says ``minimize exp(z)`` as ``minimize t`` with (z, 1, t) in the exponential cone. Where such a t has a
cost and stands nowhere else, the cone is tight and t is a function of z: it is eliminated, and with it three rows. What
is left,

    minimize ½xᵀPx + qᵀx + Σⱼ wⱼ fⱼ(Mx + r)   subject to   Ex = e,  h − Gx ∈ K,

has as many variables as the source, and a Newton method solves a whole batch of it at once. Solutions, multipliers and
derivatives of the conic program follow in closed form, so that nobody else needs to know.
"""
