"""A value a rule read in, what the record may keep of it out.

This is decided before anything is hashed or stored.  Secret-looking values are not kept
in any form: a plain digest of a short secret can be guessed.  Large values are kept as
the digest of their canonical JSON.  The guesses are deliberately simple; they protect
the record from accidents and do not replace a scan for secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from adjudge.canonical import digest_of
from adjudge.decision.model import Evidence, Source
from adjudge.decision.values import MAX_DEPTH, encode_value
from adjudge.errors import AdjudgeError

MISSING = object()
"""Stands for "nothing is there", where ``None`` is a value."""


class SecretPattern(NamedTuple):
    """A shape of secret text; ``name`` is what the record says instead."""

    name: str
    pattern: re.Pattern[str]


def _shape(name: str, pattern: str) -> SecretPattern:
    return SecretPattern(name, re.compile(pattern))


# Every repetition is bounded, so matching stays linear.  Patterns begin with their letters and
# look back afterwards: that way a line of megabytes is searched many times faster.
SECRET_PATTERNS: tuple[SecretPattern, ...] = (
    _shape("private_key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----"),
    _shape("aws_access_key", r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}\b"),
    _shape("azure_key", r"(?:Account|Access)Key=[A-Za-z0-9+/]{40,100}={0,2}"),
    _shape("google_api_key", r"AIza[0-9A-Za-z_-]{35}"),
    _shape("github_token", r"gh[pousr]_[0-9A-Za-z]{36,255}"),
    _shape("github_token", r"github_pat_[0-9A-Za-z_]{22,255}"),
    _shape("gitlab_token", r"glpat-[0-9A-Za-z_-]{20,64}\b"),
    _shape("hugging_face_token", r"hf_(?<!\whf_)[0-9A-Za-z]{30,64}\b"),
    _shape("slack_token", r"xox[abeoprs]-[0-9A-Za-z-]{10,255}"),
    _shape("stripe_key", r"[rs]k_(?:live|test)_[0-9A-Za-z]{16,255}\b"),
    _shape("model_api_key", r"sk-(?<!\wsk-)(?=[a-z_-]{0,20}[0-9A-Z])[0-9A-Za-z_-]{20,255}"),
    _shape(
        "json_web_token",
        r"eyJ[0-9A-Za-z_-]{8,2048}\.eyJ[0-9A-Za-z_-]{8,4096}\.[0-9A-Za-z_-]{0,2048}",
    ),
    _shape("authorization", r"(?i)\b(?:bearer|basic)[ \t]{1,8}[0-9A-Za-z._~+/=-]{16,4096}"),
    _shape("url_password", r"://[^\s/:@\"']{0,128}:[^\s/@\"'${}<>]{1,128}@"),
    _shape(
        "assigned_secret",
        r"(?i)\b(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?token|auth[_-]?token)"
        r"[ \t]{0,4}[=:][ \t]{0,4}[\"']?(?=[^\s\"']{0,254}[0-9])[^\s\"'${}<>\[\]]{8,255}",
    ),
)

SECRET_NAMES = frozenset(
    {
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "credential",
        "credentials",
        "token",
        "apikey",
        "authorization",
        "cookie",
    }
)
"""A member whose name ends in one of these words holds a secret."""
SECRET_PAIRS = frozenset(
    {
        "api_key",
        "access_key",
        "private_key",
        "secret_key",
        "signing_key",
        "encryption_key",
        "session_key",
        "account_key",
        "shared_key",
        "connection_string",
        "auth_header",
    }
)
"""... or in one of these pairs of words."""
PLAIN_NAMES = frozenset(
    {
        "bos_token",
        "eos_token",
        "pad_token",
        "unk_token",
        "sep_token",
        "cls_token",
        "mask_token",
        "image_token",
        "audio_token",
        "video_token",
        "stop_token",
        "start_token",
        "end_token",
        "special_token",
        "per_token",
        "next_token",
        "cost_per_token",
        "price_per_token",
    }
)
"""Names in model configurations that end like a secret and are none."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_REFERENCE = re.compile(
    r"\$\{[^{}]{1,200}\}|\{\{[^{}]{1,200}\}\}|\$[A-Z_][A-Z0-9_]{0,100}|<[^<>]{1,100}>"
)


