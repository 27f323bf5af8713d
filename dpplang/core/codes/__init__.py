"""The one registry of diagnostic codes: what each means, for ``dpp explain`` and for the tests."""

from __future__ import annotations

from dpplang.core.codes.atoms import ATOM_CODES
from dpplang.core.codes.conversion import CONVERSION_CODES
from dpplang.core.codes.info import CodeInfo
from dpplang.core.codes.lints import LINT_CODES
from dpplang.core.codes.lowering import LOWERING_CODES
from dpplang.core.codes.runtime import RUNTIME_CODES
from dpplang.core.codes.semantics import SEMANTICS_CODES
from dpplang.core.codes.syntax import SYNTAX_CODES

CODES: dict[str, CodeInfo] = {
    info.code: info
    for info in (
        *SYNTAX_CODES,
        *SEMANTICS_CODES,
        *ATOM_CODES,
        *RUNTIME_CODES,
        *LOWERING_CODES,
        *CONVERSION_CODES,
        *LINT_CODES,
    )
}
