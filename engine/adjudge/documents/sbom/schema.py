"""An SBOM as parsed JSON in, its disagreements with the published schema out.

The CycloneDX schemas are those that cyclonedx-python-lib ships (the strict ones for 1.2 and
1.3, which allow no unknown properties); a compiled validator runs them, because the library's
own takes a second for a thousand components.  See docs/adr for the measurements.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adjudge.documents.model import join

if TYPE_CHECKING:
    import jsonschema_rs

CYCLONEDX_VERSIONS: Final = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
SPDX_VERSIONS: Final = ("2.2", "2.3")
MAX_ERRORS: Final = 50
"""Disagreements reported; a file with more is as wrong as one with these."""

_CYCLONEDX_BASE = "http://cyclonedx.org/schema/"
_REFERENCED = ("spdx", "cryptography-defs", "jsf-0.82")
_MASK = "the value"
_MAX_MESSAGE = 300


@dataclass(frozen=True)
class SchemaError:
    """One disagreement: where (JSON pointer), what, and the schema keyword that failed."""

    pointer: str
    message: str
    keyword: str

    def as_dict(self) -> dict[str, str]:
        """The disagreement as policies see it."""
        return {"pointer": self.pointer, "message": self.message, "keyword": self.keyword}


def cyclonedx_errors(document: Any, version: str) -> list[SchemaError]:
    """The first disagreements with the CycloneDX schema of ``version``, in file order."""
    return _errors(_cyclonedx(version), document)


def spdx_errors(document: Any) -> list[SchemaError]:
    """The first disagreements with what SPDX 2.2 and 2.3 require of the parts used here."""
    return _errors(_spdx(), document)


def _errors(validator: jsonschema_rs.Validator, document: Any) -> list[SchemaError]:
    try:
        if validator.is_valid(document):
            return []
        return [_error(e) for e in islice(validator.iter_errors(document), MAX_ERRORS)]
    except (ValueError, OverflowError) as error:  # an integer that no 64-bit reader can hold
        return [SchemaError("", f"the file cannot be validated: {error}"[:_MAX_MESSAGE], "type")]


def _error(error: jsonschema_rs.ValidationError) -> SchemaError:
    """The most telling error: of several alternatives the one that failed deepest inside."""
    best = error
    while alternatives := _alternatives(best):
        deepest = max(alternatives, key=lambda e: len(e.instance_path))
        if len(deepest.instance_path) <= len(best.instance_path):
            break
        best = deepest
    keyword = str(best.schema_path[-1]) if best.schema_path else ""
    path = [step for step in best.instance_path if isinstance(step, str | int)]
    return SchemaError(join("", *path), best.message[:_MAX_MESSAGE], keyword)


def _alternatives(error: jsonschema_rs.ValidationError) -> list[jsonschema_rs.ValidationError]:
    context: Iterable[Iterable[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", ())
    return [below for branch in context for below in branch]


@lru_cache(maxsize=8)
def _cyclonedx(version: str) -> jsonschema_rs.Validator:
    strict = "-strict" if version in ("1.2", "1.3") else ""
    return _compile(
        _cyclonedx_schema(f"bom-{version}{strict}"),
        {f"{_CYCLONEDX_BASE}{n}.SNAPSHOT.schema.json": _cyclonedx_schema(n) for n in _REFERENCED},
    )


@lru_cache(maxsize=1)
def _spdx() -> jsonschema_rs.Validator:
    text = (resources.files(__package__) / "spdx-2.schema.json").read_text("utf-8")
    return _compile(json.loads(text), {})


def _compile(schema: Any, referenced: dict[str, Any]) -> jsonschema_rs.Validator:
    # A compiled library of 15 MB: only runs that meet an SBOM load it.
    import jsonschema_rs

    registry = jsonschema_rs.Registry(list(referenced.items()), draft=jsonschema_rs.Draft7)
    return jsonschema_rs.Draft7Validator(
        schema, registry=registry, validate_formats=True, mask=_MASK, retriever=_refuse
    )


def _refuse(uri: str) -> Any:
    """Schemas are complete: nothing is ever fetched."""
    raise ValueError(f"the schema {uri} is not shipped")


def _cyclonedx_schema(name: str) -> Any:
    # Found without importing the library, which takes longer than reading the file.
    spec = importlib.util.find_spec("cyclonedx")
    if spec is None or not spec.submodule_search_locations:  # a declared dependency
        raise ImportError("cyclonedx-python-lib is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "schema/_res"
    return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
