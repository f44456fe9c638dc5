"""A CycloneDX document (JSON, 1.2 to 1.7) in, the facts of an SBOM out.

Facts are read from the JSON itself, not through an object model, so that model cards and data
components survive.  CycloneDX specification 1.6 (ECMA-424) names every member.
"""

from __future__ import annotations

from typing import Any, Final

from adjudge.documents.sbom.graph import dependency_facts, is_complete
from adjudge.documents.sbom.models import datasets_of, model_of
from adjudge.documents.sbom.values import (
    STRONG,
    Problems,
    algorithm_name,
    digest,
    items,
    license_facts,
    mapping,
    objects,
    present,
    text,
    texts,
)
from adjudge.documents.sbom.vulnerabilities import vulnerability

RENAMES: Final = {
    "ref": "bom-ref",
    "license": "licenses",
    "license_ids": "licenses",
    "license_options": "licenses",
    "urls": "externalReferences",
    "model_card": "modelCard",
    "has_model_card": "modelCard",
    "depends_on": "dependsOn",
    "metrics": "modelCard/quantitativeAnalysis/performanceMetrics",
    "task": "modelCard/modelParameters/task",
    "approach": "modelCard/modelParameters/approach/type",
    "datasets": "modelCard/modelParameters/datasets",
    "use_cases": "modelCard/considerations/useCases",
    "users": "modelCard/considerations/users",
    "limitations": "modelCard/considerations/technicalLimitations",
    "ethical_considerations": "modelCard/considerations/ethicalConsiderations",
    "fairness_assessments": "modelCard/considerations/fairnessAssessments",
    "state": "analysis/state",
    "justification": "analysis/justification",
    "severity": "ratings",
    "score": "ratings",
    "sensitive_data": "sensitiveData",
}
"""How the file calls members whose facts have other names."""

_MAX_NESTING = 60


