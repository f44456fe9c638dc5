"""SPDX documents to the same facts as CycloneDX ones."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sbom.conftest import SHARED, Read, checked, spdx

SHA = "a" * 64


def package(name: str, **members: Any) -> dict[str, Any]:
    return {"SPDXID": f"SPDXRef-{name}", "name": name, "downloadLocation": "NOASSERTION", **members}


def relation(one: str, kind: str, other: str) -> dict[str, str]:
    def ref(name: str) -> str:
        return f"SPDXRef-{name}"

    return {
        "spdxElementId": ref(one),
        "relationshipType": kind,
        "relatedSpdxElement": ref(other) if other not in ("NONE", "NOASSERTION") else other,
    }


@pytest.mark.parametrize("version", ["2.2", "2.3"])
def test_document(version: str, read: Read) -> None:
    facts = read(spdx(version, packages=[package("a")])).facts
    assert (facts["format"], facts["spec_version"]) == ("spdx", version)
    assert facts["schema_valid"], facts["schema_errors"]
    assert facts["serial_number"] == "https://example.com/bom-1"
    assert facts["tools"] == [{"name": "syft", "version": "1.2.3"}]
    assert facts["authors"] == ["ACME"]
    assert facts["timestamp"] == "2026-01-02T03:04:05Z"


def test_package(read: Read) -> None:
    item = package(
        "core",
        versionInfo="1.2",
        supplier="Organization: ACME (x@acme.example)",
        downloadLocation="https://d.example/core.tgz",
        checksums=[{"algorithm": "SHA256", "checksumValue": SHA.upper()}],
        licenseConcluded="NOASSERTION",
        licenseDeclared="MIT OR GPL-2.0+",
        primaryPackagePurpose="OPERATING-SYSTEM",
        externalRefs=[
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": "pkg:npm/core@1.2",
            },
            {
                "referenceCategory": "SECURITY",
                "referenceType": "cpe23Type",
                "referenceLocator": "cpe:2.3:a:acme:core:1.2:*:*:*:*:*:*:*",
            },
        ],
    )
    document = read(spdx(packages=[item]))
    (found,) = document.facts["components"]
    assert found == {
        "ref": "SPDXRef-core",
        "name": "core",
        "version": "1.2",
        "purl": "pkg:npm/core@1.2",
        "cpe": "cpe:2.3:a:acme:core:1.2:*:*:*:*:*:*:*",
        "supplier": "ACME",
        "type": "operating-system",
        "hashes": {"sha256": SHA},
        "license": "MIT OR GPL-2.0-or-later",
        "licenses": ["MIT OR GPL-2.0-or-later"],
        "license_ids": ["GPL-2.0-or-later", "MIT"],
        "license_options": [["MIT"], ["GPL-2.0-or-later"]],
        "properties": {},
        "urls": {"distribution": "https://d.example/core.tgz"},
        "model_card": False,
        "pointer": "/packages/0",
    }
    place = document.locate("/facts/components/0/version")
    assert place is not None
    assert '"versionInfo": "1.2"' in str(document.excerpt(place))


def test_concluded_licence_goes_before_declared(read: Read) -> None:
    item = package("a", licenseConcluded="ISC", licenseDeclared="MIT")
    assert read(spdx(packages=[item])).facts["components"][0]["license"] == "ISC"


def test_extracted_licence_with_a_known_name(read: Read) -> None:
    value = spdx(
        packages=[package("a", licenseDeclared="LicenseRef-1"), package("b")],
        hasExtractedLicensingInfos=[
            {"licenseId": "LicenseRef-1", "name": "MIT License", "extractedText": "..."},
            {"licenseId": "LicenseRef-2", "name": "Own", "extractedText": "..."},
        ],
    )
    value["packages"][1]["licenseDeclared"] = "LicenseRef-2"
    found = read(value).facts["components"]
    assert [c["license"] for c in found] == ["MIT", "LicenseRef-2"]


def test_relationships(read: Read) -> None:
    value = spdx(
        packages=[package(n) for n in ("app", "a", "b", "c", "dev", "part")],
        relationships=[
            relation("DOCUMENT", "DESCRIBES", "app"),
            relation("app", "DEPENDS_ON", "a"),
            relation("b", "DEPENDENCY_OF", "a"),
            relation("c", "RUNTIME_DEPENDENCY_OF", "b"),
            relation("dev", "DEV_DEPENDENCY_OF", "app"),
            relation("a", "CONTAINS", "part"),
            relation("c", "DEPENDS_ON", "NONE"),
        ],
    )
    document = read(value)
    facts = document.facts
    assert document.problems == []
    assert facts["described"]["name"] == "app"
    assert [c["name"] for c in facts["components"]] == ["a", "b", "c", "dev", "part"]
    edges = {e["ref"]: e["depends_on"] for e in facts["dependencies"]}
    assert edges == {
        "SPDXRef-app": ["SPDXRef-a", "SPDXRef-dev"],
        "SPDXRef-a": ["SPDXRef-b"],
        "SPDXRef-b": ["SPDXRef-c"],
    }
    assert facts["dependency_complete"]
    named = {c["name"]: c for c in facts["components"]}
    assert named["dev"]["scope"] == "excluded"
    assert named["part"]["parent"] == "SPDXRef-a"


def test_described_by_the_old_member_and_a_file(read: Read) -> None:
    value = spdx("2.2", packages=[package("app")], documentDescribes=["SPDXRef-app"])
    facts = read(value).facts
    assert facts["described"]["name"] == "app"
    assert facts["components"] == []
    weights = {
        "SPDXID": "SPDXRef-w",
        "fileName": "./model.safetensors",
        "checksums": [{"algorithm": "SHA256", "checksumValue": SHA}],
    }
    value = spdx(files=[weights], relationships=[relation("DOCUMENT", "DESCRIBES", "w")])
    described = read(value).facts["described"]
    assert (described["type"], described["hashes"]) == ("file", {"sha256": SHA})


def test_problems(read: Read) -> None:
    value = spdx(
        packages=[package("a"), package("a")],
        relationships=[relation("a", "DEPENDS_ON", "ghost")],
    )
    document = read(value)
    assert [p.code for p in document.problems] == ["bom_ref_duplicate", "ref_unknown"]
    assert document.problems[1].pointer == "/document/relationships/0/relatedSpdxElement"


def test_spdx3_is_recognised(read: Read) -> None:
    context = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    document = read({"@context": context, "@graph": []})
    assert document.facts["format"] == "spdx"
    assert document.facts["spec_version"] == "3.0.1"
    assert not document.facts["supported"]
    assert [p.code for p in document.problems] == ["sbom_version_unsupported"]


@pytest.mark.skipif(not (SHARED / "data/spdx3").is_dir(), reason="the shared data is not there")
def test_spdx3_example() -> None:
    from adjudge.documents.reading import Source

    facts = checked(Source(SHARED / "data/spdx3", "ai-example02.spdx3.json")).facts
    assert facts["spec_version"] == "3.0.1"
    assert not facts["supported"]
