"""Colours for ``.dpp`` text wherever Pygments paints: Sphinx, MkDocs, Jupyter, ``pygmentize``, rich, the REPL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pygments.lexer import Lexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace, _TokenType

from dpplang.core.source import Source
from dpplang.syntax.classes import Class, classify

_STYLES: dict[Class, _TokenType] = {
    Class.COMMENT: Comment.Single,
    Class.DOC: String.Doc,
    Class.DECLARATOR: Keyword.Declaration,
    Class.KEYWORD: Keyword,
    Class.JOINT: Operator.Word,
    Class.DECLARED: Name.Variable,
    Class.LABEL: Name.Label,
    Class.CALLED: Name.Function,
    Class.ATTRIBUTE: Name.Attribute,
    Class.CONE: Name.Class,
    Class.NAME: Name,
    Class.NUMBER: Number,
    Class.STRING: String.Double,
    Class.OPERATOR: Operator,
    Class.PUNCTUATION: Punctuation,
}


class DppLexer(Lexer):
    """The lexer that Pygments finds under the name ``dpp`` and for files ``*.dpp``."""

    name = "dpplang"
    url = "https://pypi.org/project/dpplang/"
    aliases: ClassVar[Sequence[str]] = ["dpp", "dpplang"]
    filenames: ClassVar[Sequence[str]] = ["*.dpp"]
    mimetypes: ClassVar[Sequence[str]] = ["text/x-dpp"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """(offset, style, text) for the whole text, as Pygments asks for it."""
        at = 0
        for start, end, kind in classify(Source("<text>", text)):
            if at < start:
                yield at, Whitespace, text[at:start]
            yield start, _STYLES[kind], text[start:end]
            at = end
        if at < len(text):
            yield at, Whitespace, text[at:]
