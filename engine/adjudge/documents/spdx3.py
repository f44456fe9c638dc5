"""An SPDX 3 document (JSON-LD) in; its elements, found by type, id and relationship, out.

SPDX 3.0.1, JSON-LD serialization: a flat ``@graph``.  References are texts that name elements;
nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from adjudge.documents.facts import text_of, texts_of
from adjudge.documents.model import join

MAX_ELEMENTS: Final = 200_000


class Element(NamedTuple):
    """An element and where it stands."""

    pointer: str
    value: Mapping[str, Any]


def is_spdx3(value: Any) -> bool:
    """Whether a JSON value is an SPDX 3 document."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("@graph"), list)
        and "spdx.org/rdf/3" in text_of(value.get("@context"))
    )


class Graph:
    """The elements of a document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.elements = [
            Element(join("", "@graph", index), item)
            for index, item in enumerate(document["@graph"][:MAX_ELEMENTS])
            if isinstance(item, Mapping)
        ]
        self._by_id: dict[str, Element] = {}
        self._from: dict[tuple[str, str], list[str]] = {}
        for element in self.elements:
            self._by_id.setdefault(_id(element.value), element)
            kind = element.value.get("relationshipType")
            if isinstance(kind, str):
                key = text_of(element.value.get("from")), kind
                self._from.setdefault(key, []).extend(texts_of(element.value.get("to")))

    def of_type(self, name: str) -> Iterator[Element]:
        """The elements of a type such as ``ai_AIPackage``."""
        return (e for e in self.elements if e.value.get("type", e.value.get("@type")) == name)

    def element(self, ref: str) -> Element | None:
        """The element of an id."""
        return self._by_id.get(ref) if ref else None

    def related(self, ref: str, kind: str) -> list[str]:
        """The ids that relationships of a kind lead to from an id."""
        return self._from.get((ref, kind), []) if ref else []

    def targets(self, element: Mapping[str, Any], kind: str) -> list[str]:
        """The same from an element."""
        return self.related(_id(element), kind)

    def licenses(self, element: Mapping[str, Any]) -> list[str]:
        """The licence expressions declared for an element, else those concluded."""
        for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
            found = [self._license(ref) for ref in self.targets(element, kind)]
            if found:
                return list(dict.fromkeys(found))
        return []

    def _license(self, ref: str) -> str:
        element = self.element(ref)
        stated = text_of(element.value.get("simplelicensing_licenseExpression")) if element else ""
        return stated or ref.rpartition("/")[2] or ref


def _id(element: Mapping[str, Any]) -> str:
    return text_of(element.get("spdxId")) or text_of(element.get("@id"))
