"""Licence texts as SBOMs and cards write them in, SPDX expressions with canonical ids out.

SPDX specification 2.3, annex D (licence expressions).  Ids and full names come from the SPDX
list that cyclonedx-python-lib ships; deprecated ids become their successors, so that an
allow-list needs one spelling only.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias

MAX_OPTIONS: Final = 64
"""More ways to comply than this are not listed one by one; then everything must be allowed."""

_MAX_TEXT = 4000
_MAX_DEPTH = 40
_TOKEN = re.compile(r"\s*(?:([()])|([A-Za-z0-9.:_+-]+))")
_GNU = re.compile(r"(A?GPL|LGPL|GFDL)-(\d\.\d)(\+?)", re.IGNORECASE)
_WITH = re.compile(r"GPL-([23]\.0)-with-(\w+)-exception", re.IGNORECASE)
_EXCEPTIONS = {
    "2.0": {
        "autoconf": "Autoconf-exception-2.0",
        "bison": "Bison-exception-2.2",
        "classpath": "Classpath-exception-2.0",
        "font": "Font-exception-2.0",
        "gcc": "GCC-exception-2.0",
    },
    "3.0": {"autoconf": "Autoconf-exception-3.0", "gcc": "GCC-exception-3.1"},
}
_UNSTATED = {"", "noassertion", "none"}

# How people write names that the SPDX list does not have, after _key().
_ALIASES: Final = {
    "apache": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache20": "Apache-2.0",
    "apachesoftware": "Apache-2.0",
    "apachesoftware20": "Apache-2.0",
    "apachesoftwares": "Apache-2.0",
    "al20": "Apache-2.0",
    "al2": "Apache-2.0",
    "alv2": "Apache-2.0",
    "asl20": "Apache-2.0",
    "asf20": "Apache-2.0",
    "asl2": "Apache-2.0",
    "mit": "MIT",
    "expat": "MIT",
    "bsd2": "BSD-2-Clause",
    "bsd2clause": "BSD-2-Clause",
    "2clausebsd": "BSD-2-Clause",
    "simplifiedbsd": "BSD-2-Clause",
    "freebsd": "BSD-2-Clause",
    "bsd3": "BSD-3-Clause",
    "bsd3clause": "BSD-3-Clause",
    "bsd3clausenew": "BSD-3-Clause",
    "3clausebsd": "BSD-3-Clause",
    "newbsd": "BSD-3-Clause",
    "modifiedbsd": "BSD-3-Clause",
    "revisedbsd": "BSD-3-Clause",
    "edl10": "BSD-3-Clause",
    "eclipsedistribution10": "BSD-3-Clause",
    "eclipsedistributionedl10": "BSD-3-Clause",
    "epl10": "EPL-1.0",
    "eclipsepublic10": "EPL-1.0",
    "epl20": "EPL-2.0",
    "eclipsepublic20": "EPL-2.0",
    "cddl10": "CDDL-1.0",
    "commondevelopmentanddistribution10": "CDDL-1.0",
    "commondevelopmentanddistributioncddl10": "CDDL-1.0",
    "cddl11": "CDDL-1.1",
    "commondevelopmentanddistribution11": "CDDL-1.1",
    "mpl11": "MPL-1.1",
    "mozillapublic11": "MPL-1.1",
    "mpl20": "MPL-2.0",
    "mpl2": "MPL-2.0",
    "mozillapublic20": "MPL-2.0",
    "mozillapublic20mpl20": "MPL-2.0",
    "gpl2": "GPL-2.0-only",
    "gpl20": "GPL-2.0-only",
    "gnugeneralpublic2": "GPL-2.0-only",
    "gnugeneralpublic20": "GPL-2.0-only",
    "gpl3": "GPL-3.0-only",
    "gpl30": "GPL-3.0-only",
    "gnugeneralpublic3": "GPL-3.0-only",
    "gnugeneralpublic30": "GPL-3.0-only",
    "agpl3": "AGPL-3.0-only",
    "agpl30": "AGPL-3.0-only",
    "gnuafferogeneralpublic3": "AGPL-3.0-only",
    "lgpl21": "LGPL-2.1-only",
    "gnulessergeneralpublic21": "LGPL-2.1-only",
    "lgpl3": "LGPL-3.0-only",
    "lgpl30": "LGPL-3.0-only",
    "gnulessergeneralpublic3": "LGPL-3.0-only",
    "gnulessergeneralpublic30": "LGPL-3.0-only",
    "gnugeneralpublic2withclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gnugeneralpublic2withgnuclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gnugeneralpublicgpl2withclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gnugeneralpublic2gpl2withclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "cc0": "CC0-1.0",
    "cc010": "CC0-1.0",
    "ccby40": "CC-BY-4.0",
    "ccbysa40": "CC-BY-SA-4.0",
    "unlicense": "Unlicense",
    "isc": "ISC",
    "zlib": "Zlib",
    "psf": "PSF-2.0",
    "pythonsoftwarefoundation": "PSF-2.0",
    "boost10": "BSL-1.0",
    "boostsoftware10": "BSL-1.0",
    "wtfpl": "WTFPL",
    "openrail": "LicenseRef-openrail",
}

Node: TypeAlias = "str | tuple[str, tuple[Node, ...]]"
"""A licence (with its exception), or ``("AND" | "OR", parts)``."""


@dataclass(frozen=True)
class License:
    """A licence statement: ``expression`` in canonical form, every ``ids`` in it, and the
    ``options`` a recipient has (see the facts of SBOMs)."""

    expression: str
    ids: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=8192)
def parse_license(text: str) -> License | None:
    """The licence in an id, an expression or a name; None for NOASSERTION, NONE and blanks.

    What is neither an expression of known ids nor a known name becomes ``LicenseRef-`` with the
    text made fit for an id; it is never guessed to be something else.
    """
    text = text.strip()
    if text.lower() in _UNSTATED:
        return None
    return _license(_parse(text) or _by_name(text))


@lru_cache(maxsize=8192)
def combine(texts: tuple[str, ...]) -> License | None:
    """Several statements about one thing, all of which apply; None when none states anything."""
    found = [lic.expression for t in texts if (lic := parse_license(t)) is not None]
    unique = list(dict.fromkeys(found))
    if not unique:
        return None
    parsed = tuple(_parse(e) or e for e in unique)
    return _license(parsed[0] if len(parsed) == 1 else ("AND", parsed))


def _license(node: Node) -> License:
    ids = sorted({leaf.partition(" WITH ")[0] for leaf in _leaves(node)})
    options = _options(node)
    if options is None:
        options = [tuple(sorted(set(_leaves(node))))]
    return License(_render(node), tuple(ids), tuple(dict.fromkeys(options)))


# --- expressions ------------------------------------------------------------------------------


def _parse(text: str) -> Node | None:
    """The expression, or None when it is none or names an id nobody knows."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    try:
        node, rest = _or(tokens, 0, 0)
    except _NoExpression:
        return None
    return node if rest == len(tokens) else None


