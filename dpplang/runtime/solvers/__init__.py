"""Solvers behind one protocol, one a file."""
