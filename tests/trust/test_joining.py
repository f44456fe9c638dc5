"""Documents of a release joined: statements by digest, vulnerabilities with VEX, assurance."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.trust.conftest import IDENTITY, ISSUER
from tests.trust.private_sigstore import IN_TOTO, PrivateSigstore, new_key, pae, pem_of

from adjudge.gate.release import Release, load_release, release_input
from adjudge.trust import SignerIdentity, TrustSettings

KEY = new_key()
AS_OF = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
CARD = b"---\nlicense: mit\n---\n# Model card\n## Intended use\nx\n"
PURL = "pkg:pypi/jinja2@2.4.1"


def envelope(predicate_type: str, predicate: Any, *digests: str) -> str:
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "any", "digest": {"sha256": d}} for d in digests],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    payload = json.dumps(value).encode()
    signature = KEY.sign(pae(IN_TOTO, payload), ec.ECDSA(hashes.SHA256()))
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "release"
    path.mkdir()
    (path / "model_card.md").write_bytes(CARD)
    return path


@pytest.fixture
def trust(tmp_path: Path) -> TrustSettings:
    (tmp_path / "key.pub").write_bytes(pem_of(KEY))
    return TrustSettings(keys=(tmp_path / "key.pub",), roles={"risk": ("key.pub",)}, as_of=AS_OF)


def seen(release: Release) -> Any:
    return release_input(release, None, int(AS_OF.timestamp() * 1e9))


def load(folder: Path, trust: TrustSettings | None) -> Any:
    return seen(load_release(folder, trust=trust, as_of=AS_OF))


DIGEST = hashlib.sha256(CARD).hexdigest()


def test_statement_joins_by_digest_not_by_name(folder: Path, trust: TrustSettings) -> None:
    (folder / "a.intoto.jsonl").write_text(
        "\n".join(
            [
                envelope("https://slsa.dev/provenance/v1", {}, DIGEST),
                envelope("https://slsa.dev/provenance/v1", {}, "00" * 32),
            ]
        )
    )
    given = load(folder, trust)
    (card,) = given["model_cards"]
    (attestation,) = given["attestations"]
    first, second = attestation["facts"]["statements"]
    assert first["artifacts"] == ["model_card.md"]
    assert second["artifacts"] == []
    assert card["attestations"] == [first]
    assert card["assurance"] == "self_declared"
    assert attestation["assurance"] == "signed"
    assert attestation["signers"][0]["kind"] == "key"
    (untrusted,) = load(folder, None)["attestations"]
    assert untrusted["assurance"] == "self_declared"


def test_statements_beside_an_artifact_are_signature_and_attestation(
    folder: Path, trust: TrustSettings
) -> None:
    (folder / "model_card.md.intoto.jsonl").write_text(
        envelope("https://slsa.dev/provenance/v1", {}, DIGEST)
    )
    given = load(folder, trust)
    (card,) = given["model_cards"]
    assert card["assurance"] == "signed"
    assert card["signers"][0]["kind"] == "key"
    assert len(card["signatures"]) == 1
    assert len(card["attestations"]) == 1
    assert [a["path"] for a in given["attestations"]] == ["model_card.md.intoto.jsonl"]
    assert [a["path"] for a in given["signed_artifacts"]] == ["model_card.md"]


def test_evaluation_is_bound_to_what_it_is_about(folder: Path, trust: TrustSettings) -> None:
    result = {"result": "PASSED", "configuration": []}
    made = envelope("https://in-toto.io/attestation/test-result/v0.1", result, DIGEST)
    (folder / "eval.json").write_text(made)
    given = load(folder, trust)
    (evaluation,) = given["evaluations"]
    assert evaluation["facts"]["artifacts"] == ["model_card.md"]
    assert evaluation["assurance"] == "signed"
    assert given["model_cards"][0]["attestations"] == [evaluation["facts"]]


def test_approvals_of_the_manifest(folder: Path, trust: TrustSettings) -> None:
    approval = {"decision": "approved", "role": "risk"}
    (folder / "yes.json").write_text(envelope("urn:adjudge:approval:v1", approval, DIGEST))
    (folder / "minutes.txt").write_text("approved by all")
    (folder / "release.yaml").write_text(
        "apiVersion: adjudge/v1\nkind: Release\nmetadata: {name: m, version: 1.0.0}\n"
        "artifacts: [{path: model_card.md}]\napprovals: [yes.json, minutes.txt]\n"
    )
    given = load(folder, trust)
    (found,) = given["approvals"]
    (statement,) = found["facts"]["statements"]
    assert statement["approval"]["role_confirmed"]
    assert statement["artifacts"] == ["model_card.md"]
    assert [a["path"] for a in given["release"]["approvals"]] == ["yes.json", "minutes.txt"]


# --- vulnerabilities --------------------------------------------------------------------------

GRYPE = {
    "matches": [
        {
            "vulnerability": {"id": "GHSA-1", "severity": "High", "fix": {"versions": ["3"]}},
            "relatedVulnerabilities": [{"id": "CVE-1"}],
            "artifact": {"name": "jinja2", "version": "2.4.1", "purl": PURL},
        }
    ],
    "source": {"target": "."},
}
TRIVY = {
    "SchemaVersion": 2,
    "Results": [
        {
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-1",
                    "PkgName": "jinja2",
                    "PkgIdentifier": {"PURL": PURL + "?file=x"},
                    "InstalledVersion": "2.4.1",
                    "Severity": "CRITICAL",
                }
            ]
        }
    ],
}
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {
        "component": {"type": "application", "name": "m", "bom-ref": "root", "purl": "pkg:x/m@1"}
    },
    "components": [{"type": "library", "name": "jinja2", "bom-ref": "j", "purl": PURL}],
}


def vex(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://v",
        "author": "a",
        "timestamp": "2026-05-01T00:00:00Z",
        "version": 1,
        "statements": list(statements),
    }


def said(status: str, product: Any = PURL, **more: Any) -> dict[str, Any]:
    products = [product if isinstance(product, dict) else {"@id": product}]
    reason = {"justification": "component_not_present"} if status == "not_affected" else {}
    return {
        "vulnerability": {"name": "CVE-1"},
        "status": status,
        "products": products,
        **reason,
        **more,
    }


def found_in(folder: Path, trust: TrustSettings | None = None, **files: Any) -> Any:
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / f"{name}.json").write_text(text)
    return load(folder, trust)["vulnerabilities"]


def test_two_scanners_one_vulnerability(folder: Path) -> None:
    (found,) = found_in(folder, grype=GRYPE, trivy=TRIVY)
    assert found["id"] == "GHSA-1"
    assert found["aliases"] == ["CVE-1"]
    assert found["severity"] == "critical"
    assert found["sources"] == ["grype.json", "trivy.json"]
    assert found["status"] == "open"
    assert not found["suppressed"]
    assert "vex" not in found


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([said("not_affected")], "not_affected"),
        ([said("fixed", "pkg:pypi/jinja2")], "fixed"),
        ([said("fixed", "pkg:pypi/jinja2@9")], "open"),
        ([said("fixed", "pkg:pypi/jinja")], "open"),
        ([said("fixed", "pkg:pypi/jinja2@2.4.1?x=1")], "fixed"),
        ([said("affected")], "affected"),
        ([said("under_investigation")], "under_investigation"),
        ([said("fixed", vulnerability={"name": "CVE-2"})], "open"),
        ([said("fixed", vulnerability={"name": "CVE-2", "aliases": ["ghsa-1"]})], "fixed"),
        ([said("not_affected", justification=None)], "open"),
        ([said("fixed", "pkg:x/m@1")], "fixed"),
        ([said("fixed", "pkg:x/other@1")], "open"),
        ([said("fixed", {"hashes": {"sha-256": DIGEST}})], "fixed"),
        ([said("fixed", {"hashes": {"sha-256": "00" * 32}})], "open"),
        ([said("fixed", {"@id": "pkg:x/m@1", "subcomponents": [{"@id": PURL}]})], "fixed"),
        ([said("fixed", {"@id": "pkg:x/n@1", "subcomponents": [{"@id": PURL}]})], "open"),
        ([said("fixed", {"@id": "pkg:x/m@1", "subcomponents": [{"@id": "pkg:a/b"}]})], "open"),
    ],
)
def test_statement_about_a_finding(statements: Any, status: str, folder: Path) -> None:
    (found,) = found_in(folder, grype=GRYPE, sbom=SBOM, vex=vex(*statements))
    assert found["status"] == status
    assert found["suppressed"] == (status in ("fixed", "not_affected"))
    assert found["signed_status"] == "open"


@pytest.mark.parametrize(
    ("times", "status"),
    [
        (("2026-05-02T00:00:00Z", "2026-05-03T00:00:00Z"), "affected"),
        (("2026-05-03T00:00:00Z", "2026-05-02T00:00:00Z"), "fixed"),
        (("2026-05-02T00:00:00Z", "2026-05-02T00:00:00Z"), "affected"),
        (("2026-05-02T00:00:00+02:00", "2026-05-01T23:00:00Z"), "affected"),
        (("2026-05-02T00:00:00Z", "yesterday"), "fixed"),
    ],
)
def test_the_latest_statement_wins(times: tuple[str, str], status: str, folder: Path) -> None:
    first, second = times
    one = vex(said("fixed", timestamp=first))
    two = vex(said("affected", timestamp=second))
    (found,) = found_in(folder, grype=GRYPE, one=one, two=two)
    assert found["status"] == status


def test_signed_statements_count_alone_too(folder: Path, trust: TrustSettings) -> None:
    signed = envelope("https://openvex.dev/ns/v0.2.0", vex(said("not_affected")), DIGEST)
    later = vex(said("affected", timestamp="2026-05-30T00:00:00Z"))
    (found,) = found_in(folder, trust, grype=GRYPE, signed=signed, later=later)
    assert found["status"] == "affected"
    assert found["signed_status"] == "not_affected"
    assert found["vex"]["assurance"] == "self_declared"
    (folder / "later.json").unlink()
    (found,) = found_in(folder, trust)
    assert found["vex"]["assurance"] == "signed"
    assert found["vex"]["signer"]["kind"] == "key"
    assert found["vex"]["author"] == "a"


def test_analysis_in_an_sbom(folder: Path) -> None:
    listed = {
        "id": "CVE-1",
        "ratings": [{"severity": "high"}],
        "affects": [{"ref": "j"}],
        "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
    }
    (found,) = found_in(folder, sbom=SBOM | {"vulnerabilities": [listed]}, grype=GRYPE)
    assert found["sources"] == ["grype.json", "sbom.json"]
    assert found["status"] == "not_affected"
    assert found["vex"]["path"] == "sbom.json"


def test_keyless_provenance_by_the_builder_itself(
    folder: Path, sigstore: PrivateSigstore, root_file: Path
) -> None:
    builder = "https://github.com/acme/model/.github/workflows/release.yml@refs/heads/main"
    predicate = {"buildDefinition": {}, "runDetails": {"builder": {"id": builder}}}
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "card", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate,
    }
    build = {9: builder, 12: "https://github.com/acme/model"}
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions=build)
    bundle = sigstore.sign_envelope(json.dumps(value).encode(), key, certificate, rekor=2)
    (folder / "provenance.json").write_text(json.dumps(bundle))
    trust = TrustSettings(
        trusted_root=root_file,
        identities=(SignerIdentity(ISSUER, IDENTITY),),
        builders={builder.partition("@")[0]: 3},
    )
    given = load(folder, trust)
    (statement,) = given["attestations"][0]["facts"]["statements"]
    assert statement["assurance"] == "signed"
    assert statement["format"] == "sigstore_bundle"
    assert statement["signer"]["identity"] == IDENTITY
    assert statement["signer"]["source_repository"] == "https://github.com/acme/model"
    assert statement["provenance"]["builder_is_signer"]
    assert statement["provenance"]["level"] == 3
    assert statement["signed_at"] == "2026-05-01T12:00:00Z"
    assert given["model_cards"][0]["attestations"] == [statement]
    wrong = dataclasses.replace(trust, identities=(SignerIdentity("https://i", IDENTITY),))
    (statement,) = load(folder, wrong)["attestations"][0]["facts"]["statements"]
    assert statement["reason_code"] == "identity_not_allowed"
    assert statement["provenance"]["level"] == 0
