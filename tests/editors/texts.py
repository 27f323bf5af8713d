"""Texts on which a highlighter of regular expressions goes wrong if it can."""

from __future__ import annotations

TRICKY = [
    # soft keywords that are names, and names before `:`
    "var data[n], value nonneg in [0, 1], test, dim\n",
    "data: data >= 0\nminimize: minimize[0] <= find\nfind\n",
    "var(x) + data[0] <= 1\nreturn >= 0\ndim * 2 <= var\n",
    "param data in [param, 1], dim psd\nlet param = dim\nfunc data(dim, var) = dim + var\n",
    "return data, dual data, dual\n",
    "minimize min(x) + max(y) - var(z)\n",
    "minimize -minimize + (maximize)\nmaximize(x) <= return(3)\n",
    # several items on one line
    "minimize sum(x) subject to cap: x <= 1 return x, dual cap\n",
    "dim n param x[n] var y[n] minimize sum_squares(y - x)\n",
    "find subject to x >= 0 k[i in n]: x[i] <= i\n",
    "var x y: x >= 0\n",
    # items over several lines
    "dim\n  n, # sizes\n  m\nparam x[n] nonneg,\n\n  y psd,\n  # between\n  z[m] in [0,\n  1]\nx >= 0\n",
    "data A[2, 2] = [[1, 2],\n  [3, 4]], b = 1 +\n  2, c\nb <= c\n",
    "minimize\n  sum(x) +\n  data\nsubject to\n  cap:\n    x <= 1\n  k[t in T, s in S]:\n    x[t] <= s\n",
    "derived\n  S[n, n] psd =\n  chol(Q)'\nlet e = a -\n  b\nlet\n  f = e\n",
    "func f(\n  x[n], # the first\n  y\n) = x' @ y\natom g(param M pos = 1,\n  const k,\n  x[...]) {\n  curvature: convex\n}\n",
    "sum(x[i, j] for i in n, j in i:n\n  if i > 0 and not j == 2\n  or j < 5)  <= 3\n",
    # keywords of the middle
    "where(a <= b and not c > d, in, for) + if <= import\n",
    "minimize 2 * where(x >= 0, x, -x)\nlet e = where(x <= 0, 1, 2)\n",
    "k[in_ in n, j in 1:n-1 if j != 2 and (j > 4 or not j < 1)]: x[j] in pow_cone(0.3)\n",
    "(t, x) in soc\n[x, y] in nonneg\nX in psd\n-x in nonpos\nz' in zero\n",
    'from "dir/a # b.dpp" import f, from_,\n  g # two\nvar x\n',
    "requires <= 2\nkind[0] >= graph\n",
    # atoms
    (
        "## A doc with `code` and $x_i$.\n## More.\natom huber(x, param M pos = 1) {\n  kind:      elementwise\n  curvature: convex\n"
        "  sign:      nonneg where x >= 0 and M >= 0,\n    unknown\n  monotone:  increasing in x where x >= 0, decreasing in x where x <= 0\n"
        "  requires:  M > 0 and not M == 3\n  domain:    x >= -1, (x, 1, M) in exp_cone, x in nonneg\n"
        "  value:     where(abs(x) <= M, x^2, 2*M*abs(x) - M^2)\n  graph {\n    var s, r\n    minimize s^2 + 2*M*abs(r)\n"
        "    subject to\n      split: x == s + r\n      value: s <= 3\n      (s, r) in soc\n  }\n  quadratic: x * x\n  test huber(-3, M = 2) == 8\n"
        "  test -1 == -1\n}\ndim n\nkind: n >= 2\n"
    ),
    "atom f(x) { kind: plain curvature: convex value: x test f(1) == 1 graph { minimize x } }\nvar x\n",
    "atom atom(param param pos = 1, const, data) {\n  graph {\n    var test\n    minimize test\n    graph: kind <= 1\n  }\n  test test(1, 2) == 3\n  value: value\n}\n",
    # numbers, signs, comments, Unicode
    "x <= 1.5e-3 + .5 - 1_000 * 2. / 3e5 + x2\n",
    "x[1:2, :, a:, :b]' <= A''@B'*2^-x'\n0<=x<=1\nX>>0\nX << Y\n",
    "#c\n  ## d\nx <= 1 ## not a doc\nx <= 2 # c # d\n#\n##\n",
    "var θ, größe[n], 变量\nθ + größe' @ 变量 <= inf\n",
    "var 𝒙 # 𝒙 beyond the first plane: 😀\nlet 𝐲 = 𝒙 # 😀\n𝒙 <= 1\n",
    "\tminimize\tx\t+\t1\n\t\treturn x\n",
    "minimize x # return y\nreturn x # minimize\n",
]

HALF_WRITTEN = [
    # an open bracket, string or record ends where a line opens an item
    "minimize sum(x[\nvar y[n] nonneg\n",
    "minimize sum(\nparam A[m, n], b pos\n",
    "let e = [1, 2\nminimize sum(x) return x\n",
    "func f(x[n]\nfunc g(y) = y + 1\n",
    "cap: hstack(x,\nreturn dual cap, x\n",
    'from "a.dpp\nvar x[n]\n',
    'from "a.dpp" import\ndim n, m\n',
    "param Q[n, n\nderived S = chol(Q)'\n",
    "param x[n] in [0,\nsubject to\n",
    "minimize f(x\nsubject to\n  cap: x <= 1\n",
    "atom f(x) {\n  curvature: convex\ndim n\n",
    "atom f(x) {\n  graph {\n    var t\n    minimize t +\nfunc g(x) = x\n",
    "atom f(x) {\n  monotone: increasing in\n}\nparam p pos\n",
    "dim\nvar x\n",
    "dim n =\nvar x\n",
    "dim n,\nvar x[n] in [0, 1]\n",
    "derived S[n, n]\nminimize sum(x)\n",
    "var\nreturn x\n",
    "minimize\nreturn x\n",
    "x <= (1 +\nmaximize y\n",
    "k[i in\nvar z\n",
    "data d = f(1,\ndim k\n",
]
