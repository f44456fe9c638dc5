"""A VEX document (OpenVEX or CycloneDX) in, its statements as a document out."""

from __future__ import annotations

from typing import Final

from adjudge.documents.json_object import read_object
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Origin, Problem
from adjudge.documents.reading import Source
from adjudge.documents.vex_statements import cyclonedx, openvex

KIND: Final = "vex_document"


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The VEX document at ``source``.

    Raises InputError ``vex_unknown_format`` and those of :func:`read_object`.
    """
    found = read_object(source, limits)
    if found.value.get("bomFormat") == "CycloneDX":
        facts, place = cyclonedx(found.value), "vulnerabilities"
    elif "statements" in found.value and "openvex" in str(found.value.get("@context", "")):
        facts, place = openvex(found.value), "statements"
    else:
        raise source.error(
            "vex_unknown_format",
            f"{source.shown} is neither OpenVEX nor CycloneDX",
            hint="OpenVEX has @context https://openvex.dev/ns/v0.2.0 and statements",
        )
    problems: list[Problem] = []
    for index, statement in enumerate(facts["statements"]):
        pointer = f"/facts/statements/{index}"
        if "status" not in statement or "vulnerability" not in statement:
            message = "a statement does not say which vulnerability has which status"
            problems.append(Problem("vex_statement_incomplete", message, pointer))
        elif not statement["reasoned"]:
            message = "not_affected needs a justification or an impact statement"
            problems.append(Problem("vex_not_reasoned", message, pointer))
    origins: dict[str, Origin] = {"/statements": f"/{place}"}
    return found.document(KIND, facts, problems[:1000], origins)
