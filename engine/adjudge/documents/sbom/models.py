"""Machine-learning parts of a CycloneDX document: model cards and data sets.

CycloneDX specification 1.5 and later, ``modelCard`` and ``componentData``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adjudge.documents.sbom.values import mapping, number, objects, present, text, texts

_SHARED = ("ref", "name", "version", "purl", "supplier")
Hashes = Callable[[dict[str, Any], str], dict[str, str]]


def model_of(
    item: dict[str, Any], component: dict[str, Any], pointer: str, known: Iterable[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The facts of a model component, and of the data sets written inside its model card.

    ``known`` are the bom-refs that the file describes.
    """
    card = mapping(item, "modelCard")
    parameters, considerations = mapping(card, "modelParameters"), mapping(card, "considerations")
    datasets, inline = _datasets(parameters, pointer, set(known))
    model = {key: component[key] for key in _SHARED if key in component}
    model |= _copied(component)
    model |= present(
        approach=text(mapping(parameters, "approach"), "type"),
        task=text(parameters, "task"),
        architecture_family=text(parameters, "architectureFamily"),
        model_architecture=text(parameters, "modelArchitecture"),
        **_environment(mapping(considerations, "environmentalConsiderations")),
    )
    model |= {
        "has_model_card": component["model_card"],
        "datasets": datasets,
        "inputs": _formats(parameters, "inputs"),
        "outputs": _formats(parameters, "outputs"),
        "metrics": _metrics(mapping(card, "quantitativeAnalysis")),
        "users": texts(considerations, "users"),
        "use_cases": texts(considerations, "useCases"),
        "limitations": texts(considerations, "technicalLimitations"),
        "tradeoffs": texts(considerations, "performanceTradeoffs"),
        "ethical_considerations": [
            present(name=text(e, "name"), mitigation=text(e, "mitigationStrategy"))
            for _, e in objects(considerations, "ethicalConsiderations")
        ],
        "fairness_assessments": [
            present(
                group=text(e, "groupAtRisk"),
                benefits=text(e, "benefits"),
                harms=text(e, "harms"),
                mitigation=text(e, "mitigationStrategy"),
            )
            for _, e in objects(considerations, "fairnessAssessments")
        ],
        "properties": {
            name: value
            for _, p in objects(card, "properties")
            if (name := text(p, "name")) and isinstance(value := p.get("value", ""), str)
        },
        "pointer": pointer,
    }
    return model, inline


def _datasets(
    parameters: dict[str, Any], pointer: str, known: set[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    used: list[dict[str, Any]] = []
    inline: list[dict[str, Any]] = []
    for index, entry in objects(parameters, "datasets"):
        ref = text(entry, "ref")
        if ref is not None:
            used.append({"ref": ref, "resolved": ref in known})
            continue
        place = f"{pointer}/modelCard/modelParameters/datasets/{index}"
        data = _dataset(entry, place)
        inline.append(data)
        used.append(present(ref=data.get("ref"), name=data.get("name")) | {"resolved": True})
    return used, inline


def datasets_of(
    item: dict[str, Any], component: dict[str, Any], pointer: str, hashes: Hashes
) -> list[dict[str, Any]]:
    """The data sets of a component of type ``data``: its entries, else the component itself."""
    found = []
    for index, entry in objects(item, "data"):
        data = _dataset(entry, f"{pointer}/data/{index}") | _copied(component)
        data.setdefault("ref", component.get("ref"))
        data.setdefault("name", component.get("name"))
        attached = hashes(mapping(entry, "contents"), f"{pointer}/data/{index}/contents")
        found.append(present(**data) | ({"hashes": attached} if attached else {}))
    if found:
        return found
    whole = present(
        ref=component.get("ref"),
        name=component.get("name"),
        description=component.get("description"),
        url=component["urls"].get("distribution"),
    )
    whole |= _nobody() | _copied(component)
    return [whole | {"sensitive_data": [], "pointer": pointer}]


def _copied(component: dict[str, Any]) -> dict[str, Any]:
    """Digests and licences of a component for another fact.

    Evidence finds places by object identity, so no object may stand at two places.
    """
    copied: dict[str, Any] = {
        "hashes": dict(component["hashes"]),
        "licenses": list(component["licenses"]),
        "license_ids": list(component["license_ids"]),
        "license_options": [list(option) for option in component["license_options"]],
    }
    if "license" in component:
        copied["license"] = component["license"]
    return copied


def _dataset(entry: dict[str, Any], pointer: str) -> dict[str, Any]:
    governance = mapping(entry, "governance")
    data = present(
        ref=text(entry, "bom-ref"),
        name=text(entry, "name"),
        type=text(entry, "type"),
        description=text(entry, "description"),
        classification=text(entry, "classification"),
        url=text(mapping(entry, "contents"), "url"),
    )
    return data | {
        "sensitive_data": texts(entry, "sensitiveData"),
        "owners": _parties(governance, "owners"),
        "stewards": _parties(governance, "stewards"),
        "custodians": _parties(governance, "custodians"),
        "hashes": {},
        "licenses": [],
        "license_ids": [],
        "license_options": [],
        "pointer": pointer,
    }


def _nobody() -> dict[str, list[str]]:
    return {"owners": [], "stewards": [], "custodians": []}


def _parties(governance: dict[str, Any], key: str) -> list[str]:
    return [
        name
        for _, party in objects(governance, key)
        if (name := text(mapping(party, "organization"), "name"))
        or (name := text(mapping(party, "contact"), "name"))
        or (name := text(mapping(party, "contact"), "email"))
    ]


def _formats(parameters: dict[str, Any], key: str) -> list[str]:
    return [f for _, entry in objects(parameters, key) if (f := text(entry, "format"))]


def _metrics(analysis: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for _, metric in objects(analysis, "performanceMetrics"):
        interval = mapping(metric, "confidenceInterval")
        value = text(metric, "value")
        found.append(
            present(
                type=text(metric, "type"),
                value=value,
                number=number(value),
                slice=text(metric, "slice"),
                lower=text(interval, "lowerBound"),
                upper=text(interval, "upperBound"),
            )
        )
    return found


def _environment(considerations: dict[str, Any]) -> dict[str, float | None]:
    """Energy and CO2 over all stated activities (units kWh and tCO2eq are fixed by the schema)."""
    energy: list[float] = []
    carbon: list[float] = []
    for _, use in objects(considerations, "energyConsumptions"):
        for key, found in (("activityEnergyCost", energy), ("co2CostEquivalent", carbon)):
            value = mapping(use, key).get("value")
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.append(value)
    return {
        "energy_kwh": sum(energy) if energy else None,
        "co2_tonnes": sum(carbon) if carbon else None,
    }
