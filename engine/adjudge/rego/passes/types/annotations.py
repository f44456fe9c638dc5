"""``schemas`` of METADATA in, what is known of documents within a rule out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adjudge.rego.passes.metadata import rule_path
from adjudge.rego.passes.types.env import Documents, Env
from adjudge.rego.passes.types.model import (
    ANY,
    Dynamic,
    Object,
    PropertyKey,
    Table,
    Type,
    unwrapped,
)
from adjudge.rego.passes.types.schemas import SchemaError, SchemaTypes
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.passes.types.tree import TypeTree
from adjudge.rego.syntax import Annotations, Module, Rule, Scalar, Var

ROOT = ""
"""The name of the schema of all input in a set of schemas."""


def schema_name(path: Iterable[str]) -> str:
    """The name of a schema in a set: the names below ``schema``, joined with dots."""
    return ".".join(path).replace("/", ".")


class SchemaLayers:
    """The layers that schemas put over what rules define.

    ``schemas`` is the set that annotations refer to, None when there is none: then what
    they say of a schema by name is not looked at.
    """

    def __init__(
        self, table: Table, modules: Iterable[Module], schemas: Mapping[str, Any] | None
    ) -> None:
        self.table = table
        self.documents = Documents(table)
        self.types = SchemaTypes(table)
        self.set = None if schemas is None else {schema_name((n,)): s for n, s in schemas.items()}
        self.text = TermText(lambda _: None)
        self._loaded: dict[Any, Type] = {}
        self._packages: dict[tuple[str, ...], Annotations] = {}
        self._paths: dict[tuple[str, ...], Annotations] = {}
        for module in modules:
            self._index(module)

    def _index(self, module: Module) -> None:
        for annotation in module.annotations:
            if annotation.scope == "package":
                self._packages.setdefault(module.package, annotation)
            elif annotation.scope == "subpackages":
                self._paths.setdefault(module.package, annotation)
        for rule in module.rules:
            for annotation in rule.annotations:
                if annotation.scope == "document":
                    self._paths.setdefault(rule_path(module, rule), annotation)

    def base(self) -> tuple[TypeTree, ...]:
        """The layer of the schema of all input, if there is one; raises :class:`SchemaError`."""
        if self.set is None or ROOT not in self.set:
            return ()
        layer = TypeTree(self.table)
        layer.put("input", (), self.types.load(self.set[ROOT]))
        return (layer,)

    def _declared(self, module: Module, rule: Rule) -> Iterator[dict[str, Any]]:
        package = module.package
        found = [self._paths.get(package[:n]) for n in range(1, len(package) + 1)]
        found.append(self._packages.get(package))
        found.append(self._paths.get(rule_path(module, rule)))
        found.extend(a for a in rule.annotations if a.scope == "rule")
        for annotation in found:
            if annotation is not None:
                yield from annotation.fields.get("schemas", ())

    def over(self, env: Env, module: Module, rule: Rule) -> tuple[Env, list[str]]:
        """The environment of a rule, and what is wrong with its schemas."""
        errors: list[str] = []
        layer: TypeTree | None = None
        for declared in self._declared(module, rule):
            try:
                t = self._load(declared)
            except SchemaError as e:
                errors.append(str(e))
                continue
            if t is None:
                continue
            if layer is None:
                layer = TypeTree(self.table)
                env = env.under(layer)
            root, *path = declared["path"]
            if path:
                t = self._overridden(self.documents.root_type(env, root, ()), path, t)
            layer.put(root, (), t)
        return env, errors

    def _load(self, declared: dict[str, Any]) -> Type | None:
        if "definition" in declared:
            document = declared["definition"]
            key: Any = id(document)
        else:
            if self.set is None:
                return None
            key = schema_name(declared["schema"][1:])
            if key not in self.set:
                head, *names = declared["schema"]
                shown = self.text.ref(Var(head), [Scalar(n) for n in names])
                raise SchemaError(f"undefined schema: {shown}")
            document = self.set[key]
        if key not in self._loaded:
            self._loaded[key] = self.types.load(document)
        return self._loaded[key]

    def _overridden(self, known: Type | None, path: list[str], t: Type) -> Type:
        """The type of a document with another type for the part at a path."""
        known = unwrapped(known)
        rest: Dynamic | None = (ANY, ANY)
        static: dict[PropertyKey, Type | None] = {}
        if isinstance(known, Object):
            rest = known.dynamic
            static = dict(known.index)
        first, *below = path
        if first not in static:
            static[first] = self._nested(below, t, rest)
        elif below:
            static[first] = self._overridden(static[first], below, t)
        else:
            static[first] = t
        return self.table.object(static, rest)

    def _nested(self, path: list[str], t: Type, rest: Dynamic | None) -> Type:
        for key in reversed(path):
            t = self.table.object({key: t}, rest)
        return t
