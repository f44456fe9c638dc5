"""A payload and a signing key in, a DSSE envelope or a Sigstore bundle out.

Three kinds of signers: a private key in a PEM file, a key as ``cosign generate-key-pair`` writes
it (encrypted with scrypt and NaCl's secretbox), and keyless Sigstore, where the environment
holds an identity token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
)

from adjudge.errors import AdjudgeError, InputError
from adjudge.trust.dsse import pae
from adjudge.trust.keys import VerifyKey, algorithm_of, key_id_of, weakness

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The payload type of in-toto statements."""

Password: TypeAlias = Callable[[], bytes | None]
"""Asked for the password of an encrypted key, at most once; None when there is none."""

_SigningKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_MAX_KEY_FILE = 64 * 1024
_COSIGN_MARKS = (
    b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----",
    b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----",
)
_MAX_SCRYPT_MEMORY = 512 * 1024 * 1024
_CURVE_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}


class SigningError(AdjudgeError):
    """Something cannot be signed as asked."""


class Signer(Protocol):
    """What makes signatures."""

    @property
    def description(self) -> str:
        """Who signs, for messages."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """The signed in-toto statement ``payload``: a JSON text that ends in a line end.

        Raises :class:`SigningError`.
        """
        ...


class KeySigner:
    """Signs DSSE envelopes with a private key.

    ECDSA with the digest that belongs to the curve, Ed25519, or RSA-PSS with SHA-256.
    """

    def __init__(self, key: _SigningKey, name: str) -> None:
        self._key = key
        self.name = name
        public = key.public_key()
        self.key_id = key_id_of(public)
        self.algorithm = algorithm_of(public)

    @property
    def description(self) -> str:
        """The name of the key file and the algorithm."""
        return f"{self.name} ({self.algorithm}, key id {self.key_id[:16]})"

    @property
    def public_key(self) -> VerifyKey:
        """The public half of the key."""
        return self._key.public_key()

    def sign_bytes(self, message: bytes) -> bytes:
        """A plain signature over ``message``."""
        key = self._key
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(message)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(_CURVE_HASHES[key.curve.name]()))
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return key.sign(message, pss, hashes.SHA256())

    def sign(self, payload: bytes) -> bytes:
        """A DSSE envelope around an in-toto statement."""
        signature = self.sign_bytes(pae(PAYLOAD_TYPE, payload))
        envelope = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": self.key_id, "sig": base64.b64encode(signature).decode()},
            ],
        }
        return json.dumps(envelope, separators=(",", ":")).encode() + b"\n"


class KeylessSigner:
    """Signs with a short-lived certificate for the identity that the environment's token names.

    It asks Sigstore's certificate authority and transparency log over the network: the
    production instance, or the one of a client trust configuration file.
    """

    def __init__(self, trust_config: Path | None = None) -> None:
        self._trust_config = trust_config

    @property
    def description(self) -> str:
        """That it is keyless."""
        return "keyless Sigstore"

    def sign(self, payload: bytes) -> bytes:
        """A Sigstore bundle around an in-toto statement.

        Raises :class:`SigningError` ``identity_token_missing``, ``keyless_signing_failed``.
        """
        # Loading sigstore takes 0.4 s.
        from sigstore import dsse, oidc
        from sigstore.models import ClientTrustConfig
        from sigstore.sign import SigningContext

        try:
            config = (
                ClientTrustConfig.production()
                if self._trust_config is None
                else ClientTrustConfig.from_json(self._trust_config.read_text())
            )
            token = oidc.detect_credential()
            if token is None:
                raise SigningError(
                    "identity_token_missing",
                    "the environment holds no identity token to sign with",
                    hint="in GitHub Actions give the job `permissions: id-token: write`; "
                    "elsewhere sign with a key",
                )
            context = SigningContext.from_trust_config(config)
            with context.signer(oidc.IdentityToken(token)) as signer:
                bundle = signer.sign_dsse(dsse.Statement(payload))
        except AdjudgeError:
            raise
        except Exception as error:
            # The library, its HTTP client and its TUF client each have errors of their own.
            raise SigningError(
                "keyless_signing_failed",
                f"Sigstore did not sign: {type(error).__name__}: {str(error)[:300]}",
                hint="nothing was signed; try again, or sign with a key",
            ) from None
        return bundle.to_json().encode() + b"\n"


def load_signer(path: Path, password: Password = lambda: None) -> KeySigner:
    """The signer for a private key file: PEM (PKCS #8, encrypted or not, or an older form) or an
    encrypted cosign key.

    Raises :class:`InputError` ``signing_key_unreadable``, ``signing_key_exposed`` (an
    unencrypted key that others may read), ``signing_key_unusable``,
    ``signing_key_password_missing``, ``signing_key_password_wrong``.
    """
    data, mode = _read(path)
    name = path.name
    if data.lstrip().startswith(_COSIGN_MARKS):
        key = _load(
            name, lambda p: load_der_private_key(_open_cosign(data, p, name), None), password
        )
    else:
        key = _load_pem(data, name, password, mode)
    problem = weakness(key.public_key()) if isinstance(key, _SigningKey) else "not supported"
    if problem is not None or not isinstance(key, _SigningKey):
        raise _unusable(name, f"its algorithm cannot be used: {problem}")
    return KeySigner(key, name)


def _read(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MAX_KEY_FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            "signing_key_unreadable",
            f"the signing key {path.name} cannot be read: {why.lower()}",
            hint="name a file with a private key in PEM form",
        ) from None
    if len(data) > _MAX_KEY_FILE:
        raise _unusable(path.name, "it is larger than any key")
    return data, mode


def _load_pem(data: bytes, name: str, password: Password, mode: int) -> Any:
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        # Said by the library when a password is needed.
        return _load(name, lambda p: load_pem_private_key(data, p), password)
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(name, "it is not a private key in PEM form") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            "signing_key_exposed",
            f"the signing key {name} is not encrypted, and others may read it",
            hint=f"chmod 600 {name}",
        )
    return key


def _load(name: str, opener: Callable[[bytes], Any], password: Password) -> Any:
    given = password()
    if given is None:
        raise InputError(
            "signing_key_password_missing",
            f"the signing key {name} is encrypted, and no password was given",
            hint="set ADJUDGE_KEY_PASSWORD (or COSIGN_PASSWORD)",
        )
    try:
        return opener(given)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "signing_key_password_wrong",
            f"the password does not open the signing key {name}",
            hint="check ADJUDGE_KEY_PASSWORD (or COSIGN_PASSWORD)",
        ) from None


def _open_cosign(data: bytes, password: bytes, name: str) -> bytes:
    """The DER private key in an encrypted cosign key.

    Raises ValueError when the password is wrong.
    """
    try:
        # An extra: few keys are of this kind.
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox
    except ImportError:
        raise InputError(
            "cosign_extra_missing",
            f"{name} is a cosign key, which needs PyNaCl to be opened",
            hint="pip install 'adjudge[cosign]'",
        ) from None
    try:
        body = b"".join(data.split(b"-----")[2].split())
        sealed = json.loads(base64.b64decode(body, validate=True))
        kdf, cipher = sealed["kdf"], sealed["cipher"]
        n, r, p = (kdf["params"][k] for k in ("N", "r", "p"))
        salt, nonce = (base64.b64decode(v, validate=True) for v in (kdf["salt"], cipher["nonce"]))
        ciphertext = base64.b64decode(sealed["ciphertext"], validate=True)
        if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
            raise ValueError
        if not all(isinstance(v, int) and v > 0 for v in (n, r, p)) or n * r * 128 > (
            _MAX_SCRYPT_MEMORY // 2
        ):
            raise ValueError
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error):
        raise _unusable(name, "it is no cosign key") from None
    secret = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=_MAX_SCRYPT_MEMORY)
    try:
        return bytes(SecretBox(secret).decrypt(ciphertext, nonce))
    except CryptoError:
        raise ValueError from None


def _unusable(name: str, why: str) -> InputError:
    return InputError(
        "signing_key_unusable",
        f"the signing key {name} cannot be used: {why}",
        hint="give an ECDSA (P-256, P-384, P-521), Ed25519 or RSA private key in PEM form, "
        "or an encrypted cosign key",
    )
