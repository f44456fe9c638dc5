"""Decisions signed and verified by the command line, and every way in which that must fail."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Result, Run, write

from adjudge.decision.times import parse_time
from adjudge.gate.attestation import Expected, verify_statements
from adjudge.trust import Trust, TrustSettings
from adjudge.trust.signing import load_signer

AS_OF = "2026-11-20T09:30:00Z"


def new_key(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private = folder / f"{name}.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    (folder / f"{name}.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.fixture
def signed(run: Run, work: Path) -> Path:
    """A working directory with a decision about ``release`` and a signed summary of it."""
    new_key(work, "key")
    new_key(work, "other")
    given = ("-p", "policies", "--as-of", AS_OF, "-q", "--output", "json=d.json")
    assert (
        run(
            "check", "release", *given, "--attest", "d.intoto.jsonl", "--signing-key", "key.pem"
        ).code
        == 0
    )
    return work


def checks(result: Result, statement: int = 0) -> dict[str, Any]:
    return {c["name"]: c["ok"] for c in result.json["statements"][statement]["checks"]}


def test_verified_with_everything_compared(signed: Path, run: Run) -> None:
    found = run(
        *("verify", "d.json", "--key", "key.pub", "--release", "release", "-p", "policies"),
        *("--as-of", AS_OF, "--max-age", "1d", "--verifier-id", "urn:adjudge:verifier"),
        *("-f", "json"),
    )
    assert found.code == 0, found.err
    assert found.json["verified"] is True
    assert set(checks(found).values()) == {True}
    assert found.json["statements"][0]["decision"]["outcome"] == "allow"


@pytest.mark.parametrize(
    ("options", "failed"),
    [
        (("--key", "other.pub"), "signature"),
        (("--key", "key.pub", "--expect", "deny"), "outcome"),
        (("--key", "key.pub", "--verifier-id", "urn:other"), "verifier"),
        (("--key", "key.pub", "--release", "bad"), "subjects"),
        (("--key", "key.pub", "--policy-digest", "0" * 64), "policy"),
        (("--key", "key.pub", "-p", "baseline"), "policy"),
        (("--key", "key.pub", "--as-of", "2026-12-20", "--max-age", "1w"), "freshness"),
        (("--key", "key.pub", "--as-of", "2026-11-19"), "freshness"),
    ],
)
def test_what_is_not_as_expected(
    signed: Path, run: Run, options: tuple[str, ...], failed: str
) -> None:
    if "--as-of" not in options:
        options = (*options, "--as-of", AS_OF)
    found = run("verify", "d.intoto.jsonl", *options, "-f", "json")
    assert found.code == 1, found.err
    assert found.json["verified"] is False
    assert [name for name, ok in checks(found).items() if ok is False] == [failed]


def test_changed_added_and_removed_files(signed: Path, run: Run) -> None:
    verify = ("verify", "d.intoto.jsonl", "--key", "key.pub", "--as-of", AS_OF)
    (signed / "release/README.md").write_text("---\nlicense: mit\n---\n# Another card\n")
    assert "changed: README.md" in run(*verify, "--release", "release").out
    write(signed, {"release/sbom.cdx.json": '{"bomFormat": "CycloneDX", "specVersion": "1.6"}'})
    assert "not judged: sbom.cdx.json" in run(*verify, "--release", "release").out
    found = run(*verify, "--release", "release/sbom.cdx.json")
    assert found.code == 1
    assert "missing: README.md" in found.out


def test_the_record_must_be_the_one_that_was_signed(signed: Path, run: Run) -> None:
    run("check", "release", "-p", "policies", "-q", "--output", "json=later.json")
    found = run(
        "verify", "later.json", "--attestation", "d.intoto.jsonl", "--key", "key.pub", "-f", "json"
    )
    assert found.code == 1
    assert checks(found)["record"] is False


def test_an_edited_record_is_unusable(signed: Path, run: Run) -> None:
    text = (signed / "d.json").read_text()
    (signed / "d.json").write_text(text.replace('"allow"', '"deny"', 1))
    found = run("verify", "d.json", "--key", "key.pub")
    assert (found.code, found.error) == (2, "decision_digest_mismatch")


def test_a_genuine_denial_is_no_approval(signed: Path, run: Run) -> None:
    attest = ("--attest", "no.jsonl", "--attest", "svr=no.svr", "--signing-key", "key.pem")
    assert run("check", "bad", "-p", "policies", "-q", *attest).code == 1
    assert not (signed / "no.svr").exists()
    assert run("verify", "no.jsonl", "--key", "key.pub").code == 1
    assert run("verify", "no.jsonl", "--key", "key.pub", "--expect", "deny").code == 0


def test_several_statements_must_all_hold(signed: Path, run: Run) -> None:
    kinds = ("--kind", "vsa", "--kind", "svr", "--kind", "test-result")
    assert run("attest", "d.json", *kinds, "--signing-key", "key.pem", "-o", "all.jsonl").code == 0
    found = run("verify", "d.json", "--attestation", "all.jsonl", "--key", "key.pub", "-f", "json")
    assert found.code == 0
    assert len(found.json["statements"]) == 3
    other = run("attest", "d.json", "--signing-key", "other.pem").out
    (signed / "all.jsonl").write_text((signed / "all.jsonl").read_text() + other)
    mixed = run("verify", "d.json", "--attestation", "all.jsonl", "--key", "key.pub", "-f", "json")
    assert mixed.code == 1
    assert [s["verified"] for s in mixed.json["statements"]] == [True, True, True, False]


def test_a_statement_that_contradicts_itself(signed: Path, run: Run) -> None:
    envelope = json.loads((signed / "d.intoto.jsonl").read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    key = load_signer(signed / "key.pem")

    def judged(**changes: Any) -> Result:
        changed = {**statement, "predicate": {**statement["predicate"], **changes}}
        (signed / "forged.json").write_bytes(key.sign(json.dumps(changed).encode()))
        return run("verify", "forged.json", "--key", "key.pub", "--as-of", AS_OF, "-f", "json")

    assert judged().code == 0
    contradictions: list[dict[str, Any]] = [
        {"verificationResult": "FAILED"},
        {"verificationResult": "passed"},
        {"timeVerified": "2026-11-21T09:30:00Z"},
        {"policy": {}},
        {"verifier": "me"},
        {"adjudge_decision": None},
        {"adjudge_decision": {**statement["predicate"]["adjudge_decision"], "time": "now"}},
    ]
    for changes in contradictions:
        found = judged(**changes)
        assert found.code == 1, changes
        assert checks(found)["statement"] is False


def test_another_predicate_is_no_decision(signed: Path, run: Run) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    key = load_signer(signed / "key.pem")
    (signed / "p.json").write_bytes(key.sign(json.dumps(statement).encode()))
    found = run("verify", "p.json", "--key", "key.pub")
    assert found.code == 1
    assert "no statement about a decision" in found.out


def test_bad_usage_says_what_to_do(signed: Path, run: Run) -> None:
    for options, code in (
        (("verify", "d.intoto.jsonl"), "nobody_trusted"),
        (("verify", "d.intoto.jsonl", "--identity", "me"), "issuer_missing"),
        (("verify", "d.intoto.jsonl", "--issuer", "https://i"), "identity_missing"),
        (("verify", "none.json", "--key", "key.pub"), "file_unreadable"),
        (("verify", "d.json", "--key", "none.pub"), "trust_file_unreadable"),
        (("verify", "d.intoto.jsonl", "--key", "key.pub", "--max-age", "old"), "age_invalid"),
        (
            ("verify", "d.intoto.jsonl", "--key", "key.pub", "--policy-digest", "x"),
            "digest_invalid",
        ),
        (("attest", "d.json"), "signer_missing"),
        (("attest", "d.json", "--keyless", "--signing-key", "key.pem"), "signer_ambiguous"),
        (("attest", "release/README.md", "--signing-key", "key.pem"), "decision_invalid"),
        (
            ("check", "release", "--attest", "x=y", "--signing-key", "key.pem"),
            "attestation_kind_unknown",
        ),
        (("check", "release", "--attest", "y"), "signer_missing"),
    ):
        found = run(*options)
        assert (found.code, found.error) == (2, code), options
    (signed / "d.intoto.jsonl").unlink()
    assert run("verify", "d.json", "--key", "key.pub").error == "attestation_missing"
    assert run("check", "release", "--signing-key", "key.pem").code == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"payload": 1, "signatures": []}']
)
def test_what_is_no_statement_is_not_verified(signed: Path, run: Run, content: str) -> None:
    (signed / "x.json").write_text(content)
    assert run("verify", "x.json", "--key", "key.pub").code == 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_verifies(signed: Path, data: st.DataObject) -> None:
    """What may change: the key id (a hint that decides nothing), white space between the parts,
    and spare bits of base64.  All that was signed stays as it was."""
    raw = (signed / "d.intoto.jsonl").read_bytes().rstrip(b"\n")
    place = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != raw[place]))
    changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
    trust = Trust(TrustSettings(keys=(signed / "key.pub",)))
    expected = Expected(now_ns=parse_time(AS_OF))
    (before,) = verify_statements(raw, trust, expected)
    assert before.ok
    after = verify_statements(changed, trust, expected)
    if after and all(v.ok for v in after):
        assert signed_parts(changed) == signed_parts(raw)


def signed_parts(raw: bytes) -> tuple[bytes, str, list[bytes]]:
    envelope = json.loads(raw)
    signatures = [base64.b64decode(s["sig"]) for s in envelope["signatures"]]
    return base64.b64decode(envelope["payload"]), envelope["payloadType"], signatures
