"""``net.*``: consume addresses and CIDRs as texts; produce truths, sets of addresses and CIDRs.

The rules are those of Go's ``net`` package.  Addresses are numbers of 128 bits, IPv4
standing in ``::ffff:0:0/96``; a network written in there is an IPv4 network.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple

from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_string,
)
from adjudge.rego.runtime.values import RegoSet, Value, sorted_items, type_name

_V4_FIRST: Final = 0xFFFF << 32
_V4_LAST: Final = _V4_FIRST + (1 << 32) - 1
_ELEMENT: Final = "element must be string or non-empty array"
_LOOPBACK: Final = ("127.0.0.1", "::1")


def _is_v4(address: int) -> bool:
    return _V4_FIRST <= address <= _V4_LAST


def _address_text(address: int) -> str:
    if _is_v4(address):
        return str(IPv4Address(address - _V4_FIRST))
    return str(IPv6Address(address))


class _Network(NamedTuple):
    """A network; ``prefix`` counts from the left of 128 bits, also for IPv4."""

    first: int
    prefix: int

    @property
    def last(self) -> int:
        return self.first | ((1 << (128 - self.prefix)) - 1)

    def contains(self, first: int, last: int) -> bool:
        """Whether all addresses from ``first`` to ``last`` are in; IPv6 has no IPv4 in it."""
        same_family = _is_v4(first) == _is_v4(self.first)
        return same_family and self.first <= first and last <= self.last


def _parse_ip(text: str) -> int | None:
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return int(address) + (_V4_FIRST if address.version == 4 else 0)


def _parse_cidr(text: str) -> _Network:
    head, slash, digits = text.rpartition("/")
    address = _parse_ip(head) if slash else None
    if address is not None and digits.isascii() and digits.isdigit():
        bits = 128 if ":" in head else 32
        significant = digits.lstrip("0") or "0"
        if len(significant) <= 3 and int(significant) <= bits:
            prefix = int(significant) + 128 - bits
            return _Network(address >> (128 - prefix) << (128 - prefix), prefix)
    raise BuiltinError(f"invalid CIDR address: {text}")


def _contains(network: _Network, text: str) -> bool:
    """Whether an address, or else all of a network, is in the network."""
    address = _parse_ip(text)
    if address is not None:
        return network.contains(address, address)
    try:
        other = _parse_cidr(text)
    except BuiltinError:
        raise BuiltinError(
            f"not a valid textual representation of an IP address or CIDR: {text}"
        ) from None
    return network.contains(other.first, other.last)


@builtin("net.cidr_contains")
def cidr_contains(cidr: Value, cidr_or_ip: Value) -> Value:
    """Whether the second operand, an address or a CIDR, lies within the first."""
    network = _parse_cidr(want_string(cidr, 1))
    return _contains(network, want_string(cidr_or_ip, 1))


@builtin("net.cidr_overlap")
def cidr_overlap(cidr: Value, cidr_or_ip: Value) -> Value:
    """The deprecated name of ``net.cidr_contains``."""
    return cidr_contains(cidr, cidr_or_ip)


@builtin("net.cidr_intersects")
def cidr_intersects(cidr1: Value, cidr2: Value) -> Value:
    """Whether two networks have an address in common."""
    a = _parse_cidr(want_string(cidr1, 1))
    b = _parse_cidr(want_string(cidr2, 1))
    return a.contains(b.first, b.first) or b.contains(a.first, a.first)


@builtin("net.cidr_is_valid")
def cidr_is_valid(cidr: Value) -> Value:
    """Whether the operand is a CIDR."""
    if not isinstance(cidr, str):
        return False
    try:
        _parse_cidr(cidr)
    except BuiltinError:
        return False
    return True


@builtin("net.cidr_expand", context=True)
def cidr_expand(ctx: BuiltinContext, cidr: Value) -> Value:
    """The set of all addresses of a network."""
    network = _parse_cidr(want_string(cidr, 1))
    size = 1 << (128 - network.prefix)
    if size > ctx.max_size:
        raise BuiltinError(f"a network of {size} addresses is too large to expand", halt=True)
    ctx.charge(size)
    return RegoSet(_address_text(a) for a in range(network.first, network.last + 1))


def _match_text(element: Value, operand: int) -> Value:
    if isinstance(element, str):
        return element
    if element.__class__ is list and element:
        return element[0]
    raise BuiltinError(f"operand {operand}: {_ELEMENT}")


def _match_entries(value: Value, operand: int) -> Iterator[tuple[Value, Value]]:
    """(CIDR or address, what to report it by) of an operand of ``cidr_contains_matches``."""
    kind = type_name(value)
    if kind == "string":
        yield value, value
    elif kind == "array":
        for index, element in enumerate(value):
            yield _match_text(element, operand), index
    elif kind == "set":
        for element in value:
            yield _match_text(element, operand), element
    elif kind == "object":
        for key, element in sorted_items(value):
            yield _match_text(element, operand), key


@builtin("net.cidr_contains_matches", context=True)
def cidr_contains_matches(ctx: BuiltinContext, cidrs: Value, cidrs_or_ips: Value) -> Value:
    """The set of pairs of (key in the first operand, key in the second) where the first
    contains the second."""
    found: list[Value] = []
    for cidr, key in _match_entries(cidrs, 1):
        network: _Network | None = None
        for other, other_key in _match_entries(cidrs_or_ips, 2):
            ctx.charge(1)
            if network is None:
                network = _parse_cidr(want_string(cidr, 1))
            if _contains(network, want_string(other, 1)):
                found.append([key, other_key])
    return RegoSet(found)


# -- merging -------------------------------------------------------------------------


class _Range(NamedTuple):
    """Addresses from ``first`` to ``last``; ``text`` unless it came from a merge."""

    last: int
    first: int
    text: str | None


def _merge_operand(element: Value) -> _Range:
    if not isinstance(element, str):
        raise BuiltinError("element must be string")
    address = _parse_ip(element)
    if address is None:
        network = _parse_cidr(element)
        length = network.prefix - 96 if _is_v4(network.first) else network.prefix
        return _Range(network.last, network.first, f"{_address_text(network.first)}/{length}")
    if not _is_v4(address):
        raise BuiltinError("IPv6 invalid: needs prefix length")
    # An address without a length has that of its class, and is shown as it was written.
    number = address - _V4_FIRST
    length = 8 if number < 128 << 24 else 16 if number < 192 << 24 else 24
    mask = (1 << (32 - length)) - 1
    return _Range(address | mask, address & ~mask, f"{_address_text(address)}/{length}")


def _range_to_cidrs(first: int, last: int) -> Iterator[str]:
    """The fewest networks that are exactly the range."""
    offset = 96 if _is_v4(first) and _is_v4(last) else 0
    while first <= last:
        size = (first & -first) or 1 << 128
        size = min(size, 1 << ((last - first + 1).bit_length() - 1))
        prefix = 128 - (size.bit_length() - 1)
        yield f"{_address_text(first)}/{prefix - offset}"
        first += size


@builtin("net.cidr_merge", context=True)
def cidr_merge(ctx: BuiltinContext, addrs: Value) -> Value:
    """The fewest networks that cover the given networks and addresses, as a set."""
    if type_name(addrs) not in ("array", "set"):
        raise BuiltinError("operand must be an array")
    ctx.charge(len(addrs))
    merged: list[_Range] = []
    # From the last address down: what touches or overlaps the range at hand extends it.
    for item in sorted((_merge_operand(e) for e in addrs), key=lambda r: r[:2], reverse=True):
        if merged and _precedes(item, merged[-1]):
            merged[-1] = _Range(merged[-1].last, min(item.first, merged[-1].first), None)
        else:
            merged.append(item)
    texts: list[str] = []
    for item in merged:
        if item.text is not None:
            texts.append(item.text)
        else:
            texts.extend(_range_to_cidrs(item.first, item.last))
    return RegoSet(texts)


def _precedes(item: _Range, following: _Range) -> bool:
    """Whether no address lies between; the first IPv4 address has nothing before it."""
    before = following.first
    if before not in (0, _V4_FIRST):
        before -= 1
    return before <= item.last


# -- names ---------------------------------------------------------------------------


@builtin("net.lookup_ip_addr", context=True, nondeterministic=True)
def lookup_ip_addr(ctx: BuiltinContext, name: Value) -> Value:
    """The set of addresses of a name.

    An address stands for itself and ``localhost`` for the loopback (RFC 6761).  Any
    other name needs the host's ``resolver``: a callable from a name to address texts,
    which raises OSError if there are none.  Without it the evaluation ends.
    """
    text = want_string(name, 1)
    address = _parse_ip(text)
    if address is not None:
        return RegoSet([_address_text(address)])
    if text.lower().rstrip(".") == "localhost":
        return RegoSet(_LOOPBACK)
    resolver: Any = ctx.service("resolver")
    if resolver is None:
        raise BuiltinError("withheld: policies may not look up names here", halt=True)
    key = ("net.lookup_ip_addr", text)
    if key not in ctx.cache:
        try:
            ctx.cache[key] = RegoSet(resolver(text))
        except OSError:
            raise BuiltinError(f"lookup {text}: no such host") from None
    return ctx.cache[key]
