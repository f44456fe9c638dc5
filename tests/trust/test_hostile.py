"""Hostile signature files: whatever they hold, the outcome is facts with a reason."""

from __future__ import annotations

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
