"""The schema of the manifest in, the schema of what policies see of a release out.

``schema/release-v1.json`` is written by hand.  What policies see as ``input.release`` follows
from it; ``python -m adjudge.gate.schemas`` writes that schema to where policies are checked
against it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

_NOT_SEEN: Final = ("apiVersion", "kind", "metadata", "artifacts", "approvals", "trust")
_OF_VALUES: Final = ("description", "type", "enum", "properties", "items", "$ref")
_TEXT: Final = {"type": "string"}
_SHA256: Final = {"type": "string", "description": "SHA-256 in lower-case hexadecimal"}
_SIZE: Final = {"type": "integer", "minimum": 0, "description": "Bytes"}

LISTS: Final = ("approvals", "artifacts", "suppliers", "use_case_tags")
"""The lists of ``input.release`` that are always there."""


@cache
def release_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of release manifests; not to be changed by the caller."""
    text = resources.files(__package__).joinpath("schema/release-v1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def release_input_schema() -> dict[str, Any]:
    """The JSON Schema of ``input.release``.

    The fields of ``metadata`` stand beside the others; documents that the manifest refers to
    have their digest; artifacts have the kind they turned out to be.
    """
    manifest = release_schema()
    fields = dict(manifest["properties"]["metadata"]["properties"])
    fields |= {k: v for k, v in manifest["properties"].items() if k not in _NOT_SEEN}
    properties = {name: _values(schema) for name, schema in fields.items()}
    properties |= {
        "manifest": {**_TEXT, "description": "The path of the manifest; absent without one"},
        "artifacts": _list(_object({"path": _TEXT, "kind": _TEXT, "name": _TEXT}, "path", "kind")),
        "approvals": _list(
            _object({"path": _TEXT, "digest": _SHA256, "size": _SIZE}, "path", "digest", "size")
        ),
        "trust": _object(
            {"source": {**_TEXT, "enum": ["operator", "manifest", "none"]}},
            "source",
            description="Who says which signers are trusted",
        ),
    }
    definitions = {k: _values(v) for k, v in manifest["$defs"].items() if k in _used(properties)}
    return {
        "$schema": manifest["$schema"],
        "$id": "urn:adjudge:schema:release-input:v1",
        "title": "What policies see of a release",
        "description": "What the manifest says. What it does not say is absent; the lists "
        f"{', '.join(LISTS)} are always there.",
        **_object(dict(sorted(properties.items())), *LISTS, "trust"),
        "$defs": definitions,
    }


def _values(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without what only matters to authors of manifests."""
    out = {k: v for k, v in schema.items() if k in _OF_VALUES}
    if "properties" in out:
        fields = {name: _values(value) for name, value in out["properties"].items()}
        if "path" in fields and "url" in fields:
            fields |= {
                "digest": {**_SHA256, "description": "SHA-256 of the file"},
                "size": _SIZE,
                "digest_matches": {
                    "type": "boolean",
                    "description": "Whether the file has the sha256 of the manifest",
                },
            }
        out["properties"] = fields
        out["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = _values(schema["additionalProperties"])
    if "items" in out:
        out["items"] = _values(out["items"])
    return out


def _used(schema: Any) -> set[str]:
    """The definitions that a schema refers to, and those they refer to."""
    definitions = release_schema()["$defs"]
    found: set[str] = set()
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in found:
                found.add(name)
                stack.append(definitions[name])
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return found


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {
        **more,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def render() -> str:
    """The text that the file of :func:`release_input_schema` should have."""
    return json.dumps(release_input_schema(), indent=2, ensure_ascii=False) + "\n"


INPUT_SCHEMA_FILE: Final = Path(__file__).parents[1] / "policyset/schema/release-input.json"

if __name__ == "__main__":
    INPUT_SCHEMA_FILE.write_text(render(), "utf-8")
