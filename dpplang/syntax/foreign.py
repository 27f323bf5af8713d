"""Idioms of other languages that the lexer meets: comments, modules, methods, matrices, norms between bars, LaTeX.

What is clearly meant is read on as that: ``later`` puts other tokens in the place of signs that are still to come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix, Label
from dpplang.core.source import Source, Span

Meant = tuple[tuple[str, str], ...]  # (type, text) of tokens; the type of a sign is found by its text


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands before ``end`` is read as ``meant``; at each start of ``later`` (start, end, meant) likewise."""

    end: int
    meant: Meant
    diagnostic: Diagnostic
    later: tuple[tuple[int, int, Meant], ...] = ()


# What the lexer must see before a token of the grammar begins there.
FIRST = "|".join(
    (
        r'"""',
        r"/[/*]",
        r"\.\.\.[ \t\r]*\n",
        r"(?:np|numpy|jnp|cp|cvxpy|torch|math|tf|scipy)(?:\.[^\W\d]\w*)+",
        r"\[[^\[\]\n\"#;]*(?:;[^\[\]\n\"#;]*)+\]",
    )
)
# Compiled where they are needed, for few files need them.
_DOCSTRING = r'"""[\s\S]{0,5000}?"""'
_BLOCK_COMMENT = r"/\*(?:[^\n]*?\*/|[^\n]*)"
_LINE = r"[^\n]*"
_CONTINUED = r"(?:\.\.\.|\\)[ \t\r]*\n\s*"
_MODULE = r"((?:np|numpy|jnp|cp|cvxpy|torch|math|tf|scipy)\.(?:[^\W\d]\w*\.)*)([^\W\d]\w*)"
_METHOD = r"\.([^\W\d]\w*)(\(\))?"
_MATRIX = r"\[[^\[\]\n\"#;]*(?:;[^\[\]\n\"#;]*)+\]"
_BARS = r"(\|\||\||‖)(?=[^\s|‖])[^|‖\n]*[^\s|‖](\|\||\||‖)(_\w+|₁|₂|₍₁₎)?"
_LATEX = r"\\([A-Za-z]+)((?:\{[^{}\n]*\})*)"
_WORDS = r"\s*[^\W\d_]{2,}(?:\s+[^\W\d_]+|\s*$)"
# Each begins with what is searched for in one go; `\bdef` would be tried at every character.
_SPANS_LINES = (r'"""', r"\.\.\.[ \t\r]*\n", r"\\[ \t\r]*\n", r"def(?<!\wdef)\b", r"lambda(?<!\wlambda)\b")
_CELL = r"[-+]?[\w.]+"
_LATEX_SIGNS = {
    "leq": "<=", "le": "<=", "leqslant": "<=", "geq": ">=", "ge": ">=", "geqslant": ">=", "neq": "!=", "ne": "!=",
    "cdot": "*", "times": "*", "ast": "*", "odot": "*", "in": "in", "succeq": ">>", "preceq": "<<", "infty": "inf",
    "sum": "sum", "land": "and", "lor": "or", "min": "min", "max": "max", "log": "log", "exp": "exp",
}  # fmt: skip
_NORMS = {"": "norm2", "_2": "norm2", "₂": "norm2", "_1": "norm1", "₁": "norm1", "_inf": "norm_inf", "_F": "norm_fro"}
# Names of other libraries that have another here, or are left out with their brackets kept.
_RENAMED = {"norm": "norm2", "array": "", "asarray": "", "tensor": "", "Minimize": "minimize", "Maximize": "maximize",
            "multiply": "multiply", "inf": "inf", "dot": "vdot", "absolute": "abs"}  # fmt: skip
_REDUCTIONS = frozenset({"sum", "max", "min", "mean", "trace", "prod", "abs", "std", "var", "norm", "sqrt", "exp"})
_SIZES = frozenset({"shape", "size", "ndim", "numel", "length"})


def spans_lines(text: str) -> bool:
    """Whether an idiom of several lines may stand in a text: quotes, comments, continued lines, functions."""
    return any(re.search(pattern, text) for pattern in _SPANS_LINES)


def read(source: Source, start: int, behind_operand: bool) -> Slip | None:
    """The idiom that stands at ``start``; ``behind_operand``: something stands before it that a value ends with."""
    text = source.text
    match text[start]:
        case '"' if found := re.compile(_DOCSTRING).match(text, start):
            return _docstring(Span(source, start, found.end()))
        case "/" if text.startswith("/*", start):
            return _comment(_matched(source, start, _BLOCK_COMMENT), "/*")
        case "/" if text.startswith("//", start):
            return _slashes(source, start, behind_operand)
        case "%":
            return _percent(source, start, behind_operand)
        case "." | "\\" if found := re.compile(_CONTINUED).match(text, start):
            return _continued(Span(source, start, found.end()))
        case "." if found := re.compile(_METHOD).match(text, start):
            return _method(source, found, behind_operand)
        case "[" if found := re.compile(_MATRIX).match(text, start):
            return _matrix(Span(source, start, found.end()))
        case "|" | "‖" if not behind_operand and (found := re.compile(_BARS).match(text, start)):
            return _bars(source, found)
        case "\\" if found := re.compile(_LATEX).match(text, start):
            return _latex(Span(source, start, found.end()), found.group(1))
        case _ if found := re.compile(_MODULE).match(text, start):
            return _module(source, found)
        case _:
            return None


