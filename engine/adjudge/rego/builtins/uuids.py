"""``uuid.*``: consume a key or the text of a UUID; produce a UUID or its properties."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinContext, builtin, want_string
from adjudge.rego.runtime.text import rego_text, utf8_bytes
from adjudge.rego.runtime.values import UNDEFINED, Value

_GROUPED: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PLAIN: Final = re.compile(r"[0-9a-fA-F]{32}")

# Hundreds of nanoseconds between the Gregorian reform, where UUID time starts, and 1970.
_UUID_EPOCH: Final = 0x01B21DD213814000
_DOMAINS: Final = ("Person", "Group", "Org")
_MAC_KINDS: Final = ("global:unicast", "global:multicast", "local:unicast", "local:multicast")


@builtin("uuid.rfc4122", context=True, nondeterministic=True)
def rfc4122(ctx: BuiltinContext, key: Value) -> Value:
    """A version 4 UUID: one for each key and seed of the evaluation."""
    message = b"uuid.rfc4122\0" + utf8_bytes(rego_text(key))
    octets = bytearray(hmac.new(ctx.seed, message, hashlib.sha256).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@builtin("uuid.parse")
def parse(uuid: Value) -> Value:
    """``version`` and ``variant`` of a UUID, and of versions 1 and 2 what is encoded in it;
    undefined if the text is none."""
    octets = _octets(want_string(uuid, 1))
    if octets is None:
        return UNDEFINED
    version = octets[6] >> 4
    found: dict[str, Any] = {"version": version, "variant": _variant(octets[8])}
    if version in (1, 2):
        found["time"] = _unix_ns(octets)
        found["nodeid"] = octets[10:].hex("-")
        found["macvariables"] = _MAC_KINDS[octets[10] & 3]
        found["clocksequence"] = int.from_bytes(octets[8:10]) & 0x3FFF
    if version == 2:
        found["id"] = int.from_bytes(octets[:4])
        domain = octets[9]
        found["domain"] = _DOMAINS[domain] if domain < 3 else f"Domain{domain}"
    return found


def _octets(text: str) -> bytes | None:
    """The 16 bytes of a UUID in any of the forms that Go's library reads.

    Braces are told by the length alone, whatever the two characters are.
    """
    size = len(utf8_bytes(text))
    if size == 32:
        return bytes.fromhex(text) if _PLAIN.fullmatch(text) else None
    if size == 45 and text[:9].lower() == "urn:uuid:":
        text = text[9:]
    elif size == 38:
        text = utf8_bytes(text)[1:37].decode("latin-1")
    elif size != 36:
        return None
    return bytes.fromhex(text.replace("-", "")) if _GROUPED.fullmatch(text) else None


def _variant(octet: int) -> str:
    if octet & 0xC0 == 0x80:
        return "RFC4122"
    if octet & 0xE0 == 0xC0:
        return "Microsoft"
    if octet & 0xE0 == 0xE0:
        return "Future"
    return "Reserved"


def _unix_ns(octets: bytes) -> int:
    low, middle = octets[:4], octets[4:6]
    high = bytes([octets[6] & 0x0F, octets[7]])
    ns = (int.from_bytes(high + middle + low) - _UUID_EPOCH) * 100
    # In 64 bits: OPA lets times far from now wrap around.
    return (ns + (1 << 63)) % (1 << 64) - (1 << 63)
