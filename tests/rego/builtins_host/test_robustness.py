"""No builtin answers hostile arguments with anything but a value or a BuiltinError."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.builtins.registry import BuiltinError, declared
from adjudge.rego.runtime.text import rego_text, to_json_text
from adjudge.rego.runtime.values import UNDEFINED, LiteralFloat, RegoSet, make_object

DATA = Path(__file__).parent / "data"
FAMILIES = (
    *("time.", "crypto.", "io.jwt.", "net.", "uuid.", "rand.", "graphql.", "http.", "providers."),
    *("json.match_schema", "json.verify_schema", "opa.runtime", "rego.parse_module", "trace"),
)
ARITY = {
    builtin["name"]: len(builtin["decl"].get("args", ()))
    for builtin in json.loads(
        files("adjudge.rego").joinpath("capabilities.json").read_text(encoding="utf-8")
    )["builtins"]
    if builtin["name"].startswith(FAMILIES)
}
SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 10**18, 2**63, 10**400, 0.1, -2.5, 1e300, LiteralFloat("1.50")),
    *(Decimal("1e400"), Decimal("1e-400"), "", "a", "\udcff", "\ud800x", "\0", "é😀", "\u2028"),
    *("[", "{", "a.b.c", "...", "/", "1.2.3.4/40", "::1/129", "e30.e30.", "2006-01-02", "UTC"),
    *(
        "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----",
        "MIIB",
        "x" * 500,
        "9" * 5000,
    ),
    *("[" * 3000, "{" * 3000, '{"a":' * 900, "{a" * 900, '{"$ref":"#"}', "-9223372036854775808ns"),
]


def anything(rng: random.Random, depth: int = 0) -> Any:
    """A value of any kind."""
    kind = rng.randrange(10 if depth < 3 else 6)
    if kind < 6:
        return rng.choice(SCALARS)
    items = [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind < 8:
        return items
    if kind == 8:
        return RegoSet(items)
    return make_object((anything(rng, depth + 1), item) for item in items)


def spoilt(rng: random.Random, value: Any) -> Any:
    """The value with something else somewhere in it."""
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], spoilt(rng, value[at]), *value[at + 1 :]]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        return {**value, key: spoilt(rng, value[key])}
    if isinstance(value, str) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        new = rng.choice(
            ["", "\0", "9", "=", "}", value[at : at + 20] * 3, chr(rng.randrange(1, 600))]
        )
        return value[:at] + new + value[at + rng.randrange(4) :]
    return anything(rng)


def attempt(context: Any, name: str, args: list[Any]) -> None:
    """Call a builtin: it gives a value that can be shown, or says why it cannot."""
    builtin = declared()[name]
    before = rego_text(args)
    try:
        value = builtin.function(*([context, *args] if builtin.context else args))
    except (BuiltinError, TimeoutError):
        return
    if value is not UNDEFINED:
        rego_text(value)
        to_json_text(value)
    assert rego_text(args) == before, "an argument was changed"


@pytest.mark.parametrize("name", sorted(ARITY))
def test_arbitrary_arguments(name: str, context: Callable[..., Any]) -> None:
    rng = random.Random(name)
    for _ in range(80):
        attempt(context(limit=50_000), name, [anything(rng) for _ in range(ARITY[name])])


@pytest.mark.parametrize("path", sorted(DATA.glob("*.jsonl")), ids=lambda p: p.stem)
def test_spoilt_arguments(
    path: Path, decoded: Callable[[Any], Any], context: Callable[..., Any]
) -> None:
    rng = random.Random(path.stem)
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        args = decoded(case["args"])
        if args:
            at = rng.randrange(len(args))
            args[at] = spoilt(rng, args[at])
        attempt(context(limit=50_000), case["call"], args)
