"""Certificate chains: consumes a root, intermediates and a leaf, produces the chain that holds.

The rules are those of Go's ``x509.Certificate.Verify`` with one root.  A chain in which
a certificate demands explicit policies (RFC 5280 §4.2.1.11) is not accepted, because
policies are not evaluated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from adjudge.rego.builtins import keys
from adjudge.rego.builtins.cert_extensions import Certificate, domain_is_valid
from adjudge.rego.builtins.registry import BuiltinError

ANY_USAGE: Final = 0
_SERVER_AUTH: Final = 1
_CERT_SIGN: Final = 1 << 5
_MAX_SIGNATURE_CHECKS: Final = 100
_SUBJECT_NAMES: Final = [2, 5, 29, 17]

# Go's number of the algorithm -> the hash; MD5 and SHA-1 are too weak for a chain.
_RSA: Final = {4: hashes.SHA256(), 5: hashes.SHA384(), 6: hashes.SHA512()}
_RSA_PSS: Final = {13: hashes.SHA256(), 14: hashes.SHA384(), 15: hashes.SHA512()}
_ECDSA: Final = {10: hashes.SHA256(), 11: hashes.SHA384(), 12: hashes.SHA512()}
_ED25519: Final = 16


@dataclass(frozen=True)
class Wanted:
    """What the chain must be good for: a time, a name if any, and one of some key usages."""

    at: datetime
    dns_name: str = ""
    usages: Sequence[int] = field(default=(_SERVER_AUTH,))


def moment(ns: int) -> datetime:
    """The time of nanoseconds since the epoch, to the second below."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 1_000_000_000)


def verified_chain(certificates: list[Certificate], wanted: Wanted) -> list[Certificate] | None:
    """The chain from the last certificate to the first, or None if none holds.

    The first is the root, the last the leaf, the others may stand between them.
    """
    root, *between, leaf = certificates
    if not _is_valid(leaf, [], wanted, intermediate=False):
        return None
    if wanted.dns_name and not _has_name(leaf, wanted.dns_name):
        return None
    if leaf["Raw"] == root["Raw"]:
        chains = [[leaf]]
    else:
        chains = []
        _Search(root, between, wanted, chains).extend([leaf])
    for chain in chains:
        if _demands_no_policy(chain) and _has_usage(chain, wanted.usages) and _names_allowed(chain):
            return chain
    return None


class _Search:
    """Collects the chains that can be built; gives up after too many signature checks."""

    def __init__(
        self,
        root: Certificate,
        between: list[Certificate],
        wanted: Wanted,
        chains: list[list[Certificate]],
    ) -> None:
        self._root = root
        self._between = between
        self._wanted = wanted
        self._chains = chains
        self._checks = 0

    def extend(self, chain: list[Certificate]) -> None:
        """Add every chain that continues this one."""
        child = chain[-1]
        if self._is_parent(self._root, chain, intermediate=False):
            self._chains.append([*chain, self._root])
        candidates = [c for c in self._between if c["RawSubject"] == child["RawIssuer"]]
        for candidate in sorted(candidates, key=lambda c: _key_distance(c, child)):
            if self._is_parent(candidate, chain, intermediate=True):
                self.extend([*chain, candidate])

    def _is_parent(
        self, candidate: Certificate, chain: list[Certificate], *, intermediate: bool
    ) -> bool:
        child = chain[-1]
        if candidate["RawSubject"] != child["RawIssuer"]:
            return False
        self._checks += 1
        if self._checks > _MAX_SIGNATURE_CHECKS or candidate["PublicKey"] is None:
            return False
        if any(_is_same_entity(candidate, c) for c in chain):
            return False
        return _signed(child, candidate) and _is_valid(
            candidate, chain, self._wanted, intermediate=intermediate
        )


def _key_distance(candidate: Certificate, child: Certificate) -> int:
    """0 where the key identifiers match, 1 where only one is known, 2 where they differ."""
    subject, authority = candidate["SubjectKeyId"] or b"", child["AuthorityKeyId"] or b""
    if subject == authority:
        return 0
    return 2 if subject and authority else 1


def _extension(cert: Certificate, oid: list[int]) -> bytes | None:
    for extension in cert["Extensions"] or ():
        if extension["Id"] == oid:
            value: bytes = extension["Value"]
            return value
    return None


def _is_same_entity(a: Certificate, b: Certificate) -> bool:
    same = ("RawSubject", "RawSubjectPublicKeyInfo")
    return all(a[f] == b[f] for f in same) and (
        _extension(a, _SUBJECT_NAMES) == _extension(b, _SUBJECT_NAMES)
    )


def _signed(child: Certificate, parent: Certificate) -> bool:
    """Whether the parent may sign certificates and signed the child."""
    if parent["BasicConstraintsValid"]:
        if not parent["IsCA"]:
            return False
    elif parent["Version"] == 3:
        return False
    if parent["KeyUsage"] and not parent["KeyUsage"] & _CERT_SIGN:
        return False
    try:
        key = keys.public_key(parent["RawSubjectPublicKeyInfo"])
        return _verify(key, child)
    except (BuiltinError, InvalidSignature, ValueError):
        return False