class _NoExpression(Exception):
    """The text is not a licence expression."""


def _tokens(text: str) -> list[str] | None:
    if len(text) > _MAX_TEXT:
        return None
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append(match[1] or match[2])
        at = match.end()
    return tokens


def _or(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    return _joined(tokens, at, depth, "OR")


def _joined(tokens: list[str], at: int, depth: int, operator: str) -> tuple[Node, int]:
    def part(start: int) -> tuple[Node, int]:
        if operator == "OR":
            return _joined(tokens, start, depth, "AND")
        return _simple(tokens, start, depth)

    node, at = part(at)
    parts = [node]
    while at < len(tokens) and tokens[at].upper() == operator:
        node, at = part(at + 1)
        parts.append(node)
    return (parts[0] if len(parts) == 1 else (operator, tuple(parts))), at


def _simple(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    if at >= len(tokens) or depth > _MAX_DEPTH:
        raise _NoExpression
    word = tokens[at]
    if word == "(":
        node, at = _or(tokens, at + 1, depth + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise _NoExpression
        return node, at + 1
    leaf = _canonical(word)
    if leaf is None:
        raise _NoExpression
    at += 1
    if at + 1 < len(tokens) and tokens[at].upper() == "WITH":
        exception = _spdx_ids().get(tokens[at + 1].lower())
        if exception is None and not tokens[at + 1].startswith("AdditionRef-"):
            raise _NoExpression
        return f"{leaf} WITH {exception or tokens[at + 1]}", at + 2
    return leaf, at


def _canonical(token: str) -> str | None:
    """The one spelling of a licence id; None for what is no id."""
    if token.startswith(("LicenseRef-", "DocumentRef-")):
        return token
    known = _spdx_ids().get(token.lower()) or _spdx_ids().get(token.lower().removesuffix("+"))
    if known is None:
        return None
    with_exception = _WITH.fullmatch(token)
    if with_exception:
        version, kind = with_exception[1], with_exception[2].lower()
        exception = _EXCEPTIONS[version].get(kind)
        return None if exception is None else f"GPL-{version}-only WITH {exception}"
    gnu = _GNU.fullmatch(token)
    if gnu:
        later = "or-later" if gnu[3] else "only"
        return f"{gnu[1].upper()}-{gnu[2]}-{later}"
    return known + "+" if token.endswith("+") and not known.endswith("+") else known


def _render(node: Node) -> str:
    if isinstance(node, str):
        return node
    operator, parts = node
    shown = []
    for part in parts:
        inner = _render(part)
        shown.append(f"({inner})" if not isinstance(part, str) and part[0] != operator else inner)
    return f" {operator} ".join(shown)


def _leaves(node: Node) -> Iterable[str]:
    if isinstance(node, str):
        yield node
    else:
        for part in node[1]:
            yield from _leaves(part)


def _options(node: Node) -> list[tuple[str, ...]] | None:
    """The alternatives of the expression; None when they are too many."""
    if isinstance(node, str):
        return [(node,)]
    below = [_options(part) for part in node[1]]
    found: list[tuple[str, ...]] = []
    count = 0 if node[0] == "OR" else 1
    for options in below:
        if options is None:
            return None
        count = count + len(options) if node[0] == "OR" else count * len(options)
        if count > MAX_OPTIONS:
            return None
    known = [options for options in below if options is not None]
    if node[0] == "OR":
        for options in known:
            found.extend(options)
    else:
        found.extend(
            tuple(sorted({leaf for option in choice for leaf in option}))
            for choice in product(*known)
        )
    return found


# --- names ------------------------------------------------------------------------------------

_NOISE = re.compile(r"\b(?:the|licen[cs]e|licen[cs]es|version|v)\b|[^a-z0-9+]")
_VERSION = re.compile(r"\bv\.?\s*(?=\d)")


def _key(name: str) -> str:
    """A name without what people write differently: case, articles, punctuation."""
    return _NOISE.sub("", _VERSION.sub(" ", name.lower().replace("_", " ")))


def _by_name(text: str) -> Node:
    key = _key(text)
    known = _ALIASES.get(key) or _spdx_names().get(key)
    if known is not None:
        return known if " WITH " in known else (_canonical(known) or known)
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:80]
    return f"LicenseRef-{slug or 'unnamed'}"


@lru_cache(maxsize=1)
def _spdx_list() -> dict[str, object]:
    # Found without importing the library, which takes longer than reading the file.
    spec = importlib.util.find_spec("cyclonedx")
    if spec is None or not spec.submodule_search_locations:  # a declared dependency
        raise ImportError("cyclonedx-python-lib is not installed")
    path = Path(spec.submodule_search_locations[0]) / "schema/_res/spdx.SNAPSHOT.schema.json"
    value: dict[str, object] = json.loads(path.read_text("utf-8"))
    return value


@lru_cache(maxsize=1)
def _spdx_ids() -> dict[str, str]:
    """Licence and exception ids by their lower-case form."""
    ids = _spdx_list()["enum"]
    return {i.lower(): i for i in ids} if isinstance(ids, list) else {}


@lru_cache(maxsize=1)
def _spdx_names() -> dict[str, str]:
    """Ids by the key of the full name; names that several licences share are left out."""
    names = _spdx_list().get("meta:enum")
    found: dict[str, str] = {}
    shared: set[str] = set()
    for spdx_id, name in names.items() if isinstance(names, dict) else ():
        canonical = _canonical(spdx_id)
        if canonical is None:
            continue
        key = _key(name)
        if found.setdefault(key, canonical) != canonical:
            shared.add(key)
    return {key: spdx_id for key, spdx_id in found.items() if key not in shared}
