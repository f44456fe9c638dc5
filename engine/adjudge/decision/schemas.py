"""The pydantic models in, the published JSON Schemas out.

The files in ``decision/schema`` are what :func:`decision_schema` and
:func:`waivers_schema` return; ``python -m adjudge.decision.schemas`` writes them anew.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from adjudge.decision.model import SCHEMA_ID, Decision
from adjudge.decision.waiver_file import WaiverFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def decision_schema() -> dict[str, Any]:
    """The JSON Schema of the record as it is exported: with its ``digest``."""
    schema = Decision.model_json_schema(by_alias=True, mode="serialization")
    schema["properties"]["digest"] = {
        "description": "SHA-256 of the canonical JSON of the record"
        " without `timings` and `digest`.",
        "pattern": "^[0-9a-f]{64}$",
        "title": "Digest",
        "type": "string",
    }
    schema["required"].append("digest")
    return {"$schema": DIALECT, "$id": f"urn:adjudge:schema:{SCHEMA_ID}", **schema}


def waivers_schema() -> dict[str, Any]:
    """The JSON Schema of a waiver file."""
    schema = WaiverFile.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": "urn:adjudge:schema:adjudge.waivers/v1", **schema}


SCHEMAS = {"decision-v1.json": decision_schema, "waivers-v1.json": waivers_schema}


def schema_text(name: str) -> str:
    """The text of a published schema file."""
    return resources.files("adjudge.decision").joinpath("schema", name).read_text("utf-8")


def render(name: str) -> str:
    """The text that the file should have."""
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file_name in SCHEMAS:
        (Path(__file__).parent / "schema" / file_name).write_text(render(file_name), "utf-8")
