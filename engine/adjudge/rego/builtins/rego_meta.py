"""``rego.parse_module``: consumes the text of a module; produces its syntax tree as an object."""

from __future__ import annotations

from typing import Any

from adjudge.errors import AdjudgeError
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin, want_string
from adjudge.rego.runtime.values import Value


@builtin("rego.parse_module", context=True)
def parse_module(ctx: BuiltinContext, filename: Value, rego: Value) -> Value:
    """The tree of a module as OPA's JSON has it, made by the host's ``parse_module``: a
    callable from file name and text to an object; AdjudgeError if the text is no module."""
    name = want_string(filename, 1)
    text = want_string(rego, 1)
    parse: Any = ctx.service("parse_module")
    if parse is None:
        raise BuiltinError("withheld: policies may not parse modules here", halt=True)
    try:
        return parse(name, text)
    except AdjudgeError as err:
        raise BuiltinError(str(err)) from None


@builtin("rego.metadata.chain")
def metadata_chain() -> Value:
    """Only reached outside of a rule: inside, the compiler puts the annotations in its place."""
    raise BuiltinError(
        "the rego.metadata.chain function must only be called within the scope of a rule"
    )


@builtin("rego.metadata.rule")
def metadata_rule() -> Value:
    """Only reached outside of a rule: inside, the compiler puts the annotations in its place."""
    raise BuiltinError(
        "the rego.metadata.rule function must only be called within the scope of a rule"
    )
