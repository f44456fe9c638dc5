"""Signatures by keys: plain, in envelopes and in bundles; every algorithm, right and wrong."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from tests.trust.conftest import Judge, statement
from tests.trust.private_sigstore import IN_TOTO, PrivateSigstore, b64, pae, pem_of, spki

from adjudge.errors import InputError
from adjudge.trust import Artifact, Trust, TrustSettings, verify_file

DATA = b"weights" * 100
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)

SIGNERS: dict[str, tuple[Any, Any]] = {
    "ecdsa-p256": (P256, lambda d: P256.sign(d, ec.ECDSA(hashes.SHA256()))),
    "ecdsa-p384": (P384, lambda d: P384.sign(d, ec.ECDSA(hashes.SHA384()))),
    "ecdsa-p384-sha256": (P384, lambda d: P384.sign(d, ec.ECDSA(hashes.SHA256()))),
    "ecdsa-p521": (P521, lambda d: P521.sign(d, ec.ECDSA(hashes.SHA512()))),
    "ed25519": (ED, ED.sign),
    "rsa-2048": (RSA, lambda d: RSA.sign(d, padding.PKCS1v15(), hashes.SHA256())),
    "rsa-2048-sha512": (RSA, lambda d: RSA.sign(d, padding.PKCS1v15(), hashes.SHA512())),
    "rsa-2048-pss": (RSA, lambda d: RSA.sign(d, PSS, hashes.SHA256())),
}


def trusting(tmp_path: Path, *keys: Any) -> TrustSettings:
    paths = []
    for index, key in enumerate(keys):
        path = tmp_path / f"key{index}.pub"
        path.write_bytes(pem_of(key))
        paths.append(path)
    return TrustSettings(keys=tuple(paths))


def envelope(payload: bytes, *signatures: bytes, payload_type: str = IN_TOTO) -> dict[str, Any]:
    return {
        "payload": b64(payload),
        "payloadType": payload_type,
        "signatures": [{"sig": b64(s), "keyid": None} for s in signatures],
    }


@pytest.mark.parametrize("name", sorted(SIGNERS))
@pytest.mark.parametrize("armour", ["binary", "base64", "base64 lines"])
def test_plain_signature(name: str, armour: str, tmp_path: Path, judge: Judge) -> None:
    key, sign = SIGNERS[name]
    raw = sign(DATA)
    if armour == "base64":
        raw = base64.b64encode(raw)
    elif armour == "base64 lines":
        raw = base64.encodebytes(raw)
    result = judge(raw, DATA, trusting(tmp_path, key))
    assert result.verified, result.reason
    assert (result.kind, result.format) == ("key", "raw")
    assert result.key_algorithm is not None
    assert name.startswith(result.key_algorithm)
    assert result.key_name == "key0.pub"
    assert judge(raw, DATA + b"x", trusting(tmp_path, key)).reason_code == "key_not_trusted"


@pytest.mark.parametrize("name", sorted(SIGNERS))
def test_signed_file_is_read_in_place(name: str, tmp_path: Path) -> None:
    key, sign = SIGNERS[name]
    for data in (DATA, b""):
        path = tmp_path / "artifact"
        path.write_bytes(data)
        (result,) = verify_file(sign(data), Artifact.of_file(path), Trust(trusting(tmp_path, key)))
        assert result.verified, result.reason


@pytest.mark.parametrize("name", sorted(SIGNERS))
def test_envelope(name: str, tmp_path: Path, judge: Judge) -> None:
    key, sign = SIGNERS[name]
    payload = statement(DATA)
    signed = envelope(payload, sign(pae(IN_TOTO, payload)))
    result = judge(signed, DATA, trusting(tmp_path, key))
    assert result.verified, result.reason
    assert result.format == "dsse"
    assert result.predicate == {"ok": True}
    bare = judge(envelope(payload, sign(payload)), DATA, trusting(tmp_path, key))
    assert bare.reason_code == "key_not_trusted"


def test_binary_signature_that_begins_like_json(tmp_path: Path, judge: Judge) -> None:
    for number in range(5000):
        data = b"%d" % number
        raw = ED.sign(data)
        if raw[:1] in (b"{", b"["):
            assert judge(raw, data, trusting(tmp_path, ED)).verified
            return
    raise AssertionError("no such signature was made")


def test_envelope_in_the_other_alphabet(tmp_path: Path, judge: Judge) -> None:
    payload = statement(DATA, note="\u00ff\u00fe>>>???")
    signed = envelope(payload, ED.sign(pae(IN_TOTO, payload)))
    text = json.dumps(signed).replace(signed["payload"], _url_safe(signed["payload"]))
    raw = text.replace(signed["signatures"][0]["sig"], _url_safe(signed["signatures"][0]["sig"]))
    assert judge(raw.encode(), DATA, trusting(tmp_path, ED)).verified


def _url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def test_key_in_other_forms(tmp_path: Path, judge: Judge) -> None:
    signature = P256.sign(DATA, ec.ECDSA(hashes.SHA256()))
    pem = pem_of(P256)
    for form in (spki(P256), b"a comment\n" + pem, pem.replace(b"\n", b"\r\n")):
        path = tmp_path / "key"
        path.write_bytes(form)
        assert judge(signature, DATA, TrustSettings(keys=(path,))).verified


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP192R1()),
        ec.generate_private_key(ec.SECP256K1()),
        dsa.generate_private_key(1024),
    ],
    ids=["rsa-1024", "p192", "secp256k1", "dsa"],
)
def test_weak_or_foreign_key_is_an_error_of_the_settings(
    key: Any, tmp_path: Path, judge: Judge
) -> None:
    with pytest.raises(InputError) as caught:
        judge(b"c2ln", DATA, trusting(tmp_path, key))
    assert caught.value.code == "key_unusable"


@pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_unusable_key_file(content: bytes, tmp_path: Path, judge: Judge) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        judge(b"c2ln", DATA, TrustSettings(keys=(path,)))
    assert caught.value.code == "key_unusable"


def test_nobody_trusted(judge: Judge) -> None:
    payload = statement(DATA)
    signed = envelope(payload, ED.sign(pae(IN_TOTO, payload)))
    for signature in (ED.sign(DATA), signed):
        result = judge(signature, DATA, TrustSettings())
        assert result.reason_code == "no_trusted_key"
        assert not result.authentic


def test_two_signers_of_one_envelope(tmp_path: Path, judge: Judge) -> None:
    payload = statement(DATA)
    signed = pae(IN_TOTO, payload)
    both = envelope(payload, ED.sign(signed), P256.sign(signed, ec.ECDSA(hashes.SHA256())))
    assert len(judge(both, DATA, trusting(tmp_path, ED, P256)).key_ids) == 2
    assert len(judge(both, DATA, trusting(tmp_path, P256)).key_ids) == 1
    assert judge(both, DATA, trusting(tmp_path, P384)).reason_code == "key_not_trusted"
    # One key that signed twice is still one signer.
    twice = envelope(payload, ED.sign(signed), ED.sign(signed))
    assert len(judge(twice, DATA, trusting(tmp_path, ED, P256)).key_ids) == 1


@pytest.mark.parametrize(
    ("payload", "payload_type", "code"),
    [
        (statement(DATA), "text/plain", "payload_type_unsupported"),
        (b"{", IN_TOTO, "statement_invalid"),
        (b"[]", IN_TOTO, "statement_invalid"),
        (b'{"a":1,"a":2}', IN_TOTO, "statement_invalid"),
        (statement(DATA, _type="x"), IN_TOTO, "statement_invalid"),
        (statement(DATA, subject=[]), IN_TOTO, "statement_invalid"),
        (statement(DATA, subject=[{"name": "a"}]), IN_TOTO, "statement_invalid"),
        (statement(DATA, subject=[{"digest": {"sha1": "0" * 40}}]), IN_TOTO, "subject_mismatch"),
        (statement(DATA, subject=[{"digest": {"sha256": 5}}]), IN_TOTO, "statement_invalid"),
        (statement(b"other"), IN_TOTO, "subject_mismatch"),
    ],
)
def test_signed_payload_that_does_not_fit(
    payload: bytes, payload_type: str, code: str, tmp_path: Path, judge: Judge
) -> None:
    signed = envelope(payload, ED.sign(pae(payload_type, payload)), payload_type=payload_type)
    result = judge(signed, DATA, trusting(tmp_path, ED))
    assert result.reason_code == code
    assert not result.authentic
    assert result.predicate is None


def test_every_strong_digest_of_a_subject_must_fit(tmp_path: Path, judge: Judge) -> None:
    right, wrong = Artifact.of_bytes(DATA), Artifact.of_bytes(b"x")
    digest = {"sha256": right.digest("sha256").hex(), "sha512": wrong.digest("sha512").hex()}
    payload = statement(DATA, subject=[{"name": "a", "digest": digest}])
    signed = envelope(payload, ED.sign(pae(IN_TOTO, payload)))
    assert judge(signed, DATA, trusting(tmp_path, ED)).reason_code == "subject_mismatch"


# --- bundles by key ---------------------------------------------------------------------------


def key_bundle(sigstore: PrivateSigstore, data: bytes, *, logged: bool) -> dict[str, Any]:
    signature = P256.sign(data, ec.ECDSA(hashes.SHA256()))
    digest = Artifact.of_bytes(data).digest("sha256")
    body = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(pem_of(P256))}},
        },
    }
    material: dict[str, Any] = {"publicKey": {"hint": "whatever"}}
    if logged:
        material["tlogEntries"] = [sigstore.log("hashedrekord", body, promise=True)]
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
            "signature": b64(signature),
        },
    }


def test_bundle_without_log(sigstore: PrivateSigstore, tmp_path: Path, judge: Judge) -> None:
    bundle = key_bundle(sigstore, DATA, logged=False)
    result = judge(bundle, DATA, trusting(tmp_path, P256))
    assert result.verified, result.reason
    assert result.log is None
    assert result.signed_at is None
    assert judge(bundle, DATA, trusting(tmp_path, P384)).reason_code == "key_not_trusted"
    assert judge(bundle, b"x", trusting(tmp_path, P256)).reason_code == "artifact_mismatch"
    aged = dataclasses.replace(trusting(tmp_path, P256), max_age_days=10)
    assert judge(bundle, DATA, aged).reason_code == "no_trusted_time"


def test_bundle_with_log(
    sigstore: PrivateSigstore, root_file: Path, tmp_path: Path, judge: Judge
) -> None:
    bundle = key_bundle(sigstore, DATA, logged=True)
    settings = dataclasses.replace(trusting(tmp_path, P256), trusted_root=root_file)
    result = judge(bundle, DATA, settings)
    assert result.verified, result.reason
    assert result.log is not None
    assert result.log["verified"]
    assert (result.signed_at, result.time_source) == ("2026-05-01T12:00:00Z", "transparency_log")
    # A log that is not known proves nothing and spoils nothing.
    unknown = judge(bundle, DATA, trusting(tmp_path, P256))
    assert unknown.verified
    assert unknown.log is not None
    assert not unknown.log["verified"]
    assert unknown.signed_at is None


def test_bundle_with_a_bad_log_entry(
    sigstore: PrivateSigstore, root_file: Path, tmp_path: Path, judge: Judge
) -> None:
    settings = dataclasses.replace(trusting(tmp_path, P256), trusted_root=root_file)
    bundle = key_bundle(sigstore, DATA, logged=True)
    bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["rootHash"] = b64(bytes(32))
    assert judge(bundle, DATA, settings).reason_code == "log_entry_invalid"
    foreign = key_bundle(sigstore, b"other", logged=True)["verificationMaterial"]["tlogEntries"]
    bundle["verificationMaterial"]["tlogEntries"] = foreign
    assert judge(bundle, DATA, settings).reason_code == "log_entry_mismatch"


def test_bundle_with_timestamp(
    sigstore: PrivateSigstore, root_file: Path, tmp_path: Path, judge: Judge
) -> None:
    settings = dataclasses.replace(trusting(tmp_path, P256), trusted_root=root_file)
    bundle = key_bundle(sigstore, DATA, logged=False)
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    at = sigstore.now - dt.timedelta(days=2)
    times = [b64(sigstore.timestamp(signature, at)), b64(sigstore.timestamp(b"other")), b64(b"x")]
    bundle["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": t} for t in times]
    }
    result = judge(bundle, DATA, settings)
    assert result.verified, result.reason
    assert (result.signed_at, result.time_source) == (
        "2026-04-29T12:00:00Z",
        "timestamp_authority",
    )


def test_json_lines(tmp_path: Path) -> None:
    payloads = [statement(DATA), statement(b"other"), statement(DATA, "https://example.com/q")]
    lines = [json.dumps(envelope(p, ED.sign(pae(IN_TOTO, p)))) for p in payloads]
    raw = ("\n".join([*lines, "{}"]) + "\n").encode()
    results = verify_file(raw, Artifact.of_bytes(DATA), Trust(trusting(tmp_path, ED)))
    assert [r.reason_code for r in results] == [
        "verified",
        "subject_mismatch",
        "verified",
        "unsupported_format",
    ]


def test_foreign_signatures_are_named(tmp_path: Path, judge: Judge) -> None:
    settings = trusting(tmp_path, ED)
    for raw in (
        b"-----BEGIN PGP SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"untrusted comment: x\n",
    ):
        assert judge(raw, DATA, settings).reason_code == "unsupported_format"
