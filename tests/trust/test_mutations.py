"""No changed byte verifies, unless it stands in a part that the signature does not cover.

Those parts are named here (``essence`` leaves them out) and in docs/reference/trust.md.  What
verifies in spite of a change must also say the same as before: same signer, time and subjects.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.trust.conftest import IDENTITY, ISSUER, statement
from tests.trust.private_sigstore import (
    DER,
    IN_TOTO,
    PEM,
    PrivateSigstore,
    b64,
    ca_certificate,
    key_id,
    leaf_certificate,
    new_key,
    pae,
    pem_of,
)

from adjudge.trust import Artifact, SignerIdentity, Trust, TrustSettings, Verification, verify_file

DATA = b"weights"
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


# --- mutations --------------------------------------------------------------------------------


@st.composite
def mutations(draw: st.DrawFn, raw: bytes) -> bytes:
    """``raw`` with something changed: a bit, a byte, a piece cut out, doubled or moved."""
    at = draw(st.integers(0, len(raw) - 1))
    length = draw(st.integers(1, 40))
    piece = raw[at : at + length]
    match draw(st.sampled_from(["bit", "byte", "insert", "delete", "double", "move", "cut"])):
        case "bit":
            return raw[:at] + bytes([raw[at] ^ 1 << draw(st.integers(0, 7))]) + raw[at + 1 :]
        case "byte":
            return raw[:at] + bytes([draw(st.integers(0, 255))]) + raw[at + 1 :]
        case "insert":
            return raw[:at] + draw(st.binary(min_size=1, max_size=4)) + raw[at:]
        case "delete":
            return raw[:at] + raw[at + length :]
        case "double":
            return raw[:at] + piece + raw[at:]
        case "move":
            rest = raw[:at] + raw[at + length :]
            to = draw(st.integers(0, len(rest)))
            return rest[:to] + piece + rest[to:]
    return raw[:at]


# --- what signatures do not cover -------------------------------------------------------------


KNOWN: dict[str, Any] = {
    "verificationMaterial": {
        "certificate": {"rawBytes": None},
        "x509CertificateChain": {"certificates": {"rawBytes": None}},
        "publicKey": {},
        "tlogEntries": {
            "logIndex": None,
            "logId": {"keyId": None},
            "kindVersion": {"kind": None, "version": None},
            "integratedTime": None,
            "inclusionPromise": {"signedEntryTimestamp": None},
            "inclusionProof": {
                "logIndex": None,
                "rootHash": None,
                "treeSize": None,
                "hashes": None,
                "checkpoint": {"envelope": None},
            },
            "canonicalizedBody": None,
        },
        "timestampVerificationData": {"rfc3161Timestamps": {}},
    },
    "messageSignature": {"signature": None},
    "dsseEnvelope": {"payload": None, "payloadType": None, "signatures": {"sig": None}},
}
"""The members of a bundle that something signs, or that hold what does; the others are hints."""


def _known(value: Any, members: Any) -> Any:
    """The known members of a value, and of those of its lists."""
    if isinstance(value, list):
        return [_known(item, members) for item in value]
    if isinstance(value, dict) and members is not None:
        return {k: _known(v, members[k]) for k, v in value.items() if k in members}
    return value.translate(str.maketrans("-_", "+/")) if isinstance(value, str) else value


def bundle_essence(raw: bytes) -> Any:
    """A bundle without what no signature covers; a timestamp is compared by the time it proves."""
    value = _known(json.loads(raw.decode("utf-8-sig")), KNOWN)
    for entry in value["verificationMaterial"].get("tlogEntries") or []:
        proof = entry.get("inclusionProof")
        if proof:
            # The name in a signature line is a hint; key id and signature follow it.
            note = proof["checkpoint"]["envelope"]
            proof["checkpoint"] = re.sub("(?m)^— .* ", "— name ", note)
    return value


def envelope_essence(raw: bytes) -> Any:
    """A DSSE envelope: payload and its type; which signatures there are, the facts say."""
    value = json.loads(raw.decode("utf-8-sig"))
    return base64.urlsafe_b64decode(value["payload"].translate(str.maketrans("+/", "-_"))), value[
        "payloadType"
    ]


def plain_essence(raw: bytes) -> Any:
    """A plain signature: binary, or base64 with white space anywhere."""
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True) or raw
    except ValueError:
        return raw


def cosign_essence(raw: bytes) -> Any:
    """An older cosign bundle: the signature; a log entry is compared by the time it proves."""
    return json.loads(raw.decode("utf-8-sig"))["base64Signature"]


# --- formats ----------------------------------------------------------------------------------


@dataclass
class Signed:
    """A signature, whom to trust, and what of it counts."""

    raw: bytes
    trust: TrustSettings
    essence: Callable[[bytes], Any]
    certificate: bytes | None = None
    timestamp: bytes | None = None

    def verify(self, raw: bytes) -> list[Verification]:
        return verify_file(
            raw, Artifact.of_bytes(DATA), Trust(self.trust), self.certificate, self.timestamp
        )


def told(result: Verification) -> dict[str, Any]:
    """What a verified signature says; the trusted parts of it."""
    facts = result.as_facts()
    log = facts["log"] or {}
    facts["log"] = log if log.get("verified") else None
    for claim in ("claimed_identity", "claimed_issuer", "format"):
        del facts[claim]
    return facts


def keyless(sigstore: PrivateSigstore, folder: Path, kind: str, rekor: int) -> Signed:
    root = folder / "root.json"
    root.write_text(json.dumps(sigstore.trusted_root()))
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions={14: "refs/heads/main"})
    if kind == "artifact":
        bundle = sigstore.sign_artifact(DATA, key, certificate, rekor=rekor)
    else:
        bundle = sigstore.sign_envelope(statement(DATA), key, certificate, rekor=rekor)
    trust = TrustSettings(trusted_root=root, identities=(SignerIdentity(ISSUER, IDENTITY),))
    return Signed(json.dumps(bundle).encode(), trust, bundle_essence)


def by_key(folder: Path, form: str, key: Any, sign: Callable[[bytes], bytes]) -> Signed:
    (folder / "key.pub").write_bytes(pem_of(key))
    trust = TrustSettings(keys=(folder / "key.pub",))
    if form == "plain":
        return Signed(sign(DATA), trust, plain_essence)
    if form == "base64":
        return Signed(b64(sign(DATA)).encode() + b"\n", trust, plain_essence)
    payload = statement(DATA)
    envelope: dict[str, Any] = {
        "payload": b64(payload),
        "payloadType": IN_TOTO,
        "signatures": [{"keyid": "hint", "sig": b64(sign(pae(IN_TOTO, payload)))}],
    }
    if form == "envelope":
        return Signed(json.dumps(envelope).encode(), trust, envelope_essence)
    if form == "two signatures":
        envelope["signatures"] *= 2
        other = new_key()
        (folder / "other.pub").write_bytes(pem_of(other))
        second = other.sign(pae(IN_TOTO, payload), ec.ECDSA(hashes.SHA256()))
        envelope["signatures"][1] = {"keyid": "hint", "sig": b64(second)}
        both = replace(trust, keys=(*trust.keys, folder / "other.pub"), threshold=2)
        return Signed(json.dumps(envelope).encode(), both, envelope_essence)
    bundle: dict[str, Any] = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
    }
    if form == "bundle with envelope":
        bundle["dsseEnvelope"] = envelope
    else:
        bundle["messageSignature"] = {"signature": b64(sign(DATA))}
    return Signed(json.dumps(bundle).encode(), trust, bundle_essence)


def by_certificate(sigstore: PrivateSigstore, folder: Path, form: str) -> Signed:
    """An expired certificate of a private authority with a timestamp from its time."""
    root_key, key = new_key(), new_key()
    root = ca_certificate(root_key, "root", NOW - 400 * DAY, NOW + 4000 * DAY, path_length=1)
    san = x509.RFC822Name("a@acme.example")
    built = leaf_certificate(key, root, root_key, NOW - DAY, NOW + DAY, san=san)
    leaf = built.sign(root_key, hashes.SHA256())
    (folder / "ca.pem").write_bytes(root.public_bytes(PEM))
    (folder / "tsa.pem").write_bytes(sigstore.tsa_root.public_bytes(PEM))
    trust = TrustSettings(
        certificate_roots=(folder / "ca.pem",),
        timestamp_authorities=(folder / "tsa.pem",),
        as_of=NOW + 365 * DAY,
    )
    if form == "plain":
        signature = key.sign(DATA, ec.ECDSA(hashes.SHA256()))
        stamp = sigstore.timestamp(signature, NOW)
        return Signed(signature, trust, plain_essence, leaf.public_bytes(PEM), stamp)
    payload = statement(DATA)
    signature = key.sign(pae(IN_TOTO, payload), ec.ECDSA(hashes.SHA256()))
    stamp = sigstore.timestamp(signature, NOW)
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "x509CertificateChain": {"certificates": [{"rawBytes": b64(leaf.public_bytes(DER))}]},
            "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": b64(stamp)}]},
        },
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": b64(signature)}],
        },
    }
    return Signed(json.dumps(bundle).encode(), trust, bundle_essence)


ECDSA = new_key()
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
SIGNERS: dict[str, tuple[Any, Callable[[bytes], bytes]]] = {
    "ecdsa": (ECDSA, lambda d: ECDSA.sign(d, ec.ECDSA(hashes.SHA256()))),
    "ed25519": (ED25519, ED25519.sign),
    "rsa-pss": (RSA, lambda d: RSA.sign(d, PSS, hashes.SHA256())),
    "rsa-pkcs1": (RSA, lambda d: RSA.sign(d, padding.PKCS1v15(), hashes.SHA256())),
}
FORMATS = [
    *(f"keyless {kind} {rekor}" for kind in ("artifact", "envelope") for rekor in (1, 2)),
    *(f"key {form}, ecdsa" for form in ("envelope", "two signatures", "base64", "bundle")),
    *(f"key {form}, ed25519" for form in ("bundle with envelope", "plain")),
    *(f"key {form}, {name}" for form in ("plain",) for name in ("rsa-pss", "rsa-pkcs1", "ecdsa")),
    "certificate bundle",
    "certificate plain",
    "cosign bundle",
]


@pytest.fixture(scope="module", params=FORMATS)
def signed(
    request: pytest.FixtureRequest,
    sigstore: PrivateSigstore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Signed:
    folder = tmp_path_factory.mktemp("signed")
    kind, _, rest = request.param.partition(" ")
    if kind == "keyless":
        what, _, rekor = rest.partition(" ")
        return keyless(sigstore, folder, what, int(rekor))
    if kind == "key":
        form, _, name = rest.partition(", ")
        return by_key(folder, form, *SIGNERS[name])
    if kind == "certificate":
        return by_certificate(sigstore, folder, rest)
    return cosign(sigstore, folder)


def cosign(sigstore: PrivateSigstore, folder: Path) -> Signed:
    """An older cosign bundle by a key, with a log's promise."""
    root = folder / "root.json"
    root.write_text(json.dumps(sigstore.trusted_root()))
    (folder / "key.pub").write_bytes(pem_of(ECDSA))
    signature = ECDSA.sign(DATA, ec.ECDSA(hashes.SHA256()))
    digest = Artifact.of_bytes(DATA).digest("sha256").hex()
    body = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": digest}},
            "signature": {
                "content": b64(signature),
                "publicKey": {"content": b64(pem_of(ECDSA))},
            },
        },
    }
    payload = {
        "body": b64(json.dumps(body).encode()),
        "integratedTime": int(NOW.timestamp()),
        "logID": key_id(sigstore.rekor_key).hex(),
        "logIndex": 7,
    }
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    promise = sigstore.rekor_key.sign(canonical, ec.ECDSA(hashes.SHA256()))
    value = {
        "base64Signature": b64(signature),
        "rekorBundle": {"SignedEntryTimestamp": b64(promise), "Payload": payload},
    }
    trust = TrustSettings(trusted_root=root, keys=(folder / "key.pub",))
    return Signed(json.dumps(value).encode(), trust, cosign_essence)


