"""Certificate extensions (RFC 5280 §4.2): a certificate's extensions in, its fields out."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

from adjudge.rego.builtins import der, gourl
from adjudge.rego.builtins.der import DerError, Reader, saying
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import go_quote

Certificate = dict[str, Any]
"""A certificate by Go's field names, as :mod:`certificates` describes it."""

# The fields that extensions fill in, as they are in a certificate without any.
FIELDS: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            *("Extensions", "ExtraExtensions", "UnhandledCriticalExtensions", "ExtKeyUsage"),
            *("UnknownExtKeyUsage", "SubjectKeyId", "AuthorityKeyId", "OCSPServer"),
            *("IssuingCertificateURL", "DNSNames", "EmailAddresses", "IPAddresses", "URIs"),
            *("PermittedDNSDomains", "ExcludedDNSDomains", "PermittedIPRanges"),
            *("ExcludedIPRanges", "PermittedEmailAddresses", "ExcludedEmailAddresses"),
            *("PermittedURIDomains", "ExcludedURIDomains", "CRLDistributionPoints"),
            *("PolicyIdentifiers", "Policies", "PolicyMappings"),
        )
    ),
    **dict.fromkeys(
        (
            *("BasicConstraintsValid", "IsCA", "MaxPathLenZero", "PermittedDNSDomainsCritical"),
            *("InhibitAnyPolicyZero", "InhibitPolicyMappingZero", "RequireExplicitPolicyZero"),
        ),
        False,
    ),
    **dict.fromkeys(
        (
            *("KeyUsage", "MaxPathLen", "InhibitAnyPolicy", "InhibitPolicyMapping"),
            "RequireExplicitPolicy",
        ),
        0,
    ),
}

_PKIX: Final = (1, 3, 6, 1, 5, 5, 7)
_AUTHORITY_INFO_ACCESS: Final = (*_PKIX, 1, 1)
_OCSP: Final = (*_PKIX, 48, 1)
_ISSUERS: Final = (*_PKIX, 48, 2)
_KEY_USAGES: Final[dict[tuple[int, ...], int]] = {
    (2, 5, 29, 37, 0): 0,
    **{(*_PKIX, 3, number): number for number in range(1, 10)},
    (1, 3, 6, 1, 4, 1, 311, 10, 3, 3): 10,
    (2, 16, 840, 1, 113730, 4, 1): 11,
    (1, 3, 6, 1, 4, 1, 311, 2, 1, 22): 12,
    (1, 3, 6, 1, 4, 1, 311, 61, 1, 1): 13,
}

_EMAIL, _DNS, _URI, _IP = (der.context(number) for number in (1, 2, 6, 7))


def read_extensions(cert: Certificate) -> None:
    """Fill in the fields from ``cert["Extensions"]``, and list the critical ones not known."""
    for extension in cert["Extensions"] or ():
        oid = tuple(extension["Id"])
        reader = _READERS.get(oid)
        handled = reader is not None and reader(cert, extension)
        if extension["Critical"] and not handled:
            unhandled = cert["UnhandledCriticalExtensions"] or []
            cert["UnhandledCriticalExtensions"] = [*unhandled, list(oid)]


