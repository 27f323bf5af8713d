"""The TextMate grammar: VS Code, Sublime Text, JetBrains, shiki, GitHub.

It sees one line at a time and knows no parser, so what a soft keyword is must follow from its neighbours. The language
is made so that it nearly does: `dim data param var …` are keywords if a word follows, `return` if an operand does, and
a line that opens an item never continues the one before it (dpplang/syntax/words.py, isolate.py). tests/editors holds
the grammar against dpplang/syntax/classes.py.
"""

from __future__ import annotations

import re
from typing import Any

from editors.generate.vocabulary import DEFINITIONS, HEADS, LISTS, LOGIC, SENSES, Vocabulary

SCOPE = "source.dpp"
Rule = dict[str, Any]


def words(names: tuple[str, ...]) -> str:
    """One of these, as a whole word."""
    return rf"\b(?:{'|'.join(names)})\b"


def grammar(vocabulary: Vocabulary) -> Rule:
    """The grammar as the JSON of a `.tmLanguage.json` file."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "dpp",
        "scopeName": SCOPE,
        "fileTypes": ["dpp"],
        "patterns": [{"include": "#file"}],
        "repository": _Patterns(vocabulary).repository(),
    }


def fences() -> Rule:
    """An injection: blocks that Markdown fences as `dpp` are coloured."""
    return {
        "scopeName": "markdown.dpp.codeblock",
        "injectionSelector": "L:text.html.markdown",
        "patterns": [{"include": "#fence"}],
        "repository": {
            "fence": {
                "begin": r"(^|\G)(\s*)(`{3,}|~{3,})\s*(?i:(dpp)(?=\s|$|\{|:))",
                "end": r"(^|\G)(\2|\s{0,3})(\3)\s*$",
                "name": "markup.fenced_code.block.markdown",
                "beginCaptures": {
                    "3": {"name": "punctuation.definition.markdown"},
                    "4": {"name": "fenced_code.block.language"},
                },
                "endCaptures": {"3": {"name": "punctuation.definition.markdown"}},
                "patterns": [
                    {
                        "begin": r"(^|\G)(\s*)(.*)",
                        "while": r"(^|\G)(?!\s*([`~]{3,})\s*$)",
                        "contentName": "meta.embedded.block.dpp",
                        "patterns": [{"include": SCOPE}],
                    }
                ],
            }
        },
    }


def strings() -> Rule:
    """An injection: programs in the triple-quoted strings of `dpplang.parse(…)` and `# dpp` in Python are coloured."""
    return {
        "scopeName": "python.dpp.string",
        "injectionSelector": "L:source.python -string -comment",
        "patterns": [
            {
                "begin": rf"((?:\bdpplang\.)?\bparse)\s*(\()\s*(?:[rR]?({quotes}))",
                "end": rf"({quotes})",
                "beginCaptures": {
                    "1": {"name": "entity.name.function.call.python"},
                    "2": {"name": "punctuation.definition.arguments.begin.python"},
                    "3": {"name": "string.quoted.docstring.multi.python"},
                },
                "endCaptures": {"1": {"name": "string.quoted.docstring.multi.python"}},
                "contentName": "meta.embedded.block.dpp",
                "patterns": [{"include": SCOPE}],
            }
            for quotes in ('"""', "'''")
        ],
    }


