"""Interpolated strings: internal.template_string."""

from __future__ import annotations

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_array,
)
from adjudge.rego.runtime.text import display_text
from adjudge.rego.runtime.values import RegoSet, Value, type_name


@builtin("internal.template_string", context=True)
def template_string(context: BuiltinContext, parts: Value) -> str:
    """The parts of an interpolated string in a row.

    A part is a scalar, or a set with the value of an expression, empty when that is
    undefined.
    """
    texts = [_part(part) for part in want_array(parts, 1)]
    if sum(map(len, texts)) > context.max_size:
        raise too_large(context)
    return "".join(texts)


def _part(part: Value) -> str:
    if part.__class__ is RegoSet:
        values = part.values()
        if len(values) > 1:
            raise BuiltinError(
                "template-strings must not produce multiple outputs",
                "eval_conflict_error",
                halt=True,
            )
        return display_text(values[0]) if values else "<undefined>"
    if isinstance(part, (list, dict)):
        raise BuiltinError(f"illegal argument type: {type_name(part)}", halt=True)
    return display_text(part)
