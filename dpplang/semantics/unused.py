"""Functions that a file defines and never calls: they are not typed, since their arguments are not known, but
their names are
looked up all the same."""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.core.diagnostics import Diagnostic
from dpplang.semantics.numeric_functions import NUMERIC_NAMES
from dpplang.semantics.primitives import PRIMITIVES
from dpplang.semantics.report import diagnose
from dpplang.semantics.scope import FileScope
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

_CONSTANTS = frozenset(("inf", "true", "false", "True", "False"))


def unknown_names(file: ast.File, scope: FileScope, called: set[str]) -> Iterator[Diagnostic]:
    """Names in the bodies of functions never called that nothing declares."""
    library = scope.library.functions()
    callable_names = {*scope.functions, *PRIMITIVES, *NUMERIC_NAMES, *library}
    for item in file.items:
        if not isinstance(item, ast.FuncItem) or item.name.name in called:
            continue
        own = {f.name.name for f in item.formals}
        own |= {n.name for f in item.formals for s in f.shape for n in walk(s) if isinstance(n, ast.Name)}
        own |= {b.name.name for b in walk(item.body) if isinstance(b, ast.Binder)}
        known = {*own, *scope.names, *_CONSTANTS}
        for node in walk(item.body):
            match node:
                case ast.Name(name=name) if name not in known:
                    fixes = scope.spelling.near(name, known, node.span)
                    yield diagnose("NAM101", f"unknown name `{name}`", node.span, fixes=fixes)
                case ast.Call(function=function) if function.name not in callable_names:
                    fixes = scope.spelling.near(function.name, callable_names, function.span)
                    yield diagnose("NAM104", f"unknown function `{function.name}`", function.span, fixes=fixes)
                case _:
                    pass
