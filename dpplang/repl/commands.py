"""The commands by name, and those that are about the session itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from dpplang.core.errors import DiagnosticsError, WriteError
from dpplang.core.files import write_back
from dpplang.core.style import Style
from dpplang.repl import computing, reasoning, showing
from dpplang.repl.entering import enter
from dpplang.repl.session import Session, add, entries_of
from dpplang.repl.state import Answer, Refused, State, Tools
from dpplang.semantics.loader import read_source
from dpplang.syntax.parser import parse

PREFIX = ":"


@dataclass(frozen=True, slots=True)
class Command:
    """``usage``: what stands behind the name. ``what``: in one line. ``more``: for `:help NAME`."""

    run: Callable[[State, str, Tools], Answer]
    usage: str
    what: str
    more: str = ""


def execute(state: State, line: str, tools: Tools) -> Answer:
    """What a line, or the lines of an item, makes of the state, and what is said of it. Mistakes leave the state."""
    text = line.strip()
    if not text:
        return state, ""
    try:
        if not text.startswith(PREFIX):
            return enter(state, line, tools)
        name, _, rest = text[len(PREFIX) :].strip().partition(" ")
        return find(name).run(state, rest.strip(), tools)
    except Refused as refused:
        return state, refused.shown or showing.refusal(refused.message, refused.help, tools.paint)
    except DiagnosticsError as error:
        return state, showing.diagnostics(error.diagnostics, tools.paint, tools.width)


def find(name: str) -> Command:
    """The command of a name, or of the only one that begins with it."""
    if name in COMMANDS:
        return COMMANDS[name]
    if name in ALIASES:
        return COMMANDS[ALIASES[name]]
    begun = [n for n in COMMANDS if name and n.startswith(name)]
    if len(begun) == 1:
        return COMMANDS[begun[0]]
    if begun:
        raise Refused(f"`:{name}` could be {', '.join(f'`:{n}`' for n in begun)}", "write one more letter")
    near = get_close_matches(name, COMMANDS, n=1)
    raise Refused(f"there is no command `:{name}`", f"did you mean `:{near[0]}`?" if near else "`:help` lists them")


def _help(state: State, text: str, tools: Tools) -> Answer:
    if text:
        name = text.removeprefix(PREFIX)
        command = find(name)
        full = next(n for n, c in COMMANDS.items() if c is command)
        head = tools.paint(Style.BOLD, f":{full} {command.usage}".rstrip())
        return state, showing.sections(head, command.what, command.more)
    rows = [(f":{name} {command.usage}".rstrip(), command.what) for name, command in COMMANDS.items()]
    head = "Items of the language build the program; an expression alone is told about. Commands:"
    return state, showing.sections(head, showing.table(rows, tools.paint, tools.width))


def _show(state: State, text: str, tools: Tools) -> Answer:
    return state, state.session.source.text.rstrip("\n") or "the program is empty"


def _load(state: State, text: str, tools: Tools) -> Answer:
    if not text:
        raise Refused("`:load` takes a file", "as in `:load qp.dpp`")
    path = Path(text).expanduser()
    source = read_source(path)
    broken = [d for d in parse(source).diagnostics if d.is_error]
    if broken:
        shown = showing.diagnostics(broken, tools.paint, tools.width)
        return state, showing.sections(shown, tools.paint(Style.DIM, "not loaded: mend the file first"))
    entries, doc = entries_of(source)
    session = add(Session(doc=doc, folder=path.parent, path=path, options=state.session.options), entries).session
    session = replace(session, offered=session.diagnostics)
    words, good = showing.verdict(session)
    found = showing.diagnostics(session.errors, tools.paint, tools.width)
    done = f"loaded {path}: " + tools.paint(Style.HELP if good else Style.ERROR, words)
    return state.at(session), showing.sections(showing.facts(session, session.entries, tools), found, done)


def _save(state: State, text: str, tools: Tools) -> Answer:
    name = text.removesuffix("!").strip()
    path = Path(name).expanduser() if name else state.session.path
    if path is None:
        raise Refused("`:save` takes a file", "as in `:save qp.dpp`")
    path = path if path.suffix else path.with_suffix(".dpp")
    if path.suffix != ".dpp":
        raise Refused(f"`{path}` is not a .dpp file", "name it so: programs are found by it")
    if path.exists() and path != state.session.path and not text.endswith("!"):
        raise Refused(f"`{path}` is there already, and is not this session's file", f"`:save {path} !` replaces it")
    try:
        write_back(path, state.session.source.text)
    except WriteError as error:
        raise Refused(str(error)) from None
    return state.noting(replace(state.session, path=path)), f"saved {path}"


def _undo(state: State, text: str, tools: Tools) -> Answer:
    if not state.past:
        raise Refused("there is nothing to undo")
    *past, session = state.past
    after = State(session, tuple(past), (*state.future, state.session))
    return after, _difference(state.session, session, tools)


def _redo(state: State, text: str, tools: Tools) -> Answer:
    if not state.future:
        raise Refused("there is nothing to redo")
    *future, session = state.future
    after = State(session, (*state.past, state.session), tuple(future))
    return after, _difference(state.session, session, tools)


def _difference(before: Session, after: Session, tools: Tools) -> str:
    """What a step back or forth took away and brought."""
    old, new = [e.text for e in before.entries], [e.text for e in after.entries]
    gone = [f"- {line}" for text in old if text not in new for line in text.split("\n")]
    come = [f"+ {line}" for text in new if text not in old for line in text.split("\n")]
    for word, left, right in (("- ", before, after), ("+ ", after, before)):
        changed = [f"{word}:bind {n} = {v}" for n, v in left.bindings.items() if right.bindings.get(n) != v]
        changed += [f"{word}:dim {n}={v}" for n, v in left.dims.items() if right.dims.get(n) != v]
        changed += [f"{word}:set {n} {v}" for n, v in left.options.items() if right.options.get(n) != v]
        (gone if word == "- " else come).extend(changed)
    return "\n".join((*gone, *come)) or tools.paint(Style.DIM, "nothing that shows")


def _reset(state: State, text: str, tools: Tools) -> Answer:
    return state.at(Session(folder=state.session.folder)), "the program is empty; `:undo` brings it back"


def _explain(state: State, text: str, tools: Tools) -> Answer:
    code = text or next((d.code for d in state.session.offered), "")
    return state, tools.explain(code)


def _atoms(state: State, text: str, tools: Tools) -> Answer:
    return state, tools.atoms(text)


def _quit(state: State, text: str, tools: Tools) -> Answer:
    return replace(state, done=True), ""


_VALUES = """A value is a number, an array `[1, 2]`, a file (.npz, .npy, .json, .csv), or an expression over dims, names
that are bound already, and functions: `randn(n)`, `rand(m, n)`, `psd(n)` (a random positive definite matrix), `ones`,
`zeros`, `eye`, `linspace(a, b, n)`, `arange(n)`, `exp`, `log`, `sqrt`, `abs`, `sum`, `mean`, `max`, `min`, `diag`,
`chol`, `inv`. Random values depend on the name and on `:set seed`.
    :bind gamma = 0.1
    :bind F = 0.3 * randn(20, 4)
    :bind Omega = F' @ F + eye(k)
    :bind mu = returns.csv"""

_WHY = """Each line has shape, sign, curvature, verdict and parameters of a part; below it stands the rule that gave
them. ✗ marks where a rule breaks."""
_FIX = """Without a number, the only fix or the first safe one. A safe fix changes neither the solution nor its
gradients; an unsafe one says what it assumes."""

COMMANDS: dict[str, Command] = {
    "why": Command(reasoning.why, "[EXPR]", "derive a verdict: of an expression, a constraint, or the objective",
                   _WHY),
    "type": Command(reasoning.type_of, "EXPR", "shape, sign, curvature and verdict of an expression"),
    "check": Command(reasoning.check, "", "everything that is found in the program, warnings too"),
    "fix": Command(reasoning.fix, "[N]", "apply a fix of what was last found wrong",
                   _FIX),
    "explain": Command(_explain, "[CODE]", "explain a diagnostic, the last one if none is named"),
    "atoms": Command(_atoms, "[NAME]", "list the atoms, or show one"),
    "bind": Command(computing.bind, "NAME = VALUE", "give a parameter or data its value", _VALUES),
    "unbind": Command(computing.unbind, "NAME…", "take values back"),
    "data": Command(computing.data, "", "what the program wants to be given, and what it is given"),
    "dim": Command(computing.dim, "NAME=SIZE", "give a dim its size; `:dim n=` takes it back"),
    "solve": Command(computing.solve, "", "solve the program (Ctrl-C stops it)"),
    "grad": Command(computing.gradient, "OUT [wrt NAME…]", "gradient of an output's sum, or of entries (`x[0]`)"),
    "gradcheck": Command(computing.gradcheck, "", "hold the gradient against central differences"),
    "asa": Command(computing.program, "", "what the program is compiled to: variables, rows, cones, nonzeros"),
    "set": Command(computing.option, "[OPTION [VALUE]]", "options of solving; without a value, back to the default"),
    "show": Command(_show, "", "the program so far, in canonical form"),
    "load": Command(_load, "FILE", "begin anew with a file"),
    "save": Command(_save, "[FILE [!]]", "write the program to a file, in canonical form"),
    "undo": Command(_undo, "", "take back the last step"),
    "redo": Command(_redo, "", "take it again"),
    "reset": Command(_reset, "", "begin anew with nothing"),
    "help": Command(_help, "[COMMAND]", "this list, or more about a command"),
    "quit": Command(_quit, "", "leave (as does Ctrl-D)"),
}  # fmt: skip
ALIASES = {"?": "help", "h": "help", "q": "quit", "exit": "quit", "w": "why", "s": "solve", "t": "type", "e": "explain"}
