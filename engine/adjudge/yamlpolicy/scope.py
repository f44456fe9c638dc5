"""What a policy sees: the kind it applies to in, the shape of its ``input`` out.

The kinds and their facts come from the schemas of the documents; the rest of the input
(the release, the artifact around the facts) is described here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.yamlpolicy.shapes import ANY, EMBEDDED, Schema, Shape

RELEASE: Final = "release"
"""The scope of policies that judge the whole release."""
RUNTIME: Final = "runtime"
"""The scope of policies that judge one request at run time (the shape of AuthZEN 1.0)."""

_STRING: Final[Schema] = {"type": "string"}


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(items: Schema) -> dict[str, Any]:
    return {"type": "array", "items": items}


# A manifest may hold more than these; close misspellings of these names are still errors.
_RELEASE_FIELDS: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": {},
        "version": {},
        "environment": {},
        "tenant": {},
        "risk_tier": {},
        "owner": {},
    },
    "additionalProperties": True,
}
_CONTEXT: Final[Schema] = {
    "type": "object",
    "properties": {"as_of": _STRING, "event": {}},
    "additionalProperties": True,
}
_FILES: Final = _list_of(_closed(path=_STRING, sha256=_STRING, size={"type": "integer"}))
_PROBLEMS: Final = _list_of(
    _closed(
        code=_STRING,
        message=_STRING,
        pointer=_STRING,
        severity={"type": "string", "enum": ["error", "warning"]},
    )
)
_ENTITY: Final[Schema] = {
    "type": "object",
    "properties": {"type": _STRING, "id": _STRING, "properties": {"type": "object"}},
}
_RUNTIME_INPUT: Final[Schema] = {
    "type": "object",
    "properties": {
        "subject": _ENTITY,
        "action": {
            "type": "object",
            "properties": {"name": _STRING, "properties": {"type": "object"}},
        },
        "resource": _ENTITY,
        "context": {"type": "object"},
    },
}
# Groups that a release has even where no kind of that name publishes its facts.
_GROUPS: Final = (
    "model_cards",
    "prompt_bundles",
    "sboms",
    "signed_artifacts",
    "weights",
    "evaluations",
    "datasets",
    "attestations",
    "approvals",
)


def group_of(kind: str) -> str:
    """The name of the list of a kind's artifacts in the input of a release."""
    return kind if kind.endswith("s") else f"{kind}s"


@dataclass(frozen=True)
class Scope:
    """The input of the policies that apply to something, and the shape of ``data``.

    ``artifact`` tells kinds of artifacts from the release and from requests.
    """

    applies_to: str
    input: Shape
    data: Shape = field(default=ANY)
    artifact: bool = False

    @property
    def roots(self) -> list[str]:
        """The names a path can start with, loop variables aside."""
        return [*self.input.names(), "data", "input"]


def scope_for(applies_to: str, schemas: Mapping[str, Schema]) -> Scope | None:
    """The scope of ``applies_to``; None when there is no such kind.

    ``schemas`` maps a kind to the JSON Schema of its facts; the names ``release``, ``git``
    and ``context`` replace what is known here about those parts of the input.
    """
    release = _embedded(schemas, RELEASE, _RELEASE_FIELDS)
    if applies_to == RELEASE:
        return Scope(RELEASE, Shape.of(_release_input(schemas, release)))
    if applies_to == RUNTIME:
        return Scope(RUNTIME, Shape.of(_RUNTIME_INPUT))
    if applies_to not in kinds(schemas):
        return None
    return Scope(applies_to, Shape.of(_artifact(schemas[applies_to], release)), artifact=True)


def kinds(schemas: Mapping[str, Schema]) -> list[str]:
    """The artifact kinds a policy can apply to."""
    return sorted(set(schemas) - {RELEASE, "git", "context"})


def _embedded(schemas: Mapping[str, Schema], name: str, default: Schema) -> Schema:
    return {EMBEDDED: schemas[name]} if name in schemas else default


def _artifact(facts: Schema, release: Schema | None) -> Schema:
    """One artifact as policies see it; within a release the release is not repeated."""
    fields: dict[str, Any] = {
        "kind": _STRING,
        "path": _STRING,
        "digest": _STRING,
        "size": {"type": "integer"},
        "document": {},
        "facts": {EMBEDDED: facts},
        "files": _FILES,
        "problems": _PROBLEMS,
        "signatures": _list_of({}),
        "signers": _list_of({}),
        "assurance": {"type": "string", "enum": ["signed", "self_declared"]},
        "attestations": _list_of({}),
    }
    if release is not None:
        fields["release"] = release
    return _closed(**fields)


def _release_input(schemas: Mapping[str, Schema], release: Schema) -> Schema:
    artifacts = {kind: _artifact(schemas[kind], None) for kind in kinds(schemas)}
    unknown = _artifact({}, None)
    groups = {name: _list_of(unknown) for name in _GROUPS}
    groups |= {group_of(kind): _list_of(shape) for kind, shape in artifacts.items()}
    known = {"release": release, "context": _embedded(schemas, "context", _CONTEXT)}
    known["artifacts"] = _list_of({"anyOf": list(artifacts.values()) or [unknown]})
    git = _embedded(schemas, "git", {"type": ["object", "null"], "additionalProperties": True})
    return {
        "type": "object",
        "properties": {
            **known,
            **groups,
            "vulnerabilities": _list_of({}),
            "git": git,
            "degradations": _list_of({}),
        },
        "required": list(known),
        "additionalProperties": False,
    }
