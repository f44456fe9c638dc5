"""X.509: consumes DER, produces certificates and requests in the shape of Go's structs.

A certificate is a dictionary keyed by Go's field names.  Within this package its bytes
are ``bytes``, its times ``datetime``, its URIs :class:`Url` and its addresses ``bytes``;
:func:`as_json` turns it into what OPA shows (RFC 5280, Go's ``crypto/x509``).
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, Final

from adjudge.rego.builtins import der, keys
from adjudge.rego.builtins.cert_extensions import (
    FIELDS,
    Certificate,
    alternative_names,
    read_extensions,
)
from adjudge.rego.builtins.der import DerError, Reader, saying
from adjudge.rego.builtins.gourl import Url
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import go_quote

_NULL: Final = b"\x05\x00"
_MGF1: Final = (1, 2, 840, 113549, 1, 1, 8)
_RSA_PSS: Final = (1, 2, 840, 113549, 1, 1, 10)
_SHA2: Final[dict[tuple[int, ...], int]] = {
    (2, 16, 840, 1, 101, 3, 4, 2, n): bits for n, bits in ((1, 256), (2, 384), (3, 512))
}
_PSS_NUMBERS: Final[dict[tuple[int, int], int]] = {(256, 32): 13, (384, 48): 14, (512, 64): 15}
_EXTENSION_REQUEST: Final = (1, 2, 840, 113549, 1, 9, 14)

# The numbers are those of Go's constants; 0 is unknown.
_SIGNATURE_ALGORITHMS: Final[dict[tuple[int, ...], int]] = {
    (1, 2, 840, 113549, 1, 1, 4): 2,
    (1, 2, 840, 113549, 1, 1, 5): 3,
    (1, 3, 14, 3, 2, 29): 3,
    (1, 2, 840, 113549, 1, 1, 11): 4,
    (1, 2, 840, 113549, 1, 1, 12): 5,
    (1, 2, 840, 113549, 1, 1, 13): 6,
    (1, 2, 840, 10040, 4, 3): 7,
    (2, 16, 840, 1, 101, 3, 4, 3, 2): 8,
    (1, 2, 840, 10045, 4, 1): 9,
    (1, 2, 840, 10045, 4, 3, 2): 10,
    (1, 2, 840, 10045, 4, 3, 3): 11,
    (1, 2, 840, 10045, 4, 3, 4): 12,
}
_ED25519_SIGNATURE: Final = 16
_KEY_ALGORITHMS: Final[dict[tuple[int, ...], int]] = {
    keys.RSA_OID: 1,
    keys.DSA_OID: 2,
    keys.EC_OID: 3,
    keys.ED25519_OID: 4,
}
_NAME_FIELDS: Final = {
    6: "Country",
    10: "Organization",
    11: "OrganizationalUnit",
    7: "Locality",
    8: "Province",
    9: "StreetAddress",
    17: "PostalCode",
}


# -- JSON ----------------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """What Go's JSON shows: bytes in base64, times in RFC 3339."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if value.tzinfo is UTC else text
    if isinstance(value, Url):
        return value.as_go()
    return value


# -- parts ---------------------------------------------------------------------------


def _name(raw: bytes) -> dict[str, Any]:
    """A distinguished name as ``pkix.Name``."""
    name: dict[str, Any] = dict.fromkeys(_NAME_FIELDS.values())
    name.update(SerialNumber="", CommonName="", Names=None, ExtraNames=None)
    with saying("x509: invalid RDNSequence"):
        relative = Reader(raw).into()
        while relative:
            attributes = relative.into(der.SET)
            while attributes:
                with saying("x509: invalid RDNSequence: invalid attribute"):
                    attribute = attributes.into()
                _add_attribute(name, attribute)
    return name


def _add_attribute(name: dict[str, Any], attribute: Reader) -> None:
    with saying("x509: invalid RDNSequence: invalid attribute type"):
        oid = attribute.oid()
    with saying("x509: invalid RDNSequence: invalid attribute value"):
        value = der.string(attribute.take())
    name["Names"] = [*(name["Names"] or ()), {"Type": list(oid), "Value": value}]
    if len(oid) != 4 or oid[:3] != (2, 5, 4):
        return
    if oid[3] == 3:
        name["CommonName"] = value
    elif oid[3] == 5:
        name["SerialNumber"] = value
    elif oid[3] in _NAME_FIELDS:
        field = _NAME_FIELDS[oid[3]]
        name[field] = [*(name[field] or ()), value]


def _algorithm(content: Reader) -> tuple[tuple[int, ...], bytes]:
    """The object identifier and the raw parameters of an algorithm."""
    with saying("x509: malformed OID"):
        oid = content.oid()
    with saying("x509: malformed parameters"):
        return oid, content.take().raw if content else b""


