"""``opa.runtime``: consumes what the host tells of itself; produces it without its secrets."""

from __future__ import annotations

from typing import Any

from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin
from adjudge.rego.runtime.text import from_json
from adjudge.rego.runtime.values import Value


@builtin("opa.runtime", context=True, nondeterministic=True)
def runtime(ctx: BuiltinContext) -> Value:
    """The host's ``runtime`` object: ``config``, ``env``, ``version``, ``commit``; empty
    where the host withholds it.  Credentials and keys are left out of ``config``."""
    told: Any = ctx.service("runtime")
    if told is None:
        return {}
    found = from_json(told)
    config = found.get("config") if isinstance(found, dict) else None
    if not isinstance(config, dict):
        return found
    config = dict(config)
    if config.get("services") is not None:
        config["services"] = _without(config["services"], "service", ("credentials",))
    if config.get("keys") is not None:
        config["keys"] = _without(config["keys"], "keys", ("key", "private_key"))
    return {**found, "config": config}


def _without(entries: Value, what: str, names: tuple[str, ...]) -> Value:
    """The entries, objects in an array or an object, less the secret names."""
    listed = entries.values() if isinstance(entries, dict) else entries
    if not isinstance(entries, (dict, list)) or not all(isinstance(e, dict) for e in listed):
        # What cannot be searched for secrets is not shown.
        raise BuiltinError(f"illegal {what} config type")
    if isinstance(entries, list):
        return [_stripped(entry, names) for entry in entries]
    return {key: _stripped(entry, names) for key, entry in entries.items()}


def _stripped(entry: dict[Any, Value], names: tuple[str, ...]) -> Value:
    return {key: value for key, value in entry.items() if key not in names}
