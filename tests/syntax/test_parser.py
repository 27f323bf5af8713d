"""What every construct becomes, and that spans are exact."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dpplang.syntax import ast
from dpplang.syntax.walk import children, walk
from tests.syntax.helpers import FILES, clean, expression, one


def shown(node: ast.Expr) -> str:
    """Fully bracketed."""
    match node:
        case ast.Binary():
            return f"({shown(node.left)}{node.op}{shown(node.right)})"
        case ast.Unary():
            return f"({node.op}{shown(node.operand)})"
        case ast.Transpose():
            return f"({shown(node.operand)}')"
        case ast.Index():
            return f"({shown(node.operand)}[..])"
        case ast.Number():
            return node.text
        case ast.Name():
            return node.name
        case _:
            return type(node).__name__


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b - c", "((a+b)-c)"),
        ("a + b * c @ d / e", "(a+(((b*c)@d)/e))"),
        ("-x^2", "(-(x^2))"),
        ("x^-1", "(x^(-1))"),
        ("2^x^y", "(2^(x^y))"),
        ("a * -b", "(a*(-b))"),
        ("-a * b", "((-a)*b)"),
        ("A' @ x", "((A')@x)"),
        ("A''", "((A')')"),
        ("x'^2", "((x')^2)"),
        ("x[1]'[2]", "(((x[..])')[..])"),
        ("-x'", "(-(x'))"),
        ("(a + b)'", "((a+b)')"),
        ("- - x", "(-(-x))"),
    ],
)
def test_precedence(text: str, tree: str) -> None:
    assert shown(expression(text)) == tree


def test_declarations() -> None:
    item = one("param Q[n, 2*n] psd, gamma pos, M[n, n] sparse(mask) symmetric\n", ast.ParamItem)
    first, second, third = item.declarations
    assert (first.name.name, len(first.shape or ()), [a.name for a in first.attributes]) == ("Q", 2, ["psd"])
    assert second.shape == () and [a.name for a in second.attributes] == ["pos"]
    assert [(a.name, len(a.arguments)) for a in third.attributes] == [("sparse", 1), ("symmetric", 0)]
    bounded = one("var x[n] in [lo, inf], y\n", ast.VarItem).declarations[0]
    assert [(a.name, len(a.arguments)) for a in bounded.attributes] == [("in", 2)]
    dim = one("dim T = 12, n\n", ast.DimItem)
    assert isinstance(dim.declarations[0].default, ast.Number) and dim.declarations[1].default is None
    assert one("derived S[n, n] nonneg = chol(Q)'\n", ast.DerivedItem).declaration.shape is not None
    assert one("derived s = 2\n", ast.DerivedItem).declaration.shape is None
    assert one("let e = x\n", ast.LetItem).declaration.shape is None
    assert one("data eps = -0.05\n", ast.DataItem).declarations[0].default is not None


def test_functions_and_imports() -> None:
    func = one("func risk(x[n], y, A[m, n] psd) = y * sum(A @ x)\n", ast.FuncItem)
    assert [(f.name.name, len(f.shape)) for f in func.formals] == [("x", 1), ("y", 0), ("A", 2)]
    assert one("func zero() = 0\n", ast.FuncItem).formals == ()
    imported = one('from "lib/a.dpp" import f, g\n', ast.ImportItem)
    assert (imported.path, [n.name for n in imported.names]) == ("lib/a.dpp", ["f", "g"])
    assert imported.path_span.text == '"lib/a.dpp"'


def test_constraints() -> None:
    item = one("cap[t in T, j in 1:n if t > 0 and not j == t]: lo <= x[t, j] <= hi\n", ast.ConstraintItem)
    assert item.name is not None and item.name.name == "cap"
    assert [b.name.name for b in item.binders] == ["t", "j"]
    assert isinstance(item.binders[1].domain, ast.Slice)
    assert isinstance(item.condition, ast.BoolOp) and isinstance(item.condition.parts[1], ast.Not)
    assert isinstance(item.relation, ast.Relation)
    assert item.relation.ops == ("<=", "<=")
    assert [s.text for s in item.relation.op_spans] == ["<=", "<="]
    assert isinstance(one("X >> Y\n", ast.ConstraintItem).relation, ast.Relation)
    cone = one("(x, y, z) in pow_cone(0.3)\n", ast.ConstraintItem).relation
    assert isinstance(cone, ast.Membership) and isinstance(cone.element, ast.Tuple) and len(cone.arguments) == 1
    bare = one("X in psd\n", ast.ConstraintItem).relation
    assert isinstance(bare, ast.Membership) and isinstance(bare.element, ast.Name)


def test_calls_and_generators() -> None:
    call = expression("huber(r, M = 2)")
    assert isinstance(call, ast.Call) and [k.name.name for k in call.keywords] == ["M"]
    total = expression("sum(x[t] for t in T, j in 0:n if t != j)")
    assert isinstance(total, ast.Call)
    (generator,) = total.arguments
    assert isinstance(generator, ast.Generator) and len(generator.binders) == 2
    where = expression("where(abs(x) <= M and x > 0, x^2, inf)")
    assert isinstance(where, ast.Call) and isinstance(where.arguments[0], ast.BoolOp)
    assert isinstance(expression("sum(\n  x,\n)"), ast.Call)


def test_conditions_nest_as_they_are_bracketed() -> None:
    def condition(text: str) -> ast.Condition | None:
        return one(f"c[i in n if {text}]: x >= 0\n", ast.ConstraintItem).condition

    flat, nested = condition("i > 0 and i > 1 and i > 2"), condition("(i > 0 and i > 1) and i > 2")
    assert isinstance(flat, ast.BoolOp) and len(flat.parts) == 3
    assert isinstance(nested, ast.BoolOp) and len(nested.parts) == 2
    assert condition("(i) > 0 and i > 1 and i > 2") == flat
    chained = condition("0 < i < n")
    assert isinstance(chained, ast.Comparison) and chained.ops == ("<", "<")


def test_slices() -> None:
    index = expression("x[:, 1:, :-1, a:b+1, 3]")
    assert isinstance(index, ast.Index)
    ends = [(s.start is not None, s.stop is not None) for s in index.items if isinstance(s, ast.Slice)]
    assert ends == [(False, False), (True, False), (False, True), (True, True)]


def test_objectives_and_return() -> None:
    assert one("find\n", ast.ObjectiveItem).expression is None
    kinds = [type(i).__name__ for i in clean("maximize x subject to\n x >= 0\nreturn x, 2 * dual c, value\n").items]
    assert kinds == ["ObjectiveItem", "SubjectToItem", "ConstraintItem", "ReturnItem"]


def test_atom_record() -> None:
    atom = one(
        """## Doc.