def _key_usage(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid key usage"):
        octets, _ = Reader(extension["Value"]).bits()
    bits = "".join(f"{octet:08b}" for octet in octets)[:9]
    cert["KeyUsage"] = int(bits[::-1] or "0", 2)
    return True


def _basic_constraints(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid basic constraints"):
        content = Reader(extension["Value"]).into()
        cert["IsCA"] = content.boolean() if content.tag == der.BOOLEAN else False
        cert["MaxPathLen"] = content.integer() if content.tag == der.INTEGER else -1
        if cert["MaxPathLen"] < -1 or cert["MaxPathLen"] >= 1 << 63:
            raise DerError
    cert["BasicConstraintsValid"] = True
    cert["MaxPathLenZero"] = cert["MaxPathLen"] == 0
    return True


def _ia5(content: bytes, message: str) -> str:
    if not content.isascii():
        raise BuiltinError(message)
    return content.decode("ascii")


def alternative_names(value: bytes) -> dict[str, Any]:
    """The names of a subjectAltName extension by Go's field names; None where there are none."""
    names: dict[str, list[Any]] = {
        field: [] for field in ("DNSNames", "EmailAddresses", "IPAddresses", "URIs")
    }
    with saying("x509: invalid subject alternative names"):
        content = Reader(value).into()
    with saying("x509: invalid subject alternative name"):
        while content:
            element = content.take()
            if element.tag == _EMAIL:
                names["EmailAddresses"].append(
                    _ia5(element.content, "x509: SAN rfc822Name is malformed")
                )
            elif element.tag == _DNS:
                names["DNSNames"].append(_ia5(element.content, "x509: SAN dNSName is malformed"))
            elif element.tag == _URI:
                names["URIs"].append(_uri(element.content))
            elif element.tag == _IP:
                names["IPAddresses"].append(_address(element.content))
    return {field: found or None for field, found in names.items()}


def _uri(content: bytes) -> gourl.Url:
    text = _ia5(content, "x509: SAN uniformResourceIdentifier is malformed")
    try:
        url = gourl.parse(text)
    except gourl.UrlError as err:
        raise BuiltinError(f"x509: cannot parse URI {go_quote(text)}: {err}") from None
    if not domain_is_valid(url.host, constraint=False):
        raise BuiltinError(f"x509: cannot parse URI {go_quote(text)}: invalid domain")
    return url


def _address(content: bytes) -> str:
    if len(content) not in (4, 16):
        raise BuiltinError(f"x509: cannot parse IP address of length {len(content)}")
    address = ip_address(content)
    return str(getattr(address, "ipv4_mapped", None) or address)


def domain_is_valid(name: str, *, constraint: bool) -> bool:
    """Whether Go takes the text for a domain; a constraint may begin with a dot."""
    if not name:
        return True
    labels = name[1:] if constraint and name[0] == "." else name
    return all("!" <= c <= "~" for c in labels) and all(labels.split("."))


def _subject_names(cert: Certificate, extension: dict[str, Any]) -> bool:
    names = alternative_names(extension["Value"])
    cert.update(names)
    return any(found is not None for found in names.values())


def _name_constraints(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid NameConstraints extension"):
        content = Reader(extension["Value"])
        subtrees = content.into()
        permitted = subtrees.optional(der.context(0, constructed=True))
        excluded = subtrees.optional(der.context(1, constructed=True))
        if content or subtrees:
            raise DerError
        if not any(part is not None and part.content for part in (permitted, excluded)):
            raise BuiltinError("x509: empty name constraints extension")
        handled = True
        for word, part in (("Permitted", permitted), ("Excluded", excluded)):
            if part is not None:
                handled &= _subtrees(cert, word, Reader(part.content))
    cert["PermittedDNSDomainsCritical"] = extension["Critical"]
    return handled


def _subtrees(cert: Certificate, word: str, content: Reader) -> bool:
    """Add the subtrees to the ``Permitted…`` or ``Excluded…`` fields; whether all are known."""
    handled = True
    while content:
        element = content.into().take()
        if element.tag == _DNS:
            field, value = "DNSDomains", _domain_constraint(element.content, "dnsName")
        elif element.tag == _IP:
            field, value = "IPRanges", _ip_constraint(element.content)
        elif element.tag == _EMAIL:
            field, value = "EmailAddresses", _email_constraint(element.content)
        elif element.tag == _URI:
            field, value = "URIDomains", _domain_constraint(element.content, "URI")
        else:
            handled = False
            continue
        cert[word + field] = [*(cert[word + field] or ()), value]
    return handled


def _domain_constraint(content: bytes, kind: str) -> Any:
    text = _ia5(content, "x509: invalid constraint value")
    if not domain_is_valid(text, constraint=True):
        raise BuiltinError(f"x509: failed to parse {kind} constraint {go_quote(text)}")
    return text


def _email_constraint(content: bytes) -> Any:
    text = _ia5(content, "x509: invalid constraint value")
    local, at, domain = text.rpartition("@")
    if not domain_is_valid(domain, constraint=not at) or (at and not (local and domain)):
        raise BuiltinError(f"x509: failed to parse rfc822Name constraint {go_quote(text)}")
    return text


def _ip_constraint(content: bytes) -> Any:
    if len(content) not in (8, 32):
        raise BuiltinError(f"x509: IP constraint contained value of length {len(content)}")
    address, mask = content[: len(content) // 2], content[len(content) // 2 :]
    bits = int.from_bytes(mask)
    inverted = bits ^ ((1 << (len(mask) * 8)) - 1)
    if inverted & (inverted + 1):
        raise BuiltinError(f"x509: IP constraint contained invalid mask {mask.hex()}")
    return {"IP": _address(address), "Mask": mask}


def _distribution_points(cert: Certificate, extension: dict[str, Any]) -> bool:
    found: list[str] = []
    with saying("x509: invalid CRL distribution points"):
        points = Reader(extension["Value"]).into()
    with saying("x509: invalid CRL distribution point"):
        while points:
            point = points.into()
            name = point.optional(der.context(0, constructed=True))
            if name is None:
                continue
            names = Reader(name.content).into(der.context(0, constructed=True))
            while names.tag == _URI:
                found.append(names.take().content.decode("utf-8", "surrogateescape"))
    cert["CRLDistributionPoints"] = found or None
    return True


def _authority_key(cert: Certificate, extension: dict[str, Any]) -> bool:
    if extension["Critical"]:
        raise BuiltinError("x509: authority key identifier incorrectly marked critical")
    with saying("x509: invalid authority key identifier"):
        identifier = Reader(extension["Value"]).into().optional(der.context(0))
    cert["AuthorityKeyId"] = None if identifier is None else identifier.content
    return True


def _subject_key(cert: Certificate, extension: dict[str, Any]) -> bool:
    if extension["Critical"]:
        raise BuiltinError("x509: subject key identifier incorrectly marked critical")
    with saying("x509: invalid subject key identifier"):
        cert["SubjectKeyId"] = Reader(extension["Value"]).take(der.OCTET_STRING).content
    return True


def _policy_constraints(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid policy constraints extension"):
        content = Reader(extension["Value"]).into()
        for number, field in ((0, "RequireExplicitPolicy"), (1, "InhibitPolicyMapping")):
            if content.tag == der.context(number):
                cert[field] = content.integer(der.context(number))
                cert[field + "Zero"] = cert[field] == 0
    return True


def _extended_key_usage(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid extended key usages"):
        content = Reader(extension["Value"]).into()
        while content:
            oid = content.oid()
            if oid in _KEY_USAGES:
                cert["ExtKeyUsage"] = [*(cert["ExtKeyUsage"] or ()), _KEY_USAGES[oid]]
            else:
                cert["UnknownExtKeyUsage"] = [*(cert["UnknownExtKeyUsage"] or ()), list(oid)]
    return True


def _policies(cert: Certificate, extension: dict[str, Any]) -> bool:
    found: list[tuple[int, ...]] = []
    with saying("x509: invalid certificate policies"):
        content = Reader(extension["Value"]).into()
        while content:
            oid = content.into().oid()
            if oid in found:
                raise DerError
            found.append(oid)
    cert["Policies"] = [der.dotted(oid) for oid in found] or None
    cert["PolicyIdentifiers"] = [list(oid) for oid in found]
    return True


def _policy_mappings(cert: Certificate, extension: dict[str, Any]) -> bool:
    found: list[dict[str, str]] = []
    with saying("x509: invalid policy mappings extension"):
        content = Reader(extension["Value"]).into()
        while content:
            pair = content.into()
            issuer, subject = der.dotted(pair.oid()), der.dotted(pair.oid())
            found.append({"IssuerDomainPolicy": issuer, "SubjectDomainPolicy": subject})
    cert["PolicyMappings"] = found or None
    return True


def _inhibit_any_policy(cert: Certificate, extension: dict[str, Any]) -> bool:
    with saying("x509: invalid inhibit any policy extension"):
        cert["InhibitAnyPolicy"] = Reader(extension["Value"]).integer()
    cert["InhibitAnyPolicyZero"] = cert["InhibitAnyPolicy"] == 0
    return True


def _authority_info_access(cert: Certificate, extension: dict[str, Any]) -> bool:
    if extension["Critical"]:
        raise BuiltinError("x509: authority info access incorrectly marked critical")
    fields: dict[tuple[int, ...], str] = {_OCSP: "OCSPServer", _ISSUERS: "IssuingCertificateURL"}
    with saying("x509: invalid authority info access"):
        content = Reader(extension["Value"]).into()
        while content:
            access = content.into()
            field = fields.get(access.oid())
            location = access.optional(_URI)
            if field and location is not None:
                text = location.content.decode("utf-8", "surrogateescape")
                cert[field] = [*(cert[field] or ()), text]
    return True


_READERS: Final[dict[tuple[int, ...], Callable[[Certificate, dict[str, Any]], bool]]] = {
    (2, 5, 29, 14): _subject_key,
    (2, 5, 29, 15): _key_usage,
    (2, 5, 29, 17): _subject_names,
    (2, 5, 29, 19): _basic_constraints,
    (2, 5, 29, 30): _name_constraints,
    (2, 5, 29, 31): _distribution_points,
    (2, 5, 29, 32): _policies,
    (2, 5, 29, 33): _policy_mappings,
    (2, 5, 29, 35): _authority_key,
    (2, 5, 29, 36): _policy_constraints,
    (2, 5, 29, 37): _extended_key_usage,
    (2, 5, 29, 54): _inhibit_any_policy,
    _AUTHORITY_INFO_ACCESS: _authority_info_access,
}