class Recorded(NamedTuple):
    """What is kept of a value; the members are those of :class:`Evidence`."""

    recorded: Any
    value: Any = None
    redacted: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class RedactionPolicy:
    """Which values the record keeps, and in which form.

    ``max_bytes`` bounds (roughly, in characters of JSON) what is recorded by value.
    """

    max_bytes: int = 1024
    secret_names: frozenset[str] = SECRET_NAMES
    secret_pairs: frozenset[str] = SECRET_PAIRS
    plain_names: frozenset[str] = PLAIN_NAMES
    patterns: tuple[SecretPattern, ...] = SECRET_PATTERNS

    def record(self, pointer: str, value: Any) -> Recorded:
        """The form in which the value at a JSON pointer is kept.

        ``value`` is JSON-like, or :data:`MISSING`.  Never raises on data.
        """
        if value is MISSING:
            return Recorded("absent")
        if _is_secret_value(value) and any(map(self._is_secret_name, _segments(pointer))):
            return Recorded("redacted", redacted="secret_name")
        large = _is_large(value, self.max_bytes)
        if not large:
            reason = self._secret_inside(value)
            if reason:
                return Recorded("redacted", redacted=reason)
        elif isinstance(value, str):
            # One long string may be one secret (a key file), and is cheap to look at.
            reason = self.secret_in(value[:4096])
            if reason:
                return Recorded("redacted", redacted=reason)
        try:
            encoded = encode_value(value)
            if large:
                return Recorded("digest", digest=digest_of(encoded))
            return Recorded("value", value=encoded)
        except AdjudgeError as error:
            return Recorded("redacted", redacted=error.code)

    def evidence(
        self, artifact: str | None, pointer: str, value: Any, source: Source | None = None
    ) -> Evidence:
        """The evidence for one value read; the only way values should enter a record."""
        kept = self.record(pointer, value)
        return Evidence(
            artifact=artifact,
            pointer=pointer,
            recorded=kept.recorded,
            value=kept.value,
            redacted=kept.redacted,
            digest=kept.digest,
            source=source,
        )

    def details(self, value: Any) -> Any:
        """``value`` for the members ``details``, ``detail`` and ``parameters``: as it is,
        or an object that says why not."""
        if value is None:
            return None
        kept = self.record("", value)
        if kept.recorded == "value":
            return kept.value
        return {"redacted": kept.redacted} if kept.redacted else {"sha256": kept.digest}

    def secret_in(self, text: str) -> str | None:
        """The name of the first secret shape found in ``text``."""
        for name, pattern in self.patterns:
            if pattern.search(text):
                return name
        return None

    def secret_spans(self, text: str) -> list[tuple[int, int, str]]:
        """Where ``text`` has the shape of a secret: (start, end, name), apart and in order."""
        found = sorted(
            (match.start(), match.end(), name)
            for name, pattern in self.patterns
            for match in pattern.finditer(text)
        )
        spans: list[tuple[int, int, str]] = []
        for start, end, name in found:
            if spans and start < spans[-1][1]:
                before = spans[-1]
                spans[-1] = (before[0], max(before[1], end), before[2])
            else:
                spans.append((start, end, name))
        return spans

    def redact_text(self, text: str) -> str:
        """``text`` with everything that has the shape of a secret replaced by its name."""
        parts: list[str] = []
        at = 0
        for start, end, name in self.secret_spans(text):
            parts += [text[at:start], f"[redacted: {name}]"]
            at = end
        return "".join([*parts, text[at:]])

    def _is_secret_name(self, name: str) -> bool:
        words = [word.lower() for word in _WORDS.findall(name)]
        if not words or "_".join(words[-3:]) in self.plain_names:
            return False
        pair = "_".join(words[-2:])
        if pair in self.plain_names:
            return False
        return words[-1] in self.secret_names or pair in self.secret_pairs

    def _secret_inside(self, value: Any) -> str | None:
        for name, item in _members(value):
            if name is not None and _is_secret_value(item) and self._is_secret_name(name):
                return "secret_name"
            if isinstance(item, str):
                reason = self.secret_in(item)
                if reason:
                    return reason
        return None


def _segments(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _is_secret_value(value: Any) -> bool:
    """Whether a value under a secret name can be a secret: flags and references are not."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    return not (isinstance(value, str) and _REFERENCE.fullmatch(value.strip()))


def _members(value: Any) -> Iterator[tuple[str | None, Any]]:
    """The value and everything in it, each with the name of the member it stands in."""
    stack: list[tuple[str | None, Any]] = [(None, value)]
    while stack:
        name, item = stack.pop()
        yield name, item
        if isinstance(item, dict):
            stack.extend(item.items())
            stack.extend((None, key) for key in item)
        elif isinstance(item, (list, tuple)):
            stack.extend((name, child) for child in item)


def _is_large(value: Any, budget: int) -> bool:
    """Whether the JSON of ``value`` takes more than about ``budget`` characters.

    Stops as soon as it knows, so it is quick on an SBOM; depth counts as size.
    """
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        budget -= 2
        if isinstance(item, str):
            budget -= len(item)
        elif isinstance(item, (dict, list, tuple)):
            if len(item) > budget or depth > MAX_DEPTH:
                return True
            children = item.values() if isinstance(item, dict) else item
            stack.extend((child, depth + 1) for child in children)
            if isinstance(item, dict):
                budget -= sum(map(len, item))
        elif isinstance(item, int) and not isinstance(item, bool):
            budget -= item.bit_length() // 4
        if budget < 0:
            return True
    return False
