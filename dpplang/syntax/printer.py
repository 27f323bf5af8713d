"""AST to canonical text: ``parse(print(tree)) == tree``.

One space around operators, none around ``^`` nor inside subscripts (``w[t+1]``). Expressions are made in
``phrases.py``, lines in ``layout.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from dpplang.syntax import ast, layout
from dpplang.syntax.document import SOFT, Doc, flat, group, joined, nest
from dpplang.syntax.phrases import INDENT, Phrases
from dpplang.syntax.remarks import Remarks

AnyNode = ast.Expr | ast.Slice | ast.Generator | ast.Condition | ast.Relation | ast.Membership | ast.AnyItem
_Part = (
    ast.Ident
    | ast.Keyword
    | ast.Binder
    | ast.Attribute
    | ast.Declaration
    | ast.Formal
    | ast.Clause
    | ast.Graph
    | ast.File
)
_DECLARING = {ast.DataItem: "data", ast.ParamItem: "param", ast.VarItem: "var"}


def print_file(file: ast.File) -> str:
    """A file in canonical form; its comments are kept, and single blank lines between items."""
    return layout.file(file, print_item)


def print_node(node: AnyNode | _Part) -> str:
    """A node in canonical form: an item on as many lines as it takes, without a newline at the end, others on one."""
    if isinstance(node, ast.File):
        return print_file(node)
    if isinstance(node, ast.Item):
        return "\n".join(layout.items((node,), print_item, 0))  # pyright: ignore[reportArgumentType]
    if isinstance(node, ast.Graph):
        return "\n".join(("graph {", *layout.items(node.items, print_item, INDENT), "}"))
    return flat(_plain().part(node))


def print_item(item: ast.AnyItem, remarks: Remarks) -> layout.Printed:
    """What the layout needs of an item: the label of a constraint apart from its relation, the entries of an atom.

    Args:
        remarks: gives up the comments that keep their place within the item.
    """
    return _Writer(remarks).item(item)


def _plain() -> _Writer:
    """A writer of what has no comments, or whose comments go elsewhere."""
    return _Writer(Remarks((), None))


class _Writer(Phrases):
    """Items and their parts."""

    def part(self, node: AnyNode | _Part) -> Doc:
        match node:
            case ast.Relation() | ast.Membership():
                return self.relation(node)
            case ast.Ident():
                return node.name
            case ast.Binder():
                return self.binder(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Declaration():
                return self._declaration(node)
            case ast.Formal():
                return self._formal(node)
            case ast.Clause():
                return self._clause(node)
            case ast.Item() | ast.File() | ast.Graph():
                return ""  # made of lines: see the layout
            case _:
                return self.element(node)

    def item(self, item: ast.AnyItem) -> layout.Printed:
        match item:
            case ast.ConstraintItem():
                return layout.Printed(item, self._label(item), self.relation(item.relation))
            case ast.AtomItem():
                head = ("atom ", item.name.name, self._formals(item.formals), " {")
                return layout.Printed(item, "", head, self._entries(item))
            case ast.DataItem() | ast.ParamItem() | ast.VarItem():
                return layout.Printed(item, _DECLARING[type(item)], self._declared(item), hangs=True)
            case ast.DerivedItem() | ast.LetItem():
                word = "derived" if isinstance(item, ast.DerivedItem) else "let"
                return layout.Printed(item, f"{word} {print_node(item.declaration)}", self.headed("=", item.value))
            case _:
                return layout.Printed(item, "", self._line(item))

    def _line(
        self,
        item: ast.DimItem | ast.FuncItem | ast.ImportItem | ast.ObjectiveItem | ast.SubjectToItem | ast.ReturnItem,
    ) -> Doc:
        match item:
            case ast.DimItem():
                return ("dim ", nest(len("dim "), self._declared(item)))
            case ast.FuncItem():
                head = ("func ", item.name.name, self._formals(item.formals), " =")
                return self.headed(head, item.body)
            case ast.ImportItem():
                head = f'from "{item.path}" import '
                names = [n.name for n in item.names]
                return group(head, nest(2 * INDENT, self.listed(item.names, names, fill=True)))
            case ast.ObjectiveItem():
                return item.sense if item.expression is None else self.headed(item.sense, item.expression)
            case ast.SubjectToItem():
                return "subject to"
            case ast.ReturnItem():
                docs = [self.expression(e) for e in item.expressions]
                return group("return ", nest(len("return "), self.listed(item.expressions, docs, fill=True)))
            case _:
                assert_never(item)

    def _declared(self, item: ast.DimItem | ast.DataItem | ast.ParamItem | ast.VarItem) -> Doc:
        return self.listed(item.declarations, [self._declaration(d) for d in item.declarations], fill=True)

    def _label(self, item: ast.ConstraintItem) -> str:
        if item.name is None:
            return ""
        domain = f"[{flat(_plain().domain(item.binders, item.condition))}]" if item.binders else ""
        return f"{item.name.name}{domain}:"

    # --- declarations --------------------------------------------------------------------------------------------

    def _declaration(self, node: ast.Declaration) -> Doc:
        default: Doc = (" = ", self.expression(node.default)) if node.default is not None else ""
        return (node.name.name, self._shape(node.shape), self._attributes(node.attributes), default)

    def _formals(self, formals: Sequence[ast.Formal]) -> Doc:
        if not formals:
            return "()"
        docs = [self._formal(f) for f in formals]
        return group("(", nest(INDENT, SOFT, self.listed(formals, docs)), SOFT, ")")

    def _formal(self, node: ast.Formal) -> Doc:
        mode = f"{node.mode.value} " if node.mode is not ast.Mode.CONVEX else ""
        shape = "[...]" if node.any_shape else self._shape(node.shape)
        default: Doc = (" = ", self.expression(node.default)) if node.default is not None else ""
        return (mode + node.name.name, shape, self._attributes(node.attributes), default)

    def _shape(self, sizes: Sequence[ast.Expr] | None) -> Doc:
        return ("[", joined(", ", map(self.expression, sizes)), "]") if sizes else ""

    def _attributes(self, attributes: Sequence[ast.Attribute]) -> Doc:
        return tuple(part for a in attributes for part in (" ", self._attribute(a)))

    def _attribute(self, node: ast.Attribute) -> Doc:
        arguments = joined(", ", map(self.expression, node.arguments))
        if node.name == "in":
            return ("in [", arguments, "]")
        return (node.name, "(", arguments, ")") if node.arguments else node.name

    # --- atoms ---------------------------------------------------------------------------------------------------

    def _clause(self, node: ast.Clause) -> Doc:
        about = f" in {node.argument.name}" if node.argument is not None else ""
        where = (" where ", joined(" and ", map(self.relation, node.where))) if node.where else ""
        return (node.word + about, where)

    def _entries(self, item: ast.AtomItem) -> tuple[layout.Entry, ...]:
        """The entries in their canonical order, each with the node that tells where it stood."""
        made: list[layout.Entry] = []

        def entry(word: str, doc: Doc, node: ast.Node | None = None) -> None:
            made.append(layout.Entry(f"{word}:", doc, node))

        if item.kind != "plain":
            entry("kind", item.kind)
        if item.variadic:
            entry("variadic", "yes")
        if item.shape:
            entry("shape", self._shape(item.shape), item.shape[0])
        if item.requires is not None:
            entry("requires", self.condition(item.requires), item.requires)
        if item.curvature is not None:
            entry("curvature", self._clause(item.curvature), item.curvature)
        for word, clauses in (("sign", item.sign), ("monotone", item.monotone)):
            if clauses:
                entry(word, self.listed(clauses, [self._clause(c) for c in clauses], fill=True), clauses[0])
        if item.domain:
            relations = [self.relation(r) for r in item.domain]
            entry("domain", self.listed(item.domain, relations, fill=True), item.domain[0])
        if item.value is not None:
            entry("value", self.expression(item.value), item.value)
        if item.quadratic is not None:
            entry("quadratic", self.expression(item.quadratic), item.quadratic)
        if item.graph is not None:
            made.append(layout.Entry("", "graph", item.graph))
        made.extend(layout.Entry("", ("test ", nest(INDENT, self.relation(t))), t) for t in item.tests)
        return tuple(made)
