"""What the tests of signatures share: a private Sigstore, keys, and how to judge a signature."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.trust.private_sigstore import PrivateSigstore

from adjudge.trust import Artifact, SignerIdentity, Trust, TrustSettings, Verification, verify_file

IDENTITY = "https://github.com/acme/model/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"


@pytest.fixture(scope="session")
def sigstore() -> PrivateSigstore:
    return PrivateSigstore(now=dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC))


@pytest.fixture(scope="session")
def root_file(sigstore: PrivateSigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "trusted_root.json"
    path.write_text(json.dumps(sigstore.trusted_root()))
    return path


@pytest.fixture(scope="session")
def settings(root_file: Path) -> TrustSettings:
    """The private Sigstore is trusted, and one identity in it."""
    return TrustSettings(trusted_root=root_file, identities=(SignerIdentity(ISSUER, IDENTITY),))


Judge = Callable[..., Verification]


@pytest.fixture
def judge() -> Judge:
    """Verify one signature over bytes and give the outcome."""

    def run(
        signature: Any, data: bytes, settings: TrustSettings, certificate: bytes | None = None
    ) -> Verification:
        raw = signature if isinstance(signature, bytes) else json.dumps(signature).encode()
        (result,) = verify_file(raw, Artifact.of_bytes(data), Trust(settings), certificate)
        return result

    return run


def statement(data: bytes, predicate_type: str = "https://example.com/p", **more: Any) -> bytes:
    """An in-toto statement about ``data``."""
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": hashlib.sha256(data).hexdigest()}}],
        "predicateType": predicate_type,
        "predicate": {"ok": True},
        **more,
    }
    return json.dumps(value).encode()
