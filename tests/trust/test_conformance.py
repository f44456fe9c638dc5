"""The public conformance bundles: each verifies or does not, as its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.documents.reading import Source
from adjudge.documents.signed_artifact import load
from adjudge.errors import InputError
from adjudge.trust import Artifact, SignerIdentity, Trust, TrustSettings, verify_file

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
BUNDLES = SHARED / "data/signatures/sigstore-conformance"
MODELS = SHARED / "data/signatures/model-signing"
IDENTITY = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"
CASES = sorted(p.name for p in BUNDLES.iterdir()) if BUNDLES.is_dir() else []

needs_data = pytest.mark.skipif(not CASES, reason="the shared data is not there")

# Why each must fail: a case that fails for another reason proves nothing.
REASONS = {
    "bundle-empty-certificate-chain_fail": "certificate_missing",
    "bundle-from-wrong-instance_fail": "certificate_untrusted",
    "bundle-invalid-base64-signature_fail": "malformed",
    "bundle-negative-log-index_fail": "malformed",
    "bundle-unknown-version_fail": "unsupported_version",
    "inclusion-proof-corrupted-hash_fail": "log_entry_invalid",
    "integrated-time-in-future_fail": "certificate_not_valid_at_signing",
    "intoto-expired-certificate_fail": "certificate_not_valid_at_signing",
    "intoto-log-entry-mismatch_fail": "log_entry_mismatch",
    "intoto-set-outside-signing-cert-validity_fail": "certificate_not_valid_at_signing",
    "intoto-tsa-timestamp-outside-cert-validity_fail": "certificate_not_valid_at_signing",
    "invalid-checkpoint-signature_fail": "log_entry_invalid",
    "message-digest-mismatch_fail": "artifact_mismatch",
    "rekor2-checkpoint-missing-size_fail": "log_entry_invalid",
    "rekor2-checkpoint-no-matching-signature_fail": "log_entry_invalid",
    "rekor2-dsse-invalid-sig_fail": "signature_invalid",
    "rekor2-dsse-mismatch-sig_fail": "log_entry_mismatch",
    "rekor2-no-timestamp_fail": "no_trusted_time",
    "rekor2-timestamp-outside-tsa-cert-validity_fail": "no_trusted_time",
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": "no_trusted_time",
    "set-invalid-signature_fail": "log_entry_invalid",
    "signature-mismatch_fail": "signature_invalid",
    "wrong-hashedrekord-artifact_fail": "log_entry_mismatch",
    "wrong-hashedrekord-cert-and-sig_fail": "log_entry_mismatch",
}


def _text(path: Path, otherwise: str) -> str:
    return path.read_text().strip() if path.exists() else otherwise


def _settings(folder: Path) -> TrustSettings:
    root, key = folder / "trusted_root.json", folder / "key.pub"
    identity = SignerIdentity(
        _text(folder / "issuer", ISSUER), _text(folder / "identity", IDENTITY)
    )
    return TrustSettings(
        trusted_root=root if root.exists() else None,
        identities=(identity,),
        keys=(key,) if key.exists() else (),
    )


@needs_data
@pytest.mark.parametrize("name", CASES)
def test_bundle(name: str) -> None:
    folder = BUNDLES / name
    own = folder / "artifact"
    artifact = Artifact.of_file(own if own.exists() else BUNDLES.parent / "a.txt")
    raw = (folder / "bundle.sigstore.json").read_bytes()
    if name == "trust-root-tlog-missing-validity-start_fail":
        with pytest.raises(InputError) as caught:
            verify_file(raw, artifact, Trust(_settings(folder)))
        assert caught.value.code == "trusted_root_invalid"
        return
    (result,) = verify_file(raw, artifact, Trust(_settings(folder)))
    assert result.verified == (not name.endswith("_fail")), result.reason
    assert result.reason_code == REASONS.get(name, result.reason_code)
    if result.verified:
        assert result.log is not None
        assert result.log["verified"]
        assert result.signed_at is not None


@needs_data
def test_bundle_for_another_file() -> None:
    raw = (BUNDLES / "happy-path-v0.3-new-mediaType/bundle.sigstore.json").read_bytes()
    trust = Trust(TrustSettings(identities=(SignerIdentity(ISSUER, IDENTITY),)))
    (result,) = verify_file(raw, Artifact.of_bytes(b"other"), trust)
    assert not result.verified
    assert not result.authentic
    assert result.reason_code == "artifact_mismatch"


MODEL_SETTINGS = {
    "v1.0.1-sigstore": TrustSettings(
        identities=(SignerIdentity("https://sigstore.verify.ibm.com/oauth2", "stefanb@us.ibm.com"),)
    ),
    "v1.0.1-elliptic-key": TrustSettings(keys=(MODELS / "keys/signing-key-pub.pem",)),
    "v1.0.1-certificate": TrustSettings(certificate_roots=(MODELS / "keys/ca-cert.pem",)),
}


@needs_data
@pytest.mark.parametrize("name", sorted(MODEL_SETTINGS))
def test_signed_model(name: str) -> None:
    facts = load(Source(MODELS, name), trust=MODEL_SETTINGS[name]).facts
    assert facts["verified"], facts["reason"]
    assert facts["predicate_types"] == ["https://model_signing/signature/v1.0"]
    assert facts["coverage"]["covered"] == 2
    assert facts["coverage"]["unsigned_files"] == ["ignore-me"]
    assert not facts["coverage"]["complete"]


@needs_data
@pytest.mark.parametrize("name", sorted(MODEL_SETTINGS))
def test_signed_model_nobody_trusted(name: str) -> None:
    facts = load(Source(MODELS, name)).facts
    assert not facts["verified"]
    assert facts["coverage"]["covered"] == 0
    assert facts["reason_code"] in (
        "no_identity_pinned",
        "no_trusted_key",
        "no_trusted_certificate_root",
    )
