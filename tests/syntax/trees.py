"""Hypothesis strategies for every tree the parser can make."""

from __future__ import annotations

from hypothesis import strategies as st

from dpplang.core.source import Source, Span
from dpplang.syntax import ast

SOURCE = Source("generated", "")
SPAN = Span(SOURCE, 0, 0)
# Soft keywords are names too. Not among them: the words that always join (`in`, `for` …), and the few that open
# an expression or item with what may follow any name (`minimize - x`).
_WORDS = [
    "x",
    "y",
    "A",
    "n",
    "T",
    "t",
    "θ",
    "value",
    "var",
    "data",
    "dim",
    "param",
    "let",
    "atom",
    "kind",
    "test",
    "min",
    "sum",
    "graph",
]
_FORMALS = [w for w in _WORDS if w != "param"]
_CONES = ["soc", "psd", "exp_cone", "nonneg"]
_NAMES = st.sampled_from(_WORDS)

idents = _NAMES.map(lambda n: ast.Ident(n, span=SPAN))
names = _NAMES.map(lambda n: ast.Name(n, span=SPAN))
numbers = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e300, allow_nan=False).map(repr),
    st.sampled_from(["1e-3", "0.5", ".5", "1_000", "2."]),
).map(lambda t: ast.Number(float(t.replace("_", "")), t, span=SPAN))


def _tuples(strategy: st.SearchStrategy, least: int = 0, most: int = 3) -> st.SearchStrategy:
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def _node(kind: type, *parts: st.SearchStrategy, **named: st.SearchStrategy) -> st.SearchStrategy:
    extra = {name: st.just(SPAN) for name in ("op_span", "path_span") if name in kind.__dataclass_fields__}
    return st.builds(kind, *parts, span=st.just(SPAN), **extra, **named)


def _expressions(below: st.SearchStrategy) -> st.SearchStrategy:
    slices = _node(ast.Slice, st.none() | below, st.none() | below)
    binders = _node(ast.Binder, idents, below | _node(ast.Slice, below, below))
    conditions = _conditions(below)
    generators = _node(ast.Generator, below, _tuples(binders, 1, 2), st.none() | conditions)
    keywords = _node(ast.Keyword, idents, below)
    calls = st.one_of(
        _node(ast.Call, idents, _tuples(below | conditions, 0, 3), _tuples(keywords, 0, 2)),
        _node(
            ast.Call,
            st.sampled_from(["sum", "max"]).map(lambda n: ast.Ident(n, span=SPAN)),
            generators.map(lambda g: (g,)),
        ),
    )
    return st.one_of(
        _node(ast.Unary, st.sampled_from("+-"), below),
        _node(ast.Binary, st.sampled_from("+-*/@^"), below, below),
        _node(ast.Transpose, below),
        _node(ast.Index, below, _tuples(below | slices, 1, 3)),
        _node(ast.Array, _tuples(below, 1, 3)),
        calls,
    )


def _conditions(expressions: st.SearchStrategy) -> st.SearchStrategy:
    ops = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    comparisons = st.lists(ops, min_size=1, max_size=2).flatmap(
        lambda chain: _node(ast.Comparison, _tuples(expressions, len(chain) + 1, len(chain) + 1), st.just(tuple(chain)))
    )
    return st.recursive(
        comparisons,
        lambda below: st.one_of(
            _node(ast.Not, below), _node(ast.BoolOp, st.sampled_from(["and", "or"]), _tuples(below, 2, 3))
        ),
        max_leaves=3,
    )


expressions = st.recursive(names | numbers, _expressions, max_leaves=6)
_conditions_ = _conditions(expressions)
_duals = _node(ast.Dual, idents)
outputs = (
    expressions | _duals | _node(ast.Transpose, _duals) | _node(ast.Binary, st.sampled_from("+-*"), expressions, _duals)
)


def _relation(chain: list[str]) -> st.SearchStrategy:
    operands = _tuples(expressions, len(chain) + 1, len(chain) + 1)
    return st.builds(
        ast.Relation, operands, st.just(tuple(chain)), span=st.just(SPAN), op_spans=st.just((SPAN,) * len(chain))
    )


def _runs_one_way(chain: list[str]) -> bool:
    """Any other chain is an error (SYN026)."""
    return not {"<=", "<<"} & {*chain} or not {">=", ">>"} & {*chain}


