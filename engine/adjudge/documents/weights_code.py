"""Switches that run code that comes with a model: files of a model directory in, switches out.

Transformers runs Python files of the model's folder when ``auto_map`` names them and remote
code is trusted; Keras runs what a Lambda layer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.documents.model import Limits, LineIndex, Origin, Parsed, join
from adjudge.documents.reading import Source, read_json
from adjudge.documents.weights_headers import shortened, text_digest
from adjudge.errors import InputError

CODE_SUFFIXES: Final = (
    ".py",
    ".pyc",
    ".pyd",
    ".so",
    ".dll",
    ".dylib",
    ".exe",
    ".sh",
    ".bash",
    ".bat",
    ".cmd",
    ".ps1",
    ".js",
    ".jar",
    ".class",
    ".wasm",
    ".ipynb",
)
"""Endings of files that are code."""

_CONFIGS = frozenset(
    (
        "config.json",
        "configuration.json",
        "tokenizer_config.json",
        "generation_config.json",
        "adapter_config.json",
        "preprocessor_config.json",
        "processor_config.json",
        "model_index.json",
        "image_processor_config.json",
        "feature_extractor_config.json",
        "chat_template.json",
    )
)
_SWITCHES = {"auto_map", "trust_remote_code", "custom_objects", "custom_pipeline"}
_MAX_CONFIG = 16 * 1024 * 1024
_KERAS_MODULES = ("keras", "tf_keras", "builtins")


@dataclass
class RemoteCode:
    """What was found in the configuration files of a directory."""

    switches: list[dict[str, Any]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)
    chat_templates: list[str] = field(default_factory=list)
    """Digests; those of the tokenizer's configuration first."""
    sources: dict[str, LineIndex] = field(default_factory=dict)
    _origins: dict[str, Origin] = field(default_factory=dict)

    def as_facts(self) -> dict[str, Any]:
        """The switches as policies see them."""
        return {
            "enabled": bool(self.switches or self.scripts),
            "switches": self.switches,
            "scripts": self.scripts,
        }

    def origins(self) -> dict[str, Origin]:
        """Where the switches stand, by fact pointer."""
        return self._origins

    def note(self, path: str, key: str, value: Any, parsed: Parsed, pointer: str) -> None:
        """Note a switch and where it stands."""
        place = parsed.locate_key(pointer) or parsed.locate(pointer)
        if place is not None:
            self._origins[f"/remote_code/switches/{len(self.switches)}"] = place
            self.sources.setdefault(parsed.lines.file, parsed.lines)
        self.switches.append({"path": path, "key": key, "value": shortened(str(value), 200)})


def look_for_code(files: Iterable[Source], prefix: str, limits: Limits) -> RemoteCode:
    """Read the configuration files among ``files``; paths are shown without ``prefix``."""
    found = RemoteCode()
    later: list[str] = []
    for source in files:
        path = Source(source.root, source.relative.removeprefix(prefix)).shown
        name = source.name.lower()
        if name.endswith(CODE_SUFFIXES):
            found.scripts.append(path)
        elif name in _CONFIGS or name == "chat_template.json":
            _read_config(source, path, found, limits)
        elif name.endswith(".jinja"):
            later.extend(_template(source, path, found))
    found.chat_templates.extend(later)
    return found


def _read_config(source: Source, path: str, found: RemoteCode, limits: Limits) -> None:
    try:
        parsed = read_json(source.read_text(_MAX_CONFIG), source.shown, limits)
    except InputError as error:
        # What reads it loosely may find a switch in it that is not found here.
        found.problems.append({"code": error.code, "message": error.message, "path": path})
        return
    for pointer, key, value in _members(parsed.value, "", 0):
        if key in _SWITCHES and value not in (False, None, "", [], {}):
            found.note(path, key, value, parsed, pointer)
        elif key == "chat_template":
            found.chat_templates.extend(_templates(value))


def _members(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str, Any]]:
    """Every member of every object: pointer, key and value."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield join(pointer, key), key, member
            yield from _members(member, join(pointer, key), depth + 1)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _members(member, join(pointer, index), depth + 1)


def _templates(value: Any) -> list[str]:
    """The digests of a chat template, or of several with names."""
    if isinstance(value, str):
        return [text_digest(value)]
    named = value if isinstance(value, list) else []
    return [
        text_digest(item["template"])
        for item in named
        if isinstance(item, dict) and isinstance(item.get("template"), str)
    ]


def _template(source: Source, path: str, found: RemoteCode) -> list[str]:
    try:
        return [text_digest(source.read_text(_MAX_CONFIG))]
    except InputError as error:
        found.problems.append({"code": error.code, "message": error.message, "path": path})
        return []


def keras_lambdas(config: Any) -> list[str]:
    """The parts of a Keras configuration that are code or come from unknown modules."""
    found: list[str] = []
    for _, key, value in _members(config, "", 0):
        if key == "class_name" and value in ("Lambda", "__lambda__"):
            found.append(str(value))
        elif key == "module" and isinstance(value, str):
            if value.partition(".")[0] not in _KERAS_MODULES:
                found.append(shortened(value, 80))
    return found
