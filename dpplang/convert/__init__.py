"""A CVXPY problem written as a program: ``dpplang.from_cvxpy``.

Nothing here imports CVXPY: who passes a problem has it, and its classes are told by their names.

| module | what |
|---|---|
| ``conversion`` | ``from_cvxpy`` and what it returns |
| ``problem`` | objective, constraints, outputs; the items of the file in order |
| ``walk`` | the expression graph, bottom up, without recursion; what is shared becomes a ``let`` |
| ``affine``, ``products``, ``sums``, ``indexing``, ``atoms`` | one function per class of expression |
| ``relations`` | one function per class of constraint |
| ``constants``, ``leaves``, ``names`` | what is declared, and how it is called |
| ``loops`` | terms and constraints that a Python loop wrote out, rolled up again |
| ``nodes``, ``piece``, ``refusal`` | syntax without a source, an expression and its shape, what cannot be written |
"""
