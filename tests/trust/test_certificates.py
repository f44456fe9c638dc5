"""Signatures by certificates of a private authority: chains, usages, names and time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.trust.conftest import Judge, statement
from tests.trust.private_sigstore import (
    DER,
    IN_TOTO,
    PEM,
    PrivateSigstore,
    b64,
    ca_certificate,
    leaf_certificate,
    name,
    new_key,
    pae,
)

from adjudge.errors import InputError
from adjudge.trust import Artifact, Trust, TrustSettings, verify_file

DATA = b"weights"
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SAN = "release@acme.example"


class Authority:
    """A root, an intermediate and whatever leaf a test needs."""

    def __init__(self) -> None:
        self.root_key, self.middle_key, self.key = new_key(), new_key(), new_key()
        start, end = NOW - 400 * DAY, NOW + 4000 * DAY
        self.root = ca_certificate(self.root_key, "root", start, end, path_length=1)
        self.middle = ca_certificate(self.middle_key, "mid", start, end, self.root, self.root_key)

    def leaf(
        self, start: dt.datetime = NOW - DAY, end: dt.datetime = NOW + DAY, **more: Any
    ) -> x509.Certificate:
        given = {"san": x509.RFC822Name(SAN), **more}
        builder = leaf_certificate(self.key, self.middle, self.middle_key, start, end, **given)
        return builder.sign(self.middle_key, hashes.SHA256())

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def bundle(self, *chain: x509.Certificate, signature: bytes | None = None) -> dict[str, Any]:
        certificates = [{"rawBytes": b64(c.public_bytes(DER))} for c in chain]
        payload = statement(DATA)
        signed = signature or self.sign(pae(IN_TOTO, payload))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"x509CertificateChain": {"certificates": certificates}},
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": b64(signed)}],
            },
        }


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusting(authority: Authority, tmp_path: Path) -> TrustSettings:
    path = tmp_path / "root.pem"
    path.write_bytes(authority.root.public_bytes(PEM))
    return TrustSettings(certificate_roots=(path,), as_of=NOW)


def test_bundle(authority: Authority, trusting: TrustSettings, judge: Judge) -> None:
    result = judge(authority.bundle(authority.leaf(), authority.middle), DATA, trusting)
    assert result.verified, result.reason
    assert result.kind == "certificate"
    assert result.identity == SAN
    assert result.issuer is None
    assert result.certificate is not None
    assert result.certificate["issuer"] == "CN=mid,O=testca"
    # The certificate's own dates say nothing about when the signature was made.
    assert result.signed_at is None


def test_plain_signature_with_certificate(
    authority: Authority, trusting: TrustSettings, judge: Judge
) -> None:
    chain = authority.leaf().public_bytes(PEM) + authority.middle.public_bytes(PEM)
    signature = authority.sign(DATA)
    assert judge(signature, DATA, trusting, chain).verified
    assert judge(signature, DATA, trusting, b64(chain).encode()).verified
    alone = judge(signature, DATA, trusting, authority.leaf().public_bytes(DER))
    assert alone.reason_code == "certificate_untrusted"
    assert judge(signature, b"other", trusting, chain).reason_code == "signature_invalid"
    for broken in (b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        result = judge(signature, DATA, trusting, broken)
        assert result.reason_code == "certificate_invalid"


def test_no_root_configured(authority: Authority, judge: Judge) -> None:
    bundle = authority.bundle(authority.leaf(), authority.middle)
    result = judge(bundle, DATA, TrustSettings())
    assert result.reason_code == "no_trusted_certificate_root"
    assert result.claimed_identity == SAN
    assert result.identity is None


@pytest.mark.parametrize("names", [(SAN,), ("x@y.example", SAN)])
def test_allowed_name(
    names: tuple[str, ...], authority: Authority, trusting: TrustSettings, judge: Judge
) -> None:
    bundle = authority.bundle(authority.leaf(), authority.middle)
    assert judge(bundle, DATA, dataclasses.replace(trusting, certificate_names=names)).verified


def test_other_name(authority: Authority, trusting: TrustSettings, judge: Judge) -> None:
    bundle = authority.bundle(authority.leaf(), authority.middle)
    limited = dataclasses.replace(trusting, certificate_names=("x@y.example",))
    result = judge(bundle, DATA, limited)
    assert result.authentic
    assert result.reason_code == "identity_not_allowed"


def test_certificate_without_names_is_known_by_its_subject(
    authority: Authority, trusting: TrustSettings, judge: Judge
) -> None:
    leaf = authority.leaf(san=None, subject=name("signer"))
    result = judge(authority.bundle(leaf, authority.middle), DATA, trusting)
    assert result.verified, result.reason
    assert result.identity == "CN=signer,O=testca"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"start": NOW - 9 * DAY, "end": NOW - 8 * DAY}, "certificate_not_valid_at_signing"),
        ({"start": NOW + 8 * DAY, "end": NOW + 9 * DAY}, "certificate_not_valid_at_signing"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "certificate_invalid"),
    ],
)
def test_leaf_that_may_not_sign(
    change: dict[str, Any],
    code: str,
    authority: Authority,
    trusting: TrustSettings,
    judge: Judge,
) -> None:
    result = judge(authority.bundle(authority.leaf(**change), authority.middle), DATA, trusting)
    assert result.reason_code == code
    assert not result.authentic


def test_other_authority(authority: Authority, trusting: TrustSettings, judge: Judge) -> None:
    other = Authority()
    result = judge(other.bundle(other.leaf(), other.middle), DATA, trusting)
    assert result.reason_code == "certificate_untrusted"
    # A root in the bundle does not make itself trusted.
    result = judge(other.bundle(other.leaf(), other.middle, other.root), DATA, trusting)
    assert result.reason_code == "certificate_untrusted"
    # Nor does another key's leaf of the right name.
    stolen = other.bundle(authority.leaf(), authority.middle)
    assert judge(stolen, DATA, trusting).reason_code == "signature_invalid"


def test_expired_certificate_with_a_timestamp_from_its_time(
    authority: Authority,
    trusting: TrustSettings,
    sigstore: PrivateSigstore,
    root_file: Path,
    judge: Judge,
) -> None:
    leaf = authority.leaf(start=NOW - 3 * DAY, end=NOW - DAY)
    signature = authority.sign(pae(IN_TOTO, statement(DATA)))
    bundle = authority.bundle(leaf, authority.middle, signature=signature)
    settings = dataclasses.replace(trusting, trusted_root=root_file)
    assert judge(bundle, DATA, settings).reason_code == "certificate_not_valid_at_signing"
    stamp = b64(sigstore.timestamp(signature, NOW - 2 * DAY))
    bundle["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": stamp}]
    }
    result = judge(bundle, DATA, settings)
    assert result.verified, result.reason
    assert result.signed_at == "2026-04-29T12:00:00Z"


def test_logged_signature(
    authority: Authority,
    trusting: TrustSettings,
    sigstore: PrivateSigstore,
    root_file: Path,
    judge: Judge,
) -> None:
    leaf, payload = authority.leaf(), statement(DATA)
    signature = authority.sign(pae(IN_TOTO, payload))
    body = {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(signature), "verifier": b64(leaf.public_bytes(PEM))}],
        },
    }
    bundle = authority.bundle(leaf, authority.middle, signature=signature)
    material = bundle["verificationMaterial"]
    material["tlogEntries"] = [sigstore.log("dsse", body, promise=True)]
    settings = dataclasses.replace(trusting, trusted_root=root_file)
    result = judge(bundle, DATA, settings)
    assert result.verified, result.reason
    assert result.log is not None
    assert result.log["verified"]
    body["spec"]["payloadHash"]["value"] = "0" * 64  # type: ignore[index]
    material["tlogEntries"] = [sigstore.log("dsse", body, promise=True)]
    assert judge(bundle, DATA, settings).reason_code == "log_entry_mismatch"


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_unusable_root_file(
    content: bytes, authority: Authority, judge: Judge, tmp_path: Path
) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(content)
    trust = Trust(TrustSettings(certificate_roots=(path,)))
    chain = authority.leaf().public_bytes(PEM)
    with pytest.raises(InputError) as caught:
        verify_file(authority.sign(DATA), Artifact.of_bytes(DATA), trust, chain)
    assert caught.value.code == "certificate_unusable"
