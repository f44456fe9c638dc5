"""Modules of many packages in, their rules as those of one module out.

OPA compiles everything it has with each policy that is put, so pushing policies one by one takes
time that grows with the square of their number.  Rules may be defined below their package
(``a.b.deny contains …``), so that one module can hold those of all packages.  For that, names
of rules and of imports are written out: in ``package a.b``, ``helper(x)`` is
``data.a.b.helper(x)``, unless ``helper`` is a variable there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from adjudge.opa.moving import uses
from adjudge.rego.syntax import (
    Annotations,
    Array,
    ArrayCompr,
    Body,
    Call,
    Condition,
    Every,
    Expr,
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
    Term,
    Var,
)

Names = frozenset[str]

_KEYWORDS: Final = frozenset({"contains", "every", "if", "in"})
_SAME: Final = frozenset({"loc"})


def mergeable(module: Module) -> bool:
    """Whether the rules of a module mean the same in another one: they do not ask for their own
    annotations, and read nothing by keywords that are imported."""
    return not uses(module.rules, "rego.metadata") and all(map(_harmless, module.imports))


def _harmless(item: Import) -> bool:
    path = _path(item.path)
    if path[0] in ("data", "input"):
        return len(path) > 1
    return path == ["rego", "v1"] or path == ["future", "keywords"] or path[2:] in _ONE_KEYWORD


_ONE_KEYWORD: Final = [[word] for word in _KEYWORDS]


def merged(modules: Sequence[Module], top: str) -> tuple[Rule, ...]:
    """The rules of modules, each defined below ``top`` and its package.

    References to ``data`` are those of the modules: what ``top`` stands in is not known here.
    """
    names: dict[tuple[str, ...], set[str]] = {}
    for module in modules:
        names.setdefault(module.package, set()).update(map(_name, module.rules))
    out: list[Rule] = []
    for module in modules:
        known: dict[str, Ref] = {
            name: _reference((*module.package, name)) for name in names[module.package]
        }
        known |= _imported(module.imports)
        resolver = _Resolver(known)
        above = tuple(Scalar(step) for step in module.package)
        out += [_below(top, above, resolver.rule(rule)) for rule in module.rules]
    return tuple(out)


def _below(top: str, package: tuple[Scalar, ...], rule: Rule) -> Rule:
    ref = rule.head.ref
    head, rest = (ref, ()) if isinstance(ref, Var) else (ref.head, ref.operands)
    assert isinstance(head, Var)
    new = Ref(Var(top), (*package, Scalar(head.name), *rest), ref.loc)
    orelse = None if rule.orelse is None else _below(top, package, rule.orelse)
    return replace(rule, head=replace(rule.head, ref=new), orelse=orelse, annotations=())


def _name(rule: Rule) -> str:
    ref = rule.head.ref
    head = ref if isinstance(ref, Var) else ref.head
    assert isinstance(head, Var)
    return head.name


def _reference(path: Iterable[str]) -> Ref:
    return Ref(Var("data"), tuple(Scalar(step) for step in path))


def _imported(imports: Iterable[Import]) -> dict[str, Ref]:
    found = {}
    for item in imports:
        path = _path(item.path)
        if path[0] in ("data", "input") and isinstance(item.path, Ref):
            found[item.alias or str(path[-1])] = item.path
    return found


def _path(ref: Var | Ref) -> list[Any]:
    if isinstance(ref, Var):
        return [ref.name]
    head = ref.head.name if isinstance(ref.head, Var) else ""
    return [head, *(o.value if isinstance(o, Scalar) else None for o in ref.operands)]


class _Resolver:
    """Writes names out, where they are not variables.

    ``scope`` holds the variables of everything around: arguments, and what bodies declare.
    """

    def __init__(self, known: Mapping[str, Ref]) -> None:
        self.known = known

    def rule(self, rule: Rule, around: Names = frozenset()) -> Rule:
        """A rule with its names written out."""
        head = rule.head
        arguments = around | set(_pattern(head.args or ()))
        scope = arguments | _declared(rule.body)
        ref = head.ref
        if isinstance(ref, Ref):
            ref = replace(ref, operands=self.of(ref.operands, scope))
        new = replace(
            head,
            ref=ref,
            args=self.of(head.args, arguments),
            key=self.of(head.key, scope),
            value=self.of(head.value, scope),
        )
        orelse = None if rule.orelse is None else self.rule(rule.orelse, around)
        return replace(rule, head=new, body=self.of(rule.body, scope), orelse=orelse)

    def of(self, node: Any, scope: Names) -> Any:
        """A part of a rule with its names written out."""
        match node:
            case tuple():
                return tuple([self.of(item, scope) for item in node])
            case Var():
                return self._variable(node, scope)
            case Ref(head=Var() as head):
                return self._ref(node, head, scope)
            case Call(infix=True):
                # What an operator is called is no name.
                return replace(node, args=self.of(node.args, scope))
            case ArrayCompr() | SetCompr() | ObjectCompr() | Condition():
                return self._inside(node, scope | _declared(node.body))
            case Every():
                inner = scope | set(_pattern((node.key, node.value)))
                return replace(
                    node,
                    domain=self.of(node.domain, scope),
                    body=self.of(node.body, inner | _declared(node.body)),
                )
            case SomeDecl() | Scalar() | Annotations():
                return node
        return self._inside(node, scope) if hasattr(node, "__dataclass_fields__") else node

    def _inside(self, node: Any, scope: Names) -> Any:
        changed = {}
        for each in fields(node):
            value = getattr(node, each.name)
            if each.name not in _SAME and value.__class__ not in (str, bool, int, type(None)):
                new = self.of(value, scope)
                if new is not value:
                    changed[each.name] = new
        return replace(node, **changed) if changed else node

    def _variable(self, node: Var, scope: Names) -> Term:
        known = None if node.name in scope else self.known.get(node.name)
        return node if known is None else replace(known, loc=node.loc)

    def _ref(self, node: Ref, head: Var, scope: Names) -> Ref:
        operands = self.of(node.operands, scope)
        known = None if head.name in scope else self.known.get(head.name)
        if known is None:
            return replace(node, operands=operands)
        return replace(node, head=known.head, operands=(*known.operands, *operands))


def _declared(body: Body) -> Names:
    """The variables that the expressions of a body declare."""
    found: set[str] = set()
    for expr in body:
        found.update(_declared_by(expr))
    return frozenset(found)


def _declared_by(expr: Expr) -> Iterator[str]:
    match expr.term:
        case SomeDecl(names=names):
            yield from (name.name for name in names)
        case SomeIn(key=key, value=value):
            yield from _pattern((key, value))
        case Call(operator=Var(name="assign"), args=args, infix=True):
            yield from _pattern((args[0],))


def _pattern(terms: Iterable[Term | None]) -> Iterator[str]:
    """The variables of patterns: what arrays and objects are taken apart into."""
    for term in terms:
        match term:
            case Var(name=name):
                yield name
            case Array(items=items) | Set(items=items):
                yield from _pattern(items)
            case Object(pairs=pairs):
                yield from _pattern([value for _, value in pairs])
