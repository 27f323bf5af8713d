"""What to say of the words that no `.dpp` file declares: keywords, attributes, cones, affine and numeric functions.

A test holds these tables against the grammar, the attributes, the cones and the functions that there are.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """``signature`` is how it is written; ``doc`` is Markdown, in one or two sentences."""

    signature: str
    doc: str


ITEMS: dict[str, Word] = {
    "dim": Word("dim n, T = 12", "A size, and the index set {0, …, n−1}. Read off the tensors that are bound."),
    "data": Word("data F[n, k], eps = 0.05", "Bound once, not differentiated: a constant for DCP and DPP."),
    "param": Word("param A[m, n], gamma pos", "Bound at every call and differentiated: a parameter for DPP."),
    "var": Word("var x[n] nonneg", "Found by the solver."),
    "derived": Word("derived S[n, n] = chol(Q)'", "Computed from data and parameters at every call; a parameter for DPP."),
    "let": Word("let r = A @ x - b", "A name for an expression."),
    "func": Word("func risk(x[n]) = sum_squares(R @ x)", "A function, written out and checked at every call."),
    "from": Word('from "file.dpp" import f, g', "Functions and atoms of a file below this one's folder."),
    "atom": Word("atom name(x) { … }", "A function with its curvature, monotonicity, value and graph form, all of it proved."),
    "minimize": Word("minimize …", "The objective: convex."),
    "maximize": Word("maximize …", "The objective: concave."),
    "find": Word("find", "No objective: any feasible point."),
    "subject": Word("subject to", "The constraints follow, one to a line, each with or without a name."),
    "return": Word("return x, dual balance", "What the layer returns: affine expressions of variables, duals, and `value`."),
}  # fmt: skip

JOINTS: dict[str, Word] = {
    "in": Word("t in T · x in soc · var x in [lo, hi]", "An index set, a cone, or the bounds of a variable."),
    "for": Word("sum(expr for t in T)", "A sum, maximum, minimum or stack over an index set."),
    "if": Word("… for t in T if t > 0", "Members of the index set that are left out do not occur."),
    "dual": Word("dual name", "The multiplier of a named constraint; stands in `return`."),
    "where": Word("increasing in x where x >= 0", "The condition of a fact of an atom."),
    "import": Word('from "file.dpp" import f', "Names of what to import."),
    "and": Word("i < n and j > 0", "Both conditions."),
    "or": Word("i == 0 or j == 0", "At least one of the conditions."),
    "not": Word("not i == j", "The condition does not hold."),
    "to": Word("subject to", "The constraints follow."),
    "param ": Word("atom f(x, param M pos = 1)", "An argument that is a parameter or constant."),
    "const": Word("atom f(x, const k)", "An argument that is a constant."),
}

ENTRIES: dict[str, Word] = {
    "kind": Word("kind: elementwise", "`elementwise`, `reduction` or `plain`."),
    "variadic": Word("variadic: yes", "More arguments than formals fold from the left."),
    "shape": Word("shape: [n, n]", "Of the result; scalar if absent."),
    "requires": Word("requires: p > 1", "A condition on constant arguments; tells records of one name apart."),
    "curvature": Word("curvature: convex", "`affine`, `convex` or `concave`; proved from the graph."),
    "sign": Word("sign: nonneg where x >= 0", "The first clause whose conditions are proved holds."),
    "monotone": Word("monotone: increasing in x where x >= 0", "How the value changes with each argument."),
    "domain": Word("domain: x >= 0", "Relations on the arguments."),
    "value": Word("value: where(abs(x) <= M, x^2, …)", "A numeric expression."),
    "quadratic": Word("quadratic: x * x", "The form it takes in a quadratic objective."),
    "graph": Word("graph { … }", "A partial minimization (maximization) whose optimal value is the atom's."),
    "test": Word("test huber(-3, M = 2) == 8", "A relation between constants that must hold."),
}

ENTRY_VALUES: dict[str, tuple[str, ...]] = {
    "kind": ("elementwise", "reduction", "plain"),
    "variadic": ("yes",),
    "curvature": ("affine", "convex", "concave"),
    "sign": ("nonneg", "nonpos", "zero", "unknown"),
    "monotone": ("increasing", "decreasing", "constant"),
}

ATTRIBUTES: dict[str, Word] = {
    "nonneg": Word("nonneg", "Every entry is ≥ 0."),
    "nonpos": Word("nonpos", "Every entry is ≤ 0."),
    "pos": Word("pos", "Every entry is > 0 (≥ 0 for the rules)."),
    "neg": Word("neg", "Every entry is < 0 (≤ 0 for the rules)."),
    "psd": Word("psd", "A symmetric positive semidefinite matrix."),
    "nsd": Word("nsd", "A symmetric negative semidefinite matrix."),
    "symmetric": Word("symmetric", "A symmetric matrix."),
    "diagonal": Word("diagonal", "A diagonal matrix."),
    "sparse": Word("sparse(mask)", "Zero wherever the constant mask is."),
    "in": Word("in [lo, hi]", "Bounds of a variable; they may be parameters."),
}

CONES: dict[str, Word] = {
    "nonneg": Word("x in nonneg", "x ≥ 0, entry by entry."),
    "nonpos": Word("x in nonpos", "x ≤ 0, entry by entry."),
    "zero": Word("x in zero", "x = 0."),
    "soc": Word("(t, x) in soc", "The second-order cone: ‖x‖₂ ≤ t."),
    "rsoc": Word("(u, v, x) in rsoc", "The rotated second-order cone: ‖x‖₂² ≤ 2uv with u, v ≥ 0."),
    "rotated_soc": Word("(u, v, x) in rotated_soc", "The rotated second-order cone, also `rsoc`: ‖x‖₂² ≤ 2uv with u, v ≥ 0."),
    "exp_cone": Word("(x, y, z) in exp_cone", "The exponential cone: y·exp(x/y) ≤ z with y > 0."),
    "pow_cone": Word("(x, y, z) in pow_cone(a)", "The power cone: xᵃ·y¹⁻ᵃ ≥ |z| with x, y ≥ 0."),
    "psd": Word("X in psd", "X ⪰ 0."),
    "nsd": Word("X in nsd", "X ⪯ 0."),
}  # fmt: skip

FUNCTIONS: dict[str, Word] = {
    "sum": Word("sum(x, axis, keepdims)", "Sum of the entries, or along an axis; `sum(expr for t in T)` over an index set. Affine."),
    "mean": Word("mean(x, axis, keepdims)", "Mean of the entries, or along an axis. Affine."),
    "cumsum": Word("cumsum(x, axis)", "Running sums. Affine."),
    "diff": Word("diff(x, k, axis)", "Differences of neighbours, k times. Affine."),
    "diag": Word("diag(x)", "The diagonal matrix of a vector, the diagonal of a matrix. Affine."),
    "trace": Word("trace(X)", "Sum of the diagonal. Affine."),
    "upper_tri": Word("upper_tri(X)", "The entries above the diagonal, row by row. Affine."),
    "vec_to_upper_tri": Word("vec_to_upper_tri(x, strict)", "The upper triangular matrix with these entries, row by row; with `strict = 1` above the diagonal. Affine."),
    "vec": Word("vec(x)", "All entries as one vector, row-major. Affine."),
    "squeeze": Word("squeeze(x)", "Without the axes of size 1; `x[0]` takes those of a size that has a name. Affine."),
    "reshape": Word("reshape(x, m, n)", "The entries in another shape, row-major. Affine."),
    "transpose": Word("transpose(X)", "Xᵀ, also written `X'`. Affine."),
    "hstack": Word("hstack(a, b, …)", "Parts side by side; vectors end to end. Affine."),
    "vstack": Word("vstack(a, b, …)", "Parts on top of each other. Affine."),
    "concatenate": Word("concatenate(a, b, …, axis)", "Parts along an axis that there is. Affine."),
    "stack": Word("stack(a, b, …)", "Parts of one shape along a new leading axis. Affine."),
    "bmat": Word("bmat([[A, B], [C, D]])", "A matrix of blocks. Affine."),
    "multiply": Word("multiply(x, y)", "Entry by entry, as `x * y`."),
    "matmul": Word("matmul(x, y)", "As `x @ y`."),
    "inner": Word("inner(x, y)", "Σ xᵢyᵢ, over all entries."),
    "vdot": Word("vdot(x, y)", "Σ xᵢyᵢ, over all entries."),
    "dot": Word("dot(x, y)", "Σ xᵢyᵢ, over all entries."),
    "outer": Word("outer(x, y)", "xyᵀ of two vectors."),
    "convolve": Word("convolve(x, y)", "The full discrete convolution of two vectors."),
    "conv": Word("conv(x, y)", "The full discrete convolution of two vectors."),
    "kron": Word("kron(A, B)", "Kronecker product A ⊗ B."),
    "partial_trace": Word("partial_trace(X, dims, axis)", "Trace over one factor of a tensor product. Affine."),
    "partial_transpose": Word("partial_transpose(X, dims, axis)", "Transpose of one factor of a tensor product. Affine."),
    "ones": Word("ones(m, n)", "All ones."),
    "zeros": Word("zeros(m, n)", "All zeros."),
    "eye": Word("eye(n)", "The identity matrix."),
    "perspective": Word("perspective(f(x), s)", "s·f(x/s), with the curvature of f: every variable in `f(x)` is divided by the scale s ≥ 0."),
}  # fmt: skip

NUMERIC: dict[str, Word] = {
    "exp": Word("exp(x)", "eˣ."),
    "log": Word("log(x)", "Natural logarithm."),
    "log1p": Word("log1p(x)", "log(1 + x)."),
    "sqrt": Word("sqrt(x)", "√x."),
    "abs": Word("abs(x)", "|x|."),
    "sign": Word("sign(x)", "−1, 0 or 1."),
    "tanh": Word("tanh(x)", "Hyperbolic tangent."),
    "sigmoid": Word("sigmoid(x)", "1 / (1 + e⁻ˣ)."),
    "sin": Word("sin(x)", "Sine."),
    "cos": Word("cos(x)", "Cosine."),
    "floor": Word("floor(x)", "The largest whole number that is no larger."),
    "max": Word("max(x, axis, keepdims)", "The largest entry."),
    "min": Word("min(x, axis, keepdims)", "The smallest entry."),
    "prod": Word("prod(x, axis, keepdims)", "Product of the entries."),
    "norm1": Word("norm1(x, axis, keepdims)", "Σ |xᵢ|."),
    "norm2": Word("norm2(x, axis, keepdims)", "Euclidean norm; of a matrix its spectral norm."),
    "norm_inf": Word("norm_inf(x, axis, keepdims)", "max |xᵢ|."),
    "norm_fro": Word("norm_fro(x, axis, keepdims)", "Frobenius norm."),
    "softmax": Word("softmax(x, axis)", "exp(xᵢ) / Σⱼ exp(xⱼ)."),
    "sort": Word("sort(x, axis)", "Entries in ascending order."),
    "chol": Word("chol(X)", "Lower Cholesky factor L of a positive definite X = LLᵀ."),
    "inv": Word("inv(X)", "Inverse of a matrix."),
    "logm": Word("logm(X)", "Symmetric logarithm of a positive definite matrix."),
    "sqrtm": Word("sqrtm(X)", "Symmetric square root of a positive semidefinite matrix."),
    "eigvalsh": Word("eigvalsh(X)", "Eigenvalues of a symmetric matrix, ascending."),
    "svdvals": Word("svdvals(X)", "Singular values, descending."),
    "det": Word("det(X)", "Determinant."),
    "logdet": Word("logdet(X)", "Logarithm of the absolute determinant."),
    "solve": Word("solve(A, b)", "A⁻¹b."),
    "where": Word("where(condition, x, y)", "x where the condition holds, else y, entry by entry."),
    "maximum": Word("maximum(x, y)", "The larger of two, entry by entry."),
    "minimum": Word("minimum(x, y)", "The smaller of two, entry by entry."),
    "power": Word("power(x, p)", "xᵖ, entry by entry."),
}

CONSTANTS: dict[str, Word] = {
    "inf": Word("inf", "Infinity: a bound that does not bind."),
    "value": Word("value", "In `return`: the optimal value."),
    "true": Word("true", "1."),
    "false": Word("false", "0."),
}
