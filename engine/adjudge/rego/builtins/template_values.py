"""What a Go template computes with: the kinds of values, and how Go prints them."""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.builtins.yaml_scalars import go_float_text


class JsonNumber(str):
    """A number of the data: its text, which is what Go's ``json.Number`` is."""

    __slots__ = ()


class _Missing:
    """The value of a key that is not there; it prints as ``<no value>``."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def go_print(value: Any) -> str:
    """The value as ``%v`` prints it: ``[a b]``, ``map[k:v]``, ``<nil>``."""
    if isinstance(value, str):
        return str(value)
    if value is None or value is MISSING:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float_text(value)
    if isinstance(value, list):
        return f"[{' '.join(map(go_print, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_print(value[key])}' for key in sorted(value))}]"
    return str(value)
