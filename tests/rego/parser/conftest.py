"""Fixtures that speak to the real OPA and write our tree the way OPA writes its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.runtime.values import LiteralFloat
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Every,
    Expr,
    Head,
    Import,
    Module,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Template,
    Term,
    Var,
)

SHARED = Path(__file__).resolve().parents[3].parent / "shared"

Json = Any


@pytest.fixture(scope="session")
def opa() -> str:
    """The OPA program."""
    found = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
    if found is None:
        pytest.skip("the opa program is not installed")
    return found


@pytest.fixture(scope="session")
def conformance_modules() -> list[str]:
    """Every module text of the conformance cases."""
    path = SHARED / "conformance" / "opa-v1.jsonl"
    if not path.exists():
        pytest.skip("the conformance cases are not beside the project")
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [text for case in cases for text in case.get("modules") or []]


@pytest.fixture(scope="session")
def opa_trees(opa: str) -> Callable[[list[str]], list[Json]]:
    """A function from module texts to OPA's trees, None where OPA refuses the text."""

    def parse(texts: list[str]) -> list[Json]:
        query = (
            "[t | some m in input;"
            ' t := object.get({1: x | x := rego.parse_module("m", m)}, 1, null)]'
        )
        done = subprocess.run(
            [opa, "eval", "--stdin-input", "--format=json", query],
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
        )
        result = json.loads(done.stdout, parse_float=Decimal)
        trees: list[Json] = result["result"][0]["expressions"][0]["value"]
        return trees

    return parse


@pytest.fixture(scope="session")
def as_opa() -> Callable[[Module], Json]:
    """A function that writes a module as OPA's JSON, normalised."""
    return _module


@pytest.fixture(scope="session")
def normal() -> Callable[[Json], Json]:
    """A function that removes from OPA's JSON what does not matter."""
    return _normal


# What our tree leaves out, or is another test's business.
_IGNORED = {"location", "comments", "annotations", "index", "alias_location", "generated"}