## More.
atom f(x[...], param M pos = 1, const k) {
  kind: reduction
  variadic: yes
  shape: [n, n]
  requires: k > 1 and k != 2
  curvature: convex
  sign: nonneg where x >= 0 and k >= 0, unknown
  monotone: increasing in x where x >= 0,
            decreasing in x where x <= 0
  domain: x >= 0, (x, M) in soc
  value: where(x > 0, x, M)
  quadratic: x' @ x
  graph {
    var t, s[n]
    let e = 2 * t
    minimize t
    subject to
      epi[i in n]: (t, x[i]) in soc
      t >= 0
  }
  test f(1) == 2
  test f([1, 2]) == 3
}
""",
        ast.AtomItem,
    )
    assert atom.doc == "Doc.\nMore."
    assert [(f.mode, f.any_shape) for f in atom.formals] == [
        (ast.Mode.CONVEX, True),
        (ast.Mode.PARAM, False),
        (ast.Mode.CONST, False),
    ]
    assert (atom.kind, atom.variadic, len(atom.shape), len(atom.tests)) == ("reduction", True, 2, 2)
    assert isinstance(atom.requires, ast.BoolOp) and atom.curvature is not None and atom.curvature.word == "convex"
    assert [(c.word, len(c.where)) for c in atom.sign] == [("nonneg", 2), ("unknown", 0)]
    assert [(c.word, c.argument.name if c.argument else "") for c in atom.monotone] == [
        ("increasing", "x"),
        ("decreasing", "x"),
    ]
    assert len(atom.domain) == 2 and atom.value is not None and atom.quadratic is not None
    assert atom.graph is not None and len(atom.graph.items) == 6
    assert atom.span.text.startswith("atom") and atom.span.text.endswith("}")


@pytest.mark.parametrize(
    "text",
    [
        "var var, data, dim, value, min, max, to, kind, test\n",
        "param dual, minimize\n",
        "let y = var(x) + value + min(x) + dual + data[0] + where(x)\n",
        "var >= 0\ndata[0] <= 1\nminimize >= 0\nlet == 1\nparam in psd\nreturn <= 2\n",
        "param x,\n  test[n] nonneg,\n  graph\nfunc f(x,\n  test[n], kind) = x\n",
        "minimize: x >= 0\ndata[i in n]: x[i] >= 0\n",
        "atom data(x, data, const const, param param) {\n value: data\n}\n",
        "func test(graph, kind) = graph + kind\n",
        "return value, dual dual, dual\n",
        "minimize graph(test, value = kind)\n",
    ],
)
def test_keywords_are_soft(text: str) -> None:
    clean(text)


def test_several_items_on_one_line() -> None:
    text = "dim n param x[n] nonneg var y[n], z minimize sum_squares(y - x) subject to floor: y >= 0 cap: y <= 1 return y\n"
    kinds = [type(i).__name__.removesuffix("Item") for i in clean(text).items]
    assert kinds == ["Dim", "Param", "Var", "Objective", "SubjectTo", "Constraint", "Constraint", "Return"]


@pytest.mark.parametrize(
    "text",
    [
        "minimize a +\n  b\n",
        "minimize\n  a + b\n",
        "minimize (a\n\n  + b # comment\n  )\n",
        "param x[n],\n\n  y,\n  z\n",
        "cap:\n  x <= 1\n",
        "cap: 0 <=\n x <=\n 1\n",
        "return f(a,\n b\n), c\n",
        "x\u00a0>= 0\n",
        "\ufeffdim n\n",
        "dim n\r\n",
        "\tx >= 0",
    ],
)
def test_where_items_go_on(text: str) -> None:
    assert len(clean(text).items) == 1


def test_docs() -> None:
    file = clean("## File.\n##\n## doc\ndim n\n\n## Loose.\n\n## Of x.\nvar x # no doc\n## Of c.\nc: x >= 0\n")
    assert file.doc == "File.\n\ndoc"
    assert [i.doc for i in file.items] == ["", "Of x.", "Of c."]
    assert [c.text for c in file.comments] == ["## Loose.", "# no doc"]
    assert clean("## A func.\nfunc f(x) = x\n").items[0].doc == "A func."
    assert clean("## Library.\n\nfunc f(x) = x\n").doc == "Library."


def test_spans_are_exact() -> None:
    text = "minimize 2 * (α + b)' @ f(x[1, :], M = 2)  # 𝛼\n"
    item = one(text, ast.ObjectiveItem)
    assert item.span.text == "minimize 2 * (α + b)' @ f(x[1, :], M = 2)"
    texts = {(type(n).__name__, n.span.text) for n in walk(item)}
    assert {
        ("Binary", "2 * (α + b)'"),
        ("Transpose", "(α + b)'"),
        ("Binary", "(α + b)"),
        ("Index", "x[1, :]"),
        ("Slice", ":"),
        ("Keyword", "M = 2"),
        ("Ident", "f"),
    } <= texts
    top = item.expression
    assert isinstance(top, ast.Binary) and top.op_span.text == "@"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_spans_nest(path) -> None:
    file = clean(path.read_text(encoding="utf-8"))
    for node in walk(file):
        below = [c for c in children(node) if not isinstance(c, ast.Comment)]
        assert all(node.span.start <= c.span.start <= c.span.end <= node.span.end for c in below), node
        if isinstance(node, ast.Binary | ast.Relation | ast.Array | ast.Index):
            assert all(a.span.end <= b.span.start for a, b in pairwise(below))
        if isinstance(node, ast.Name | ast.Ident):
            assert node.span.text == node.name


def test_names_are_normalized() -> None:
    micro, mu = expression("\u00b5"), expression("\u03bc")
    assert micro == mu


@pytest.mark.parametrize("keyword", ["minimize", "maximize", "return"])
def test_where_behind_a_keyword_is_the_function(keyword: str) -> None:
    (item,) = clean(f"{keyword} where(n > 1, x, y)\n").items
    value = item.expression if isinstance(item, ast.ObjectiveItem) else None
    if isinstance(item, ast.ReturnItem):
        (value,) = item.expressions
    assert isinstance(value, ast.Call) and value.function.name == "where"
