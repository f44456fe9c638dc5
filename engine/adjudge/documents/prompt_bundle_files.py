"""The files of a prompt bundle: a directory or one configuration file in, named parts out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.model import (
    FileRecord,
    Limits,
    LineIndex,
    Parsed,
    Position,
    Problem,
    file_record,
    join,
)
from adjudge.documents.reading import Source, decode_text, read_json, read_yaml, shown_name
from adjudge.errors import InputError

CONFIG_NAMES: Final = ("config.yaml", "config.yml", "config.json")
_SYSTEM: Final = re.compile(r"system(?:_prompt)?\.(?:txt|md|jinja2?|j2|prompt)\Z", re.I)
_TEMPLATE: Final = re.compile(r"(user|assistant)(?:_prompt)?\.(?:txt|md|jinja2?|j2|prompt)\Z", re.I)
_EXAMPLES: Final = re.compile(r"examples\.(?:json|ya?ml)\Z", re.I)
_TESTS: Final = re.compile(r"tests\.(?:json|ya?ml)\Z", re.I)
VERSION_DIRECTORY: Final = re.compile(r"v?([0-9]+(?:\.[0-9]+){0,2}(?:[-+][0-9A-Za-z.+-]{1,60})?)\Z")
_MAX_BUNDLE_FACTOR: Final = 16  # a bundle may hold this many of its largest permitted file


@dataclass(frozen=True)
class Member:
    """One file of the bundle; ``path`` is relative to it, ``text`` None for binary files."""

    path: str
    source: Source
    data: bytes
    text: str | None


@dataclass(frozen=True)
class Text:
    """A message template: where it was read, and how its text came to be.

    ``pointer`` is its place in the document.  ``lines`` is the file, ``base`` the offset of
    the text in it; ``literal`` when the file is the text.
    """

    role: str
    text: str
    pointer: str
    path: str
    lines: LineIndex
    base: int
    literal: bool

    def position(self, offset: int, length: int) -> Position:
        """Where ``length`` characters at ``offset`` of the text stand in the file.

        In a quoted or folded text they are looked for: the n-th time they occur.
        """
        if self.literal:
            return self.lines.position(self.base + offset)
        needle = self.text[offset : offset + length]
        at = self.base
        for _ in range(self.text.count(needle, 0, offset) + 1):
            found = self.lines.text.find(needle, at)
            if found < 0:
                return self.lines.position(self.base)
            at = found + length
        return self.lines.position(at - length)


@dataclass
class Part:
    """A parsed part of the document (configuration, examples, tests).

    ``parsed`` is the whole file; the part stands at ``base`` in it.
    """

    value: Any
    path: str
    parsed: Parsed
    base: str = ""

    def locate(self, pointer: str) -> Position | None:
        """Where ``pointer``, relative to the part, stands."""
        return self.parsed.locate(self.base + pointer)


@dataclass
class Bundle:
    """Everything a prompt bundle is made of."""

    path: str
    directory: bool
    parent_names: tuple[str, str]
    """Names of the directory the configuration stands in and of the one above; may be empty."""
    members: list[Member]
    config: Part
    texts: list[Text] = field(default_factory=list)
    examples: Part | None = None
    tests: Part | None = None
    problems: list[Problem] = field(default_factory=list)

    def records(self) -> list[FileRecord]:
        """The members as policies see them."""
        return [file_record(m.path, sha256_hex(m.data), len(m.data)) for m in self.members]


def read_bundle(source: Source, limits: Limits) -> Bundle:
    """The bundle at ``source``: a directory, or a configuration file.

    A configuration file that stands in a version directory, or beside other files of a
    bundle, means its directory.

    Raises InputError ``bundle_config_missing``, ``bundle_config_ambiguous``,
    ``bundle_config_not_a_mapping``, ``bundle_too_large``, and what reading the configuration
    and the prompt texts raises.
    """
    if source.type() == "directory":
        return _read_directory(source, limits)
    above = Source(source.root, source.relative.rpartition("/")[0] or ".")
    if source.name in CONFIG_NAMES and _is_bundle_directory(above, source):
        return _read_directory(above, limits)
    member = _member(source, source.shown.rpartition("/")[2], limits)
    bundle = Bundle(source.shown, False, _names(above), [member], _config(member, limits))
    _read_parts(bundle, limits)
    return bundle


def _is_bundle_directory(above: Source, config: Source) -> bool:
    if VERSION_DIRECTORY.match(above.name):
        return True
    beside = ("system.txt", "examples.json", "tests.json")
    return any(config.sibling(name).type() == "file" for name in beside)


def _names(directory: Source) -> tuple[str, str]:
    """The names of ``directory`` and of the one above it, which may lie above the root."""
    above = (shown_name(p) for p in directory.root.absolute().parts[-2:] if p != "/")
    parts = ["", "", *above, *(p for p in directory.shown.split("/") if p not in ("", "."))]
    return parts[-1], parts[-2]


def _read_directory(source: Source, limits: Limits) -> Bundle:
    walk = source.walk(limits)
    files = walk.files()
    if walk.truncated or len(files) > limits.max_bundle_files:
        raise source.error(
            "bundle_too_large",
            f"{source.shown} holds more than {limits.max_bundle_files} files",
            hint="a prompt bundle is one directory with a handful of files",
        )
    prefix = 0 if source.relative in ("", ".") else len(source.shown) + 1
    configs = [f for f in files if f.shown[prefix:] in CONFIG_NAMES]
    if not configs:
        raise source.error(
            "bundle_config_missing",
            f"{source.shown} has no config.yaml",
            hint="a prompt bundle needs config.yaml (or config.json) at its top",
        )
    if len(configs) > 1:
        names = " and ".join(c.name for c in configs)
        raise source.error(
            "bundle_config_ambiguous", f"{source.shown} has both {names}", hint="keep one of them"
        )
    members = []
    total = 0
    for file in files:
        member = _member(file, file.shown[prefix:], limits)
        total += len(member.data)
        if total > _MAX_BUNDLE_FACTOR * limits.max_prompt_bytes:
            raise source.error("bundle_too_large", f"{source.shown} holds too much data")
        members.append(member)
    config = next(m for m in members if m.path in CONFIG_NAMES)
    bundle = Bundle(source.shown, True, _names(source), members, _config(config, limits))
    for entry in walk.entries:
        if entry.type != "file":
            bundle.problems.append(
                Problem(
                    "bundle_not_a_file",
                    f"{entry.source.shown} is a {_words(entry.type)}, not covered by the digest",
                )
            )
    _read_parts(bundle, limits)
    return bundle


def _words(kind: str) -> str:
    return "symbolic link" if kind == "symlink" else "special file"


def _member(source: Source, path: str, limits: Limits) -> Member:
    data = source.read(limits.max_prompt_bytes)
    try:
        text = decode_text(data, source.shown)
    except InputError:
        if path in CONFIG_NAMES or _SYSTEM.match(path) or _TEMPLATE.match(path):
            raise
        text = None
    return Member(path, source, data, text)


def _parse(member: Member, limits: Limits) -> Parsed:
    text = member.text if member.text is not None else decode_text(member.data, member.path)
    reader = read_json if member.path.lower().endswith(".json") else read_yaml
    return reader(text, member.source.shown, limits)


def _config(member: Member, limits: Limits) -> Part:
    parsed = _parse(member, limits)
    if not isinstance(parsed.value, dict):
        raise member.source.error(
            "bundle_config_not_a_mapping",
            f"{member.source.shown} is not a mapping of keys to values",
            hint="write 'name:', 'version:' and so on at the top level",
        )
    return Part(parsed.value, member.path, parsed)


# --- parts ------------------------------------------------------------------------------------


def _read_parts(bundle: Bundle, limits: Limits) -> None:
    for member in bundle.members:
        if member.text is None:
            bundle.problems.append(
                Problem(
                    "bundle_binary_file",
                    f"{member.source.shown} is not text: it is covered by the digest, not searched",
                    severity="warning",
                )
            )
        elif _SYSTEM.match(member.path):
            _add_text(bundle, "system", "/system", member)
        elif match := _TEMPLATE.match(member.path):
            role = match[1].lower()
            _add_text(bundle, role, f"/templates/{role}", member)
    _add_inline_texts(bundle)
    bundle.examples = _list_part(bundle, "examples", _EXAMPLES, limits)
    bundle.tests = _list_part(bundle, "tests", _TESTS, limits)


def _add_text(bundle: Bundle, role: str, pointer: str, member: Member) -> None:
    if any(t.pointer == pointer for t in bundle.texts):
        bundle.problems.append(
            Problem("template_twice", f"{member.source.shown} is a second {role} template")
        )
        return
    text = member.text or ""
    lines = LineIndex(member.source.shown, text)
    bundle.texts.append(Text(role, text, pointer, member.path, lines, 0, True))


_INLINE: Final = (
    ("system", ("system_prompt", "system")),
    ("user", ("user_prompt", "user_template", "user", "prompt", "template")),
    ("assistant", ("assistant_prompt", "assistant")),
)


def _add_inline_texts(bundle: Bundle) -> None:
    """Templates written in the configuration; a file of the same role counts before them."""
    config: Mapping[str, Any] = bundle.config.value
    for role, keys in _INLINE:
        for key in keys:
            if isinstance(config.get(key), str):
                pointer = "/system" if role == "system" else f"/templates/{role}"
                _add_inline(bundle, role, config[key], f"/{key}", pointer)
    messages = config.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping) and isinstance(message.get("content"), str):
            role = str(message.get("role", "user")).lower()
            at = join("/messages", index, "content")
            has_system = any(t.role == "system" for t in bundle.texts)
            pointer = "/system" if role == "system" and not has_system else f"/config{at}"
            _add_inline(bundle, role, message["content"], at, pointer)


def _add_inline(bundle: Bundle, role: str, text: str, at: str, pointer: str) -> None:
    if any(t.pointer == pointer for t in bundle.texts):
        bundle.problems.append(
            Problem(
                "template_twice",
                f"{bundle.config.path}: {at[1:]} is a second {role} template",
                f"/document/config{at}",
            )
        )
        return
    parsed = bundle.config.parsed
    base = parsed.find(at, False) or 0
    bundle.texts.append(Text(role, text, pointer, bundle.config.path, parsed.lines, base, False))


def _list_part(bundle: Bundle, name: str, file: re.Pattern[str], limits: Limits) -> Part | None:
    """Examples or tests: their own file, or a list in the configuration.

    A file that cannot be read is a problem of the bundle, not the end of its judgement.
    """
    inline = bundle.config.value.get(name)
    members = [m for m in bundle.members if file.match(m.path)]
    if not members:
        if inline is None:
            return None
        return _unwrapped(
            bundle, name, Part(inline, bundle.config.path, bundle.config.parsed, f"/{name}")
        )
    if inline is not None or len(members) > 1:
        message = f"{name} are given more than once; {members[0].path} counts"
        bundle.problems.append(Problem(f"{name}_twice", message, f"/document/{name}"))
    member = members[0]
    try:
        parsed = _parse(member, limits)
    except InputError as error:
        where = f" at line {error.location.row}" if error.location else ""
        message = f"{member.source.shown} cannot be read{where} ({error.code}): {error.message}"
        bundle.problems.append(Problem(f"{name}_unreadable", message, f"/document/{name}"))
        return None
    return _unwrapped(bundle, name, Part(parsed.value, member.path, parsed))


def _unwrapped(bundle: Bundle, name: str, part: Part) -> Part | None:
    """A list as it is, or the list an object holds under ``name``."""
    if isinstance(part.value, Mapping) and isinstance(part.value.get(name), list):
        return part
    if isinstance(part.value, list):
        return part
    message = f"{part.path}: {name} are not a list"
    bundle.problems.append(Problem(f"{name}_not_a_list", message, f"/document/{name}"))
    return None