# --- tests ------------------------------------------------------------------------------------


def without_time(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without the time and the log, which may be lost where neither is required."""
    lost = ("signed_at", "time_source", "log", "trusted_root_digest")
    return {k: v for k, v in facts.items() if k not in lost}


@FEW
@given(data=st.data())
def test_no_mutated_signature_verifies(signed: Signed, data: st.DataObject) -> None:
    (whole,) = signed.verify(signed.raw)
    assert whole.verified, whole.reason
    mutated = data.draw(mutations(signed.raw))
    for result in signed.verify(mutated):
        if not result.verified:
            continue
        assert signed.essence(mutated) == signed.essence(signed.raw)
        before, after = told(whole), told(result)
        if after["signed_at"] is None:  # a mutated proof of time proves no time, not another
            before, after = without_time(before), without_time(after)
        assert after == before


@FEW
@given(data=st.data())
def test_no_mutated_artifact_verifies(signed: Signed, data: st.DataObject) -> None:
    changed = data.draw(mutations(DATA))
    if changed != DATA:
        trust = Trust(signed.trust)
        artifact = Artifact.of_bytes(changed)
        results = verify_file(signed.raw, artifact, trust, signed.certificate, signed.timestamp)
        assert not any(r.verified for r in results)


@FEW
@given(data=st.data())
def test_no_mutated_companion_verifies(signed: Signed, data: st.DataObject) -> None:
    """The certificate and the timestamp beside a plain signature."""
    for name in ("certificate", "timestamp"):
        original = getattr(signed, name)
        if original is None:
            continue
        changed: dict[str, Any] = {name: data.draw(mutations(original))}
        mutated = replace(signed, **changed)
        (whole,), (result,) = signed.verify(signed.raw), mutated.verify(signed.raw)
        if result.verified:
            assert told(result) == told(whole)


def test_every_format_is_told_of() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/trust.md").read_text()
    for part in ("keyid", "hint", "messageDigest", "mediaType", "SignerInfo", "checkpoint"):
        assert part in page
