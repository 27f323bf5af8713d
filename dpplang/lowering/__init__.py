"""Typed tree to program: index expansion, graph forms, sparse affine forms, quadratic objectives, stuffing."""
