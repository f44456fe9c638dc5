"""Texts of data files in, Rego values out, read the way OPA reads them.

These are files the operator names, not files under judgement: of equal keys the last
counts, YAML may have anchors, numbers are kept exact.
"""

from __future__ import annotations

from typing import Any, Final

from adjudge.errors import InputError
from adjudge.rego.builtins.json_text import parse_json
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.builtins.yaml_text import parse_yaml

MAX_FILE_BYTES: Final = 256 * 1024 * 1024


class _Reading:
    """What the YAML reader asks a context for."""

    now_ns = 0
    seed = b""
    max_size = 50_000_000

    def __init__(self) -> None:
        self.cache: dict[Any, Any] = {}

    def charge(self, steps: int) -> None:
        """Files are bounded by their size."""

    def service(self, name: str) -> Any:
        """Nothing is granted."""
        return None


def decoded(data: bytes, name: str) -> str:
    """UTF-8 bytes as text; raises :class:`InputError`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise InputError(
            "invalid_utf8",
            f"{name}: byte {e.start} is not UTF-8",
            hint="policies and data are UTF-8 text",
        ) from None


def parsed_json(text: str, name: str) -> Any:
    """The value of a JSON text; raises :class:`InputError`."""
    try:
        return parse_json(text)
    except BuiltinError as e:
        raise InputError("invalid_json", f"{name}: {e.message}") from None


def parsed_yaml(text: str, name: str) -> Any:
    """The value of a YAML text's first document; raises :class:`InputError`."""
    try:
        return parse_yaml(_Reading(), text)
    except BuiltinError as e:
        raise InputError("invalid_yaml", f"{name}: {e.message}") from None


def parsed_any(text: str, name: str) -> Any:
    """The value of a text that is JSON, or else YAML; raises :class:`InputError`."""
    try:
        return parse_json(text)
    except BuiltinError as json_error:
        # A text that begins like JSON is told what is wrong with it as JSON.
        try:
            return parse_yaml(_Reading(), text)
        except BuiltinError as yaml_error:
            looks_like_json = text.lstrip()[:1] in ("{", "[")
            error = json_error if looks_like_json else yaml_error
            raise InputError("invalid_data", f"{name}: {error.message}") from None
