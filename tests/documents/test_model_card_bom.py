"""Models in SBOMs as model cards: the same facts as of Markdown cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.documents import model_card, registry
from adjudge.documents.model import Document
from adjudge.documents.reading import Source
from adjudge.errors import InputError

Write = Callable[[str, "str | bytes"], Source]


def load(source: Source) -> Document:
    document = model_card.load(source)
    jsonschema.validate(document.facts, registry.kind_of("model_card").schema())
    return document


MODEL: dict[str, Any] = {
    "type": "machine-learning-model",
    "bom-ref": "m",
    "name": "m",
    "version": "1.0.0",
    "description": "A model",
    "supplier": {"name": "Acme", "contact": [{"email": "a@acme.example"}]},
    "licenses": [{"license": {"id": "Apache-2.0"}}],
    "pedigree": {"ancestors": [{"name": "base", "version": "2"}]},
    "modelCard": {
        "modelParameters": {
            "task": "text-generation",
            "modelArchitecture": "transformer",
            "approach": {"type": "supervised"},
            "datasets": [{"ref": "d"}, {"name": "inline", "sensitiveData": ["names"]}, {}],
            "inputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {
                    "type": "accuracy",
                    "value": "0.9",
                    "slice": "women",
                    "confidenceInterval": {"lowerBound": "0.8", "upperBound": "0.95"},
                }
            ]
        },
        "considerations": {
            "users": ["doctors"],
            "useCases": ["triage", "TODO: more"],
            "technicalLimitations": ["slow"],
            "ethicalConsiderations": [{"name": "bias", "mitigationStrategy": "review"}],
            "environmentalConsiderations": {
                "energyConsumptions": [
                    {
                        "activityEnergyCost": {"value": 2, "unit": "kWh"},
                        "co2CostEquivalent": {"value": 0.5, "unit": "tCO2eq"},
                    },
                    {"activityEnergyCost": {"value": 1, "unit": "kWh"}},
                ]
            },
        },
    },
}
DATA = {
    "type": "data",
    "bom-ref": "d",
    "name": "corpus",
    "data": [{"type": "dataset", "contents": {"url": "https://d.example"}}],
}


def bom(*components: Any, **more: Any) -> str:
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components), **more},
        indent=1,
    )


def test_cyclonedx(source: Write) -> None:
    document = load(source("bom.json", bom(DATA, MODEL)))
    facts = document.facts
    assert facts["format"] == "cyclonedx"
    assert (facts["name"], facts["version"], facts["overview"]) == ("m", "1.0.0", "A model")
    assert (facts["owners"], facts["contact"]) == (["Acme"], "a@acme.example")
    assert facts["license"] == {"ids": ["Apache-2.0"], "id": "Apache-2.0", "spdx": "Apache-2.0"}
    assert facts["pipeline_tag"] == "text-generation"
    assert facts["architecture"] == "transformer"
    assert facts["datasets"] == [
        {"name": "corpus", "link": "https://d.example"},
        {"name": "inline", "sensitive": ["names"]},
    ]
    (metric,) = facts["metrics"]
    assert (metric["type"], metric["value"], metric["slice"]) == ("accuracy", 0.9, "women")
    assert metric["ci"] == {"lower": 0.8, "upper": 0.95}
    assert facts["intended_use"] == "triage\nTODO: more"
    assert facts["users"] == "doctors"
    assert facts["limitations"] == "slow"
    assert (facts["ethical"], facts["mitigations"]) == ("bias", "review")
    assert facts["base_models"] == [{"name": "base", "revision": "2"}]
    assert facts["environmental"] == {"energy_kwh": 3.0, "co2_kg": 500.0}
    assert [p["text"] for p in facts["placeholders"]] == ["TODO"]
    assert [p.code for p in document.problems] == ["field_type"]
    place = document.locate("/facts/metrics/0/value")
    assert place is not None
    assert place.line > 40


def test_the_described_model_comes_first(source: Write) -> None:
    other = {"type": "machine-learning-model", "name": "other"}
    document = load(source("bom.json", bom(MODEL, metadata={"component": other})))
    assert document.facts["name"] == "other"
    assert [p.code for p in document.problems] == ["several_models"]


def test_spdx(shared_data: Path) -> None:
    facts = load(Source(shared_data, "spdx3/ai-example02.spdx3.json")).facts
    assert facts["format"] == "spdx"
    assert facts["license"]["ids"] == ["CC0-1.0"]
    assert [m["type"] for m in facts["metrics"]] == ["precision", "recall", "f1"]
    assert [d["name"] for d in facts["datasets"]] == ["train.txt", "valid.txt"]
    assert facts["environmental"] == {"energy_kwh": 0.0048269}
    assert facts["intended_use"] == "Text sentiment analysis."
    assert facts["tags"] == ["sentiment analysis", "natural language processing"]


def test_spdx_package(source: Write) -> None:
    graph = [
        {
            "type": "ai_AIPackage",
            "spdxId": "m",
            "name": "m",
            "suppliedBy": ["a"],
            "ai_safetyRiskAssessment": "high",
            "ai_limitation": "slow",
            "validUntilTime": "2027-01-01T00:00:00Z",
        },
        {
            "type": "Organization",
            "spdxId": "a",
            "name": "Acme",
            "externalIdentifier": [
                {"externalIdentifierType": "email", "identifier": "a@b.example"}
            ],
        },
        {"type": "dataset_DatasetPackage", "spdxId": "d", "name": "corpus"},
        {"type": "Relationship", "from": "m", "relationshipType": "trainedOn", "to": ["d", "x"]},
    ]
    value = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}
    facts = load(source("ai.jsonld", json.dumps(value))).facts
    assert (facts["owners"], facts["contact"]) == (["Acme"], "a@b.example")
    assert facts["risk_tier"] == "high"
    assert facts["limitations"] == "slow"
    assert facts["maintenance"] == {"support_until": "2027-01-01"}
    assert [d["name"] for d in facts["datasets"]] == ["corpus", "x"]


def test_real_ml_boms(shared_data: Path) -> None:
    for name in ("valid-machine-learning-1.6", "valid-machine-learning-considerations-env-1.6"):
        assert load(Source(shared_data, f"mlbom/{name}.json")).facts["name"]


@pytest.mark.parametrize("content", [bom(), bom({"type": "library"}), bom(5), '{"@graph": []}'])
def test_without_a_model(content: str, source: Write) -> None:
    with pytest.raises(InputError) as caught:
        load(source("bom.json", content))
    assert caught.value.code == "model_card_shape"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "value", "type", "ref", "license", "modelParameters", "key"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, min_size=24, max_size=24))
def test_any_model_is_read(values: list[Any], tmp_path: Path) -> None:
    card = dict(zip(MODEL["modelCard"], values, strict=False))
    whole = dict(zip(MODEL, values[4:], strict=False))
    model = whole | {"type": "machine-learning-model", "modelCard": card}
    names = ["suppliedBy", "ai_metric", "ai_hyperparameter", "ai_energyConsumption", "ai_domain"]
    package = dict(zip(names, values[12:], strict=False)) | {"type": "ai_AIPackage"}
    (tmp_path / "a.json").write_text(bom(model))
    graph = {"@context": "https://spdx.org/rdf/3.0.1/x", "@graph": [package, *values[18:]]}
    (tmp_path / "b.json").write_text(json.dumps(graph))
    load(Source(tmp_path, "a.json"))
    load(Source(tmp_path, "b.json"))