def _verify(key: Any, child: Certificate) -> bool:
    algorithm, signature, signed = (
        child[f] for f in ("SignatureAlgorithm", "Signature", "RawTBSCertificate")
    )
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA:
        key.verify(signature, signed, padding.PKCS1v15(), _RSA[algorithm])
    elif isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA_PSS:
        digest = _RSA_PSS[algorithm]
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.verify(signature, signed, pss, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA:
        key.verify(signature, signed, ec.ECDSA(_ECDSA[algorithm]))
    elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm == _ED25519:
        key.verify(signature, signed)
    else:
        return False
    return True


def _is_valid(
    cert: Certificate, chain: list[Certificate], wanted: Wanted, *, intermediate: bool
) -> bool:
    """Whether the certificate may stand above the chain at the wanted time."""
    if cert["UnhandledCriticalExtensions"]:
        return False
    if not cert["NotBefore"] <= wanted.at <= cert["NotAfter"]:
        return False
    if intermediate and not (cert["BasicConstraintsValid"] and cert["IsCA"]):
        return False
    if cert["BasicConstraintsValid"] and cert["MaxPathLen"] >= 0:
        length: int = cert["MaxPathLen"]
        return len(chain) - 1 <= length
    return True


def _demands_no_policy(chain: list[Certificate]) -> bool:
    return not any(c["RequireExplicitPolicy"] or c["RequireExplicitPolicyZero"] for c in chain)


def _has_usage(chain: list[Certificate], usages: Sequence[int]) -> bool:
    """Whether one of the usages is allowed by every certificate that restricts usages."""
    if ANY_USAGE in usages:
        return True
    left = set(usages)
    for cert in chain:
        named = cert["ExtKeyUsage"] or ()
        if (named or cert["UnknownExtKeyUsage"]) and ANY_USAGE not in named:
            left &= set(named)
    return bool(left)


# -- names ---------------------------------------------------------------------------


def _has_name(leaf: Certificate, name: str) -> bool:
    """Whether the certificate is for a host name or an address."""
    bare = name[1:-1] if len(name) >= 3 and name[0] == "[" and name[-1] == "]" else name
    try:
        address = ip_address(bare)
    except ValueError:
        pass
    else:
        mapped = getattr(address, "ipv4_mapped", None) or address
        return str(mapped) in (leaf["IPAddresses"] or ())
    host = _lower(name)
    parts = host.removesuffix(".").split(".")
    return any(_name_matches(_lower(p), host, parts) for p in leaf["DNSNames"] or ())


def _lower(text: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def _name_matches(pattern: str, host: str, parts: list[str]) -> bool:
    labels = pattern.split(".")
    if not (_is_host(labels, pattern=True) and _is_host(parts, pattern=False)):
        # Only an exact match, and none with a dot at the end, between odd names.
        return bool(host) and host != "." and pattern == host
    if len(labels) != len(parts):
        return False
    return labels[1:] == parts[1:] and labels[0] in ("*", parts[0])


def _is_host(labels: list[str], *, pattern: bool) -> bool:
    if labels == ["*"]:
        return False
    for index, label in enumerate(labels):
        if pattern and index == 0 and label == "*":
            continue
        plain = label.replace("-", "").replace("_", "")
        if not label or label[0] == "-" or not (plain.isascii() and (not plain or plain.isalnum())):
            return False
    return True


def _names_allowed(chain: list[Certificate]) -> bool:
    """Whether every certificate keeps to the name constraints of those above it."""
    for index, cert in enumerate(chain):
        above = chain[index + 1 :]
        if _extension(cert, _SUBJECT_NAMES) is not None:
            if not all(_keeps_to(cert, limits) for limits in above):
                return False
    return True


def _keeps_to(cert: Certificate, limits: Certificate) -> bool:
    if _extension(limits, [2, 5, 29, 30]) is None:
        return True
    for address in cert["IPAddresses"] or ():
        if not _allowed(limits, "IPRanges", address, _in_range):
            return False
    for name in cert["DNSNames"] or ():
        if not domain_is_valid(name, constraint=False):
            return False
        if not _allowed(limits, "DNSDomains", name, _in_domain):
            return False
    for url in cert["URIs"] or ():
        host = url.host.lower().partition(":")[0]
        if not host or host.startswith("[") or _is_address(host):
            return False
        if not _allowed(limits, "URIDomains", host, _in_domain):
            return False
    for email in cert["EmailAddresses"] or ():
        local, at, domain = email.rpartition("@")
        if not (local and at and domain_is_valid(domain, constraint=False)):
            return False
        if not _allowed(limits, "EmailAddresses", email, _is_mailbox_of):
            return False
    return True


def _allowed(limits: Certificate, kind: str, value: str, matches: Any) -> bool:
    permitted, excluded = limits["Permitted" + kind], limits["Excluded" + kind]
    if permitted is not None and not any(matches(value, p, False) for p in permitted):
        return False
    return not any(matches(value, e, True) for e in excluded or ())


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _in_range(address: str, limit: dict[str, Any], excluded: bool) -> bool:
    length = bin(int.from_bytes(limit["Mask"])).count("1")
    network = ip_network(f"{limit['IP']}/{length}", strict=False)
    return ip_address(address) in network


def _in_domain(name: str, limit: str, excluded: bool) -> bool:
    """Whether the name is the domain or below it; a limit that begins with a dot is only above.

    An excluded domain also excludes the wildcard that covers it.
    """
    name, limit = name.lower(), limit.lower()
    if not limit or name == limit or name.endswith(limit if limit[0] == "." else f".{limit}"):
        return True
    if excluded and name.startswith("*."):
        return limit.partition(".")[2] == name[2:]
    return False


def _is_mailbox_of(email: str, limit: str, excluded: bool) -> bool:
    if "@" in limit:
        local, _, domain = email.rpartition("@")
        limit_local, _, limit_domain = limit.rpartition("@")
        return local == limit_local and domain.lower() == limit_domain.lower()
    return _in_domain(email.rpartition("@")[2], limit, excluded)
