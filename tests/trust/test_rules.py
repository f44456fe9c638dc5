"""Rules beyond one good signature: thresholds, the source of a build, clocks, older bundles."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.trust.conftest import IDENTITY, ISSUER, Judge, statement
from tests.trust.private_sigstore import (
    IN_TOTO,
    PEM,
    Key,
    PrivateSigstore,
    b64,
    ca_certificate,
    key_id,
    leaf_certificate,
    new_key,
    pae,
    pem_of,
)

from adjudge.documents.reading import Source
from adjudge.documents.signed_artifact import load
from adjudge.errors import InputError
from adjudge.trust import SignerIdentity, TrustSettings, parse_trust_settings

DATA = b"weights"
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
KEYS = [new_key() for _ in range(3)]


def sign(key: Key, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def envelope(payload: bytes, *keys: Key) -> dict[str, Any]:
    signed = pae(IN_TOTO, payload)
    return {
        "payload": b64(payload),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": b64(sign(key, signed))} for key in keys],
    }


@pytest.fixture
def trusting(tmp_path: Path) -> TrustSettings:
    """The first two keys are trusted."""
    paths = [tmp_path / f"{n}.pub" for n in range(2)]
    for key, path in zip(KEYS, paths, strict=False):
        path.write_bytes(pem_of(key))
    return TrustSettings(keys=tuple(paths))


# --- thresholds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signers", "threshold", "code"),
    [
        ((0,), 1, "verified"),
        ((0,), 2, "threshold_not_met"),
        ((0, 0), 2, "threshold_not_met"),
        ((0, 2), 2, "threshold_not_met"),
        ((0, 1), 2, "verified"),
        ((2, 1, 0), 2, "verified"),
        ((0, 1), 3, "threshold_not_met"),
        ((2,), 1, "key_not_trusted"),
    ],
)
def test_threshold(
    signers: tuple[int, ...], threshold: int, code: str, trusting: TrustSettings, judge: Judge
) -> None:
    made = envelope(statement(DATA), *(KEYS[n] for n in signers))
    result = judge(made, DATA, replace(trusting, threshold=threshold))
    assert result.reason_code == code
    assert result.authentic == (code == "verified")
    assert len(result.key_ids) == len({n for n in signers if n < 2})


def test_one_key_in_two_files_is_one_key(
    trusting: TrustSettings, judge: Judge, tmp_path: Path
) -> None:
    (tmp_path / "copy.pub").write_bytes(pem_of(KEYS[0]))
    twice = replace(trusting, keys=(trusting.keys[0], tmp_path / "copy.pub"), threshold=2)
    made = envelope(statement(DATA), KEYS[0], KEYS[0])
    assert judge(made, DATA, twice).reason_code == "threshold_not_met"


def test_ten_thousand_signatures(trusting: TrustSettings, judge: Judge) -> None:
    made = envelope(statement(DATA), KEYS[0])
    made["signatures"] *= 10_000
    result = judge(made, DATA, trusting)
    assert result.reason_code == "too_large"
    assert "10000 signatures" in result.reason


# --- the source of a build ---------------------------------------------------------------------

REPOSITORY = "https://github.com/acme/model"
BUILD = {
    12: REPOSITORY,
    14: "refs/heads/main",
    18: f"{REPOSITORY}/.github/workflows/release.yml@refs/heads/main",
}


@pytest.mark.parametrize(
    ("required", "code"),
    [
        ({}, "verified"),
        ({"source_repository": REPOSITORY}, "verified"),
        ({"source_repository": REPOSITORY + "x"}, "source_not_allowed"),
        ({"source_ref": "refs/heads/main"}, "verified"),
        ({"source_ref": "refs/heads/mai"}, "source_not_allowed"),
        ({"workflow": BUILD[18]}, "verified"),
        ({"workflow": BUILD[18].partition("@")[0]}, "verified"),
        ({"source_repository": REPOSITORY, "source_ref": "refs/tags/v1"}, "source_not_allowed"),
    ],
)
@pytest.mark.parametrize("build", [BUILD, {}])
def test_source(
    required: dict[str, str],
    code: str,
    build: dict[int, str],
    sigstore: PrivateSigstore,
    root_file: Path,
    judge: Judge,
) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions=build)
    bundle = sigstore.sign_artifact(DATA, key, certificate)
    rule = SignerIdentity(ISSUER, IDENTITY, **required)
    result = judge(bundle, DATA, TrustSettings(trusted_root=root_file, identities=(rule,)))
    expected = code if build or not required else "source_not_allowed"
    assert result.reason_code == expected, result.reason
    assert result.authentic


def test_any_rule_may_fit(sigstore: PrivateSigstore, root_file: Path, judge: Judge) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions=BUILD)
    bundle = sigstore.sign_artifact(DATA, key, certificate)
    rules = (
        SignerIdentity(ISSUER, IDENTITY, source_ref="refs/heads/other"),
        SignerIdentity(ISSUER, identity_regex=".*", source_ref="refs/heads/main"),
    )
    assert judge(bundle, DATA, TrustSettings(trusted_root=root_file, identities=rules)).verified


# --- clocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "code"),
    [
        (NOW + DAY, "verified"),
        (NOW - dt.timedelta(minutes=4), "verified"),
        (NOW - dt.timedelta(minutes=6), "signed_in_future"),
        (NOW - 300 * DAY, "signed_in_future"),
    ],
)
def test_clock_before_the_signature(
    as_of: dt.datetime, code: str, sigstore: PrivateSigstore, settings: TrustSettings, judge: Judge
) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER)
    bundle = sigstore.sign_artifact(DATA, key, certificate)
    assert judge(bundle, DATA, replace(settings, as_of=as_of)).reason_code == code


class Private:
    """A private authority with a leaf that is valid for a day around NOW, and a key."""

    def __init__(self, purposes: list[x509.ObjectIdentifier] | None = None) -> None:
        self.root_key, self.key = new_key(), new_key()
        start, end = NOW - 400 * DAY, NOW + 4000 * DAY
        self.root = ca_certificate(self.root_key, "root", start, end, path_length=1)
        builder = leaf_certificate(
            self.key,
            self.root,
            self.root_key,
            NOW - DAY,
            NOW + DAY,
            san=x509.RFC822Name("a@acme.example"),
        )
        if purposes is not None:
            kept = [e for e in builder._extensions if e.oid != x509.ExtendedKeyUsage.oid]
            builder._extensions = kept
            if purposes:
                builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        self.leaf = builder.sign(self.root_key, hashes.SHA256())


@pytest.fixture(scope="module")
def private() -> Private:
    return Private()


@pytest.fixture
def by_authority(private: Private, sigstore: PrivateSigstore, tmp_path: Path) -> TrustSettings:
    """The private authority and a private timestamp authority, a year after NOW."""
    (tmp_path / "ca.pem").write_bytes(private.root.public_bytes(PEM))
    (tmp_path / "tsa.pem").write_bytes(sigstore.tsa_root.public_bytes(PEM))
    return TrustSettings(
        certificate_roots=(tmp_path / "ca.pem",),
        timestamp_authorities=(tmp_path / "tsa.pem",),
        as_of=NOW + 365 * DAY,
    )


def folder_with(tmp_path: Path, **files: bytes) -> Path:
    folder = tmp_path / "signed"
    folder.mkdir()
    (folder / "a").write_bytes(DATA)
    for suffix, content in files.items():
        (folder / f"a.{suffix.replace('_', '.')}").write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["tsr", "sig_tsr"])
def test_timestamp_decides_the_time_of_a_plain_signature(
    name: str,
    private: Private,
    sigstore: PrivateSigstore,
    by_authority: TrustSettings,
    tmp_path: Path,
) -> None:
    signature = sign(private.key, DATA)
    files = {"sig": signature, "pem": private.leaf.public_bytes(PEM)}
    folder = folder_with(tmp_path, **files, **{name: sigstore.timestamp(signature, NOW)})
    facts = load(Source(folder, "a"), trust=by_authority).facts
    assert facts["verified"], facts["reason"]
    assert facts["signed_at"] == "2026-05-01T12:00:00Z"
    assert facts["signatures"][0]["time_source"] == "timestamp_authority"


@pytest.mark.parametrize("case", ["none", "other bytes", "too late", "other authority", "broken"])
def test_expired_leaf_without_a_trusted_time_is_not_verified(
    case: str,
    private: Private,
    sigstore: PrivateSigstore,
    by_authority: TrustSettings,
    tmp_path: Path,
) -> None:
    signature = sign(private.key, DATA)
    other = PrivateSigstore(now=NOW)
    stamps = {
        "other bytes": lambda: sigstore.timestamp(b"other", NOW),
        "too late": lambda: sigstore.timestamp(signature, NOW + 2 * DAY),
        "other authority": lambda: other.timestamp(signature, NOW),
        "broken": lambda: sigstore.timestamp(signature, NOW)[:-5],
    }
    files = {"tsr": stamps[case]()} if case in stamps else {}
    folder = folder_with(tmp_path, sig=signature, pem=private.leaf.public_bytes(PEM), **files)
    facts = load(Source(folder, "a"), trust=by_authority).facts
    assert facts["reason_code"] == "certificate_not_valid_at_signing"
    assert not facts["authentic"]


@pytest.mark.parametrize(
    ("purposes", "code"),
    [
        ([ExtendedKeyUsageOID.CODE_SIGNING], "verified"),
        ([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING], "verified"),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], "certificate_invalid"),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], "certificate_invalid"),
        ([], "certificate_invalid"),
    ],
)
def test_certificate_is_for_signing_code(
    purposes: list[x509.ObjectIdentifier], code: str, judge: Judge, tmp_path: Path
) -> None:
    authority = Private(purposes)
    (tmp_path / "ca.pem").write_bytes(authority.root.public_bytes(PEM))
    trust = TrustSettings(certificate_roots=(tmp_path / "ca.pem",), as_of=NOW)
    signature = sign(authority.key, DATA)
    result = judge(signature, DATA, trust, authority.leaf.public_bytes(PEM))
    assert result.reason_code == code, result.reason


# --- older cosign bundles ----------------------------------------------------------------------


def cosign_bundle(
    sigstore: PrivateSigstore, key: Key, verifier: bytes, certificate: bytes | None = None
) -> dict[str, Any]:
    """What ``cosign sign-blob --bundle`` writes, entered in the private log at NOW."""
    signature = sign(key, DATA)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(DATA)
    body = b64(
        rfc8785.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "hashedrekord",
                "spec": {
                    "data": {"hash": {"algorithm": "sha256", "value": digest.finalize().hex()}},
                    "signature": {
                        "content": b64(signature),
                        "publicKey": {"content": b64(verifier)},
                    },
                },
            }
        )
    )
    payload: dict[str, Any] = {
        "body": body,
        "integratedTime": int(NOW.timestamp()),
        "logID": key_id(sigstore.rekor_key).hex(),
        "logIndex": 7,
    }
    promise = sign(sigstore.rekor_key, rfc8785.dumps(payload))
    bundle: dict[str, Any] = {
        "base64Signature": b64(signature),
        "rekorBundle": {"SignedEntryTimestamp": b64(promise), "Payload": payload},
    }
    if certificate is not None:
        bundle["cert"] = b64(certificate)
    return bundle


def test_cosign_bundle_by_key(
    sigstore: PrivateSigstore, root_file: Path, trusting: TrustSettings, judge: Judge
) -> None:
    settings = replace(trusting, trusted_root=root_file)
    bundle = cosign_bundle(sigstore, KEYS[0], pem_of(KEYS[0]))
    result = judge(bundle, DATA, settings)
    assert result.verified, result.reason
    assert result.format == "cosign_bundle"
    assert result.signed_at == "2026-05-01T12:00:00Z"
    assert result.log is not None
    assert not result.log["verified"]  # a promise proves no inclusion
    assert judge(bundle, b"other", settings).reason_code == "key_not_trusted"
    assert judge({"base64Signature": bundle["base64Signature"]}, DATA, settings).verified


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("integratedTime", 1, "log_entry_invalid"),
        ("logIndex", 8, "log_entry_invalid"),
        ("integratedTime", 10**30, "malformed"),
        ("integratedTime", "1", "malformed"),
        ("logID", "zz", "malformed"),
        ("body", "e30=", "malformed"),
    ],
)
def test_cosign_bundle_with_another_log_entry(
    field: str,
    value: object,
    code: str,
    sigstore: PrivateSigstore,
    root_file: Path,
    trusting: TrustSettings,
    judge: Judge,
) -> None:
    bundle = cosign_bundle(sigstore, KEYS[0], pem_of(KEYS[0]))
    bundle["rekorBundle"]["Payload"][field] = value
    result = judge(bundle, DATA, replace(trusting, trusted_root=root_file))
    assert result.reason_code == code, result.reason


def test_cosign_bundle_with_the_entry_of_another_signature(
    sigstore: PrivateSigstore, root_file: Path, trusting: TrustSettings, judge: Judge
) -> None:
    bundle = cosign_bundle(sigstore, KEYS[0], pem_of(KEYS[0]))
    bundle["rekorBundle"] = cosign_bundle(sigstore, KEYS[1], pem_of(KEYS[1]))["rekorBundle"]
    result = judge(bundle, DATA, replace(trusting, trusted_root=root_file))
    assert result.reason_code == "log_entry_mismatch"


def test_cosign_bundle_by_private_authority(
    sigstore: PrivateSigstore,
    root_file: Path,
    private: Private,
    by_authority: TrustSettings,
    judge: Judge,
) -> None:
    pem = private.leaf.public_bytes(PEM)
    bundle = cosign_bundle(sigstore, private.key, pem, pem)
    result = judge(bundle, DATA, replace(by_authority, trusted_root=root_file))
    assert result.verified, result.reason
    assert result.identity == "a@acme.example"
    del bundle["rekorBundle"]
    code = judge(bundle, DATA, replace(by_authority, trusted_root=root_file)).reason_code
    assert code == "certificate_not_valid_at_signing"


def test_cosign_bundle_keyless_is_not_supported(
    sigstore: PrivateSigstore, settings: TrustSettings, judge: Judge
) -> None:
    key, certificate = sigstore.issue(IDENTITY, ISSUER)
    pem = certificate.public_bytes(PEM)
    result = judge(cosign_bundle(sigstore, key, pem, pem), DATA, settings)
    assert result.reason_code == "unsupported_format"


# --- settings ---------------------------------------------------------------------------------


def test_new_settings() -> None:
    value = {
        "identities": [{"identity": "a", "issuer": "i", "source_repository": "r", "workflow": "w"}],
        "timestamp_authorities": ["tsa.pem"],
        "threshold": 2,
        "builders": {"https://b.example": 3},
        "roles": {"risk": ["a@b.example"]},
    }
    settings = parse_trust_settings(value, Path("x"))
    assert settings.identities == (SignerIdentity("i", "a", None, "r", None, "w"),)
    assert settings.timestamp_authorities == (Path("x/tsa.pem"),)
    assert settings.threshold == 2
    assert settings.builders == {"https://b.example": 3}
    assert settings.roles == {"risk": ("a@b.example",)}


@pytest.mark.parametrize(
    "value",
    [
        {"threshold": 0},
        {"threshold": "2"},
        {"threshold": True},
        {"builders": {"b": 5}},
        {"builders": {"b": "3"}},
        {"builders": ["b"]},
        {"roles": {"risk": "a"}},
        {"roles": {"risk": [1]}},
        {"roles": {1: ["a"]}},
        {"identities": [{"identity": "a", "issuer": "i", "source_repository": 1}]},
        {"identities": [{"identity": "a", "issuer": "i", "workflow": ""}]},
    ],
)
def test_settings_that_are_wrong(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_trust_settings(value, Path("x"))
    assert caught.value.code == "trust_settings_invalid"
