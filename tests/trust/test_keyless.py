"""Keyless signatures against a private Sigstore: what verifies, and every way to spoil it."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.trust.conftest import IDENTITY, ISSUER, Judge, statement
from tests.trust.private_sigstore import PrivateSigstore, b64

from adjudge.errors import InputError
from adjudge.trust import SignerIdentity, TrustSettings

DATA = b"weights"
Bundle = dict[str, Any]


@pytest.fixture(scope="module", params=[1, 2], ids=["rekor1", "rekor2"])
def rekor(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def over_bytes(sigstore: PrivateSigstore, rekor: int) -> Bundle:
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions={12: "https://github.com/acme"})
    return sigstore.sign_artifact(DATA, key, certificate, rekor=rekor)


@pytest.fixture(scope="module")
def over_statement(sigstore: PrivateSigstore, rekor: int) -> Bundle:
    key, certificate = sigstore.issue(IDENTITY, ISSUER)
    return sigstore.sign_envelope(statement(DATA), key, certificate, rekor=rekor)


def test_signature_over_bytes(
    over_bytes: Bundle, settings: TrustSettings, judge: Judge, rekor: int
) -> None:
    result = judge(over_bytes, DATA, settings)
    assert result.verified, result.reason
    assert result.authentic
    assert (result.kind, result.format) == ("sigstore", "sigstore_bundle")
    assert (result.identity, result.issuer) == (IDENTITY, ISSUER)
    assert result.extensions["source_repository_uri"] == "https://github.com/acme"
    assert result.signed_at == "2026-05-01T12:00:00Z"
    assert result.time_source == ("transparency_log" if rekor == 1 else "timestamp_authority")
    assert result.log is not None
    assert result.log["verified"]
    assert result.trusted_root_digest is not None


def test_statement(over_statement: Bundle, settings: TrustSettings, judge: Judge) -> None:
    result = judge(over_statement, DATA, settings)
    assert result.verified, result.reason
    assert result.predicate_type == "https://example.com/p"
    assert result.predicate == {"ok": True}
    assert result.subjects[0]["name"] == "a"


def test_statement_about_another_file(
    over_statement: Bundle, settings: TrustSettings, judge: Judge
) -> None:
    result = judge(over_statement, b"other", settings)
    assert result.reason_code == "subject_mismatch"
    assert not result.authentic
    assert result.identity is None
    assert result.predicate is None


def test_statement_that_two_readers_see_differently(
    over_statement: Bundle,
    settings: TrustSettings,
    judge: Judge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is judged must be what the library verified."""
    from sigstore.verify import Verifier

    monkeypatch.setattr(Verifier, "verify_dsse", lambda *_: ("application/json", b"{}"))
    result = judge(over_statement, DATA, settings)
    assert result.reason_code == "malformed"
    assert not result.authentic


def test_without_pinned_identity(over_bytes: Bundle, settings: TrustSettings, judge: Judge) -> None:
    result = judge(over_bytes, DATA, dataclasses.replace(settings, identities=()))
    assert not result.verified
    assert result.authentic
    assert result.reason_code == "no_identity_pinned"
    assert result.identity == IDENTITY


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (SignerIdentity(ISSUER, identity_regex=r"https://github\.com/acme/.*"), True),
        (SignerIdentity(ISSUER, identity_regex=r"https://github\.com/acme"), False),
        (SignerIdentity(ISSUER, identity_regex=r"acme"), False),
        (SignerIdentity("https://evil.example", IDENTITY), False),
        (SignerIdentity("https://evil.example", identity_regex=".*"), False),
        (SignerIdentity(ISSUER, IDENTITY + "x"), False),
    ],
)
def test_identity_rules(
    over_bytes: Bundle, settings: TrustSettings, judge: Judge, rule: SignerIdentity, allowed: bool
) -> None:
    result = judge(over_bytes, DATA, dataclasses.replace(settings, identities=(rule,)))
    assert result.authentic
    assert result.verified == allowed
    assert result.reason_code == ("verified" if allowed else "identity_not_allowed")


def test_other_trusted_root(
    over_bytes: Bundle, settings: TrustSettings, judge: Judge, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(PrivateSigstore().trusted_root()))
    for root in (other, None):
        result = judge(over_bytes, DATA, dataclasses.replace(settings, trusted_root=root))
        assert not result.authentic
        assert result.identity is None
        assert result.claimed_identity == IDENTITY


def test_age(over_bytes: Bundle, settings: TrustSettings, judge: Judge) -> None:
    later = dt.datetime(2026, 5, 20, tzinfo=dt.UTC)
    limited = dataclasses.replace(settings, max_age_days=30, as_of=later)
    assert judge(over_bytes, DATA, limited).verified
    result = judge(over_bytes, DATA, dataclasses.replace(limited, max_age_days=10))
    assert result.authentic
    assert result.reason_code == "too_old"


