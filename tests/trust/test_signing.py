"""Every kind of key signs what our own verification accepts; bad keys say what is wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adjudge.errors import InputError
from adjudge.trust import Trust, TrustSettings, verify_one
from adjudge.trust.signing import KeylessSigner, SigningError, load_signer
from adjudge.trust.verify import Subject

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://example.org/p",
        "predicate": {"n": 1},
    }
).encode()

KEYS: dict[str, Callable[[], Any]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def store(key: Any, folder: Path, password: bytes | None = None) -> tuple[Path, Path]:
    private, public = folder / "key.pem", folder / "key.pub"
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    private.chmod(0o600)
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def cosign_key(key: Any, password: bytes, path: Path, **params: int) -> None:
    """An encrypted key as cosign writes it."""
    nacl = pytest.importorskip("nacl.secret")
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    kdf = {"N": 1024, "r": 8, "p": 1, **params}
    salt, nonce = os.urandom(32), os.urandom(24)
    secret = hashlib.scrypt(password, salt=salt, n=1024, r=8, p=1, dklen=32)
    sealed = {
        "kdf": {"name": "scrypt", "params": kdf, "salt": base64.b64encode(salt).decode()},
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
        "ciphertext": base64.b64encode(
            nacl.SecretBox(secret).encrypt(der, nonce).ciphertext
        ).decode(),
    }
    body = base64.encodebytes(json.dumps(sealed).encode()).decode()
    mark = "ENCRYPTED SIGSTORE PRIVATE KEY"
    path.write_text(f"-----BEGIN {mark}-----\n{body}-----END {mark}-----\n")


def verified(envelope: bytes, *keys: Path) -> bool:
    trust = Trust(TrustSettings(keys=keys))
    return verify_one(envelope, Subject(None, lambda s: None), trust).verified


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key(kind: str, tmp_path: Path) -> None:
    private, public = store(KEYS[kind](), tmp_path)
    envelope = load_signer(private).sign(STATEMENT)
    assert verified(envelope, public)
    (tmp_path / "other").mkdir()
    _, other = store(KEYS[kind](), tmp_path / "other")
    assert not verified(envelope, other)


def test_an_encrypted_key_needs_its_password(tmp_path: Path) -> None:
    private, public = store(KEYS["p256"](), tmp_path, b"secret")
    private.chmod(0o644)  # it is encrypted: others may read it
    assert verified(load_signer(private, lambda: b"secret").sign(STATEMENT), public)
    assert code(private, lambda: None) == "signing_key_password_missing"
    assert code(private, lambda: b"wrong") == "signing_key_password_wrong"


def test_a_cosign_key(tmp_path: Path) -> None:
    key = KEYS["p256"]()
    _, public = store(key, tmp_path)
    cosign_key(key, b"secret", tmp_path / "cosign.key")
    assert verified(load_signer(tmp_path / "cosign.key", lambda: b"secret").sign(STATEMENT), public)
    assert code(tmp_path / "cosign.key", lambda: b"wrong") == "signing_key_password_wrong"
    assert code(tmp_path / "cosign.key", lambda: None) == "signing_key_password_missing"


def test_a_cosign_key_cannot_ask_for_all_memory(tmp_path: Path) -> None:
    cosign_key(KEYS["p256"](), b"secret", tmp_path / "cosign.key", N=2**30)
    assert code(tmp_path / "cosign.key", lambda: b"secret") == "signing_key_unusable"


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    private, _ = store(KEYS["ed25519"](), tmp_path)
    private.chmod(0o640)
    assert code(private) == "signing_key_exposed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n!\n",
        b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\ne30=\n-----END-----\n",
        b"x" * 100_000,
    ],
)
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    assert code(path, lambda: b"secret") == "signing_key_unusable"


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: dsa.generate_private_key(2048),
    ],
)
def test_weak_and_other_algorithms(tmp_path: Path, make: Any) -> None:
    private, _ = store(make(), tmp_path)
    assert code(private) == "signing_key_unusable"


def test_a_missing_key(tmp_path: Path) -> None:
    assert code(tmp_path / "none") == "signing_key_unreadable"
    assert code(tmp_path) == "signing_key_unreadable"


def test_keyless_without_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "ACTIONS_", "SIGSTORE_", "CI", "GITLAB", "BUILDKITE")):
            monkeypatch.delenv(name)
    with pytest.raises(SigningError) as raised:
        KeylessSigner(tmp_path / "none.json").sign(STATEMENT)
    assert raised.value.code == "keyless_signing_failed"


def code(path: Path, *password: Any) -> str:
    with pytest.raises(InputError) as raised:
        load_signer(path, *password)
    assert raised.value.hint
    return raised.value.code
