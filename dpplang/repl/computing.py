"""Commands about numbers: `:bind`, `:unbind`, `:data`, `:dim`, `:solve`, `:grad`, `:gradcheck`, `:asa`, `:set`.

The numbers themselves are made in another process: here a value is the text that makes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from dpplang.core.style import Style
from dpplang.lattice.dims import show_shape
from dpplang.repl import showing
from dpplang.repl.messages import Reply, Request, Work
from dpplang.repl.session import Session
from dpplang.repl.state import Answer, Refused, State, Tools

OPTIONS = {
    "solver": "auto, clarabel, scs or moreau",
    "tolerance": "on residuals and gap",
    "max_iterations": "of the solver, and of each method ahead of it",
    "time_limit": "seconds",
    "refine": "Newton steps after the solver",
    "derivative": "exact or diffcp",
    "seed": "of random values",
}
_FILE = re.compile(r"\S+\.(npz|npy|json|csv)", re.IGNORECASE)
_SETTING = re.compile(r"([^\W\d]\w*)\s*=\s*(.*)", re.DOTALL)


def bind(state: State, text: str, tools: Tools) -> Answer:
    """Bind a name to a value, or all the names that a file holds; without either, show what is bound."""
    if not text:
        return data(state, "", tools)
    session = state.session
    match = _SETTING.fullmatch(text)
    if match is None and not _FILE.fullmatch(text):
        raise Refused(f"`:bind {text}` is not a name and a value", "as in `:bind x = [1, 2]`, or `:bind values.npz`")
    names = [match[1]] if match else list(_ask(session, Work.VALUES, tools, ("", text)).names)
    known = _tensors(session)
    for name in names:
        if name not in known:
            have = ", ".join(f"`{n}`" for n in known) or "nothing yet"
            raise Refused(f"the program declares no `param` or `data` `{name}`", f"it declares {have}")
    value = match[2].strip() if match else text
    kept = {n: v for n, v in session.bindings.items() if n not in names}
    bound = replace(session, bindings={**kept, **dict.fromkeys(names, value)})
    reply = _ask(bound, Work.VALUES, tools, tuple(names))
    return state.at(bound), reply.text


def unbind(state: State, text: str, tools: Tools) -> Answer:
    names = text.replace(",", " ").split()
    unknown = [n for n in names if n not in state.session.bindings]
    if unknown or not names:
        have = ", ".join(f"`{n}`" for n in state.session.bindings) or "nothing"
        raise Refused(f"`{unknown[0]}` is not bound" if unknown else "`:unbind` takes names", f"bound is {have}")
    kept = {n: v for n, v in state.session.bindings.items() if n not in names}
    return state.at(replace(state.session, bindings=kept)), f"unbound {', '.join(f'`{n}`' for n in names)}"


def data(state: State, text: str, tools: Tools) -> Answer:
    """What the program wants to be given, and what it is given."""
    session = state.session
    model = session.typed.model
    rows = [("name", "", "shape", "bound to")]
    for symbol in (*model.data, *model.params):
        value = session.bindings.get(symbol.name)
        default = "its default" if symbol.default is not None else "–"
        rows.append((symbol.name, symbol.role.value, show_shape(symbol.shape), value or default))
    rows += [(d.name, "dim", "", _size(session, d.name, d.default)) for d in model.dims]
    if len(rows) == 1:
        return state, "the program has no parameters, data or dims"
    return state, showing.table(rows, tools.paint, tools.width)


def _size(session: Session, name: str, default: int | None) -> str:
    if name in session.dims:
        return str(session.dims[name])
    return f"{default}, its default" if default is not None else "read off what is bound"


def dim(state: State, text: str, tools: Tools) -> Answer:
    """Give dims their sizes, or take them back (`:dim n=`)."""
    if not text:
        return data(state, "", tools)
    dims = dict(state.session.dims)
    declared = [d.name for d in state.session.typed.model.dims]
    for setting in re.sub(r"\s*=\s*", "=", text).replace(",", " ").split():
        name, equals, size = setting.partition("=")
        if name not in declared:
            raise Refused(f"the program has no dim `{name}`", f"it has {', '.join(declared) or 'none'}")
        if not equals or not (size == "" or (size.isascii() and size.isdigit() and int(size))):
            raise Refused(f"`{setting}` is not a dim and its positive size", "as in `:dim n=10`")
        dims.pop(name, None)
        if size:
            dims[name] = int(size)
    shown = ", ".join(f"{n} = {v}" for n, v in dims.items()) or "no sizes are given"
    return state.at(replace(state.session, dims=dims)), shown


def option(state: State, text: str, tools: Tools) -> Answer:
    """Set an option of solving, or take it back (`:set solver`)."""
    if not text:
        rows = [(n, state.session.options.get(n, "–"), what) for n, what in OPTIONS.items()]
        return state, showing.table(rows, tools.paint, tools.width)
    name, _, value = text.replace("=", " ", 1).partition(" ")
    if name not in OPTIONS:
        raise Refused(f"there is no option `{name}`", f"the options are {', '.join(OPTIONS)}")
    options = {n: v for n, v in state.session.options.items() if n != name}
    if value.strip():
        options[name] = value.strip()
    shown = f"{name} is {options[name]}" if name in options else f"{name} is left to its default"
    return state.at(replace(state.session, options=options)), shown


def solve(state: State, text: str, tools: Tools) -> Answer:
    reply = _checked(state, Work.SOLVE, tools)
    # In a transcript the time would be another every time.
    timed = f"{reply.seconds:.2g} s" if reply.seconds is not None and tools.width is not None else ""
    return state, showing.sections(reply.text, tools.paint(Style.DIM, timed))


def gradient(state: State, text: str, tools: Tools) -> Answer:
    """The gradient of the sum of an output's entries, or of some of them, with respect to parameters."""
    output, _, rest = text.partition(" wrt ")
    if not output.strip() or not re.fullmatch(r"[\w.]+\s*(\[[^\]]*\])?", output.strip()):
        raise Refused("`:grad` takes an output, and parameters behind `wrt`", "as in `:grad x[0] wrt gamma`")
    wanted = rest.replace(",", " ").split()
    return state, _checked(state, Work.GRADIENT, tools, (output.replace(" ", ""), *wanted)).text