def _material(bundle: Bundle) -> Bundle:
    material: Bundle = bundle["verificationMaterial"]
    return material


def _entry(bundle: Bundle) -> Bundle:
    entry: Bundle = _material(bundle)["tlogEntries"][0]
    return entry


def _no_log(bundle: Bundle) -> None:
    _material(bundle)["tlogEntries"] = []


def _no_proof(bundle: Bundle) -> None:
    del _entry(bundle)["inclusionProof"]


def _no_checkpoint(bundle: Bundle) -> None:
    del _entry(bundle)["inclusionProof"]["checkpoint"]


def _other_proof(bundle: Bundle) -> None:
    _entry(bundle)["inclusionProof"]["rootHash"] = b64(b"0" * 32)


def _no_time(bundle: Bundle) -> None:
    _material(bundle).pop("timestampVerificationData", None)
    _entry(bundle).pop("inclusionPromise", None)


def _other_signature(bundle: Bundle) -> None:
    bundle["messageSignature"]["signature"] = b64(b"0" * 70)


def _no_certificate(bundle: Bundle) -> None:
    del _material(bundle)["certificate"]


def _broken_certificate(bundle: Bundle) -> None:
    _material(bundle)["certificate"]["rawBytes"] = b64(b"no certificate")


def _two_contents(bundle: Bundle) -> None:
    bundle["dsseEnvelope"] = {}


def _other_version(bundle: Bundle) -> None:
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_no_log, "log_entry_missing"),
        (_no_proof, "log_entry_missing"),
        (_no_checkpoint, "log_entry_missing"),
        (_other_proof, "log_entry_invalid"),
        (_no_time, "no_trusted_time"),
        (_other_signature, None),
        (_no_certificate, "certificate_missing"),
        (_broken_certificate, "certificate_invalid"),
        (_two_contents, "malformed"),
        (_other_version, "unsupported_version"),
    ],
)
def test_spoilt_bundle(
    over_bytes: Bundle,
    settings: TrustSettings,
    judge: Judge,
    spoil: Callable[[Bundle], None],
    code: str | None,
) -> None:
    bundle = copy.deepcopy(over_bytes)
    spoil(bundle)
    result = judge(bundle, DATA, settings)
    assert not result.verified
    assert not result.authentic
    assert code is None or result.reason_code == code, result.reason


def test_signed_after_the_certificate_expired(
    sigstore: PrivateSigstore, settings: TrustSettings, judge: Judge, rekor: int
) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER, minutes=5)
    late = sigstore.now + dt.timedelta(minutes=30)
    bundle = sigstore.sign_artifact(DATA, key, certificate, rekor=rekor, at=late)
    assert judge(bundle, DATA, settings).reason_code == "certificate_not_valid_at_signing"


def test_log_entry_of_another_signature(
    sigstore: PrivateSigstore, settings: TrustSettings, judge: Judge, rekor: int
) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER)
    one = sigstore.sign_artifact(DATA, key, certificate, rekor=rekor)
    other = sigstore.sign_artifact(DATA, key, certificate, rekor=rekor)
    one["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    assert judge(one, DATA, settings).reason_code == "log_entry_mismatch"


def test_authority_outside_its_validity(
    over_bytes: Bundle,
    sigstore: PrivateSigstore,
    settings: TrustSettings,
    judge: Judge,
    tmp_path: Path,
) -> None:
    root = sigstore.trusted_root()
    root["certificateAuthorities"][0]["validFor"]["end"] = "2026-04-30T00:00:00Z"
    path = tmp_path / "root.json"
    path.write_text(json.dumps(root))
    result = judge(over_bytes, DATA, dataclasses.replace(settings, trusted_root=path))
    assert result.reason_code == "certificate_not_valid_at_signing"


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"mediaType": 5}'])
def test_unusable_trusted_root(
    over_bytes: Bundle, settings: TrustSettings, judge: Judge, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "root.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        judge(over_bytes, DATA, dataclasses.replace(settings, trusted_root=path))
    assert caught.value.code == "trusted_root_invalid"


def test_missing_trusted_root(
    over_bytes: Bundle, settings: TrustSettings, judge: Judge, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        judge(over_bytes, DATA, dataclasses.replace(settings, trusted_root=tmp_path / "no"))
    assert caught.value.code == "trust_file_unreadable"


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_older_bundles(
    version: str, over_bytes: Bundle, settings: TrustSettings, judge: Judge
) -> None:
    bundle = copy.deepcopy(over_bytes)
    material = bundle["verificationMaterial"]
    bundle["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    promised = "inclusionPromise" in material["tlogEntries"][0]
    # 0.1 needs the log's promise, whatever else there is.
    expected = "verified" if promised or version == "0.2" else "no_trusted_time"
    assert judge(bundle, DATA, settings).reason_code == expected
    del material["tlogEntries"][0]["inclusionProof"]
    assert judge(bundle, DATA, settings).reason_code == "log_entry_missing"
