"""Credentials, internal hosts and personal data in text: a text in, kinds and offsets out.

Patterns for the well-known shapes, and checksums or entropy where a shape alone says too
little.  Every pattern is bounded, so that the work is linear in the text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_FOUND: Final = 1000
"""Findings of one scan; what comes after them is not reported."""


class Found(NamedTuple):
    """A finding: its kind, the offsets it takes, and whether it is recognisably made up."""

    kind: str
    start: int
    end: int
    synthetic: bool = False


# --- credentials ------------------------------------------------------------------------------

_KEY_START = r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
# The group "secret" is the credential itself, where the match holds more than that.
_SECRETS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "private_key",
            rf"{_KEY_START}(?s:.{{0,16384}}?)-----END (?:[A-Z]{{2,12}} ){{0,3}}PRIVATE KEY"
            r"(?: BLOCK)?-----"
            rf"|{_KEY_START}(?:(?:\\n|\s){{0,4}}[A-Za-z0-9+/=]{{16,100}}){{0,300}}",
        ),
        ("aws_access_key", r"(?<![A-Z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}(?![A-Z0-9])"),
        ("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
        ("gitlab_token", r"\bglpat-[A-Za-z0-9_-]{20,64}"),
        ("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}"),
        ("slack_webhook", r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,100})"),
        ("google_api_key", r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
        ("azure_storage_key", r"\bAccountKey=(?P<secret>[A-Za-z0-9+/]{80,100}={0,2})"),
        ("model_api_key", r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,250}"),
        ("huggingface_token", r"\bhf_[A-Za-z0-9]{30,64}\b"),
        ("stripe_key", r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,128}"),
        ("npm_token", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi_token", r"\bpypi-[A-Za-z0-9_-]{50,250}"),
        ("sendgrid_key", r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
        ("jwt", r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}"),
        ("bearer_token", r"(?i:\bbearer)\s{1,4}(?P<secret>[A-Za-z0-9._~+/-]{20,2000}={0,2})"),
        ("url_password", r"://[^\s/:@'\"]{1,64}:(?P<secret>[^\s/:@'\"{}<$]{3,128})@"),
    )
)
_ASSIGNMENT: Final = re.compile(
    r"(?i:(?P<key>api[_-]?key|secret(?:[_-]?key)?|access[_-]?key|client[_-]?secret"
    r"|(?:auth|access|refresh)?[_-]?token|credentials?|passw(?:or)?d|passphrase|pwd))"
    r"[\"'`]{0,2}\s{0,4}(?::|=|\bis\b)\s{0,4}[\"'`]{0,2}(?P<secret>[^\s\"'`,;<>{}()$]{6,250})"
)
_NOT_SECRET: Final = re.compile(
    r"(?i)your|example|placeholder|change_?me|redacted|x{4}|\*{3}|\.{3}|dummy|sample"
)
_PASSWORD: Final = re.compile(r"(?i)pass|pwd")


def find_secrets(text: str) -> list[Found]:
    """The credentials in ``text`` in order; where two overlap, the first kind counts."""
    found: list[Found] = []
    for kind, pattern in _SECRETS:
        for match in pattern.finditer(text):
            group = "secret" if "secret" in match.groupdict() else 0
            found.append(Found(kind, match.start(group), match.end(group)))
            if len(found) > MAX_FOUND:
                break
    found.extend(
        Found("assigned_secret", match.start("secret"), match.end("secret"))
        for match in _ASSIGNMENT.finditer(text)
        if _is_secret_value(match["key"], match["secret"])
    )
    return _without_overlaps(found)


def _is_secret_value(key: str, value: str) -> bool:
    """Whether an assigned value looks chosen at random, or like a password."""
    value = value.rstrip(".:")
    if _NOT_SECRET.search(value):
        return False
    has_digit = any(c.isdigit() for c in value)
    has_other = any(not c.isdigit() for c in value)
    if not (has_digit and has_other):
        return False
    if _PASSWORD.search(key):
        return len(value) >= 6
    return len(value) >= 16 and entropy(value) >= 3.3


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(text)
    counts = Counter(text).values()
    return -sum(n / total * math.log2(n / total) for n in counts) if total else 0.0


def _without_overlaps(found: list[Found]) -> list[Found]:
    order = sorted(range(len(found)), key=lambda i: (found[i].start, i))
    kept: list[Found] = []
    for index in order:
        if not kept or found[index].start >= kept[-1].end:
            kept.append(found[index])
    return kept[:MAX_FOUND]


def preview(secret: str) -> str:
    """At most four characters of a credential, and never more than a quarter of it."""
    return secret[: min(4, len(secret) // 4)].replace("\n", " ") + "****"


# --- hosts ------------------------------------------------------------------------------------

_HOST: Final = re.compile(
    r"(?<![\w.-])(?:(?P<scheme>[a-z][a-z0-9+.-]{1,12}://)(?:[^\s/@]{1,128}@)?)?"
    r"(?P<host>(?:[A-Za-z0-9_-]{1,63}\.){0,8}[A-Za-z0-9_-]{1,63})(?![\w-])"
)
_PRIVATE_IP: Final = re.compile(
    r"(?:10\.[0-9]{1,3}|192\.168|172\.(?:1[6-9]|2[0-9]|3[01])|127\.[0-9]{1,3}|169\.254)"
    r"\.[0-9]{1,3}\.[0-9]{1,3}\Z"
)
_INTERNAL_SUFFIX: Final = (
    ".internal",
    ".intranet",
    ".corp",
    ".lan",
    ".cluster.local",
    ".home.arpa",
)
_INTERNAL_IN_URL: Final = (".local", ".svc", ".private", ".localdomain")


def find_internal_hosts(text: str) -> list[Found]:
    """Hosts that only insiders reach: private addresses, ``localhost``, internal domains,
    and names without a dot in a URL."""
    found = []
    for match in _HOST.finditer(text):
        host = match["host"].lower()
        if _is_internal(host, bool(match["scheme"])):
            found.append(Found("host", match.start("host"), match.end("host")))
            if len(found) >= MAX_FOUND:
                break
    return found


def _is_internal(host: str, in_url: bool) -> bool:
    if host.endswith(_INTERNAL_SUFFIX) or host == "localhost":
        return True
    if "." not in host:
        return in_url
    return bool(_PRIVATE_IP.match(host)) or (in_url and host.endswith(_INTERNAL_IN_URL))


# --- personal data ----------------------------------------------------------------------------

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})\b"
)
_RESERVED: Final = re.compile(r"(?i)(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid)\Z")
_PHONE: Final = re.compile(
    r"(?<![\w.+-])(?:\+[0-9][0-9 ().-]{7,18}[0-9]"
    r"|(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4})(?![\w-])"
)
_MADE_UP_PHONE: Final = re.compile(r"555[^0-9]{0,2}01[0-9]{2}\Z")
_SSN: Final = re.compile(
    r"(?<![\w-])(?!000|666|9[0-9]{2})[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])"
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_CARD: Final = re.compile(r"(?<![\w-])[3-6](?:[ -]?[0-9]){12,18}(?![\w-])")
# Numbers published as examples by those who issue them.
_SPECIMENS_TEXT: Final = """
123-45-6789 078-05-1120 219-09-9999 DE89370400440532013000 GB82WEST12345698765432
GB29NWBK60161331926819 FR1420041010050500013M02606 NL91ABNA0417164300 4111111111111111
4242424242424242 4012888888881881 4000056655665556 5555555555554444 5105105105105100
2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424
30569309025904 38520000023237 3530111333300000
"""
_SPECIMENS: Final = frozenset(_SPECIMENS_TEXT.split())


def find_personal(text: str) -> list[Found]:
    """What looks like personal data in ``text``, in order."""
    found = _without_overlaps([*_ibans(text), *_cards(text), *_ssns(text), *_phones(text)])
    emails = (
        Found("email", m.start(), m.end(), bool(_RESERVED.search(m["domain"])))
        for m in _EMAIL.finditer(text)
    )
    return sorted([*found, *emails], key=lambda f: f.start)[:MAX_FOUND]


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        number = match[0].replace(" ", "")
        digits = "".join(str(int(c, 36)) for c in number[4:] + number[:4])
        if 15 <= len(number) <= 34 and int(digits) % 97 == 1:
            yield Found("iban", match.start(), match.end(), number in _SPECIMENS)


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        number = re.sub("[ -]", "", match[0])
        if _luhn(number) and len(set(number)) > 1:
            yield Found("credit_card", match.start(), match.end(), number in _SPECIMENS)


def _luhn(number: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _ssns(text: str) -> Iterator[Found]:
    for match in _SSN.finditer(text):
        yield Found("us_ssn", match.start(), match.end(), match[0] in _SPECIMENS)


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        if 8 <= sum(c.isdigit() for c in match[0]) <= 15:
            made_up = bool(_MADE_UP_PHONE.search(match[0]))
            yield Found("phone", match.start(), match.end(), made_up)