class _Patterns:
    """The rules, and the lookaheads they share."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.v = vocabulary
        name = rf"\b{vocabulary.name}\b"
        infix = words(vocabulary.infix)
        brackets = r"\[(?:[^\[\]#]|\[(?:[^\[\]#]|\[[^\[\]#]*\])*\])*\]"
        self.name, self.infix = name, infix
        self.own_name = rf"(?!{infix}){name}"  # where a keyword of the middle would be one
        self.word_follows = rf"(?=\s+{self.own_name})"
        self.operand_follows = rf"(?=\s+{self.own_name}|\s*(?:\.?\d|[(\[+\-]))"
        self.item_begins = r"(?:^|(?<=[\w)\]'{}\"]))\s*"
        self.nothing_follows = r"(?=\s*(?:#|$))"
        self.label_follows = rf"(?={name}\s*(?:{brackets})?\s*:)"
        declarators = words((*LISTS, *DEFINITIONS, *HEADS))
        openers = (
            declarators + self.word_follows,
            r"\bfrom\b(?=\s*\")",
            r"\bsubject\s+to\b",
        )
        self.opens = rf"(?=\s*(?:{'|'.join(openers)}))"  # behind an operand
        statements = words((*SENSES, "return")) + self.operand_follows
        self.line_opens = rf"^(?=\s*(?:{'|'.join((*openers, statements))}))"
        self.opens = rf"{self.opens}|{self.line_opens}|(?<=[\w)\]'}}])(?=\s+{statements})"
        outside = (words(("dim", "data", "derived", "func", "atom")) + self.word_follows, openers[1], statements)
        self.leaves_record = rf"^(?={'|'.join(outside)})"
        before = (*SENSES, "return", "and", "or", "if", "in", "for", "not", "test", "dual")
        self.joined = "|".join((r"(?<=[-+*/@^=<>,(\[:{])", *(rf"(?<=\b{word})(?=\s)" for word in before)))

    def repository(self) -> dict[str, Rule]:
        return {
            "file": _any("comments", "items", "record", "item-start", "goes-on", "expression"),
            "comments": {"patterns": [self.doc(), self.comment()]},
            "doc-text": {"patterns": self.doc_text()},
            "items": _any("import", "head", "list", "definition", "statement", "label", "membership"),
            "item-start": {"patterns": self.item_starts()},
            "import": self.imports(),
            "head": self.head(),
            "list": self.list(),
            "definition": self.definition(),
            "statement": {"patterns": self.statements()},
            "label": self.label(),
            "membership": self.membership(),
            "record": self.record(),
            "graph": self.graph(),
            "entry": {"patterns": self.entries()},
            "declared": self.declared(),
            "argument": self.argument(),
            "attribute": {"patterns": self.attributes()},
            "goes-on": self.goes_on(),
            "expression": _any("comments", "joint", "bracket", "number", "string", "call", "constant", "name", "sign"),
            "joint": {"patterns": self.joints()},
            "bracket": {"patterns": self.brackets()},
            "number": {"match": self.v.number, "name": "constant.numeric.dpp"},
            "string": _span('"', r'"|$', "string.quoted.double.dpp"),
            "call": {"match": rf"{self.name}(?=\s*\()", "name": "entity.name.function.call.dpp"},
            "constant": {"match": r"\binf\b", "name": "constant.language.dpp"},
            "name": {"match": self.name, "name": "variable.other.dpp"},
            "sign": {"patterns": self.signs()},
        }

    def item_starts(self) -> list[Rule]:
        """Words of the middle, where an item begins with a name."""
        return [
            _first(rf"^\s*({self.infix})(?=\s*\()", "entity.name.function.call.dpp"),
            _first(rf"^\s*({self.infix})", "variable.other.dpp"),
        ]

    # --- comments --------------------------------------------------------------------------------------------------

    def doc(self) -> Rule:
        rule = _span("##", "$", "comment.line.documentation.dpp")
        return rule | {"beginCaptures": {"0": {"name": "punctuation.definition.comment.dpp"}}} | _any("doc-text")

    def comment(self) -> Rule:
        rule = _span("#", "$", "comment.line.number-sign.dpp")
        return rule | {"beginCaptures": {"0": {"name": "punctuation.definition.comment.dpp"}}}

    def doc_text(self) -> list[Rule]:
        return [
            {"match": r"`[^`]+`", "name": "markup.inline.raw.dpp"},
            {"match": r"\$[^$\s](?:[^$]*[^$\s])?\$", "name": "markup.math.inline.dpp"},
            {"match": r"\*\*[^*]+\*\*", "name": "markup.bold.dpp"},
        ]

    # --- items -----------------------------------------------------------------------------------------------------

    def imports(self) -> Rule:
        rule = _span(r"\b(from)\b(?=\s*\")", "$", "meta.import.dpp")
        return rule | {
            "beginCaptures": {"1": {"name": "keyword.control.import.dpp"}},
            "patterns": [
                {"include": "#comments"},
                {"include": "#string"},
                {
                    "match": r"(?<=\")\s*\b(import)\b",
                    "captures": {"1": {"name": "keyword.control.import.dpp"}},
                },
                {"include": "#goes-on"},
                {"match": self.name, "name": "variable.other.declaration.import.dpp"},
                {"match": ",", "name": "punctuation.separator.dpp"},
            ],
        }

    def head(self) -> Rule:
        """`func f(` or `atom f(`, up to the closing bracket: what follows is an expression or a record."""
        return {
            "begin": rf"\b({'|'.join(HEADS)})\s+({self.own_name})\s*(\()",
            "end": rf"(\))|{self.line_opens.replace('|param', '')}",
            "name": "meta.function.dpp",
            "beginCaptures": {
                "1": {"name": "storage.type.function.dpp"},
                "2": {"name": "entity.name.function.dpp"},
                "3": {"name": "punctuation.section.parens.begin.dpp"},
            },
            "endCaptures": {"1": {"name": "punctuation.section.parens.end.dpp"}},
            **_any("comments", "argument", "attribute"),
        }

    def argument(self) -> Rule:
        """A formal argument's mode and name, behind `(` or a comma, also on a later line."""
        return {
            "begin": r"\G|(,)",
            "end": rf"(?:\b({'|'.join(self.v.modes)})\s+(?={self.own_name}))?({self.name})|(?=[^\s#])",
            "beginCaptures": {"1": {"name": "punctuation.separator.dpp"}},
            "endCaptures": {
                "1": {"name": "storage.modifier.mode.dpp"},
                "2": {"name": "variable.parameter.dpp"},
            },
            **_any("comments"),
        }

    def list(self) -> Rule:
        """`param x[n] nonneg, y`: names between commas; a keyword alone takes the next line with it."""
        keywords = "|".join(LISTS)
        alone = "".join(rf"(?<!\b{word})" for word in LISTS)
        return {
            "begin": rf"\b({keywords})\b(?:{self.word_follows}|(?<=^){self.nothing_follows})"
            rf"|^\s*({keywords}){self.nothing_follows}",
            "end": rf"{alone}$|{self.opens}|(?=\s*[}}])|(?<=[\w)\]])(?=\s+{self.label_follows})",
            "name": "meta.declaration.dpp",
            "beginCaptures": {
                "1": {"name": "storage.type.declaration.dpp"},
                "2": {"name": "storage.type.declaration.dpp"},
            },
            **_any("comments", "declared", "attribute"),
        }

    def definition(self) -> Rule:
        """`derived S[n, n] psd`, up to the `=`."""
        keywords = "|".join(DEFINITIONS)
        alone = "".join(rf"(?<!\b{word})" for word in DEFINITIONS)
        return {
            "begin": rf"\b({keywords})\b{self.word_follows}|^\s*({keywords}){self.nothing_follows}",
            "end": rf"(?==)|{alone}$|{self.opens}",
            "name": "meta.declaration.dpp",
            "beginCaptures": {
                "1": {"name": "storage.type.declaration.dpp"},
                "2": {"name": "storage.type.declaration.dpp"},
            },
            **_any("comments", "declared", "attribute"),
        }

    def declared(self) -> Rule:
        """The name behind the keyword or a comma, also on a later line, unless that opens an item of its own."""
        return {
            "begin": r"\G|(,)",
            "end": rf"{self.line_opens}|({self.name})|(?=[^\s#])",
            "beginCaptures": {"1": {"name": "punctuation.separator.dpp"}},
            "endCaptures": {"1": {"name": "variable.other.declaration.dpp"}},
            **_any("comments"),
        }

    def attributes(self) -> list[Rule]:
        """What follows a declared name: shape, attributes, bounds, and behind `=` an expression."""
        return [
            {
                "begin": "=",
                "end": rf"(?=,|\))|(?<!=)$|{self.opens}|(?=\s*[}}])",
                "beginCaptures": {"0": {"name": "keyword.operator.assignment.dpp"}},
                **_any("goes-on", "expression"),
            },
            {"include": "#bracket"},
            {"match": r"\bin\b", "name": "keyword.operator.expression.in.dpp"},
            {"match": words(self.v.attributes), "name": "storage.modifier.attribute.dpp"},
            {"match": self.name, "name": "storage.modifier.attribute.other.dpp"},
        ]

    def statements(self) -> list[Rule]:
        keyword = "keyword.control.dpp"
        operands = "|".join((*SENSES, "return"))
        return [
            {
                "match": rf"{self.item_begins}\b(subject)\s+(to)\b",
                "captures": {"1": {"name": keyword}, "2": {"name": keyword}},
            },
            _first(rf"{self.item_begins}\b({operands})\b{self.operand_follows}", keyword),
            _first(rf"^\s*({operands}){self.nothing_follows}", keyword),
            _first(rf"{self.item_begins}\b(find)\b(?=\s*(?:#|$|}}|subject\b))", keyword),
        ]

    def label(self) -> Rule:
        return {
            "match": rf"{self.item_begins}{self.label_follows}({self.name})",
            "captures": {"1": {"name": "entity.name.label.constraint.dpp"}},
        }

    def membership(self) -> Rule:
        """A known cone, outside brackets: `(t, x) in soc`."""
        return {
            "match": rf"(?<=[\w)\]'])\s*\b(in)\s+({'|'.join(self.v.cones)})\b",
            "captures": {
                "1": {"name": "keyword.operator.expression.in.dpp"},
                "2": {"name": "support.type.cone.dpp"},
            },
        }

    # --- an atom's record ------------------------------------------------------------------------------------------

    def record(self) -> Rule:
        return {
            "begin": r"\{",
            "end": rf"(\}})|{self.leaves_record}",
            "name": "meta.record.dpp",
            "beginCaptures": {"0": {"name": "punctuation.section.block.begin.dpp"}},
            "endCaptures": {"1": {"name": "punctuation.section.block.end.dpp"}},
            **_any("comments", "graph", "entry", "membership", "expression"),
        }

    def graph(self) -> Rule:
        return {
            "begin": r"\b(graph)\b(?=\s*(?:\{|#|$))",
            "end": rf"(\}})|{self.leaves_record}",
            "name": "meta.graph.dpp",
            "beginCaptures": {"1": {"name": "keyword.other.entry.dpp"}},
            "endCaptures": {"1": {"name": "punctuation.section.block.end.dpp"}},
            "patterns": [
                {"match": r"\{", "name": "punctuation.section.block.begin.dpp"},
                *_any("comments", "items", "item-start", "goes-on", "expression")["patterns"],
            ],
        }

    def entries(self) -> list[Rule]:
        begins = r"(?:^|(?<=[\w)\]'}{])(?<!\btest))\s*"
        keyword = {"1": {"name": "keyword.other.entry.dpp"}}
        any_entry = rf"(?<=[\w)\]'])(?=\s+(?:{'|'.join(self.v.entries)})\s*:)"
        return [
            {
                "begin": rf"{begins}\b({'|'.join(self.v.clause_entries)})\s*(:)",
                "end": rf"(?<!:)$|(?=\}})|{any_entry}",
                "beginCaptures": keyword | {"2": {"name": "punctuation.separator.dpp"}},
                "patterns": [
                    {
                        "begin": r"\G|(,)",
                        "end": rf"\b({'|'.join(self.v.facts)})\b|({self.name})|(?=[^\s#])",
                        "beginCaptures": {"1": {"name": "punctuation.separator.dpp"}},
                        "endCaptures": {
                            "1": {"name": "constant.language.fact.dpp"},
                            "2": {"name": "constant.language.fact.other.dpp"},
                        },
                        **_any("comments"),
                    },
                    *_any("goes-on", "expression")["patterns"],
                ],
            },
            {"match": rf"{begins}\b({'|'.join(self.v.plain_entries)})(?=\s*:)", "captures": keyword},
            {"match": rf"{begins}\b(test)\b(?=\s+{self.own_name}|\s*(?:\.?\d|[(\[\-+]))", "captures": keyword},
        ]

    # --- expressions -----------------------------------------------------------------------------------------------

    def goes_on(self) -> Rule:
        """A sign at the end of a line, which goes on on the next."""
        signs = "|".join(re.escape(s) for s in (*self.v.relations, *self.v.arithmetic, ",", ":"))
        return {
            "begin": rf"({signs}){self.nothing_follows}",
            "end": rf"{self.line_opens}|(?=[^\s#])",
            "beginCaptures": {"1": {"patterns": [{"include": "#sign"}]}},
            **_any("comments"),
        }

    def joints(self) -> list[Rule]:
        plain = tuple(w for w in self.v.infix if w not in (*LOGIC, "in"))
        condition = rf"(?=\s+{self.own_name}|\s*(?:\.?\d|[(\[\-+]))"
        return [
            _first(rf"(?:{self.joined})\s*({self.infix})(?=\s*\()", "entity.name.function.call.dpp"),
            _first(rf"(?:{self.joined})\s*({self.infix})", "variable.other.dpp"),
            {"match": rf"\bdual\b{self.word_follows}", "name": "storage.modifier.dual.dpp"},
            {"match": r"\b(?:and|or|not(?=\s+in\b))\b", "name": "keyword.operator.expression.logical.dpp"},
            {"match": r"\bin\b", "name": "keyword.operator.expression.in.dpp"},
            {"match": words(plain), "name": "keyword.control.generator.dpp"},
            {
                "match": rf"(?:(?<=[(,])|(?<=\b(?:if|or)\b)|(?<=\band\b)|(?<=\brequires:))\s*\b(not)\b{condition}",
                "captures": {"1": {"name": "keyword.operator.expression.logical.dpp"}},
            },
        ]

    def brackets(self) -> list[Rule]:
        made: list[Rule] = []
        labelled = rf"|^(?=\s*{self.name}\s*:)"
        for name, opening, closing, more in (("parens", r"\(", r"\)", labelled), ("brackets", r"\[", r"\]", "")):
            made.append(
                {
                    "begin": opening,
                    "end": rf"({closing})|{self.line_opens}{more}",
                    "beginCaptures": {"0": {"name": f"punctuation.section.{name}.begin.dpp"}},
                    "endCaptures": {"1": {"name": f"punctuation.section.{name}.end.dpp"}},
                    **_any("expression"),
                }
            )
        return made

    def signs(self) -> list[Rule]:
        relations = "|".join(re.escape(s) for s in self.v.relations)
        arithmetic = "|".join(re.escape(s) for s in self.v.arithmetic)
        return [
            {"match": relations, "name": "keyword.operator.relational.dpp"},
            {"match": arithmetic, "name": "keyword.operator.arithmetic.dpp"},
            {"match": "'", "name": "keyword.operator.transpose.dpp"},
            {"match": "=", "name": "keyword.operator.assignment.dpp"},
            {"match": r"\.\.\.", "name": "punctuation.any-shape.dpp"},
            {"match": "[,:]", "name": "punctuation.separator.dpp"},
        ]


def _any(*names: str) -> Rule:
    return {"patterns": [{"include": f"#{name}"} for name in names]}


def _first(match: str, name: str) -> Rule:
    """The text of the first group has this scope."""
    return {"match": match, "captures": {"1": {"name": name}}}


def _span(begin: str, end: str, name: str) -> Rule:
    return {"begin": begin, "end": end, "name": name}
