"""``trace``, ``print`` and test cases: consume values to show; produce true and what is printed.

A ``print`` statement becomes ``internal.print`` with one set for each argument, empty
where the argument is undefined.  What is printed goes to the host's ``print`` service,
a callable with one line of text; where the host has none, nothing is printed.  So it is
with ``trace`` and the host's ``trace``, and with ``internal.test_case`` and ``test_case``,
which is called with the case's path.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_array,
    want_string,
)
from adjudge.rego.runtime.text import display_text
from adjudge.rego.runtime.values import RegoSet, Value, type_name


@builtin("trace", context=True)
def trace(ctx: BuiltinContext, note: Value) -> Value:
    """Always true; a note is only seen by a tracer."""
    text = want_string(note, 1)
    tell: Any = ctx.service("trace")
    if tell is not None:
        tell(text)
    return True


@builtin("print", context=True)
def print_statement(ctx: BuiltinContext, *values: Value) -> Value:
    """Print the values, for calls that the compiler did not turn into ``internal.print``."""
    write: Any = ctx.service("print")
    if write is not None:
        write(" ".join(map(display_text, values)))
    return True


@builtin("internal.print", context=True)
def internal_print(ctx: BuiltinContext, operands: Value) -> Value:
    """Print a line for each combination of the elements of the sets."""
    write: Any = ctx.service("print")
    if write is None:
        return True
    columns = [_shown(operand) for operand in want_array(operands, 1)]
    for row in product(*columns):
        ctx.charge(1)
        write(" ".join(row))
    return True


def _shown(operand: Value) -> list[str]:
    if operand.__class__ is RegoSet:
        return [display_text(value) for value in operand] or ["<undefined>"]
    if isinstance(operand, (list, dict)):
        raise BuiltinError(f"illegal argument type: {type_name(operand)}", halt=True)
    return [display_text(operand)]


@builtin("internal.test_case", context=True)
def internal_test_case(ctx: BuiltinContext, path: Value) -> Value:
    """Always true; the test runner learns from the call which case is being judged."""
    case = want_array(path, 1)
    tell: Any = ctx.service("test_case")
    if tell is not None:
        tell(case)
    return True
