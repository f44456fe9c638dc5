"""Any JSON, YAML or TOML file of no known kind: a file in, one Document out."""

from __future__ import annotations

from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Parsed
from adjudge.documents.reading import Source, decode_text, read_json, read_toml, read_yaml

KIND: Final = "generic"
FORMATS: Final = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}
"""Endings of file names and what they hold."""

_TYPES: Final = (
    (bool, "boolean"),
    (dict, "object"),
    (list, "array"),
    (str, "string"),
    ((int, float), "number"),
)


def format_of(name: str) -> str | None:
    """``json``, ``yaml`` or ``toml`` by the ending of a file name."""
    dot = name.rfind(".")
    return FORMATS.get(name[dot:].lower()) if dot >= 0 else None


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The file at ``source``; without a known ending it is read as JSON.

    Raises InputError as the readers and :meth:`Source.read` do.
    """
    found = format_of(source.name) or "json"
    sizes = {
        "json": limits.max_bytes,
        "yaml": limits.max_yaml_bytes,
        "toml": limits.max_toml_bytes,
    }
    data = source.read(sizes[found])
    text = decode_text(data, source.shown)
    if found == "yaml":
        parsed = read_yaml(text, source.shown, limits)
    elif found == "toml":
        parsed = read_toml(text, source.shown, limits)
    else:
        parsed = read_json(text, source.shown, limits)
    return Document(
        kind=KIND,
        path=source.shown,
        digest=sha256_hex(data),
        size=len(data),
        document=parsed.value,
        facts=_facts(found, parsed),
        locator=parsed.locate,
        origins={"/format": "", "/type": "", "/keys": ""},
        sources={source.shown: parsed.lines},
    )


def _facts(found: str, parsed: Parsed) -> dict[str, Any]:
    value = parsed.value
    named = next((name for types, name in _TYPES if isinstance(value, types)), "null")
    return {
        "format": found,
        "type": named,
        "keys": list(value) if isinstance(value, dict) else [],
    }
