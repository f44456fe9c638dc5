"""Hostile signature files: whatever they hold, the outcome is facts with a reason."""

from __future__ import annotations

import base64
import copy
import json
import random
from typing import Any

import pytest
from tests.trust.conftest import IDENTITY, ISSUER, statement
from tests.trust.private_sigstore import PrivateSigstore

from adjudge.trust import REASONS, Artifact, Trust, TrustSettings, verify_file

DATA = b"weights"
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1e300,
    2**70,
    "",
    "x",
    "\x00",
    "=" * 40,
    "QUFB" * 20000,
    [],
    [[]],
    {},
    {"a": []},
    [None] * 50,
    "urn:x\n::error::",
]


def outcomes(raw: bytes, settings: TrustSettings) -> list[str]:
    results = verify_file(raw, Artifact.of_bytes(DATA), Trust(settings))
    for result in results:
        assert result.reason_code in REASONS
        assert "\n" not in result.reason
        json.dumps(result.as_facts(), ensure_ascii=False).encode("utf-8")
        assert result.verified == (result.reason_code == "verified")
        assert not result.verified or result.authentic
    return [r.reason_code for r in results]


@pytest.fixture(scope="module")
def bundles(sigstore: PrivateSigstore) -> list[Any]:
    key, certificate = sigstore.issue(IDENTITY, ISSUER, extensions={11: "github-hosted"})
    return [
        sigstore.sign_artifact(DATA, key, certificate, rekor=2),
        sigstore.sign_envelope(statement(DATA), key, certificate),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \n",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b'{"mediaType":1}',
        b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
        b'{"payload":1,"signatures":2}',
        b'{"payload":"","signatures":[],"payloadType":""}',
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"mediaType":' + b"[" * 200 + b"]" * 200 + b"}",
        b"\xef\xbb\xbf{}",
        b"{}\n" * 1000,
    ],
)
def test_nonsense(raw: bytes, settings: TrustSettings) -> None:
    assert "verified" not in outcomes(raw, settings)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _paths(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found += _paths(member, (*path, index))
    return found


def _set(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = new
    return changed


def test_every_member_replaced(bundles: list[Any], settings: TrustSettings) -> None:
    """Wrong types everywhere.  What is not part of what is verified may stay good."""
    unchecked = {"keyid", "inclusionPromise", "integratedTime", "hint"}
    for bundle in bundles:
        for path in _paths(bundle):
            for new in random.Random(str(path)).sample(STRANGE, 4):
                raw = json.dumps(_set(bundle, path, new)).encode()
                codes = outcomes(raw, settings)
                if "verified" in codes:
                    member = path[-1] if path else None
                    assert member in unchecked or new in (None, [], {}), (path, new)


def test_random_bytes(bundles: list[Any], settings: TrustSettings) -> None:
    chance = random.Random(7)
    for bundle in bundles:
        raw = json.dumps(bundle).encode()
        for _ in range(150):
            changed = bytearray(raw)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(changed))
                match chance.randrange(3):
                    case 0:
                        changed[at] = chance.randrange(256)
                    case 1:
                        del changed[at : at + chance.randint(1, 40)]
                    case _:
                        changed[at:at] = changed[at : at + chance.randint(1, 40)]
            outcomes(bytes(changed), settings)


def test_truncated(bundles: list[Any], settings: TrustSettings) -> None:
    for bundle in bundles:
        raw = json.dumps(bundle).encode()
        for length in range(0, len(raw) - 1, max(1, len(raw) // 60)):
            assert "verified" not in outcomes(raw[:length], settings)


# --- parts of good bundles put together wrongly -------------------------------------------------

OTHER = b"other weights"


def _material(bundle: Any) -> Any:
    return bundle["verificationMaterial"]


@pytest.fixture
def pair(sigstore: PrivateSigstore) -> tuple[Any, Any]:
    """Good bundles by one signer over this artifact and over another (Rekor v2)."""
    return tuple(  # type: ignore[return-value]
        sigstore.sign_artifact(data, *sigstore.issue(IDENTITY, ISSUER), rekor=2)
        for data in (DATA, OTHER)
    )


SWAPS: dict[str, Any] = {
    "another file's bundle": lambda a, b: b,
    "signature": lambda a, b: {**a, "messageSignature": b["messageSignature"]},
    "material": lambda a, b: {**a, "verificationMaterial": _material(b)},
    "certificate": lambda a, b: _set(
        a, ("verificationMaterial", "certificate"), _material(b)["certificate"]
    ),
    "log entry": lambda a, b: _set(
        a, ("verificationMaterial", "tlogEntries"), _material(b)["tlogEntries"]
    ),
    "proof": lambda a, b: _set(
        a,
        ("verificationMaterial", "tlogEntries", 0, "inclusionProof"),
        _material(b)["tlogEntries"][0]["inclusionProof"],
    ),
    "timestamp": lambda a, b: _set(
        a,
        ("verificationMaterial", "timestampVerificationData"),
        _material(b)["timestampVerificationData"],
    ),
    "two log entries": lambda a, b: _set(
        a,
        ("verificationMaterial", "tlogEntries"),
        _material(a)["tlogEntries"] + _material(b)["tlogEntries"],
    ),
    "one log entry twice": lambda a, b: _set(
        a, ("verificationMaterial", "tlogEntries"), _material(a)["tlogEntries"] * 2
    ),
    "two places in the log": lambda a, b: _set(
        a, ("verificationMaterial", "tlogEntries", 0, "logIndex"), "77"
    ),
    "a log nobody knows": lambda a, b: _set(
        a, ("verificationMaterial", "tlogEntries", 0, "logId", "keyId"), "AAAA"
    ),
    "signature and envelope": lambda a, b: {**a, "dsseEnvelope": {"payload": ""}},
    "certificate and key": lambda a, b: _set(
        a, ("verificationMaterial", "publicKey"), {"hint": "x"}
    ),
    "certificate and chain": lambda a, b: _set(
        a,
        ("verificationMaterial", "x509CertificateChain"),
        {"certificates": [_material(a)["certificate"]]},
    ),
    "ten thousand log entries": lambda a, b: _set(
        a, ("verificationMaterial", "tlogEntries"), _material(a)["tlogEntries"] * 10_000
    ),
    "ten thousand timestamps": lambda a, b: _set(
        a,
        ("verificationMaterial", "timestampVerificationData", "rfc3161Timestamps"),
        _material(a)["timestampVerificationData"]["rfc3161Timestamps"] * 10_000,
    ),
    "signature beside a checkpoint's signature": lambda a, b: _set(
        a,
        ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"),
        _material(a)["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"][:-1] + "QUFB\n",
    ),
}


@pytest.mark.parametrize("name", sorted(SWAPS))
def test_swapped_and_doubled_parts(
    name: str, pair: tuple[Any, Any], settings: TrustSettings
) -> None:
    good, other = pair
    assert outcomes(json.dumps(good).encode(), settings) == ["verified"]
    made = json.dumps(SWAPS[name](good, other)).encode()
    assert "verified" not in outcomes(made, settings)


@pytest.mark.parametrize(
    "change",
    [
        lambda der: der + b"\0",
        lambda der: der[:-1],
        lambda der: der * 2,
        lambda der: b"",
        lambda der: b"\x30\x80" + der[4:] + b"\0\0",  # indefinite length: BER, not DER
        lambda der: der.replace(b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x0f", 1),  # two usages
        lambda der: der.replace(b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\xce\x3d\x02\x7f"),
        lambda der: der.replace(IDENTITY.encode(), b"\xff" * len(IDENTITY)),
        lambda der: der.replace(b"\x18\x0f20", b"\x18\x0f99").replace(b"\x17\x0d26", b"\x17\x0d13"),
    ],
)
def test_certificates_in_odd_encodings(
    change: Any, pair: tuple[Any, Any], settings: TrustSettings
) -> None:
    good, _ = pair
    place = ("verificationMaterial", "certificate", "rawBytes")
    der = base64.b64decode(good["verificationMaterial"]["certificate"]["rawBytes"])
    changed = change(der)
    assert changed != der
    made = _set(good, place, base64.b64encode(changed).decode())
    assert "verified" not in outcomes(json.dumps(made).encode(), settings)
