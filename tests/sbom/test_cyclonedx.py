"""CycloneDX documents to facts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sbom.conftest import Read, cyclonedx

from adjudge.documents.sbom.schema import CYCLONEDX_VERSIONS

SHA = "a" * 64


def component(name: str, **members: Any) -> dict[str, Any]:
    return {"type": "library", "name": name, "bom-ref": name, "version": "1", **members}


@pytest.mark.parametrize("version", CYCLONEDX_VERSIONS)
def test_every_version(version: str, read: Read) -> None:
    facts = read(cyclonedx(version, components=[component("a")])).facts
    assert facts["format"] == "cyclonedx"
    assert facts["spec_version"] == version
    assert facts["supported"]
    assert facts["schema_valid"]
    assert facts["counts"]["components"] == 1


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "x"])
def test_other_version(version: str, read: Read) -> None:
    document = read(cyclonedx(version, components=[component("a")]))
    assert not document.facts["supported"]
    assert "schema_valid" not in document.facts
    assert [p.code for p in document.problems] == ["sbom_version_unsupported"]


def test_component(read: Read) -> None:
    item = component(
        "core",
        group="org.acme",
        purl="pkg:maven/org.acme/core@1",
        cpe="cpe:2.3:a:acme:core:1:*:*:*:*:*:*:*",
        supplier={"name": "ACME"},
        scope="optional",
        description="d",
        modified=False,
        hashes=[{"alg": "SHA-256", "content": SHA.upper()}, {"alg": "MD5", "content": "b" * 32}],
        licenses=[{"license": {"id": "MIT"}}, {"license": {"name": "ISC License"}}],
        properties=[{"name": "k", "value": "v"}],
        externalReferences=[
            {"type": "vcs", "url": "https://a.example"},
            {"type": "vcs", "url": "https://b.example"},
        ],
    )
    document = read(cyclonedx(components=[item]))
    assert document.facts["schema_valid"], document.facts["schema_errors"]
    (found,) = document.facts["components"]
    assert found == {
        "ref": "core",
        "type": "library",
        "name": "core",
        "version": "1",
        "group": "org.acme",
        "purl": "pkg:maven/org.acme/core@1",
        "cpe": "cpe:2.3:a:acme:core:1:*:*:*:*:*:*:*",
        "supplier": "ACME",
        "scope": "optional",
        "description": "d",
        "modified": False,
        "hashes": {"sha256": SHA, "md5": "b" * 32},
        "license": "MIT AND ISC",
        "licenses": ["MIT", "ISC"],
        "license_ids": ["ISC", "MIT"],
        "license_options": [["ISC", "MIT"]],
        "properties": {"k": "v"},
        "urls": {"vcs": "https://a.example"},
        "model_card": False,
        "pointer": "/components/0",
    }


def test_unknown_facts_are_absent(read: Read) -> None:
    (found,) = read(cyclonedx(components=[{"type": "library", "name": "a"}])).facts["components"]
    assert not {"version", "purl", "license", "supplier", "ref", "parent"} & set(found)
    assert found["hashes"] == {}
    assert found["licenses"] == []


def test_nested_components_and_positions(read: Read) -> None:
    inner = component("inner", licenses=[{"expression": "MIT OR Apache-2.0"}])
    value = cyclonedx(
        metadata={"component": component("app", components=[component("part")])},
        components=[component("outer", components=[inner])],
    )
    document = read(value)
    found = document.facts["components"]
    assert [c["name"] for c in found] == ["part", "outer", "inner"]
    assert [c.get("parent") for c in found] == ["app", None, "outer"]
    assert found[2]["pointer"] == "/components/0/components/0"
    assert document.facts["described"]["name"] == "app"
    line = _line(document, "/facts/components/2/name")
    assert '"inner"' in line
    assert "licenses" in _line(document, "/facts/components/2/license_options/1/0")
    assert "licenses" in _line(document, "/facts/components/2/license")
    assert '"app"' in _line(document, "/facts/described/name")


def _line(document: Any, pointer: str) -> str:
    place = document.locate(pointer)
    assert place is not None
    return str(document.excerpt(place))


def test_bad_hashes(read: Read) -> None:
    hashes = [
        {"alg": "SHA-256", "content": "a" * 40},
        {"alg": "SHA-512", "content": "c" * 128},
        {"alg": "SHA-512", "content": "d" * 128},
        {"alg": "SHA-1", "content": "e" * 40},
        {"alg": "SHA-1", "content": "E" * 40},
    ]
    document = read(cyclonedx(components=[component("a", hashes=hashes)]))
    assert document.facts["components"][0]["hashes"] == {"sha1": "e" * 40}
    assert [p.code for p in document.problems] == ["hash_malformed", "hash_contradiction"]
    assert document.facts["counts"]["without_hash"] == 0
    assert document.facts["counts"]["without_strong_hash"] == 1


def test_dependencies(read: Read) -> None:
    value = cyclonedx(
        metadata={"component": component("app")},
        components=[component("a"), component("b", components=[component("c")])],
        dependencies=[{"ref": "app", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["b"]}],
    )
    facts = read(value).facts
    assert facts["dependencies"][0] == {"ref": "app", "depends_on": ["a"]}
    assert facts["dependency_complete"]
    value["dependencies"][1]["dependsOn"] = []
    assert read(value).facts["dependency_complete"] is False
    del value["dependencies"]
    assert "dependency_complete" not in read(value).facts


def test_dependency_cycle_ends(read: Read) -> None:
    value = cyclonedx(
        metadata={"component": component("app")},
        components=[component("a")],
        dependencies=[{"ref": "app", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["app", "a"]}],
    )
    assert read(value).facts["dependency_complete"]


def test_references_to_nothing_and_twice_used_refs(read: Read) -> None:
    value = cyclonedx(
        components=[component("a"), component("b", **{"bom-ref": "a"})],
        dependencies=[{"ref": "a", "dependsOn": ["ghost", "urn:cdx:other/1#x"]}],
    )
    document = read(value)
    problems = [(p.code, p.pointer) for p in document.problems]
    assert ("bom_ref_duplicate", "/document/components/1/bom-ref") in problems
    assert ("ref_unknown", "/document/dependencies/0/dependsOn") in problems
    assert len([p for p in problems if p[0] == "ref_unknown"]) == 1


def test_many_problems_are_counted(read: Read) -> None:
    edges = [{"ref": f"ghost{n}"} for n in range(100)]
    document = read(cyclonedx(components=[component("a")], dependencies=edges))
    unknown = [p for p in document.problems if p.code == "ref_unknown"]
    assert len(unknown) == 21
    assert unknown[-1].message == "and 80 more like these"


def test_metadata(read: Read) -> None:
    metadata = {
        "timestamp": "2026-01-02T03:04:05Z",
        "tools": {"components": [{"type": "application", "name": "t", "version": "2"}]},
        "authors": [{"name": "Ann"}, {"email": "bob@acme.example"}],
        "supplier": {"name": "ACME"},
        "lifecycles": [{"phase": "build"}],
        "component": component("app"),
    }
    facts = read(cyclonedx(metadata=metadata)).facts
    assert facts["timestamp"] == "2026-01-02T03:04:05Z"
    assert facts["tools"] == [{"name": "t", "version": "2"}]
    assert facts["authors"] == ["Ann", "bob@acme.example"]
    assert (facts["supplier"], facts["lifecycles"], facts["name"]) == ("ACME", ["build"], "app")
    old = read(cyclonedx("1.4", metadata={"tools": [{"vendor": "v", "name": "t"}]})).facts
    assert old["tools"] == [{"name": "t", "vendor": "v"}]


def test_vulnerabilities(read: Read) -> None:
    entry = {
        "bom-ref": "v",
        "id": "CVE-2026-1",
        "source": {"name": "NVD"},
        "references": [{"id": "GHSA-1", "source": {"name": "GitHub"}}],
        "ratings": [
            {"severity": "medium", "score": 5.5, "vector": "x"},
            {"severity": "critical", "score": 9.8, "vector": "y"},
            {"severity": "unknown"},
        ],
        "cwes": [79],
        "description": "d",
        "published": "2026-01-02T03:04:05Z",
        "analysis": {
            "state": "not_affected",
            "justification": "code_not_reachable",
            "response": ["will_not_fix"],
            "detail": "why",
        },
        "affects": [{"ref": "a"}],
    }
    document = read(cyclonedx(components=[component("a")], vulnerabilities=[entry, {"id": "X"}]))
    assert document.facts["schema_valid"], document.facts["schema_errors"]
    found, bare = document.facts["vulnerabilities"]
    assert (found["severity"], found["score"], found["vector"]) == ("critical", 9.8, "y")
    assert (found["state"], found["justification"]) == ("not_affected", "code_not_reachable")
    assert found["affects"] == ["a"]
    assert found["aliases"] == ["GHSA-1"]
    assert bare["severity"] == "unknown"
    assert "state" not in bare
    assert "not_affected" in _line(document, "/facts/vulnerabilities/0/state")


def test_vex_alone(read: Read) -> None:
    entry = {"id": "CVE-2026-1", "affects": [{"ref": "urn:cdx:x/1#a"}, {"ref": "elsewhere"}]}
    document = read(cyclonedx("1.4", vulnerabilities=[entry]))
    assert document.facts["counts"]["vulnerabilities"] == 1
    assert "described" not in document.facts
    assert document.problems == []


def test_services_and_compositions(read: Read) -> None:
    value = cyclonedx(
        components=[component("a")],
        services=[
            {
                "bom-ref": "s",
                "name": "llm",
                "provider": {"name": "ACME AI"},
                "endpoints": ["https://api.example"],
                "authenticated": True,
                "x-trust-boundary": True,
            }
        ],
        compositions=[{"aggregate": "complete", "assemblies": ["a"]}],
        declarations={"attestations": [{"summary": "x"}]},
        signature={"algorithm": "ES256", "value": "x"},
    )
    facts = read(value).facts
    (service,) = facts["services"]
    assert (service["provider"], service["crosses_trust_boundary"]) == ("ACME AI", True)
    assert facts["compositions"][0]["aggregate"] == "complete"
    assert facts["attestations"] == 1
    assert facts["signed"]


MODEL = {
    "type": "machine-learning-model",
    "name": "m",
    "bom-ref": "m",
    "version": "2",
    "hashes": [{"alg": "SHA-256", "content": SHA}],
    "modelCard": {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "text-classification",
            "architectureFamily": "transformer",
            "datasets": [
                {"ref": "corpus"},
                {"ref": "ghost"},
                {
                    "type": "dataset",
                    "name": "inline",
                    "classification": "public",
                    "sensitiveData": ["names"],
                    "governance": {"owners": [{"organization": {"name": "ACME"}}]},
                },
            ],
            "inputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {
                    "type": "accuracy",
                    "value": "0.93",
                    "slice": "de",
                    "confidenceInterval": {"lowerBound": "0.9", "upperBound": "0.95"},
                },
                {"type": "bleu", "value": "31"},
                {"type": "note", "value": "good"},
            ]
        },
        "considerations": {
            "users": ["analysts"],
            "useCases": ["triage"],
            "technicalLimitations": ["short texts"],
            "ethicalConsiderations": [{"name": "bias", "mitigationStrategy": "review"}],
            "fairnessAssessments": [{"groupAtRisk": "g", "harms": "h"}],
        },
    },
}


def test_model_card(read: Read) -> None:
    data = {
        "type": "data",
        "name": "corpus",
        "bom-ref": "corpus",
        "licenses": [{"license": {"id": "CC0-1.0"}}],
        "data": [{"type": "dataset", "name": "train", "contents": {"url": "https://d.example"}}],
    }
    document = read(cyclonedx(components=[MODEL, data]))
    facts = document.facts
    assert facts["schema_valid"], facts["schema_errors"]
    (model,) = facts["models"]
    assert (model["task"], model["approach"]) == ("text-classification", "supervised")
    assert model["has_model_card"]
    assert model["hashes"] == {"sha256": SHA}
    assert model["datasets"] == [
        {"ref": "corpus", "resolved": True},
        {"ref": "ghost", "resolved": False},
        {"name": "inline", "resolved": True},
    ]
    assert model["metrics"][0] == {
        "type": "accuracy",
        "value": "0.93",
        "number": 0.93,
        "slice": "de",
        "lower": "0.9",
        "upper": "0.95",
    }
    assert model["metrics"][1]["number"] == 31
    assert "number" not in model["metrics"][2]
    assert model["limitations"] == ["short texts"]
    assert model["ethical_considerations"] == [{"name": "bias", "mitigation": "review"}]
    assert model["fairness_assessments"] == [{"group": "g", "harms": "h"}]
    train, inline = facts["datasets"]
    assert (train["name"], train["ref"], train["url"]) == ("train", "corpus", "https://d.example")
    assert train["license"] == "CC0-1.0"
    assert (inline["owners"], inline["sensitive_data"]) == (["ACME"], ["names"])
    assert (facts["counts"]["models"], facts["counts"]["datasets"]) == (1, 2)
    assert '"0.93"' in _line(document, "/facts/models/0/metrics/0/value")


def test_model_without_card_and_energy(read: Read) -> None:
    bare = {"type": "machine-learning-model", "name": "n"}
    use = {
        "activity": "training",
        "energyProviders": [
            {
                "organization": {"name": "o"},
                "energySource": "wind",
                "energyProvided": {"value": 1, "unit": "kWh"},
            }
        ],
        "activityEnergyCost": {"value": 0.5, "unit": "kWh"},
        "co2CostEquivalent": {"value": 2, "unit": "tCO2eq"},
    }
    card = {"considerations": {"environmentalConsiderations": {"energyConsumptions": [use, use]}}}
    value = cyclonedx(components=[bare], metadata={"component": {**bare, "modelCard": card}})
    facts = read(value).facts
    described, plain = facts["models"]
    assert (described["energy_kwh"], described["co2_tonnes"]) == (1.0, 4)
    assert not plain["has_model_card"]
    assert "task" not in plain
