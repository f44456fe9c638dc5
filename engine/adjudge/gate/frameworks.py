"""Names and files in, frameworks of controls out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import ValidationError

from adjudge.documents.model import join
from adjudge.documents.reading import decode_text
from adjudge.errors import InputError
from adjudge.exports.framework import Framework
from adjudge.policyset.files import parse_configuration
from adjudge.policyset.places import find_place
from adjudge.policyset.shipped import FRAMEWORKS, shipped_policies

_MAX_BYTES = 5 * 1024 * 1024


def framework_names() -> list[str]:
    """The frameworks that are shipped."""
    return sorted(p.stem for p in (shipped_policies() / FRAMEWORKS).glob("*.yaml"))


def load_framework(name: str) -> Framework:
    """A shipped framework by its name, or one in a file.

    Raises InputError ``framework_unknown``, ``framework_invalid`` (with the place in the file),
    ``yaml_*`` and those of reading.
    """
    if name in framework_names():
        path = shipped_policies() / FRAMEWORKS / f"{name}.yaml"
    elif Path(name).is_file():
        path = Path(name)
    else:
        raise InputError(
            "framework_unknown",
            f"{name[:100]} is neither a framework that is shipped nor a file",
            hint=f"shipped are {', '.join(framework_names())}",
        )
    place = find_place(path)
    (relative,) = place.starts
    shown = place.shown_as(relative)
    text = decode_text(place.source(relative).read(_MAX_BYTES), shown)
    parsed = parse_configuration(text, shown)
    try:
        found = Framework.model_validate(parsed.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = join("", *first["loc"])
        where = parsed.locate(pointer)
        raise InputError(
            "framework_invalid",
            f"{shown} is not a framework: {pointer or '/'}: {first['msg']}",
            location=where.location if where else None,
            hint="it has apiVersion, kind: Framework, metadata and controls",
        ) from None
    twice = [i for i, n in Counter(c.id for c in found.controls).items() if n > 1]
    if twice:
        raise InputError("framework_invalid", f"{shown} has the control {twice[0]} twice")
    return found
