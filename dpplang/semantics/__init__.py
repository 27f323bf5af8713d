"""AST to typed tree: names, shapes, sign, curvature, DPP, and the proof of atoms. Imports no NumPy."""
