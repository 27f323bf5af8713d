"""The words and signs of the language, as regular expressions without a parser need them.

Atoms are not among them: any word before `(` is a call, so the library grows without touching an editor.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.attributes import KNOWN
from dpplang.semantics.library import standard_library
from dpplang.semantics.relations import ALIASES, CONES
from dpplang.syntax.atoms import KINDS
from dpplang.syntax.tables import load_tables
from dpplang.syntax.words import CLAUSE_ENTRIES, DECLARING, ENTRY_WORDS, INFIX, ITEM_WORDS, MODES

LISTS = ("dim", "data", "param", "var")  # declare names between commas
DEFINITIONS = ("derived", "let")  # one name, then `=`
HEADS = ("func", "atom")  # a name and its arguments
SENSES = ("minimize", "maximize")
LOGIC = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words by their part in the language; ``number``, ``name``, ``string`` are the grammar's regular expressions."""

    infix: tuple[str, ...]
    entries: tuple[str, ...]
    clause_entries: tuple[str, ...]
    modes: tuple[str, ...]
    attributes: tuple[str, ...]
    facts: tuple[str, ...]
    cones: tuple[str, ...]
    relations: tuple[str, ...]
    arithmetic: tuple[str, ...]
    name: str
    number: str

    @property
    def plain_entries(self) -> tuple[str, ...]:
        """Entries that stand before a `:` and an expression."""
        return tuple(e for e in self.entries if e not in (*self.clause_entries, "graph", "test"))


def vocabulary() -> Vocabulary:
    """Read off the grammar, the parser's lists and the checker's.

    Raises:
        ValueError: the language has words whose place no rule of ours knows.
    """
    placed = {*LISTS, *DEFINITIONS, *HEADS, *SENSES, "from", "subject", "find", "return"}
    if placed != ITEM_WORDS or not {*LISTS, *DEFINITIONS, *HEADS} < DECLARING:
        raise ValueError(f"teach the highlighters the place of {sorted(placed ^ ITEM_WORDS)}")
    tables = load_tables()
    signs = {text for text in tables.terminals.values() if not text.isidentifier()}
    brackets = {"(", ")", "[", "]", ",", ":", "...", "=", "'"}
    relations = {s for s in signs if set(s) <= set("<>=!") and s != "="}
    return Vocabulary(
        infix=tuple(sorted(INFIX)),
        entries=tuple(ENTRY_WORDS),
        clause_entries=tuple(w for w in ENTRY_WORDS if w in CLAUSE_ENTRIES),
        modes=tuple(sorted(MODES)),
        attributes=tuple(k for k in KNOWN if k not in INFIX),
        facts=tuple(
            dict.fromkeys((*KINDS, *(v.value for kind in (Curvature, Monotonicity, Sign) for v in kind), "yes", "no"))
        ),
        cones=(*CONES, *ALIASES, *standard_library().sets()),
        relations=tuple(sorted(relations, key=lambda s: (-len(s), s))),
        arithmetic=tuple(sorted(signs - brackets - relations)),
        name=tables.patterns["NAME"],
        number=tables.patterns["NUMBER"],
    )
