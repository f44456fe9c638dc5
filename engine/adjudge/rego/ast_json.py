"""A syntax tree in, the JSON that OPA's parser prints for it out (``rego.parse_module``)."""

from __future__ import annotations

import json
from typing import Any

from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Every,
    Expr,
    Import,
    Logical,
    Module,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Statement,
    Template,
    Term,
    Var,
)

Json = dict[str, Any]


def module_json(module: Module) -> Json:
    """The tree of a module."""
    writer = _Writer()
    path = [_var("data"), *({"type": "string", "value": p} for p in module.package)]
    out: Json = {"package": {"path": path}}
    if module.imports:
        out["imports"] = [writer.import_(i) for i in module.imports]
    if module.rules:
        out["rules"] = [writer.rule(r) for r in module.rules]
    return out


def _var(name: str) -> Json:
    return {"type": "var", "value": name}


class _Writer:
    """Numbers the wildcards of one module (``$0``, ``$1`` …)."""

    def __init__(self) -> None:
        self.wildcards = 0

    def import_(self, imp: Import) -> Json:
        out: Json = {"path": self.reference(imp.path)}
        if imp.alias:
            out["alias"] = imp.alias
        return out

    def rule(self, rule: Rule, first: Rule | None = None) -> Json:
        """A rule; ``first`` is the one whose ``else`` it is."""
        out: Json = {"head": self.head(rule, first or rule), "body": self.body(rule.body)}
        if rule.default:
            out["default"] = True
        if rule.orelse is not None:
            out["else"] = self.rule(rule.orelse, first or rule)
        return out

    def head(self, rule: Rule, first: Rule) -> Json:
        head = rule.head
        reference = self.reference(head.ref)["value"]
        out: Json = {"ref": reference}
        if len(reference) == 1:
            out["name"] = reference[0]["value"]
        elif len(reference) == 2 and not head.key and not rule.default:
            # `p[x]` was a partial object once, with a name and a key.
            key = reference[1]
            if not head.args and (not first.body or key["type"] not in _GROUND):
                out["key"] = key
            if first.head.value is not None if first.body else not head.args:
                out["name"] = reference[0]["value"]
        if head.args is not None:
            out["args"] = [self.term(a) for a in head.args]
        if head.key is not None:
            out["key"] = self.term(head.key)
        else:
            value = Scalar(True) if head.value is None else head.value
            out["value"] = self.term(value)
        if head.assign:
            out["assign"] = True
        return out

    def body(self, body: Body) -> list[Json]:
        if not body:
            return [{"generated": True, "index": 0, "terms": {"type": "boolean", "value": True}}]
        return [self.expr(e, n) for n, e in enumerate(body)]

    def expr(self, expr: Expr, index: int) -> Json:
        out: Json = {"index": index, "terms": self.statement(expr.term)}
        if expr.negated:
            out["negated"] = True
        if expr.withs:
            out["with"] = [
                {"target": self.term(w.target), "value": self.term(w.value)} for w in expr.withs
            ]
        return out

    def statement(self, term: Statement) -> Any:
        match term:
            case SomeDecl(names):
                return {"symbols": [_var(n.name) for n in names]}
            case SomeIn(key, value, domain):
                parts = [p for p in (key, value, domain) if p is not None]
                name = {"type": "string", "value": f"member_{len(parts)}"}
                function = {"type": "ref", "value": [_var("internal"), name]}
                return {"symbols": [self.call(function, tuple(parts))]}
            case Every(key, value, domain, body):
                return {
                    "key": None if key is None else self.term(key),
                    "value": self.term(value),
                    "domain": self.term(domain),
                    "body": self.body(body),
                }
            case Not(condition):
                return {
                    "type": "not",
                    "body": self.body(condition.body),
                    "explicit_body": condition.braced,
                }
            case Logical():
                return self.logical(term)
            case Call():
                return self.term(term)["value"]
            case _:
                return self.term(term)

    def logical(self, term: Logical) -> Json:
        sides = {"lhs": term.left, "rhs": term.right}
        out: Json = {"type": term.operator}
        out.update({name: self.body(side.body) for name, side in sides.items()})
        out.update({f"explicit_{name}": True for name, side in sides.items() if side.braced})
        return out

    def call(self, operator: Json, args: tuple[Term, ...]) -> Json:
        return {"type": "call", "value": [operator, *(self.term(a) for a in args)]}

    def reference(self, ref: Var | Ref) -> Json:
        if isinstance(ref, Var):
            return {"type": "ref", "value": [_var(ref.name)]}
        return self.term(ref)

    def term(self, term: Term) -> Json:
        match term:
            case Scalar(value):
                return {"type": _scalar_type(value), "value": {} if value is None else value}
            case Var("input" | "data" as name):
                return {"type": "ref", "value": [_var(name)]}
            case Var(name):
                return _var(self.wildcard() if name == "_" else name)
            case Ref(head, operands):
                first = _var(head.name) if isinstance(head, Var) else self.term(head)
                return {"type": "ref", "value": [first, *map(self.term, operands)]}
            case Array(items):
                return {"type": "array", "value": [self.term(i) for i in items]}
            case Set(items):
                return {"type": "set", "value": _sorted([self.term(i) for i in items])}
            case Object(pairs):
                found = [[self.term(k), self.term(v)] for k, v in dict(pairs).items()]
                return {"type": "object", "value": sorted(found, key=_order)}
            case ArrayCompr(inner, body):
                return self.comprehension("array", {"term": self.term(inner)}, body)
            case SetCompr(inner, body):
                return self.comprehension("set", {"term": self.term(inner)}, body)
            case ObjectCompr(key, value, body):
                terms = {"key": self.term(key), "value": self.term(value)}
                return self.comprehension("object", terms, body)
            case Call(operator, args):
                return self.call(self.reference(operator), args)
            case Template(parts, raw):
                template = {"parts": self.parts(parts) or None, "multi_line": raw}
                return {"type": "templatestring", "value": template}

    def parts(self, parts: tuple[Any, ...]) -> list[Json]:
        out = []
        for part in parts:
            if isinstance(part, str):
                out.append({"type": "string", "value": part})
            elif isinstance(part, Scalar):
                out.append(self.term(part))
            else:
                out.append(self.expr(part if isinstance(part, Expr) else Expr(part), 0))
        return out

    def comprehension(self, kind: str, terms: Json, body: Body) -> Json:
        return {"type": f"{kind}comprehension", "value": {**terms, "body": self.body(body)}}

    def wildcard(self) -> str:
        self.wildcards += 1
        return f"${self.wildcards - 1}"


_TYPES = (
    *("null", "boolean", "number", "string", "var", "ref", "array", "object", "set"),
    *("arraycomprehension", "objectcomprehension", "setcomprehension", "call"),
)
"""The kinds of terms, in the order of terms."""

_GROUND = frozenset({"null", "boolean", "number", "string"})


def _sorted(terms: list[Json]) -> list[Json]:
    """The elements of a set, in order, each once."""
    found: list[Json] = []
    for term in sorted(terms, key=_order):
        if not found or found[-1] != term:
            found.append(term)
    return found


def _order(node: Any) -> tuple[Any, ...]:
    """Where a term stands among terms, as a key to sort by."""
    if isinstance(node, list):
        return tuple(map(_order, node))
    kind, value = node["type"], node["value"]
    rank = _TYPES.index(kind) if kind in _TYPES else len(_TYPES)
    if isinstance(value, list):
        return rank, *map(_order, value)
    return rank, json.dumps(value, default=str) if isinstance(value, dict) else value


def _scalar_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
