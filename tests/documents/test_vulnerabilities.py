"""Scanners' reports and VEX documents: every format in one form, and files that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from adjudge.documents import registry, vex_document, vulnerability_report
from adjudge.documents.model import Document
from adjudge.documents.reading import Source
from adjudge.errors import InputError

Write = Callable[[str, "str | bytes"], Source]

OSV: Any = {
    "results": [
        {
            "source": {"path": "/x/requirements.txt", "type": "lockfile"},
            "packages": [
                {
                    "package": {"name": "jinja2", "version": "2.4.1", "ecosystem": "PyPI"},
                    "vulnerabilities": [
                        {
                            "id": "GHSA-462w-v97r-4m45",
                            "aliases": ["CVE-2019-10906"],
                            "summary": "Sandbox escape",
                            "database_specific": {"severity": "MODERATE"},
                            "affected": [
                                {
                                    "package": {"name": "jinja2", "ecosystem": "PyPI"},
                                    "ranges": [
                                        {
                                            "type": "ECOSYSTEM",
                                            "events": [{"introduced": "0"}, {"fixed": "2.10.1"}],
                                        },
                                        {"type": "GIT", "events": [{"fixed": "abcdef"}]},
                                    ],
                                }
                            ],
                        }
                    ],
                    "groups": [
                        {
                            "ids": ["GHSA-462w-v97r-4m45", "PYSEC-2019-217"],
                            "aliases": ["CVE-2019-10906", "PYSEC-2019-217"],
                            "max_severity": "9.8",
                        }
                    ],
                }
            ],
        }
    ]
}
GRYPE: Any = {
    "matches": [
        {
            "vulnerability": {
                "id": "GHSA-462w-v97r-4m45",
                "severity": "High",
                "cvss": [{"metrics": {"baseScore": 8.6}}],
                "fix": {"versions": ["2.10.1"], "state": "fixed"},
            },
            "relatedVulnerabilities": [{"id": "CVE-2019-10906"}],
            "artifact": {
                "name": "jinja2",
                "version": "2.4.1",
                "type": "python",
                "purl": "pkg:pypi/jinja2@2.4.1",
            },
        }
    ],
    "source": {"type": "directory", "target": "."},
    "descriptor": {"name": "grype", "timestamp": "2026-05-01T00:00:00Z"},
}
TRIVY: Any = {
    "SchemaVersion": 2,
    "CreatedAt": "2026-05-01T00:00:00Z",
    "ArtifactName": "app",
    "Results": [
        {
            "Target": "requirements.txt",
            "Type": "pip",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2019-10906",
                    "VendorIDs": ["GHSA-462w-v97r-4m45"],
                    "PkgName": "jinja2",
                    "PkgIdentifier": {"PURL": "pkg:pypi/jinja2@2.4.1"},
                    "InstalledVersion": "2.4.1",
                    "FixedVersion": "2.10.1, 3.0.0",
                    "Severity": "HIGH",
                    "Title": "Sandbox escape",
                    "CVSS": {"nvd": {"V3Score": 8.6}, "ghsa": {"V3Score": 9.0}},
                }
            ],
        },
        {"Target": "clean", "Type": "npm"},
    ],
}


def load(kind: str, source: Source) -> Document:
    document = registry.load(kind, source)
    jsonschema.validate(document.facts, registry.kind_of(kind).schema())
    return document


@pytest.mark.parametrize(
    ("report", "tool", "severity", "score", "fixed"),
    [
        (OSV, "osv-scanner", "medium", 9.8, ["2.10.1"]),
        (GRYPE, "grype", "high", 8.6, ["2.10.1"]),
        (TRIVY, "trivy", "high", 9.0, ["2.10.1", "3.0.0"]),
    ],
)
def test_reports(
    report: Any, tool: str, severity: str, score: float, fixed: list[str], source: Write
) -> None:
    document = load("vulnerability_report", source("r.json", json.dumps(report, indent=1)))
    facts = document.facts
    assert facts["tool"] == tool
    (found,) = facts["findings"]
    assert {found["id"], *found["aliases"]} >= {"GHSA-462w-v97r-4m45", "CVE-2019-10906"}
    assert found["package"]["purl"] == "pkg:pypi/jinja2@2.4.1"
    assert found["severity"] == severity
    assert found["score"] == score
    assert found["fixed_versions"] == fixed
    assert facts["counts"][severity] == 1
    place = document.locate("/facts/findings/0/id")
    assert place is not None
    assert place.line >= 3


@pytest.mark.parametrize(
    ("ecosystem", "name", "purl"),
    [
        ("crates.example", "serde", "pkg:cargo/serde@1"),
        ("Maven", "org.x:y", "pkg:maven/org.x/y@1"),
        ("npm", "@scope/p", "pkg:npm/%40scope/p@1"),
        ("Go", "github.com/a/b", "pkg:golang/github.com/a/b@1"),
        ("Debian:12", "bash", None),
    ],
)
def test_package_urls_of_osv(ecosystem: str, name: str, purl: str | None, source: Write) -> None:
    report = json.loads(json.dumps(OSV))
    report["results"][0]["packages"][0]["package"] = {
        "name": name,
        "version": "1",
        "ecosystem": ecosystem,
    }
    (found,) = load("vulnerability_report", source("r.json", json.dumps(report))).facts["findings"]
    assert found["package"].get("purl") == purl


def test_severity_from_the_score(source: Write) -> None:
    report = json.loads(json.dumps(OSV))
    del report["results"][0]["packages"][0]["vulnerabilities"][0]["database_specific"]
    (found,) = load("vulnerability_report", source("r.json", json.dumps(report))).facts["findings"]
    assert found["severity"] == "critical"


@pytest.mark.parametrize(
    "report",
    [
        {"results": []},
        {"results": [{"packages": None}]},
        {"matches": [5], "descriptor": {}},
        {"matches": [{}], "source": {}},
        {"SchemaVersion": 2, "Results": None},
        {"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"CVSS": [], "Severity": 5}]}]},
    ],
)
def test_reports_of_odd_shape(report: Any, source: Write) -> None:
    facts = load("vulnerability_report", source("r.json", json.dumps(report))).facts
    assert all(f["severity"] == "unknown" for f in facts["findings"])


def test_too_many_findings(source: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulnerability_report, "MAX_FINDINGS", 3)
    report = {"matches": GRYPE["matches"] * 9, "source": {}}
    document = load("vulnerability_report", source("r.json", json.dumps(report)))
    assert len(document.facts["findings"]) == 3
    assert [p.code for p in document.problems] == ["too_many_findings"]


OPENVEX: Any = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://acme.example/vex/1",
    "author": "Acme",
    "timestamp": "2026-05-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2019-10906", "aliases": ["GHSA-462w-v97r-4m45"]},
            "products": [
                {
                    "@id": "pkg:generic/model@1",
                    "hashes": {"sha-256": "AB" * 32},
                    "subcomponents": [{"@id": "pkg:pypi/jinja2@2.4.1"}],
                }
            ],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        },
        {
            "vulnerability": "CVE-2020-1",
            "products": [{"@id": "p"}],
            "status": "not_affected",
            "timestamp": "2026-05-02T00:00:00Z",
        },
        {"vulnerability": {"name": "CVE-2020-2"}, "status": "harmless"},
    ],
}


def test_openvex(source: Write) -> None:
    document = load("vex_document", source("v.json", json.dumps(OPENVEX, indent=1)))
    facts = document.facts
    assert (facts["author"], facts["id"], facts["version"]) == ("Acme", OPENVEX["@id"], "1")
    first, second, third = facts["statements"]
    assert first["status"] == "not_affected"
    assert first["timestamp"] == "2026-05-01T00:00:00Z"
    assert first["products"][0]["hashes"] == ["sha256:" + "ab" * 32]
    assert first["products"][0]["subcomponents"][0]["ids"] == ["pkg:pypi/jinja2@2.4.1"]
    assert first["reasoned"]
    assert not second["reasoned"]
    assert second["timestamp"] == "2026-05-02T00:00:00Z"
    assert "status" not in third
    assert [p.code for p in document.problems] == ["vex_not_reasoned", "vex_statement_incomplete"]
    place = document.locate("/facts/statements/1/status")
    assert place is not None
    assert place.line > 20


def test_cyclonedx_vex(source: Write) -> None:
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:1",
        "metadata": {"timestamp": "2026-05-01T00:00:00Z", "supplier": {"name": "Acme"}},
        "components": [{"bom-ref": "j", "purl": "pkg:pypi/jinja2@2.4.1"}],
        "vulnerabilities": [
            {
                "id": "CVE-1",
                "analysis": {"state": "false_positive", "detail": "another jinja"},
                "affects": [{"ref": "urn:cdx:3e67/1#j"}],
            },
            {"id": "CVE-2", "analysis": {"state": "exploitable"}, "affects": [{"ref": "j"}]},
            {"id": "CVE-3"},
        ],
    }
    facts = load("vex_document", source("v.json", json.dumps(bom))).facts
    first, second = facts["statements"]
    assert (first["status"], second["status"]) == ("not_affected", "affected")
    assert first["products"][0]["ids"] == ["urn:cdx:3e67/1#j", "j", "pkg:pypi/jinja2@2.4.1"]
    assert facts["author"] == "Acme"


@pytest.mark.parametrize("kind", ["vex_document", "vulnerability_report", "evaluation"])
@pytest.mark.parametrize("content", ["{}", "[]", '{"statements": []}', "null", '{"results": 5}'])
def test_other_files(kind: str, content: str, source: Write) -> None:
    with pytest.raises(InputError) as caught:
        registry.load(kind, source("x.json", content))
    assert caught.value.code in (
        "not_an_object",
        "vex_unknown_format",
        "vulnerability_report_unknown",
        "evaluation_unknown_format",
    )


def test_limits(source: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge.documents.vex_statements.MAX_STATEMENTS", 2)
    assert len(vex_document.load(source("v.json", json.dumps(OPENVEX))).facts["statements"]) == 2