_relation_signs = st.sampled_from(["==", "<=", ">=", "<<", ">>"])
relations = st.lists(_relation_signs, min_size=1, max_size=2).filter(_runs_one_way).flatmap(_relation)
memberships = st.builds(
    ast.Membership,
    expressions | _node(ast.Tuple, _tuples(expressions, 2, 3)),
    st.sampled_from(_CONES).map(lambda n: ast.Ident(n, span=SPAN)),
    _tuples(expressions, 0, 2),
    st.just(()),
    span=st.just(SPAN),
)
attributes = st.one_of(
    st.sampled_from(["nonneg", "pos", "psd", "symmetric"]).map(lambda n: ast.Attribute(n, span=SPAN)),
    expressions.map(lambda e: ast.Attribute("sparse", (e,), span=SPAN)),
)
bounds = st.tuples(expressions, expressions).map(lambda pair: ast.Attribute("in", pair, span=SPAN))
shapes = _tuples(expressions, 0, 2)
docs = st.sampled_from(["", "A doc.", "Two\nlines, ‖x‖₂ ≤ t"])


def _declaration(default: st.SearchStrategy, extra: st.SearchStrategy = attributes) -> st.SearchStrategy:
    return _node(ast.Declaration, idents, shapes, _tuples(extra, 0, 2), default)


_defined = _node(ast.Declaration, idents, st.none() | _tuples(expressions, 1, 2), _tuples(attributes, 0, 1))
_dims = _node(ast.Declaration, idents, st.just(()), st.just(()), st.none() | st.just(ast.Number(12.0, "12", span=SPAN)))
_formal_names = st.sampled_from(_FORMALS).map(lambda n: ast.Ident(n, span=SPAN))


def _formals(modes: st.SearchStrategy) -> st.SearchStrategy:
    shaped = _node(ast.Formal, _formal_names, shapes, modes, _tuples(attributes, 0, 1), st.none() | expressions)
    any_shape = _node(ast.Formal, _formal_names, st.just(()), modes, st.just(()), st.none(), st.just(True))
    return _tuples(shaped | any_shape, 0, 3)


_binders = _node(ast.Binder, idents, expressions | _node(ast.Slice, expressions, expressions))
constraints = st.one_of(
    _node(ast.ConstraintItem, st.none(), st.just(()), st.none(), relations | memberships),
    _node(ast.ConstraintItem, idents, st.just(()), st.none(), relations | memberships, doc=docs),
    _node(ast.ConstraintItem, idents, _tuples(_binders, 1, 2), st.none() | _conditions_, relations | memberships),
)
objectives = st.one_of(
    _node(ast.ObjectiveItem, st.sampled_from(["minimize", "maximize"]), expressions, doc=docs),
    st.just(ast.ObjectiveItem("find", None, span=SPAN)),
)
vars_ = _node(ast.VarItem, _tuples(_declaration(st.none(), attributes | bounds), 1, 3), doc=docs)
lets = _node(ast.LetItem, _defined, expressions, doc=docs)
_subject_to = st.just(ast.SubjectToItem(span=SPAN))
_graph_items = vars_ | lets | objectives | constraints | _subject_to
_clauses = _node(
    ast.Clause,
    st.sampled_from(["increasing", "nonneg", "unknown"]),
    st.none() | idents,
    _tuples(relations, 0, 2),
)
atoms = _node(
    ast.AtomItem,
    idents,
    _formals(st.sampled_from(ast.Mode)),
    st.sampled_from(["plain", "elementwise", "reduction"]),
    st.booleans(),
    shapes,
    st.none() | _conditions_,
    st.none() | _clauses,
    _tuples(_clauses, 0, 2),
    _tuples(_clauses, 0, 2),
    _tuples(relations | memberships, 0, 2),
    st.none() | expressions,
    st.none() | expressions,
    st.none() | _node(ast.Graph, _tuples(_graph_items, 0, 3)),
    _tuples(relations, 0, 2),
    doc=docs,
)
items = st.one_of(
    _node(ast.DimItem, _tuples(_dims, 1, 3)),
    _node(ast.DataItem, _tuples(_declaration(st.none() | expressions), 1, 3), doc=docs),
    _node(ast.ParamItem, _tuples(_declaration(st.none()), 1, 3), doc=docs),
    vars_,
    _node(ast.DerivedItem, _defined, expressions, doc=docs),
    lets,
    _node(ast.FuncItem, idents, _formals(st.just(ast.Mode.CONVEX)), expressions, doc=docs),
    _node(ast.ImportItem, st.sampled_from(["a.dpp", "dir/b.dpp"]), _tuples(idents, 1, 3)),
    objectives,
    _subject_to,
    constraints,
    _node(ast.ReturnItem, _tuples(outputs, 1, 3)),
    atoms,
)


def _documented(file: ast.File) -> bool:
    """Whether its docs can be told apart: at the top of a file a doc above anything but an atom or func is the file's."""
    first = file.items[0] if file.items else None
    return bool(file.doc) or first is None or not first.doc or isinstance(first, ast.AtomItem | ast.FuncItem)


files = _node(ast.File, _tuples(items, 0, 4), docs, source=st.just(SOURCE)).filter(_documented)