def gradcheck(state: State, text: str, tools: Tools) -> Answer:
    return state, _checked(state, Work.GRADCHECK, tools).text


def program(state: State, text: str, tools: Tools) -> Answer:
    return state, _checked(state, Work.PROGRAM, tools).text


def _checked(state: State, work: Work, tools: Tools, arguments: tuple[str, ...] = ()) -> Reply:
    """The answer for a program without errors.

    Raises:
        Refused: there is none, or the program has errors.
    """
    session = state.session
    errors = [d for d in session.compilation.diagnostics if d.is_error]
    if [d.code for d in errors] == ["NAM109"]:
        raise Refused(
            "the program has no objective yet", "`minimize …`, `maximize …`, or `find` for any feasible point"
        )
    if errors:
        shown = showing.diagnostics(errors, tools.paint, tools.width)
        raise Refused("the program has errors", shown=shown)
    return _ask(session, work, tools, arguments)


def _ask(session: Session, work: Work, tools: Tools, arguments: tuple[str, ...]) -> Reply:
    bindings: Mapping[str, str] = {n: v for n, v in session.bindings.items() if n in _tensors(session)}
    dims = {n: v for n, v in session.dims.items() if n in {d.name for d in session.typed.model.dims}}
    reply = tools.compute(
        Request(work, session.source, str(session.folder.resolve()), bindings, dims, session.options, arguments)
    )
    if reply.diagnostics:
        shown = showing.diagnostics(reply.diagnostics, tools.paint, tools.width)
        raise Refused("the values do not fit", shown=shown)
    if reply.problem:
        raise Refused(reply.problem, reply.help)
    return reply


def _tensors(session: Session) -> list[str]:
    return [s.name for s in (*session.typed.model.data, *session.typed.model.params)]


def stopped(tools: Tools) -> str:
    return tools.paint(Style.WARNING, "stopped") + ": the computation was ended; the session is as it was"
