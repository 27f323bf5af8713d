"""The syntax file of Vim and Neovim. What it leaves uncoloured, names and brackets, is no one else's."""

from __future__ import annotations

import re

from editors.generate.vocabulary import DEFINITIONS, HEADS, LISTS, LOGIC, SENSES, Vocabulary

LINKS = {
    "dppComment": "Comment",
    "dppDoc": "SpecialComment",
    "dppDocCode": "Special",
    "dppTodo": "Todo",
    "dppDeclarator": "StorageClass",
    "dppKeyword": "Statement",
    "dppEntry": "Statement",
    "dppJoint": "Operator",
    "dppImport": "Include",
    "dppFunction": "Function",
    "dppCall": "Function",
    "dppLabel": "Label",
    "dppAttribute": "Type",
    "dppFact": "Type",
    "dppCone": "Type",
    "dppNumber": "Number",
    "dppConstant": "Constant",
    "dppString": "String",
    "dppOperator": "Operator",
}


TOP = tuple(group for group in LINKS if group not in ("dppDocCode", "dppTodo", "dppEntry", "dppFact"))


def syntax(v: Vocabulary) -> str:
    """The text of `syntax/dpp.vim`."""
    infix = rf"<({'|'.join(v.infix)})>"
    word = r"\K\k*"
    own = rf"({infix})@!\K"  # a word that is no keyword of the middle begins
    word_follows = rf"\ze\s+{own}"
    operand_follows = rf"\ze(\s+{own}|\s*[0-9.(\[+-])"
    nothing_follows = r"\ze\s*(#|$)"
    item_begins = r"(^|[0-9A-Za-z_)\]'}{\"])@1<=\s*\zs"
    brackets = r"(\[[^\[\]#]*(\[[^\[\]#]*\][^\[\]#]*)*\])="
    behind_operand = r"(\k|[)\]'])@1<=\s+\zs"
    declarators = "|".join((*LISTS, *DEFINITIONS, *HEADS))
    operands = "|".join((*SENSES, "return"))
    entries = "|".join((*v.clause_entries, *v.plain_entries))
    signs = "|".join(_escaped(s) for s in (*v.relations, *v.arithmetic, "=", "'"))
    sign_and_space = r"([-+*/@^=<>,(\[:{]\s*)"
    modes = "|".join(v.modes)
    taking = ("sparse",)
    plain = [a for a in v.attributes if a not in taking]
    prefixed = "|".join((*SENSES, "return", "test", *LOGIC))
    graph = r'matchgroup=dppEntry start="\v<graph>\ze\s*\{" matchgroup=dppBrace end="}"'
    lines = [
        '" Made by `python -m editors.generate` from the lists of the language: change those, not this file.',
        'if exists("b:current_syntax")',
        "  finish",
        "endif",
        "let s:cpo = &cpo",
        "set cpo&vim",
        "",
        "syn case match",
        "syn iskeyword @,48-57,_,192-255",
        "syn sync minlines=200",
        "",
        _match("dppOperator", signs),
        _match("dppNumber", r"(\k)@1<!(\d[0-9_]*(\.(\.)@!\d*)?|\.\d[0-9_]*)([eE][+-]?\d+)?"),
        _match("dppConstant", "<inf>"),
        _match("dppCall", rf"<{word}\ze\s*\("),
        _match("dppJoint", rf"{sign_and_space}@30<!<({'|'.join(w for w in v.infix if w != 'import')})>"),
        _match("dppCall", rf"{sign_and_space}@30<=<where>\ze\s*\("),
        _match("dppCall", r"^\s*\zs<where>\ze\s*\("),
        _match("dppCall", rf"(<({prefixed})\s+)@12<=<where>\ze\s*\("),
        _match("dppJoint", rf"<dual>{word_follows}"),
        _match("dppJoint", rf"([(,]\s*|<(if|and|or)\s+|<requires:\s*)@12<=<not>{operand_follows}"),
        _match("dppJoint", r"<not>\ze\s+in>"),
        _match("dppAttribute", rf"{behind_operand}<({'|'.join(plain)})>\ze(\s*\()@!"),
        _match("dppAttribute", rf"{behind_operand}<({'|'.join(taking)})>"),
        _match("dppCone", rf"(([)\]']|\k)\s*<in\s+)@20<=<({'|'.join(v.cones)})>\ze(\s*(#|$|[(,}}])|\s+{own})"),
        _match("dppFunction", rf"(<({'|'.join(HEADS)})\s+)@9<={word}"),
        _match("dppDeclarator", rf"<({declarators})>{word_follows}"),
        _match("dppJoint", rf"([(,]\s*)@9<=<({modes})>{word_follows}"),
        _match("dppJoint", rf"^\s*\zs<({'|'.join(m for m in v.modes if m not in LISTS)})>{word_follows}"),
        _match("dppDeclarator", rf"^\s*\zs({'|'.join((*LISTS, *DEFINITIONS))})>{nothing_follows}"),
        _match("dppKeyword", rf"{item_begins}<({operands})>{operand_follows}"),
        _match("dppKeyword", rf"^\s*\zs({operands})>{nothing_follows}"),
        _match("dppKeyword", rf"{item_begins}<subject\s+to>"),
        _match("dppKeyword", rf"{item_begins}<find>\ze\s*(#|$|\}}|subject)"),
        _match("dppLabel", rf"^\s*\zs{word}\ze\s*{brackets}\s*:"),
        _match("dppLabel", rf"(<subject\s+to\s+)@14<={word}\ze\s*{brackets}\s*:"),
        _match("dppImport", r"<from>\ze\s*\""),
        _match("dppImport", r'("\s*)@5<=<import>'),
        'syn region dppString start=/"/ end=/"/ end=/$/ oneline',
        "",
        f"syn cluster dppTop contains={','.join(TOP)}",
        'syn region dppRecord matchgroup=dppBrace start="{" end="}" contains=@dppTop,dppEntry,dppFact,dppGraph',
        rf"syn region dppGraph {graph} contained contains=@dppTop",
        _match("dppEntry", rf"^\s*\zs({entries})\ze\s*:", "contained"),
        _match("dppEntry", rf"^\s*\zstest>{operand_follows}", "contained"),
        _match(
            "dppFact",
            rf"(^\s*({'|'.join(v.clause_entries)}):[^#]*)@<=([:,]\s*)@9<=<({'|'.join(v.facts)})>",
            "contained",
        ),
        _match("dppFact", rf"(,\s*)@9<=<({'|'.join(v.facts)})>\ze\s+<(in|where)>", "contained"),
        _match("dppFact", rf"^\s+\zs({'|'.join(v.facts)})>\ze\s*(<(in|where)>|,|#|$)", "contained"),
        "",
        r'syn match dppComment "#.*" contains=dppTodo,@Spell',
        r'syn match dppDoc "##.*" contains=dppDocCode,dppTodo,@Spell',
        r'syn match dppDocCode "`[^`]\+`" contained contains=@NoSpell',
        "syn keyword dppTodo TODO FIXME XXX contained",
        "",
        *(f"hi def link {group} {target}" for group, target in LINKS.items()),
        "",
        'let b:current_syntax = "dpp"',
        "let &cpo = s:cpo",
        "unlet s:cpo",
    ]
    return "\n".join(lines) + "\n"


def _match(group: str, pattern: str, more: str = "") -> str:
    """A match on a very magic pattern; `/` delimits, since patterns of ours hold quotes."""
    return f"syn match {group} /\\v{pattern.replace('/', chr(92) + '/')}/ {more}".rstrip()


def _escaped(sign: str) -> str:
    return re.sub(r"([-+*@^=<>'&|~{}()\[\]])", r"\\\1", sign)
