"""In-toto statements as documents: what they state, who is proved to state it, and what follows."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adjudge.documents import attestation, registry
from adjudge.documents.predicates import APPROVAL, READERS, TYPES
from adjudge.documents.reading import Source
from adjudge.errors import InputError
from adjudge.trust import TrustSettings

KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DIGEST = "ab" * 32
BUILDER = "https://builders.example/build.yml"

Write = Callable[[str, "str | bytes"], Source]


def statement(predicate_type: str, predicate: Any, **more: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": DIGEST}}],
        "predicateType": predicate_type,
        "predicate": predicate,
        **more,
    }


def envelope(value: dict[str, Any], *signers: int) -> str:
    payload = json.dumps(value).encode()
    kind = b"application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    made = [KEYS[n].sign(signed, ec.ECDSA(hashes.SHA256())) for n in signers or (0,)]
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": kind.decode(),
            "signatures": [{"sig": base64.b64encode(s).decode()} for s in made],
        }
    )


@pytest.fixture
def trust(tmp_path_factory: pytest.TempPathFactory) -> TrustSettings:
    """The first key is trusted."""
    path = tmp_path_factory.mktemp("trust") / "release.pub"
    public = KEYS[0].public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return TrustSettings(keys=(path,), as_of=NOW)


def facts_of(source: Source, trust: TrustSettings | None, kind: str = "attestation") -> Any:
    document = registry.load(kind, source, trust=trust)
    jsonschema.validate(document.facts, registry.kind_of(kind).schema())
    return document.facts


PROVENANCE_1 = {
    "buildDefinition": {
        "buildType": "https://actions.github.io/buildtypes/workflow/v1",
        "externalParameters": {
            "workflow": {
                "ref": "refs/heads/main",
                "repository": "https://github.com/acme/model",
                "path": ".github/workflows/release.yml",
            }
        },
        "resolvedDependencies": [
            {
                "uri": "git+https://github.com/acme/model@refs/heads/main",
                "digest": {"gitCommit": "c0ffee"},
            }
        ],
    },
    "runDetails": {
        "builder": {"id": BUILDER + "@refs/tags/v1"},
        "metadata": {"invocationId": "https://run/1", "startedOn": "2026-05-01T00:00:00Z"},
    },
}
PROVENANCE_02 = {
    "builder": {"id": BUILDER},
    "buildType": "https://b.example/t",
    "invocation": {
        "configSource": {
            "uri": "git+https://github.com/acme/model.git@refs/tags/v1",
            "digest": {"sha1": "c0ffee"},
            "entryPoint": "build.yml",
        }
    },
    "metadata": {"completeness": {"materials": True}},
    "materials": [{"uri": "pkg:pypi/torch@2", "digest": {"sha256": DIGEST}}],
}


def test_provenance_1(source: Write, trust: TrustSettings) -> None:
    made = source(
        "a.intoto.jsonl", envelope(statement("https://slsa.dev/provenance/v1", PROVENANCE_1))
    )
    (found,) = facts_of(made, replace(trust, builders={BUILDER: 3}))["statements"]
    assert found["assurance"] == "signed"
    assert found["signer"]["kind"] == "key"
    assert found["signer"]["key_name"] == "release.pub"
    assert found["provenance"] == {
        "version": "1",
        "builder_id": BUILDER + "@refs/tags/v1",
        "build_type": "https://actions.github.io/buildtypes/workflow/v1",
        "source_uri": "https://github.com/acme/model",
        "source_ref": "refs/heads/main",
        "source_digest": "c0ffee",
        "workflow": ".github/workflows/release.yml",
        "invocation_id": "https://run/1",
        "started": "2026-05-01T00:00:00Z",
        "dependencies": [
            {
                "uri": "git+https://github.com/acme/model@refs/heads/main",
                "digest": {"gitCommit": "c0ffee"},
            }
        ],
        "builder_trusted": True,
        "builder_is_signer": False,
        "level": 3,
    }


def test_provenance_02(source: Write, trust: TrustSettings) -> None:
    made = source("a.json", envelope(statement("https://slsa.dev/provenance/v0.2", PROVENANCE_02)))
    (found,) = facts_of(made, replace(trust, builders={BUILDER: 2}))["statements"]
    provenance = found["provenance"]
    assert provenance["version"] == "0.2"
    assert provenance["source_uri"] == "https://github.com/acme/model"
    assert provenance["source_ref"] == "refs/tags/v1"
    assert provenance["source_digest"] == "c0ffee"
    assert provenance["complete"]
    assert provenance["level"] == 2


@pytest.mark.parametrize(
    ("builders", "signer", "level"),
    [
        ({BUILDER: 3}, 0, 3),
        ({BUILDER + "@refs/tags/v1": 2}, 0, 2),
        ({BUILDER + "@refs/tags/v2": 2}, 0, 0),
        ({BUILDER + "x": 3}, 0, 0),
        ({}, 0, 0),
        ({BUILDER: 3}, 1, 0),
    ],
)
def test_a_level_needs_a_listed_builder_and_a_signature(
    builders: dict[str, int], signer: int, level: int, source: Write, trust: TrustSettings
) -> None:
    made = envelope(statement("https://slsa.dev/provenance/v1", PROVENANCE_1), signer)
    settings = replace(trust, builders=builders)
    (found,) = facts_of(source("a.json", made), settings)["statements"]
    assert found["provenance"]["level"] == level
    assert found["provenance"]["builder_trusted"] == (level > 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps(statement("https://x", {"a": 1})), "no_signature"),
        (envelope(statement("https://x", {"a": 1}), 1), "key_not_trusted"),
    ],
)
def test_what_nobody_trusted_signed_is_self_declared(
    text: str, code: str, source: Write, trust: TrustSettings
) -> None:
    facts = facts_of(source("a.json", text), trust)
    assert facts["assurance"] == "self_declared"
    (found,) = facts["statements"]
    assert found["reason_code"] == code
    assert not found["verified"]
    assert "signer" not in found


def test_changed_payload_is_self_declared(source: Write, trust: TrustSettings) -> None:
    value = json.loads(envelope(statement("https://x", {"a": 1})))
    other = json.loads(envelope(statement("https://x", {"a": 2})))
    value["payload"] = other["payload"]
    (found,) = facts_of(source("a.json", json.dumps(value)), trust)["statements"]
    assert found["assurance"] == "self_declared"


VSA = {
    "verifier": {"id": "https://verifier.example"},
    "timeVerified": "2026-05-20T00:00:00Z",
    "resourceUri": "pkg:x/y",
    "policy": {"uri": "https://p", "digest": {"sha256": DIGEST}},
    "inputAttestations": [{"digest": {"sha256": DIGEST}}],
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    "dependencyLevels": {"SLSA_BUILD_LEVEL_1": 4},
    "slsaVersion": "1.2",
}


@pytest.mark.parametrize(
    ("more", "days", "expired", "expires"),
    [
        ({}, None, False, None),
        ({}, 30, False, "2026-06-19T00:00:00Z"),
        ({}, 3, True, "2026-05-23T00:00:00Z"),
        ({"timeVerified": "soon"}, 30, True, None),
        ({"expires": "2026-05-31T00:00:00Z"}, None, True, "2026-05-31T00:00:00Z"),
        ({"validUntil": "2026-07-01T00:00:00+02:00"}, None, False, "2026-06-30T22:00:00Z"),
        ({"expires": "2026-07-01T00:00:00Z"}, 3, True, "2026-05-23T00:00:00Z"),
        ({"expires": "never"}, None, True, None),
        ({"timeVerified": "9999-12-31T00:00:00Z"}, 36500, True, None),
    ],
)
def test_summary_and_its_expiry(
    more: dict[str, str],
    days: int | None,
    expired: bool,
    expires: str | None,
    source: Write,
    trust: TrustSettings,
) -> None:
    made = envelope(statement("https://slsa.dev/verification_summary/v1", VSA | more))
    # The age of the signature itself is another matter: there is no trusted time here.
    settings = replace(trust, max_age_days=days)
    (found,) = facts_of(source("a.json", made), settings)["statements"]
    summary = found["summary"]
    assert summary["expired"] == expired
    assert summary.get("expires") == expires
    assert summary["passed"]
    assert summary["levels"] == ["SLSA_BUILD_LEVEL_3"]
    assert summary["dependency_levels"] == {"SLSA_BUILD_LEVEL_1": 4}
    assert summary["policy_digest"] == DIGEST


def test_simple_result_and_test_result(source: Write, trust: TrustSettings) -> None:
    svr = {
        "verifier": {"id": "v"},
        "policies": [],
        "timeCreated": "2026-05-20T00:00:00Z",
        "properties": ["ADJUDGE_X"],
    }
    result = {"result": "WARNED", "configuration": [], "warnedTests": ["t"], "url": "https://u"}
    lines = [
        envelope(statement("https://in-toto.io/attestation/svr/v0.2", svr)),
        envelope(statement("https://in-toto.io/attestation/test-result/v0.1", result)),
    ]
    facts = facts_of(source("a.intoto.jsonl", "\n".join(lines)), trust)
    assert facts["types"] == ["simple_result", "test_result"]
    first, second = facts["statements"]
    assert first["simple_result"]["properties"] == ["ADJUDGE_X"]
    assert not first["simple_result"]["expired"]
    assert second["test_result"]["result"] == "WARNED"
    assert second["test_result"]["warned"] == ["t"]
    assert [s["index"] for s in facts["statements"]] == [0, 1]


@pytest.mark.parametrize(
    ("roles", "signer", "confirmed"),
    [
        ({"model-risk": ("release.pub",)}, 0, ["model-risk"]),
        ({"model-risk": ("other.pub",), "legal": ("release.pub",)}, 0, ["legal"]),
        ({}, 0, []),
        ({"model-risk": ("release.pub",)}, 1, []),
    ],
)
def test_approval_and_roles(
    roles: dict[str, tuple[str, ...]],
    signer: int,
    confirmed: list[str],
    source: Write,
    trust: TrustSettings,
) -> None:
    said = {"decision": "approved", "role": "model-risk", "approver": "Ada"}
    made = source("a.json", envelope(statement(APPROVAL, said), signer))
    settings = replace(trust, roles=roles)
    (found,) = facts_of(made, settings, "approval")["statements"]
    approval = found["approval"]
    assert approval["approved"]
    assert approval["roles"] == confirmed
    assert approval["role_confirmed"] == ("model-risk" in confirmed)


@pytest.mark.parametrize(
    "said", [{"decision": "rejected"}, {}, {"decision": True}, {"decision": 1}]
)
def test_anything_but_approved_is_no_approval(
    said: dict[str, Any], source: Write, trust: TrustSettings
) -> None:
    made = source("a.json", envelope(statement(APPROVAL, said)))
    (found,) = facts_of(made, trust, "approval")["statements"]
    assert not found["approval"]["approved"]


def test_lines_that_cannot_be_read(source: Write, trust: TrustSettings) -> None:
    good = envelope(statement("https://x", {}))
    made = source("a.intoto.jsonl", f'{good}\n{{"payload": 1, "signatures": []}}\n{good}')
    document = attestation.load(made, trust=trust)
    assert [p.code for p in document.problems] == ["statement_unreadable"]
    assert "line 2" in document.problems[0].message
    assert document.facts["assurance"] == "self_declared"
    assert [s["index"] for s in document.facts["statements"]] == [0, 2]
    place = document.locate("/facts/statements/1/type")
    assert place is not None
    assert place.line == 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "attestation_unreadable"),
        ("[]", "attestation_unreadable"),
        ("{}", "attestation_unreadable"),
        ('{"predicateType": 5}', "attestation_unreadable"),
        (json.dumps(statement("https://x", {}, subject=[])), "attestation_unreadable"),
        (json.dumps(statement("https://x", {}, _type="other")), "attestation_unreadable"),
        ('{"payload": "", "payloadType": "text/plain", "signatures": [{"sig": "AA=="}]}', "att"),
        ("{}\n" * 201, "attestation_too_large"),
    ],
)
def test_files_without_statements(content: str, code: str, source: Write) -> None:
    with pytest.raises(InputError) as caught:
        attestation.load(source("a.json", content))
    assert caught.value.code.startswith(code)


@pytest.mark.parametrize("predicate", [None, {}, {"buildDefinition": 5}, {"verifier": []}])
@pytest.mark.parametrize(
    "predicate_type",
    [
        "https://slsa.dev/provenance/v1",
        "https://slsa.dev/provenance/v0.2",
        "https://slsa.dev/verification_summary/v1",
        "https://in-toto.io/attestation/svr/v0.2",
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://openvex.dev/ns/v0.2.0",
        "https://in-toto.io/attestation/vulns/v0.2",
        "https://cyclonedx.org/bom/v1.6",
        APPROVAL,
        "anything",
    ],
)
def test_predicates_of_any_shape(predicate_type: str, predicate: Any, source: Write) -> None:
    made = source("a.json", json.dumps(statement(predicate_type, predicate)))
    (found,) = facts_of(made, None)["statements"]
    assert found["type"] in TYPES
    assert set(READERS) <= set(TYPES)


def test_the_page_names_every_fact() -> None:
    page = (
        Path(__file__).resolve().parents[2] / "docs/reference/documents/attestation.md"
    ).read_text()

    def names(schema: Any) -> set[str]:
        found = set(schema.get("properties", {}))
        for part in [*schema.get("properties", {}).values(), schema.get("items")]:
            if isinstance(part, dict):
                found |= names(part)
        return found

    known = {"name", "uri", "digest", "index", "format", "url", "comment", "version", "role"}
    missing = {
        n for n in names(registry.kind_of("attestation").schema()) - known if f"`{n}`" not in page
    }
    assert missing == set()
