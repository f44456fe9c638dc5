"""Work and depth are bounded, whatever the arguments are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adjudge.rego.builtins.registry import BuiltinError

Call = Callable[..., Any]
SCHEMA = "type Query { a(x: [Int]): Query b: Int }"


def nested(depth: int) -> Any:
    selection: Any = {"Name": "b"}
    for _ in range(depth):
        selection = {"Name": "a", "SelectionSet": [selection]}
    return {"Operations": [{"Operation": "query", "SelectionSet": [selection]}]}


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("graphql.parse_query", ["{a" * 5000]),
        ("graphql.parse_query", ["{a(x:" + "[" * 5000]),
        ("graphql.parse_schema", ["type A { a: " + "[" * 5000]),
        ("graphql.is_valid", ["{a(x:" + "[" * 5000 + "]" * 5000 + ")}", SCHEMA]),
        ("graphql.is_valid", [nested(5000), SCHEMA]),
        ("graphql.parse_and_verify", [nested(5000), SCHEMA]),
        (
            "graphql.schema_is_valid",
            [
                " ".join(f"input I{n} {{ a: I{n + 1}! }}" for n in range(3000))
                + "input I3000 {a:Int}"
            ],
        ),
    ],
)
def test_graphql_depth(call: Call, name: str, args: list[Any]) -> None:
    with pytest.raises(BuiltinError, match="nests too deeply"):
        call(name, *args)


def introspection() -> str:
    """Fragments that each spread the next one twice: 2**40 ways to the last."""
    parts = [f"fragment F{n} on __Schema {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40)]
    return " ".join([*parts, "fragment F40 on __Schema { description }"])


@pytest.mark.parametrize(
    ("query", "schema"),
    [
        ("{ __schema { ...F0 } } " + introspection(), SCHEMA),
        ("{" + "a { b } " * 2000 + "}", SCHEMA),
        (
            "{" + " ".join(f"name{n}" for n in range(900)) + "}",
            "type Query {" + " ".join(f"nam{n}x: Int" for n in range(900)) + "}",
        ),
    ],
)
def test_graphql_work_is_charged(call: Call, context: Call, query: str, schema: str) -> None:
    with pytest.raises(TimeoutError):
        call("graphql.is_valid", query, schema, context=context(limit=200_000))


def test_graphql_schemas_are_put_together_once(call: Call, context: Call) -> None:
    ctx = context()
    call("graphql.is_valid", "{ b }", SCHEMA, context=ctx)
    first = ctx.steps
    call("graphql.is_valid", "{ b }", SCHEMA, context=ctx)
    assert first - ctx.steps < len(SCHEMA)


def test_graphql_rules_do_not_show_in_trees(call: Call, context: Call) -> None:
    ctx = context()
    query = "query($x: Int) { b @include(if: true) a(x: [$x]) { b } }"
    tree = call("graphql.parse", query, SCHEMA, context=ctx)
    assert tree[0] == call("graphql.parse_query", query)
    assert tree == call("graphql.parse", query, SCHEMA, context=ctx)
    assert tree[1] == call("graphql.parse_schema", SCHEMA)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}},
    ],
)
def test_endless_json_schemas(call: Call, schema: Any) -> None:
    with pytest.raises(BuiltinError, match="without end"):
        call("json.match_schema", {"a": 1}, schema)


def test_json_schemas_are_never_fetched(call: Call) -> None:
    for reference in ("https://example.com/schema.json", "file:///etc/passwd", "other.json"):
        verdict = call("json.verify_schema", {"properties": {"a": {"$ref": reference}}})
        assert verdict[0] is False
        with pytest.raises(BuiltinError):
            call("json.match_schema", {"a": 1}, {"properties": {"a": {"$ref": reference}}})


def test_json_schema_work_is_charged(call: Call, context: Call) -> None:
    schema = {"items": {"anyOf": [{"type": "string", "minLength": n} for n in range(200)]}}
    with pytest.raises(TimeoutError):
        call("json.match_schema", [1] * 1000, schema, context=context(limit=50_000))


def test_expanding_a_network(call: Call) -> None:
    assert len(call("net.cidr_expand", "10.0.0.0/24")) == 256
    with pytest.raises(BuiltinError) as raised:
        call("net.cidr_expand", "10.0.0.0/8")
    assert raised.value.halt
