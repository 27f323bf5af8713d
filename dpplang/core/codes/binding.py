"""Codes BND71x (values that are bound), BND72x (solutions and gradients) and BND73x (program files)."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

BINDING_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "BND710",
        "no such parameter",
        "A value was given under a name that is no `param` of the program. Parameters that are `derived` are computed at every call and take no value, and `data` are bound once, when the program is compiled.",
    ),
    CodeInfo(
        "BND711",
        "a parameter without a value",
        "Every `param` needs a value at every call, by name or by position in order of declaration.",
    ),
    CodeInfo(
        "BND712",
        "a value of another shape",
        "A parameter's own axes are the last ones of its value, and must have the declared sizes. Any number of batch dims may stand before them. Axes of unbatched values count from 0, those of batched ones from the end.",
    ),
    CodeInfo(
        "BND713",
        "not an array of real numbers",
        "A value must be a number, an array or nested lists of one shape, of floats, integers or booleans. Complex numbers, texts and objects are refused.",
    ),
    CodeInfo(
        "BND714",
        "NaN or infinity in a value",
        "Parameters are finite: a problem with NaN or an infinite entry has no meaning. Leave out a bound instead of passing an infinite one.",
    ),
    CodeInfo(
        "BND715",
        "a value that is not what was declared",
        "`nonneg nonpos pos neg psd nsd symmetric diagonal sparse` behind a parameter's shape are promises that the convexity of the program rests on, so they are checked at every call. Rounding is forgiven, relative to the largest entry, in the precision the value came in; `pos` and `neg` exclude zero exactly.",
    ),
    CodeInfo(
        "BND716",
        "batch dims that do not broadcast",
        "The batch dims of all parameters broadcast together as in NumPy: aligned at the right, each pair equal or one of them 1.",
    ),
    CodeInfo(
        "BND717",
        "a derived parameter that is not defined",
        "A `derived` parameter's expression has no finite value at these parameters: a Cholesky factor of a matrix that is not positive definite, a logarithm of zero, a division by zero. The message names the operation and the batch element.",
    ),
    CodeInfo(
        "BND718",
        "values given twice, or too many",
        "Values by position fill the parameters in order of declaration; those by name must be for others.",
    ),
    CodeInfo(
        "BND720",
        "no such output",
        "A solution has the variables by name, duals as `dual.NAME`, what `return` names, and `value`.",
    ),
    CodeInfo(
        "BND721",
        "a gradient of another shape",
        "A gradient given to `backward` has the shape of the output it belongs to, batch dims included.",
    ),
    CodeInfo(
        "BND730",
        "not a program file",
        "The file is not one that `program.save` wrote, was damaged, or comes from a release whose files this one does not read. Nothing in it was executed.",
    ),
)