def _signature_algorithm(oid: tuple[int, ...], parameters: bytes) -> int:
    if oid == keys.ED25519_OID:
        return 0 if parameters else _ED25519_SIGNATURE
    if oid != _RSA_PSS:
        return _SIGNATURE_ALGORITHMS.get(oid, 0)
    try:
        return _pss_algorithm(Reader(parameters).into())
    except (DerError, BuiltinError):
        return 0


def _pss_algorithm(content: Reader) -> int:
    """One hash for both the message and the mask, and a salt of its length; else unknown."""
    digest, digest_parameters = _algorithm(content.into(der.context(0, constructed=True)).into())
    mask, mask_parameters = _algorithm(content.into(der.context(1, constructed=True)).into())
    mask_digest, mask_digest_parameters = _algorithm(Reader(mask_parameters).into())
    salt = content.into(der.context(2, constructed=True)).integer()
    trailer = 1
    if content:
        trailer = content.into(der.context(3, constructed=True)).integer()
    plain = all(p in (b"", _NULL) for p in (digest_parameters, mask_digest_parameters))
    if not plain or mask != _MGF1 or mask_digest != digest or trailer != 1:
        return 0
    return _PSS_NUMBERS.get((_SHA2.get(digest, 0), salt), 0)


def _public_key(spki: bytes) -> tuple[int, Any]:
    """Go's number of the algorithm and the key's struct; (0, None) if Go does not know it."""
    with saying("x509: malformed spki"):
        content = Reader(spki).into()
    with saying("x509: malformed public key algorithm identifier"):
        oid, parameters = _algorithm(content.into())
    with saying("x509: malformed subjectPublicKey"):
        content.bits()
    number = _KEY_ALGORITHMS.get(oid, 0)
    if oid == keys.RSA_OID and parameters != _NULL:
        raise BuiltinError("x509: RSA key missing NULL parameters")
    return number, keys.public_object(spki) if number else None


def _time(content: Reader) -> datetime:
    kind = {der.UTC_TIME: "UTCTime", der.GENERALIZED_TIME: "GeneralizedTime"}.get(content.tag)
    if kind is None:
        raise BuiltinError("x509: unsupported time format")
    with saying(f"x509: malformed {kind}"):
        return der.time(content.take())


def _extensions(content: Reader) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while content:
        with saying("x509: malformed extension"):
            extension = content.into()
        with saying("x509: malformed extension OID field"):
            oid = extension.oid()
        critical = False
        if extension.tag == der.BOOLEAN:
            with saying("x509: malformed extension critical field"):
                critical = extension.boolean()
        with saying("x509: malformed extension value field"):
            value = extension.take(der.OCTET_STRING).content
        found.append({"Id": list(oid), "Critical": critical, "Value": value})
    return found


def _refuse_duplicates(extensions: list[dict[str, Any]], request: bool) -> None:
    seen: set[str] = set()
    for extension in extensions:
        oid = der.dotted(tuple(extension["Id"]))
        if oid in seen and request:
            raise BuiltinError("x509: certificate request contains duplicate requested extensions")
        if oid in seen:
            raise BuiltinError(
                f"x509: certificate contains duplicate extension with OID {go_quote(oid)}"
            )
        seen.add(oid)


# -- certificates --------------------------------------------------------------------


def parse_certificates(data: bytes) -> list[Certificate]:
    """The certificates that follow one another in the bytes."""
    found: list[Certificate] = []
    content = Reader(data)
    while content:
        with saying("x509: malformed certificate"):
            element = content.take(der.SEQUENCE)
        found.append(_certificate(element))
    return found


def parse_certificate(data: bytes) -> Certificate:
    """The one certificate in the bytes."""
    found = parse_certificates(data)
    if len(found) != 1:
        raise BuiltinError("x509: trailing data" if found else "x509: malformed certificate")
    return found[0]


def _certificate(element: der.Element) -> Certificate:
    outer = Reader(element.content)
    cert: Certificate = {"Raw": element.raw, **FIELDS}
    with saying("x509: malformed tbs certificate"):
        body = outer.take(der.SEQUENCE)
    cert["RawTBSCertificate"] = body.raw
    tbs = Reader(body.content)
    cert["Version"] = _version(tbs)
    with saying("x509: malformed serial number"):
        cert["SerialNumber"] = tbs.integer()
    if cert["SerialNumber"] < 0:
        raise BuiltinError("x509: negative serial number")
    with saying("x509: malformed signature algorithm identifier"):
        algorithm = tbs.take(der.SEQUENCE)
    with saying("x509: malformed algorithm identifier"):
        if outer.take(der.SEQUENCE).content != algorithm.content:
            raise BuiltinError("x509: inner and outer signature algorithm identifiers don't match")
    cert["SignatureAlgorithm"] = _signature_algorithm(*_algorithm(Reader(algorithm.content)))
    _read_names_and_validity(cert, tbs)
    with saying("x509: malformed spki"):
        spki = tbs.take(der.SEQUENCE).raw
    cert["RawSubjectPublicKeyInfo"] = spki
    cert["PublicKeyAlgorithm"], cert["PublicKey"] = _public_key(spki)
    if cert["Version"] > 1:
        with saying("x509: malformed issuerUniqueID"):
            tbs.optional(der.context(1))
            tbs.optional(der.context(2))
    if cert["Version"] == 3 and tbs.tag == der.context(3, constructed=True):
        with saying("x509: malformed extensions"):
            cert["Extensions"] = _extensions(Reader(tbs.take().content).into()) or None
        _refuse_duplicates(cert["Extensions"] or [], request=False)
        read_extensions(cert)
    with saying("x509: malformed signature"):
        cert["Signature"] = outer.aligned_bits()
    return cert


