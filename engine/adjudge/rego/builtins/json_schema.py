"""``json.match_schema`` and ``json.verify_schema``: consume documents and schemas; produce verdicts
with the errors found.

In OPA these two may fetch what a schema refers to, so it takes them for nondeterministic;
here they never do.
"""

from __future__ import annotations

from typing import Any

from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin
from adjudge.rego.builtins.schema_compile import Compiler, Node
from adjudge.rego.builtins.schema_json import document_of
from adjudge.rego.builtins.schema_validate import Validator
from adjudge.rego.runtime.values import Value, box

_ENDLESS = "the schema refers to itself without end, or the document nests too deeply"


def _compiled(ctx: BuiltinContext, schema: Value) -> Node:
    """The compiled schema; each is compiled once in an evaluation."""
    key = ("json schema", box(schema))
    found: Node | None = ctx.cache.get(key)
    if found is None:
        document = document_of(schema)
        try:
            found = Compiler(ctx, document).root
        except RecursionError:
            raise BuiltinError(_ENDLESS) from None
        ctx.cache[key] = found
    return found


@builtin("json.verify_schema", context=True)
def verify_schema(ctx: BuiltinContext, schema: Value) -> Value:
    """``[true, null]`` if the operand is a JSON Schema, else ``[false, message]``."""
    try:
        _compiled(ctx, schema)
    except BuiltinError as err:
        return [False, f"jsonschema: {err.message}"]
    return [True, None]


@builtin("json.match_schema", context=True)
def match_schema(ctx: BuiltinContext, document: Value, schema: Value) -> Value:
    """``[valid, errors]``: each error an object of ``error``, ``type``, ``field``, ``desc``."""
    value = document_of(document)
    node = _compiled(ctx, schema)
    try:
        failures = Validator(ctx).validate(node, value).failures
    except RecursionError:
        raise BuiltinError(_ENDLESS) from None
    shown: list[Any] = [
        {
            "error": f"{failure.field}: {failure.description}",
            "type": failure.kind,
            "field": failure.field,
            "desc": failure.description,
        }
        for failure in failures
    ]
    return [not failures, shown]
