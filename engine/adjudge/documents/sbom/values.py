"""Small readers of untrusted JSON: members of the expected type, or nothing.

A schema-invalid SBOM still gets facts, so nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from adjudge.documents.model import Problem
from adjudge.documents.sbom.licenses import combine, parse_license

MAX_PROBLEMS: Final = 20
"""Problems of one code reported one by one; the rest are counted in the last."""

_DIGEST_LENGTHS = {
    "md5": 32,
    "sha1": 40,
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha3_256": 64,
    "sha3_384": 96,
    "sha3_512": 128,
    "blake2b_256": 64,
    "blake2b_384": 96,
    "blake2b_512": 128,
}
STRONG: Final = frozenset(
    (
        *("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"),
        *("blake2b_256", "blake2b_384", "blake2b_512", "blake3"),
    )
)
"""Digests that nobody can make two files for."""

_HEX = re.compile(r"[0-9a-f]+")


def text(value: Any, key: str) -> str | None:
    """A member that is a text with something in it."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found.strip() else None


def mapping(value: Any, key: str) -> dict[str, Any]:
    """A member that is an object, else an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def items(value: Any, key: str) -> list[Any]:
    """A member that is a list, else an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def objects(value: Any, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a member that is a list, each with its index in the file."""
    for index, item in enumerate(items(value, key)):
        if isinstance(item, dict):
            yield index, item


def texts(value: Any, key: str) -> list[str]:
    """The texts of a member that is a list; a bare text counts as a list of one."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, str):
        found = [found]
    return [t for t in found if isinstance(t, str) and t.strip()] if isinstance(found, list) else []


def present(**facts: Any) -> dict[str, Any]:
    """The facts that are known: those that are not None."""
    return {key: value for key, value in facts.items() if value is not None}


def number(value: str | None) -> float | int | None:
    """The number that a text is, such as a metric; percentages are left as text."""
    if value is None or len(value) > 40:
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    if found != found or found in (float("inf"), float("-inf")):
        return None
    return int(found) if found.is_integer() and "." not in value and "e" not in value else found


@lru_cache(maxsize=256)
def algorithm_name(name: str) -> str:
    """One spelling for CycloneDX's and SPDX's names: ``SHA-256`` and ``SHA256`` are sha256."""
    lower = name.lower()
    return (lower.replace("sha-", "sha") if lower.startswith("sha-") else lower).replace("-", "_")


def digest(algorithm: str, value: str) -> str | None:
    """A digest in lower case; None when it cannot be one of this algorithm."""
    lower = value.lower()
    expected = _DIGEST_LENGTHS.get(algorithm, len(lower))
    return lower if len(lower) == expected and _HEX.fullmatch(lower) else None


def license_facts(statements: list[str]) -> dict[str, Any]:
    """The licence facts for what is stated about one thing."""
    whole = combine(tuple(statements))
    if whole is None:
        return {"licenses": [], "license_ids": [], "license_options": []}
    each = [lic.expression for s in statements if (lic := parse_license(s)) is not None]
    return {
        "license": whole.expression,
        "licenses": list(dict.fromkeys(each)),
        "license_ids": list(whole.ids),
        "license_options": [list(option) for option in whole.options],
    }


class Problems:
    """Collects problems; many of one kind end in one that counts the rest."""

    def __init__(self) -> None:
        self._found: dict[str, list[Problem]] = {}
        self._counts: dict[str, int] = {}

    def add(self, code: str, message: str, pointer: str, *, warning: bool = False) -> None:
        """Note a problem at ``pointer`` (relative to the parsed file)."""
        self._counts[code] = self._counts.get(code, 0) + 1
        found = self._found.setdefault(code, [])
        if len(found) < MAX_PROBLEMS:
            place = "/document" + pointer
            found.append(Problem(code, message, place, "warning" if warning else "error"))

    def listed(self) -> list[Problem]:
        """The problems in order of their first occurrence."""
        result: list[Problem] = []
        for code, found in self._found.items():
            result.extend(found)
            more = self._counts[code] - len(found)
            if more:
                last = found[-1]
                message = f"and {more} more like these"
                result.append(Problem(code, message, "/document", last.severity))
        return result


class Origins(Mapping[str, str]):
    """Where facts were read: fact pointer to document pointer, both relative.

    ``places`` holds the larger facts one by one; a member of such a fact that the file calls
    something else (``license`` stands under ``licenses``) is found by ``renames``.
    """

    def __init__(self, places: dict[str, str], renames: Mapping[str, str]) -> None:
        self.places = places
        self._renames = renames

    def __getitem__(self, pointer: str) -> str:
        place = self.places.get(pointer)
        if place is not None:
            return place
        above, _, last = pointer.rpartition("/")
        return self.places[above] + "/" + self._renames[last]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
