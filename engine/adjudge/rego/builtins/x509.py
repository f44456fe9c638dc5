"""``crypto.x509.*``: consume certificates, requests and keys in PEM or base64; produce objects.

The objects are Go's structs as its JSON shows them, because that is what policies for
OPA are written against.
"""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.builtins import cert_chain, certificates, gobase64, keys, pem
from adjudge.rego.builtins.cert_chain import Wanted
from adjudge.rego.builtins.cert_extensions import Certificate
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_object,
    want_string,
)
from adjudge.rego.runtime.arithmetic import exact_integer
from adjudge.rego.runtime.text import utf8_bytes
from adjudge.rego.runtime.values import Value, is_number, sorted_items, type_name

_BEGIN: Final = b"-----BEGIN"
_INVALID: Final[list[Any]] = [False, []]
_USAGES: Final = {
    "KeyUsage" + name: number
    for number, name in enumerate(
        (
            *("Any", "ServerAuth", "ClientAuth", "CodeSigning", "EmailProtection"),
            *("IPSECEndSystem", "IPSECTunnel", "IPSECUser", "TimeStamping", "OCSPSigning"),
            *("MicrosoftServerGatedCrypto", "NetscapeServerGatedCrypto"),
            *("MicrosoftCommercialCodeSigning", "MicrosoftKernelCodeSigning"),
        )
    )
}


def _load_certificates(text: str) -> list[Certificate]:
    """The certificates of PEM, of base64 of PEM, or of base64 of DER."""
    data = utf8_bytes(text)
    if not data.startswith(_BEGIN):
        data = gobase64.decode(data)
    if data.startswith(_BEGIN):
        data = _joined_blocks(data)
    return certificates.parse_certificates(data)


def _joined_blocks(text: bytes) -> bytes:
    found: list[bytes] = []
    while text:
        block, text = pem.decode(text)
        if block is None:
            break
        if block.label != "CERTIFICATE":
            raise BuiltinError(f"PEM block type is '{block.label}', expected CERTIFICATE")
        found.append(block.data)
    return b"".join(found)


def _shown(cert: Certificate) -> dict[str, Any]:
    """A certificate with its URIs also as texts."""
    uris = cert["URIs"]
    texts = None if uris is None else [str(uri) for uri in uris]
    shown: dict[str, Any] = certificates.as_json({**cert, "URIStrings": texts})
    return shown


@builtin("crypto.x509.parse_certificates")
def parse_certificates(certs: Value) -> Value:
    """The certificates as objects."""
    return [_shown(cert) for cert in _load_certificates(want_string(certs, 1))]


@builtin("crypto.x509.parse_and_verify_certificates", context=True)
def parse_and_verify(ctx: BuiltinContext, certs: Value) -> Value:
    """``[valid, chain]``: the chain from the last certificate to the first, which is trusted,
    at the time of the evaluation and for a server."""
    text = want_string(certs, 1)
    chain = _verified(text, Wanted(cert_chain.moment(ctx.now_ns)))
    return _INVALID if chain is None else [True, [_shown(cert) for cert in chain]]


@builtin("crypto.x509.parse_and_verify_certificates_with_options", context=True)
def parse_and_verify_with_options(ctx: BuiltinContext, certs: Value, options: Value) -> Value:
    """The same for a time, a name and key usages given in an object."""
    text = want_string(certs, 1)
    given = want_object(options, 2)
    try:
        _load_certificates(text)
    except BuiltinError:
        return _INVALID
    chain = _verified(text, _wanted(given, ctx.now_ns))
    return _INVALID if chain is None else [True, [certificates.as_json(cert) for cert in chain]]


def _verified(text: str, wanted: Wanted) -> list[Certificate] | None:
    try:
        loaded = _load_certificates(text)
    except BuiltinError:
        return None
    return cert_chain.verified_chain(loaded, wanted) if len(loaded) >= 2 else None


def _wanted(options: dict[Any, Value], now_ns: int) -> Wanted:
    at = now_ns
    name = ""
    usages: list[int] = []
    for key, value in sorted_items(options):
        if key == "DNSName":
            if not isinstance(value, str):
                raise BuiltinError("'DNSName' should be a string")
            name = value.strip('"')
        elif key == "CurrentTime":
            at = _option_number(value, "CurrentTime", "int64 number")
        elif key == "MaxConstraintComparisons":
            # Checked only: comparing a name with a constraint costs little here.
            _option_number(value, "MaxConstraintComparisons", "number")
        elif key == "KeyUsages":
            usages = _option_usages(value)
        elif isinstance(key, str):
            raise BuiltinError("invalid key option")
    moment = cert_chain.moment(at)
    return Wanted(moment, name, usages) if usages else Wanted(moment, name)


