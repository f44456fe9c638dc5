"""A waiver file in, its waivers and the digest of its bytes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adjudge.canonical import sha256_hex
from adjudge.decision.waiver_file import WaiverSet, parse_waivers
from adjudge.documents.model import MIB
from adjudge.documents.reading import decode_text
from adjudge.errors import InputError
from adjudge.policyset.files import parse_configuration
from adjudge.policyset.places import find_place
from adjudge.source import Location

_MAX_BYTES: Final = 5 * MIB


@dataclass(frozen=True)
class LoadedWaivers:
    """The waivers of a file: ``data`` are its bytes, ``sha256`` is over them, ``file`` its name
    in messages."""

    waivers: WaiverSet
    file: str
    sha256: str
    data: bytes


def load_waiver_file(path: str | Path) -> LoadedWaivers:
    """Read a waiver file.

    Raises InputError: ``waivers_not_found``, those of reading, ``yaml_*``, ``waivers_invalid``.
    """
    try:
        place = find_place(Path(path))
    except InputError as error:
        raise InputError("waivers_not_found", error.message, location=error.location) from None
    if len(place.starts) != 1 or place.starts == (".",):
        shown = place.shown or "."
        raise InputError(
            "waivers_invalid",
            f"{shown} is a folder, not a waiver file",
            location=Location(shown, 1, 1),
            hint="name the file",
        )
    (relative,) = place.starts
    shown = place.shown_as(relative)
    return read_waivers(place.source(relative).read(_MAX_BYTES), shown)


def read_waivers(data: bytes, shown: str) -> LoadedWaivers:
    """The waivers in the bytes of a file.  Raises InputError: ``yaml_*``, ``waivers_invalid``."""
    parsed = parse_configuration(decode_text(data, shown), shown)
    waivers = parse_waivers(parsed.value, shown, parsed.locate)
    return LoadedWaivers(waivers, shown, sha256_hex(data), data)