class Reader:
    """Reads one document: ``facts`` and ``places`` (fact pointer to document pointer)."""

    def __init__(self, document: dict[str, Any], problems: Problems) -> None:
        self.document = document
        self.problems = problems
        self.places: dict[str, str] = {}
        self.components: list[dict[str, Any]] = []
        self.models: list[dict[str, Any]] = []
        self.datasets: list[dict[str, Any]] = []
        self.refs: dict[str, str] = {}
        self._cards: list[tuple[dict[str, Any], dict[str, Any], str]] = []

    def read(self) -> dict[str, Any]:
        """All facts but those about the schema."""
        document, metadata = self.document, mapping(self.document, "metadata")
        described = self._described(metadata)
        self._components(document, "", None, 0)
        services = self._services()
        edges = dependency_facts(document, self.places)
        vulnerabilities: list[dict[str, Any]] = []
        for index, item in objects(document, "vulnerabilities"):
            pointer = f"/vulnerabilities/{index}"
            self._place("vulnerabilities", len(vulnerabilities), pointer)
            self._note_ref(item, pointer)
            vulnerabilities.append(vulnerability(item, pointer))
        self._check_refs(edges, vulnerabilities)
        self._read_models()
        root = None if described is None else described.get("ref")
        version = document.get("version")
        facts = present(
            serial_number=text(document, "serialNumber"),
            name=described.get("name") if described else None,
            version=version if type(version) is int and version >= 0 else None,
            timestamp=text(metadata, "timestamp"),
            supplier=_organisation(metadata, "supplier"),
            described=described,
            dependency_complete=is_complete(root, edges, self.components),
        )
        return facts | {
            "tools": self._tools(metadata),
            "authors": _authors(metadata),
            "lifecycles": [
                phase
                for _, item in objects(metadata, "lifecycles")
                if (phase := text(item, "phase") or text(item, "name"))
            ],
            "components": self.components,
            "dependencies": edges,
            "compositions": _compositions(document),
            "vulnerabilities": vulnerabilities,
            "models": self.models,
            "datasets": self.datasets,
            "services": services,
            "attestations": len(items(mapping(document, "declarations"), "attestations")),
            "signed": "signature" in document,
        }

    def _place(self, group: str, index: int, pointer: str) -> None:
        self.places[f"/{group}/{index}"] = pointer

    # --- components -------------------------------------------------------------------------

    def _described(self, metadata: dict[str, Any]) -> dict[str, Any] | None:
        item = metadata.get("component")
        if not isinstance(item, dict):
            return None
        self.places["/described"] = "/metadata/component"
        described = self._component(item, "/metadata/component", None)
        self._components(item, "/metadata/component", described.get("ref"), 1)
        return described

    def _components(self, owner: Any, pointer: str, parent: str | None, depth: int) -> None:
        if depth > _MAX_NESTING:
            return
        for index, item in objects(owner, "components"):
            place = f"{pointer}/components/{index}"
            self._place("components", len(self.components), place)
            component = self._component(item, place, parent)
            self.components.append(component)
            if "components" in item:
                self._components(item, place, component.get("ref"), depth + 1)

    def _component(self, item: dict[str, Any], pointer: str, parent: str | None) -> dict[str, Any]:
        self._note_ref(item, pointer)
        kind = text(item, "type") or "unknown"
        has_card = isinstance(item.get("modelCard"), dict)
        modified = item.get("modified")
        component: dict[str, Any] = present(
            ref=text(item, "bom-ref"),
            name=text(item, "name"),
            version=text(item, "version"),
            group=text(item, "group"),
            purl=text(item, "purl"),
            cpe=text(item, "cpe"),
            supplier=_organisation(item, "supplier")
            or _organisation(item, "manufacturer")
            or text(item, "publisher"),
            scope=text(item, "scope"),
            description=text(item, "description"),
            parent=parent,
            modified=modified if isinstance(modified, bool) else None,
        )
        component["type"] = kind
        component["hashes"] = self._hashes(item, pointer)
        component |= license_facts(_license_statements(item))
        component["properties"] = _properties(item)
        component["urls"] = _urls(item)
        component["model_card"] = has_card
        component["pointer"] = pointer
        if has_card or kind in ("machine-learning-model", "data"):
            self._cards.append((item, component, pointer))
        return component

    def _hashes(self, item: dict[str, Any], pointer: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for index, entry in objects(item, "hashes"):
            name, value = text(entry, "alg"), text(entry, "content")
            if name is None or value is None:
                continue
            algorithm = algorithm_name(name)
            known = digest(algorithm, value)
            if known is None:
                self.problems.add(
                    "hash_malformed",
                    f"this is no {name} digest",
                    f"{pointer}/hashes/{index}/content",
                )
            elif found.setdefault(algorithm, known) != known:
                self.problems.add(
                    "hash_contradiction",
                    f"two different {name} digests are stated",
                    f"{pointer}/hashes/{index}/content",
                )
                # Whichever is right, nothing may be compared with it.
                found[algorithm] = ""
        return {algorithm: value for algorithm, value in found.items() if value}

    def _note_ref(self, item: dict[str, Any], pointer: str) -> None:
        ref = text(item, "bom-ref")
        if ref is not None and self.refs.setdefault(ref, pointer) != pointer:
            self.problems.add(
                "bom_ref_duplicate",
                f"the bom-ref {ref[:200]!r} is used twice, so references to it are ambiguous",
                f"{pointer}/bom-ref",
            )

    def _read_models(self) -> None:
        """After all components: a data set may be described behind the model that uses it."""
        for item, component, pointer in self._cards:
            if component["type"] == "data":
                for data in datasets_of(item, component, pointer, self._hashes):
                    self._add_dataset(data)
        known = {d["ref"] for d in self.datasets if "ref" in d} | set(self.refs)
        for item, component, pointer in self._cards:
            if component["type"] == "data" and not component["model_card"]:
                continue
            self._place("models", len(self.models), pointer)
            model, inline = model_of(item, component, pointer, known)
            self.models.append(model)
            for data in inline:
                self._add_dataset(data)

    def _add_dataset(self, data: dict[str, Any]) -> None:
        self._place("datasets", len(self.datasets), data["pointer"])
        self.datasets.append(data)

    # --- the rest ---------------------------------------------------------------------------

    def _services(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for index, item in objects(self.document, "services"):
            pointer = f"/services/{index}"
            self._place("services", len(found), pointer)
            self._note_ref(item, pointer)
            authenticated, crosses = item.get("authenticated"), item.get("x-trust-boundary")
            service = present(
                ref=text(item, "bom-ref"),
                name=text(item, "name"),
                version=text(item, "version"),
                provider=_organisation(item, "provider"),
                authenticated=authenticated if isinstance(authenticated, bool) else None,
                crosses_trust_boundary=crosses if isinstance(crosses, bool) else None,
            )
            found.append(service | {"endpoints": texts(item, "endpoints"), "pointer": pointer})
        return found

    def _tools(self, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        listed = metadata.get("tools")
        groups = [(metadata, "tools")]
        if isinstance(listed, dict):
            groups = [(listed, "components"), (listed, "services")]
        return [
            present(
                name=text(tool, "name"),
                version=text(tool, "version"),
                vendor=text(tool, "vendor")
                or text(tool, "group")
                or text(tool, "publisher")
                or _organisation(tool, "provider"),
            )
            for owner, key in groups
            for _, tool in objects(owner, key)
        ]

    def _check_refs(
        self, edges: list[dict[str, Any]], vulnerabilities: list[dict[str, Any]]
    ) -> None:
        """References to nothing, other than into other BOMs (``urn:cdx:``)."""
        known = self.refs
        for index, edge in enumerate(edges):
            place = self.places[f"/dependencies/{index}"]
            if edge["ref"] not in known and not edge["ref"].startswith("urn:cdx:"):
                self._unknown(edge["ref"], f"{place}/ref")
            for ref in edge["depends_on"]:
                if ref not in known and not ref.startswith("urn:cdx:"):
                    self._unknown(ref, f"{place}/dependsOn")
        for entry in vulnerabilities:
            for ref in entry["affects"]:
                # A VEX document alone names components of other BOMs.
                if self.components and ref not in known and not ref.startswith("urn:cdx:"):
                    self._unknown(ref, f"{entry['pointer']}/affects")

    def _unknown(self, ref: str, pointer: str) -> None:
        self.problems.add(
            "ref_unknown", f"nothing in this file has the bom-ref {ref[:200]!r}", pointer
        )


def counts_of(facts: dict[str, Any]) -> dict[str, int]:
    """The totals over the facts of an SBOM, whatever its format."""
    components = facts["components"]

    def without(key: str) -> int:
        return sum(1 for c in components if not c.get(key))

    return {
        "components": len(components),
        "without_name": without("name"),
        "without_version": without("version"),
        "without_hash": without("hashes"),
        "without_strong_hash": sum(1 for c in components if STRONG.isdisjoint(c["hashes"])),
        "without_license": without("licenses"),
        "without_purl": without("purl"),
        "without_supplier": without("supplier"),
        "models": len(facts["models"]),
        "datasets": len(facts["datasets"]),
        "services": len(facts["services"]),
        "vulnerabilities": len(facts["vulnerabilities"]),
        "dependencies": sum(len(edge["depends_on"]) for edge in facts["dependencies"]),
    }


def _compositions(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "aggregate": text(item, "aggregate") or "unknown",
            "assemblies": texts(item, "assemblies"),
            "dependencies": texts(item, "dependencies"),
        }
        for _, item in objects(document, "compositions")
    ]


def _license_statements(item: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for _, entry in objects(item, "licenses"):
        stated = entry.get("license")
        chosen = (
            text(stated, "id") or text(stated, "name")
            if isinstance(stated, dict)
            else text(entry, "expression")
        )
        if chosen is not None:
            found.append(chosen)
    return found


def _properties(item: dict[str, Any]) -> dict[str, str]:
    return {
        name: value
        for _, entry in objects(item, "properties")
        if (name := text(entry, "name")) is not None
        and isinstance(value := entry.get("value", ""), str)
    }


def _urls(item: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, entry in objects(item, "externalReferences"):
        kind, url = text(entry, "type"), text(entry, "url")
        if kind is not None and url is not None:
            found.setdefault(kind, url)
    return found


def _organisation(item: dict[str, Any], key: str) -> str | None:
    return text(mapping(item, key), "name")


def _authors(metadata: dict[str, Any]) -> list[str]:
    people = [
        who
        for _, author in objects(metadata, "authors")
        if (who := text(author, "name") or text(author, "email"))
    ]
    for key in ("manufacturer", "manufacture"):
        organisation = _organisation(metadata, key)
        if organisation is not None:
            people.append(organisation)
    return list(dict.fromkeys(people))