def _version(tbs: Reader) -> int:
    version = 0
    with saying("x509: malformed version"):
        if tbs.tag == der.context(0, constructed=True):
            content = Reader(tbs.take().content)
            version = content.integer()
            if version < 0 or content:
                raise DerError
    if version > 2:
        raise BuiltinError("x509: invalid version")
    return version + 1


def _read_names_and_validity(cert: Certificate, tbs: Reader) -> None:
    with saying("x509: malformed issuer"):
        cert["RawIssuer"] = tbs.take(der.SEQUENCE).raw
    cert["Issuer"] = _name(cert["RawIssuer"])
    with saying("x509: malformed validity"):
        validity = tbs.into()
    cert["NotBefore"] = _time(validity)
    cert["NotAfter"] = _time(validity)
    with saying("x509: malformed issuer"):
        cert["RawSubject"] = tbs.take(der.SEQUENCE).raw
    cert["Subject"] = _name(cert["RawSubject"])


# -- requests ------------------------------------------------------------------------


def parse_request(data: bytes) -> Certificate:
    """The certificate request in the bytes (RFC 2986)."""
    with saying("asn1: structure error"):
        content = Reader(data)
        whole = content.take(der.SEQUENCE)
        if content:
            raise BuiltinError("asn1: syntax error: trailing data")
        outer = Reader(whole.content)
        body = outer.take(der.SEQUENCE)
        info = Reader(body.content)
        version = info.integer()
        subject = info.take(der.SEQUENCE).raw
        spki = info.take(der.SEQUENCE).raw
        attributes = info.optional(der.context(0, constructed=True))
        algorithm = _signature_algorithm(*_algorithm(outer.into()))
        signature = outer.aligned_bits()
    number, key = _public_key(spki)
    shown, extensions = _attributes(Reader(attributes.content if attributes else b""))
    _refuse_duplicates(extensions, request=True)
    request: Certificate = {
        "Raw": whole.raw,
        "RawTBSCertificateRequest": body.raw,
        "RawSubjectPublicKeyInfo": spki,
        "RawSubject": subject,
        "Version": version,
        "Signature": signature,
        "SignatureAlgorithm": algorithm,
        "PublicKeyAlgorithm": number,
        "PublicKey": key,
        "Subject": _name(subject),
        "Attributes": shown or None,
        "Extensions": extensions or None,
        "ExtraExtensions": None,
        "DNSNames": None,
        "EmailAddresses": None,
        "IPAddresses": None,
        "URIs": None,
    }
    for extension in extensions:
        if extension["Id"] == [2, 5, 29, 17]:
            request.update(alternative_names(extension["Value"]))
    return request


def _attributes(content: Reader) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The attributes that Go can show, and the extensions that are asked for."""
    shown: list[dict[str, Any]] = []
    extensions: list[dict[str, Any]] = []
    with saying("asn1: structure error"):
        while content:
            attribute = content.into()
            oid = attribute.oid()
            values = attribute.take(der.SET).content
            try:
                shown.append({"Type": list(oid), "Value": _attribute_values(Reader(values))})
            except DerError:
                pass  # a password or a name has no such values; Go leaves it out
            if oid == _EXTENSION_REQUEST:
                extensions.extend(_extensions(Reader(values).into()))
    return shown, extensions


def _attribute_values(content: Reader) -> list[list[dict[str, Any]]]:
    values: list[list[dict[str, Any]]] = []
    while content:
        pairs = content.into()
        row: list[dict[str, Any]] = []
        while pairs:
            pair = pairs.into()
            row.append({"Type": list(pair.oid()), "Value": _any_value(pair.take())})
        values.append(row)
    return values


def _any_value(element: der.Element) -> Any:
    """A value of a type that is not known beforehand, as Go decodes it."""
    if element.tag == der.OCTET_STRING:
        return element.content
    if element.tag == der.BOOLEAN:
        return element.content == b"\xff"
    if element.tag == der.INTEGER:
        return der.integer(element.content)
    if element.tag == der.OBJECT_IDENTIFIER:
        return list(der.oid(element.content))
    return der.string(element)
