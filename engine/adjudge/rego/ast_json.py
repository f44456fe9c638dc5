"""A syntax tree in, the JSON that OPA's parser prints for it out (``rego.parse_module``)."""

from __future__ import annotations

from typing import Any

from adjudge.rego.syntax import (
    Annotations,
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

Json = dict[str, Any]


def module_json(module: Module) -> Json:
    """The tree of a module."""
    writer = _Writer()
    path = [_var("data"), *({"type": "string", "value": p} for p in module.package)]
    out: Json = {"package": {"path": path}}
    if module.imports:
        out["imports"] = [writer.import_(i) for i in module.imports]
    out["rules"] = [writer.rule(r) for r in module.rules]
    if module.annotations:
        out["annotations"] = [_annotation(a) for a in module.annotations]
    return out


def _var(name: str) -> Json:
    return {"type": "var", "value": name}


def _annotation(annotation: Annotations) -> Json:
    return {**annotation.fields, "scope": annotation.scope}


class _Writer:
    """Numbers the wildcards of one module (``$0``, ``$1`` …)."""

    def __init__(self) -> None:
        self.wildcards = 0

    def import_(self, imp: Import) -> Json:
        out: Json = {"path": self.reference(imp.path)}
        if imp.alias:
            out["alias"] = imp.alias
        return out

    def rule(self, rule: Rule) -> Json:
        out: Json = {"head": self.head(rule.head), "body": self.body(rule.body)}
        if rule.default:
            out["default"] = True
        if rule.orelse is not None:
            out["else"] = self.rule(rule.orelse)
        if rule.annotations:
            out["annotations"] = [_annotation(a) for a in rule.annotations]
        return out

    def head(self, head: Head) -> Json:
        reference = self.reference(head.ref)["value"]
        out: Json = {"ref": reference}
        if len(reference) == 1:
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
                {"target": self.reference(w.target), "value": self.term(w.value)}
                for w in expr.withs
            ]
        return out

    def statement(self, term: Term | SomeDecl | SomeIn | Every) -> Any:
        match term:
            case SomeDecl(names):
                return {"symbols": [_var(n.name) for n in names]}
            case SomeIn(key, value, domain):
                parts = [p for p in (key, value, domain) if p is not None]
                name = f"internal.member_{len(parts)}"
                return {"symbols": [self.call(name, tuple(parts))]}
            case Every(key, value, domain, body):
                return {
                    "key": None if key is None else self.term(key),
                    "value": self.term(value),
                    "domain": self.term(domain),
                    "body": self.body(body),
                }
            case Call():
                return self.term(term)["value"]
            case _:
                return self.term(term)

    def call(self, operator: str, args: tuple[Term, ...]) -> Json:
        first, *rest = operator.split(".")
        name = [_var(first), *({"type": "string", "value": r} for r in rest)]
        return {
            "type": "call",
            "value": [{"type": "ref", "value": name}, *(self.term(a) for a in args)],
        }

    def reference(self, ref: Var | Ref) -> Json:
        if isinstance(ref, Var):
            return {"type": "ref", "value": [self.term(ref)]}
        return self.term(ref)

    def term(self, term: Term) -> Json:
        match term:
            case Scalar(value):
                return {"type": _scalar_type(value), "value": value}
            case Var(name):
                return _var(self.wildcard() if name == "_" else name)
            case Ref(head, operands):
                return {"type": "ref", "value": [self.term(head), *map(self.term, operands)]}
            case Array(items):
                return {"type": "array", "value": [self.term(i) for i in items]}
            case Set(items):
                return {"type": "set", "value": [self.term(i) for i in items]}
            case Object(pairs):
                return {"type": "object", "value": [[self.term(k), self.term(v)] for k, v in pairs]}
            case ArrayCompr(inner, body):
                return self.comprehension("array", {"term": self.term(inner)}, body)
            case SetCompr(inner, body):
                return self.comprehension("set", {"term": self.term(inner)}, body)
            case ObjectCompr(key, value, body):
                terms = {"key": self.term(key), "value": self.term(value)}
                return self.comprehension("object", terms, body)
            case Call(operator, args):
                found = [self.reference(operator), *(self.term(a) for a in args)]
                return {"type": "call", "value": found}
            case Template(parts):
                return {"type": "templatestring", "value": {"parts": self.parts(parts)}}

    def parts(self, parts: tuple[Any, ...]) -> list[Json]:
        out = []
        for part in parts:
            if isinstance(part, str):
                out.append({"type": "string", "value": part})
            elif isinstance(part, Expr):
                out.append(self.expr(part, 0))
            else:
                out.append(self.term(part))
        return out

    def comprehension(self, kind: str, terms: Json, body: Body) -> Json:
        return {"type": f"{kind}comprehension", "value": {**terms, "body": self.body(body)}}

    def wildcard(self) -> str:
        self.wildcards += 1
        return f"${self.wildcards - 1}"


def _scalar_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