def _rewritten(span: Span, message: str, text: str, label: str = "", notes: tuple[str, ...] = ()) -> Diagnostic:
    title = f"write `{text.strip()}`" if text.strip() else "leave it out"
    fix = Fix(title, (Edit(span, text),), Applicability.SAFE)
    return Diagnostic("SYN006", message, Label(span, label or title), notes=notes, fixes=(fix,))


def _docstring(span: Span) -> Slip:
    lines = [line.strip() for line in span.text[3:-3].strip().split("\n")]
    text = "\n".join(f"## {line}".rstrip() for line in lines)
    message = "a doc comment is written `## …`, not between quotes"
    return Slip(span.end, (), _rewritten(span, message, text, "write `##`"))


def _comment(span: Span, sign: str) -> Slip:
    text = "# " + span.text.removeprefix(sign).removesuffix("*/").strip()
    if "\n" in text:
        text = text.replace("\n", "\n# ")
    place = Span(span.source, span.start, span.start + len(sign))
    fix = Fix("write `#`", (Edit(span, text),), Applicability.SAFE)
    message = f"a comment begins with `#`, not `{sign}`"
    return Slip(span.end, (), Diagnostic("SYN006", message, Label(place, "write `#`"), fixes=(fix,)))


def _slashes(source: Source, start: int, behind_operand: bool) -> Slip:
    if not behind_operand or re.compile(_WORDS).match(source.text, start + 2):
        return _comment(_matched(source, start, _LINE), "//")
    place = Span(source, start, start + 2)
    help_ = ("sizes are not divided: give the part a `dim` of its own (`dim half`, and shapes `[2 * half]`)",)
    return Slip(place.end, (("", "/"),), Diagnostic("SYN002", "there is no `//` here", Label(place), help=help_))


def _percent(source: Source, start: int, behind_operand: bool) -> Slip:
    if not behind_operand or re.compile(_WORDS).match(source.text, start + 1):
        return _comment(_matched(source, start, _LINE), "%")
    place = Span(source, start, start + 1)
    help_ = ("there is no remainder; to take every second entry, declare an axis of size 2: `x[n, 2]`, and `x[i, 0]`",)
    return Slip(place.end, (), Diagnostic("SYN002", "the character `%` means nothing here", Label(place), help=help_))


def _matched(source: Source, start: int, pattern: str) -> Span:
    found = re.compile(pattern).match(source.text, start)
    return Span(source, start, found.end() if found else start + 1)


def _continued(span: Span) -> Slip:
    sign = "\\" if span.text[0] == "\\" else "..."
    place = Span(span.source, span.start, span.start + len(sign))
    fix = Fix("join the lines", (Edit(span, " "),), Applicability.SAFE)
    notes = ("a line goes on inside brackets, and behind an operator or a comma",)
    message = f"`{sign}` does not continue a line"
    return Slip(span.end, (), Diagnostic("SYN006", message, Label(place), notes=notes, fixes=(fix,)))


def _module(source: Source, found: re.Match[str]) -> Slip:
    """``np.sum`` is ``sum``: functions have no module before them."""
    name = found.group(2)
    ours = _RENAMED.get(name, name)
    span = Span(source, found.start(), found.end())
    prefix = found.group(1)
    message = f"`{span.text}` is `{ours}` here" if ours else f"`{span.text}` is not needed: write the list itself"
    notes = (f"functions have no `{prefix}` before them",) if ours else ()
    fix = Fix(f"write `{ours}`" if ours else "leave it out", (Edit(span, ours),), Applicability.SAFE)
    diagnostic = Diagnostic("SYN006", message, Label(span, fix.title), notes=notes, fixes=(fix,))
    return Slip(found.end(), (("NAME", ours),) if ours else (), diagnostic)