def _normal(node: Json) -> Json:
    """Wildcards get one name, sets and objects one order, generated things go."""
    if isinstance(node, list):
        return [_normal(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind, value = node.get("type"), node.get("value")
    if kind == "var" and isinstance(value, str) and value.startswith("$"):
        return {"type": "var", "value": "_"}
    found = {key: _normal(item) for key, item in node.items() if key not in _IGNORED}
    if "ref" in found:  # a head: OPA repeats the operand of `p[x]` there
        found.pop("name", None)
        if "value" in found:
            found.pop("key", None)
    if kind in ("set", "object"):
        found["value"] = _sorted(found["value"])
    if "multi_line" in found:
        found["parts"] = found["parts"] or []
    if kind == "number":
        found["value"] = Decimal(str(value))
    return found


def _sorted(items: list[Json]) -> list[Json]:
    unique = {json.dumps(item, sort_keys=True, default=str): item for item in items}
    return [unique[key] for key in sorted(unique)]


def _module(module: Module) -> Json:
    path = [_typed("var", "data"), *(_typed("string", name) for name in module.package)]
    found: Json = {"package": {"path": path}}
    if module.imports:
        found["imports"] = [_import(item) for item in module.imports]
    if module.rules:
        found["rules"] = [_rule(rule) for rule in module.rules]
    return _normal(found)


def _typed(kind: str, value: Json) -> Json:
    return {"type": kind, "value": value}


def _import(item: Import) -> Json:
    path = item.path
    found = {"path": _ref(path) if isinstance(path, Ref) else _typed("ref", [_var(path)])}
    if item.alias is not None:
        found["alias"] = item.alias
    return found


_TRUE = _typed("boolean", True)


def _rule(rule: Rule) -> Json:
    found: Json = {"head": _head(rule.head), "body": _body(rule.body)}
    if rule.default:
        found["default"] = True
    if rule.orelse is not None:
        found["else"] = _rule(rule.orelse)
    return found


def _head(head: Head) -> Json:
    ref = head.ref
    parts = [_var(ref)] if isinstance(ref, Var) else _ref(ref)["value"]
    found: Json = {"ref": parts}
    if head.key is not None:
        found["key"] = _term(head.key)
    else:
        found["value"] = _TRUE if head.value is None else _term(head.value)
    if head.args:
        found["args"] = [_term(arg) for arg in head.args]
    if head.assign:
        found["assign"] = True
    return found


def _body(body: Body) -> Json:
    return [_expr(expr) for expr in body] if body else [{"terms": _TRUE}]


def _expr(expr: Expr) -> Json:
    found: Json = {"terms": _terms(expr.term)}
    if expr.negated:
        found["negated"] = True
    if expr.withs:
        found["with"] = [
            {"target": _term(item.target), "value": _term(item.value)} for item in expr.withs
        ]
    return found


def _terms(term: Term | SomeDecl | SomeIn | Every) -> Json:
    if isinstance(term, SomeDecl):
        return {"symbols": [_var(name) for name in term.names]}
    if isinstance(term, SomeIn):
        args = (
            [term.value, term.domain] if term.key is None else [term.key, term.value, term.domain]
        )
        name = _typed("string", f"member_{len(args)}")
        operator = _typed("ref", [_typed("var", "internal"), name])
        return {"symbols": [_typed("call", [operator, *map(_term, args)])]}
    if isinstance(term, Every):
        return {
            "key": None if term.key is None else _term(term.key),
            "value": _term(term.value),
            "domain": _term(term.domain),
            "body": _body(term.body),
        }
    found = _term(term)
    return found["value"] if isinstance(term, Call) else found


def _var(var: Var) -> Json:
    return _typed("var", var.name)


def _ref(ref: Ref) -> Json:
    head = _var(ref.head) if isinstance(ref.head, Var) else _term(ref.head)
    return _typed("ref", [head, *map(_term, ref.operands)])


def _scalar(value: Any) -> Json:
    if value is None:
        return _typed("null", {})
    if isinstance(value, bool):
        return _typed("boolean", value)
    if isinstance(value, str):
        return _typed("string", value)
    return _typed("number", Decimal(value.text if isinstance(value, LiteralFloat) else str(value)))


def _term(term: Term) -> Json:
    match term:
        case Scalar():
            return _scalar(term.value)
        case Var():
            return _typed("ref", [_var(term)]) if term.name in ("input", "data") else _var(term)
        case Ref():
            return _ref(term)
        case Array():
            return _typed("array", list(map(_term, term.items)))
        case Set():
            return _typed("set", list(map(_term, term.items)))
        case Object():
            return _typed("object", [[_term(k), _term(v)] for k, v in dict(term.pairs).items()])
        case ArrayCompr():
            return _typed("arraycomprehension", _compr(term=term.term, body=term.body))
        case SetCompr():
            return _typed("setcomprehension", _compr(term=term.term, body=term.body))
        case ObjectCompr():
            found = {"key": _term(term.key), "value": _term(term.value), "body": _body(term.body)}
            return _typed("objectcomprehension", found)
        case Call():
            operator = term.operator
            called = (
                _typed("ref", [_var(operator)]) if isinstance(operator, Var) else _ref(operator)
            )
            return _typed("call", [called, *map(_term, term.args)])
        case Template():
            return _typed("templatestring", {"parts": _parts(term), "multi_line": term.raw})


def _compr(*, term: Term, body: Body) -> Json:
    return {"term": _term(term), "body": _body(body)}


def _parts(template: Template) -> Json:
    found = []
    for part in template.parts:
        if isinstance(part, str):
            found.append(_typed("string", part))
        elif isinstance(part, Expr):
            found.append(_expr(part))
        elif isinstance(part, Scalar):
            found.append(_term(part))
        else:
            found.append({"terms": _terms(part)})
    return found