def _option_number(value: Value, name: str, kind: str) -> int:
    if not is_number(value):
        raise BuiltinError(f"'{name}' should be a number")
    number = exact_integer(value)
    if number is None or not -(1 << 63) <= number < 1 << 63:
        raise BuiltinError(f"'{name}' should be a valid {kind}")
    return number


def _option_usages(value: Value) -> list[int]:
    if type_name(value) not in ("array", "set"):
        raise BuiltinError("'KeyUsages' should be an Array or Set")
    names = [item.strip('"') for item in value if isinstance(item, str)]
    unknown = [name for name in names if name not in _USAGES]
    if unknown:
        raise BuiltinError(f"invalid entries for 'KeyUsages' found: [{' '.join(unknown)}]")
    return [_USAGES[name] for name in names]


@builtin("crypto.x509.parse_certificate_request")
def parse_certificate_request(csr: Value) -> Value:
    """A certificate request as an object."""
    data = utf8_bytes(want_string(csr, 1))
    if not data.startswith(b"-----BEGIN CERTIFICATE REQUEST-----"):
        data = gobase64.decode(data)
    block, _ = pem.decode(data)
    if block is not None:
        if block.label != "CERTIFICATE REQUEST":
            raise BuiltinError("invalid PEM-encoded certificate signing request")
        data = block.data
    return certificates.as_json(certificates.parse_request(data))


@builtin("crypto.x509.parse_rsa_private_key")
def parse_rsa_private_key(pem_text: Value) -> Value:
    """The first private key, of whatever kind, as a JSON web key; null if there is none."""
    text = want_string(pem_text, 1)
    if not text:
        raise BuiltinError("input PEM data was empty")
    if not text.startswith("-----BEGIN"):
        text = gobase64.decode(text).decode("utf-8", "surrogateescape")
    found = keys.private_keys(text)
    return keys.private_jwk(found[0]) if found else None


# -- pairs of certificate and key ----------------------------------------------------


def _as_pem(text: str, label: str) -> bytes:
    data = utf8_bytes(text)
    if not data.startswith(b"-----BEGIN "):
        data = gobase64.decode(data)
    return data if data.startswith(b"-----BEGIN ") else pem.encode(label, data)


@builtin("crypto.x509.parse_keypair")
def parse_keypair(cert: Value, key: Value) -> Value:
    """A certificate, those after it, and its private key as Go's ``tls.Certificate``."""
    chain_text = want_string(cert, 1)
    key_text = want_string(key, 1)
    chain = _certificate_blocks(_as_pem(chain_text, "CERTIFICATE"))
    private = _key_block(_as_pem(key_text, "PRIVATE KEY"))
    leaf = certificates.parse_certificate(chain[0])
    try:
        private_key = keys.private_key(private)
    except BuiltinError:
        raise BuiltinError("tls: failed to parse private key") from None
    if not leaf["PublicKeyAlgorithm"]:
        raise BuiltinError("tls: unknown public key algorithm")
    public = keys.public_key(leaf["RawSubjectPublicKeyInfo"])
    if type(private_key.public_key()) is not type(public):
        raise BuiltinError("tls: private key type does not match public key type")
    if private_key.public_key() != public:
        raise BuiltinError("tls: private key does not match public key")
    return certificates.as_json(
        {
            "Certificate": chain,
            "Leaf": leaf,
            "OCSPStaple": None,
            "PrivateKey": keys.private_object(private_key),
            "SignedCertificateTimestamps": None,
            "SupportedSignatureAlgorithms": None,
        }
    )


def _certificate_blocks(text: bytes) -> list[bytes]:
    found: list[bytes] = []
    skipped: list[str] = []
    while True:
        block, text = pem.decode(text)
        if block is None:
            break
        if block.label == "CERTIFICATE":
            found.append(block.data)
        else:
            skipped.append(block.label)
    if found:
        return found
    if not skipped:
        raise BuiltinError("tls: failed to find any PEM data in certificate input")
    if len(skipped) == 1 and skipped[0].endswith("PRIVATE KEY"):
        raise BuiltinError(
            "tls: failed to find certificate PEM data in certificate input, but did find a "
            "private key; PEM inputs may have been switched"
        )
    raise BuiltinError(
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
        f"blocks of the following types: [{' '.join(skipped)}]"
    )


def _key_block(text: bytes) -> bytes:
    skipped: list[str] = []
    while True:
        block, text = pem.decode(text)
        if block is None:
            break
        if block.label == "PRIVATE KEY" or block.label.endswith(" PRIVATE KEY"):
            return block.data
        skipped.append(block.label)
    if not skipped:
        raise BuiltinError("tls: failed to find any PEM data in key input")
    if skipped == ["CERTIFICATE"]:
        raise BuiltinError(
            "tls: found a certificate rather than a key in the PEM for the private key"
        )
    raise BuiltinError(
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{' '.join(skipped)}]"
    )