def _method(source: Source, found: re.Match[str], behind_operand: bool) -> Slip | None:
    name, call = found.group(1), found.group(2)
    if name == "T" or not behind_operand:
        return None
    span = Span(source, found.start(), found.end())
    if name in ("dot", "matmul", "mm") and source.text.startswith("(", found.end()):
        diagnostic = _rewritten(span, f"`{span.text}` is written `@` here", " @ ", notes=("values have no methods",))
        return Slip(found.end(), (("", "@"),), diagnostic)
    help_: tuple[str, ...]
    if name in _SIZES:
        message = f"there is no `.{name}`: sizes have names of their own"
        help_ = ("write the `dim` that the shape is declared with: `n` for `x[n]`",)
    elif name in _REDUCTIONS:
        message = f"there are no methods: `.{name}(…)` is a function"
        help_ = (f"write `{'norm2' if name == 'norm' else name}(…)` around what stands before the `.`",)
    else:
        message = "there is nothing behind a `.`: values have neither attributes nor methods"
        help_ = ("functions stand before their arguments: `f(x)`; the transpose is `x'`, an entry `x[i]`",)
    fixes: tuple[Fix, ...] = ()
    operand = _operand(source.text, found.start())
    if call and name in _REDUCTIONS and operand is not None:
        inner = source.text[operand : found.start()].removeprefix("(").removesuffix(")")
        text = f"{'norm2' if name == 'norm' else name}({inner})"
        fixes = (Fix(f"write `{text}`", (Edit(Span(source, operand, found.end()), text),), Applicability.UNSAFE),)
        help_ = ()
    return Slip(found.end(), (), Diagnostic("SYN024", message, Label(span), help=help_, fixes=fixes))


def _operand(text: str, end: int) -> int | None:
    """Start of the name or the brackets that end at ``end``; None if something else does."""
    if text[end - 1] == ")":
        depth = 0
        for position in range(end - 1, max(-1, end - 400), -1):
            depth += (text[position] == ")") - (text[position] == "(")
            if depth == 0:
                before = text[position - 1] if position else " "
                return None if before.isalnum() or before in "_)]'" else position
        return None
    found = re.search(r"[^\W\d]\w*$", text[max(0, end - 100) : end])
    return None if found is None else end - len(found.group())


def _matrix(span: Span) -> Slip:
    """``[1 2; 3 4]``: rows are lists."""
    rows: list[list[str]] = []
    for row in span.text[1:-1].split(";"):
        cells = [c.strip() for c in row.split(",")] if "," in row else row.split()
        if cells:
            rows.append(cells)
    message = "a matrix is a list of rows: `[[1, 2], [3, 4]]`"
    if not rows or not all(re.fullmatch(_CELL, c) for row in rows for c in row):
        places = [i for i, c in enumerate(span.text, span.start) if c == ";"]
        between = ((i, i + 1, (("", "]"), ("", ","), ("", "["))) for i in places)
        last = (span.end - 1, span.end, (("", "]"), ("", "]")))
        diagnostic = Diagnostic("SYN006", message, Label(Span(span.source, places[0], places[0] + 1)))
        return Slip(span.start + 1, (("", "["), ("", "[")), diagnostic, (*between, last))
    text = "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"
    meant = tuple((_kind(part), part) for part in re.findall(r"[\[\],+-]|[\w.]+", text))
    return Slip(span.end, meant, _rewritten(span, message, text))


def _kind(part: str) -> str:
    return "NUMBER" if part[0].isdigit() or part[0] == "." else "NAME" if part.isidentifier() else ""


def _bars(source: Source, found: re.Match[str]) -> Slip | None:
    """``‖x‖``, ``||x||_1``, ``|x|``: a function, with the signs that close it."""
    opener, closer, index = found.group(1), found.group(2), found.group(3) or ""
    if opener != closer:
        return None
    function = "abs" if opener == "|" else _NORMS.get(index.replace("{", "").replace("}", ""))
    if function is None or (opener == "|" and index):
        return None
    close = found.end() - len(closer) - len(index)
    text = f"{function}({source.text[found.start() + len(opener) : close].strip()})"
    span = Span(source, found.start(), found.end())
    what = "an absolute value" if function == "abs" else "a norm"
    diagnostic = _rewritten(span, f"{what} is written `{text}`", text)
    inner = found.start() + len(opener)
    return Slip(inner, (("NAME", function), ("", "(")), diagnostic, ((close, found.end(), (("", ")"),)),))


def _latex(span: Span, command: str) -> Slip:
    ours = _LATEX_SIGNS.get(command)
    if ours is not None:
        kind = "NAME" if ours.isidentifier() else ""
        return Slip(span.end, ((kind, ours),), _rewritten(span, f"`{span.text}` is written `{ours}` here", f" {ours} "))
    help_ = {
        "frac": ("a quotient is `a / b`, a half is `0.5`",),
        "sqrt": ("a root is `sqrt(x)`",),
        "mathbf": ("write the name alone",),
    }.get(command, ("commands of LaTeX are not read; write the name or the sign itself",))
    return Slip(span.end, (), Diagnostic("SYN002", f"`{span.text}` means nothing here", Label(span), help=help_))
