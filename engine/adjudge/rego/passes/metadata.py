"""``rego.metadata.rule()`` and ``rego.metadata.chain()`` as constant terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adjudge.rego.syntax import (
    Annotations,
    Array,
    Module,
    Object,
    Ref,
    Rule,
    Scalar,
    Term,
    Var,
)
from adjudge.source import Location


class MetadataIndex:
    """The annotations of all modules, found by rule and by package."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.by_package: dict[tuple[str, ...], list[Annotations]] = {}
        self.documents: dict[tuple[str, ...], list[Annotations]] = {}
        for module in modules:
            for annotation in module.annotations:
                if annotation.scope in ("package", "subpackages"):
                    self.by_package.setdefault(module.package, []).append(annotation)
            for rule in module.rules:
                for annotation in rule.annotations:
                    if annotation.scope == "document":
                        path = rule_path(module, rule)
                        known = self.documents.setdefault(path, [])
                        # One block stands with every rule of the document.
                        if annotation not in known:
                            known.append(annotation)

    def chain(self, module: Module, rule: Rule) -> list[tuple[tuple[str, ...], Annotations | None]]:
        """Paths and annotations from the rule outwards, as OPA orders them."""
        path = rule_path(module, rule)
        own = [a for a in rule.annotations if a.scope == "rule"]
        out: list[tuple[tuple[str, ...], Annotations | None]] = []
        out.extend((path, a) for a in own)
        if not own:
            out.append((path, None))
        out.extend((path, a) for a in self.documents.get(path, ()))
        package = module.package
        out.extend((package, a) for a in self.by_package.get(package, ()) if a.scope == "package")
        for end in range(len(package), 0, -1):
            above = self.by_package.get(package[:end], ())
            out.extend((package[:end], a) for a in above if a.scope == "subpackages")
        return out

    def term(self, name: str, module: Module, rule: Rule | None, loc: Location) -> Term:
        """The constant that a call to ``name`` in ``rule`` stands for."""
        if rule is None:
            return Array((), loc) if name.endswith("chain") else Object((), loc)
        if name.endswith("rule"):
            own = [a for a in rule.annotations if a.scope == "rule"]
            return _annotation_term(own[0]) if own else Object((), loc)
        entries: list[Term] = []
        for path, annotation in self.chain(module, rule):
            pairs: list[tuple[Term, Term]] = []
            if annotation is not None:
                pairs.append((Scalar("annotations"), _annotation_term(annotation)))
            keys = Array(tuple(Scalar(p) for p in path))
            pairs.append((Scalar("path"), keys))
            entries.append(Object(tuple(pairs)))
        return Array(tuple(entries), loc)


def redeclared(modules: Iterable[Module]) -> Iterator[tuple[Annotations, Annotations]]:
    """Annotations that say again what those of another place say, with the first of them."""
    first: dict[tuple[bool, tuple[str, ...]], Annotations] = {}
    seen: set[Location] = set()
    for module in modules:
        found: list[tuple[bool, tuple[str, ...], Annotations]] = [
            (a.scope == "package", module.package, a)
            for a in module.annotations
            if a.scope in ("package", "subpackages")
        ]
        for rule in module.rules:
            path = rule_path(module, rule)
            found += [(False, path, a) for a in rule.annotations if a.scope == "document"]
        for is_package, path, annotation in found:
            known = first.setdefault((is_package, path), annotation)
            # One block stands with every rule of the document.
            if annotation.loc not in seen:
                seen.add(annotation.loc)
                if known is not annotation:
                    yield annotation, known


def rule_path(module: Module, rule: Rule) -> tuple[str, ...]:
    """The path of a rule below ``data``, up to what is not constant in it."""
    ref = rule.head.ref
    names: list[str] = []
    head = ref if isinstance(ref, Var) else ref.head
    if isinstance(head, Var):
        names.append(head.name)
    if isinstance(ref, Ref):
        for operand in ref.operands:
            if not isinstance(operand, Scalar):
                break
            names.append(str(operand.value))
    return (*module.package, *names)


def _annotation_term(annotation: Annotations) -> Term:
    fields = dict(annotation.fields)
    fields["scope"] = annotation.scope
    return _constant(fields)


def _constant(value: Any) -> Term:
    if isinstance(value, dict):
        return Object(tuple((Scalar(str(k)), _constant(v)) for k, v in value.items()))
    if isinstance(value, list):
        return Array(tuple(_constant(v) for v in value))
    return Scalar(value)
