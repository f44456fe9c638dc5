"""The configuration of a prompt bundle: a mapping in; model, limits, tools and output out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.facts import Sheet, date_of, number_of, text_of, texts_of
from adjudge.documents.model import Parsed, join

SEMVER: Final = re.compile(
    r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
    r"(?:-(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
    r"(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)
_DATED: Final = re.compile(
    r"[-@_.](?:20[0-9]{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])|[0-9]{4})(?![0-9])"
)
_NUMBERED: Final = re.compile(r"-[0-9]{3}\Z")
_DIGEST: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}\Z")
_REVISION: Final = re.compile(r"[0-9a-f]{7,64}\Z|v?[0-9]+(?:\.[0-9]+)+\Z")
_PROVIDERS: Final = frozenset(
    {
        "anthropic",
        "aws",
        "azure",
        "bedrock",
        "cohere",
        "google",
        "huggingface",
        "mistral",
        "oci",
        "ollama",
        "openai",
        "vertex",
        "vertexai",
        "vllm",
        "xai",
    }
)
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s?(ms|s|sec|seconds?|m|min|minutes?)\Z")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0}

Fields = Mapping[str, Any]


def put_identity(sheet: Sheet, config: Fields, parsed: Parsed) -> None:
    """Name, version, owner and what else says which prompt this is."""
    for fact in ("name", "description", "owner", "language"):
        sheet.put(fact, text_of(config.get(fact)), f"/config/{fact}")
    for fact, key in (("owner", "owners"), ("owner", "maintainer"), ("language", "locale")):
        sheet.put(fact, text_of(config.get(key)), f"/config/{key}")
    version = config.get("version")
    text = text_of(version)
    if number_of(version) is not None:
        text = parsed.spelling("/version") or text
    sheet.put("version", text, "/config/version")
    sheet.facts["version_valid"] = bool(SEMVER.match(text))
    sheet.origins["/version_valid"] = "/config/version"
    if "review_date" in config:
        day = date_of(config["review_date"])
        if day is None:
            message = "review_date is not a date (YYYY-MM-DD)"
            sheet.problem("date_format", message, "/document/config/review_date")
        else:
            sheet.put("review_date", day, "/config/review_date")
    for key in ("changelog", "changes"):
        if config.get(key):
            sheet.facts["changelog"] = True
            sheet.origins["/changelog"] = f"/config/{key}"
    _put_audience(sheet, config)


def _put_audience(sheet: Sheet, config: Fields) -> None:
    said = config.get("user_facing")
    if isinstance(said, bool):
        sheet.facts["user_facing"] = said
        sheet.origins["/user_facing"] = "/config/user_facing"
    elif isinstance(config.get("audience"), str):
        words = config["audience"].lower()
        people = any(w in words for w in ("user", "customer", "public", "external", "consumer"))
        sheet.facts["user_facing"] = people
        sheet.origins["/user_facing"] = "/config/audience"


def put_model(sheet: Sheet, config: Fields) -> None:
    """The model and whether it is pinned to one fixed version."""
    model = config.get("model")
    base = "/config/model"
    if isinstance(model, Mapping):
        key = next((k for k in ("id", "name", "model") if model.get(k)), "id")
        found, at = text_of(model.get(key)), f"{base}/{key}"
        provider, provider_at = text_of(model.get("provider")), f"{base}/provider"
        fixed = next((k for k in ("digest", "revision", "version") if model.get(k)), "")
        revision = text_of(model.get(fixed)) if fixed else ""
    else:
        found, at, revision = text_of(model), base, ""
        provider, provider_at = text_of(config.get("provider")), "/config/provider"
    if not provider:
        prefix = re.split("[:/]", found, maxsplit=1)[0].lower()
        if prefix in _PROVIDERS and prefix != found.lower():
            provider, provider_at = prefix, at
    sheet.put("model.id", found, at)
    sheet.put("model.provider", provider, provider_at)
    pin = _pin_of(found, revision)
    sheet.facts["model"]["pinned"] = pin is not None
    sheet.origins["/model"] = base
    sheet.origins["/model/pinned"] = at
    sheet.put("model.pin", pin, at)


def _pin_of(model: str, revision: str) -> str | None:
    """What fixes the model: nothing does when its name says ``latest``."""
    name, _, tag = model.partition("@")
    if "latest" in model.lower() or revision.lower() == "latest":
        return None
    for text in (tag, revision):
        if _DIGEST.match(text):
            return "digest"
    if _DATED.search(model) or _DATED.search(f"-{revision}"):
        return "date"
    if _REVISION.match(revision) or _REVISION.match(tag) or _NUMBERED.search(name):
        return "revision"
    return None


_PARAMETERS: Final = (
    ("temperature", ("temperature",)),
    ("top_p", ("top_p",)),
    (
        "max_tokens",
        ("max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens"),
    ),
    ("seed", ("seed",)),
)
_TIMEOUTS: Final = ("timeout_s", "timeout_seconds", "timeout", "request_timeout", "timeout_ms")


def put_parameters(sheet: Sheet, config: Fields) -> None:
    """Sampling parameters and limits, wherever in the configuration they stand."""
    for fields, base in _places(config, ("parameters", "params", "model_parameters", "options")):
        for fact, keys in _PARAMETERS:
            for key in keys:
                _put_number(sheet, f"parameters.{fact}", fields, key, base)
        for key in _TIMEOUTS:
            if key in fields:
                at = join(base, key)
                sheet.put("parameters.timeout_s", _seconds(key, fields[key]), at)
        if not sheet.facts["parameters"]["stop"] and "stop" in fields:
            sheet.facts["parameters"]["stop"] = texts_of(fields["stop"])
            sheet.origins["/parameters/stop"] = join(base, "stop")


def _places(config: Fields, names: tuple[str, ...]) -> list[tuple[Fields, str]]:
    """The mappings a setting may stand in: named ones, those in ``model``, the top level."""
    found = [(config[n], f"/config/{n}") for n in names if isinstance(config.get(n), Mapping)]
    model = config.get("model")
    if isinstance(model, Mapping):
        inner = [
            (model[n], f"/config/model/{n}") for n in names if isinstance(model.get(n), Mapping)
        ]
        found += [*inner, (model, "/config/model")]
    return [*found, (config, "/config")]


def _put_number(sheet: Sheet, fact: str, fields: Fields, key: str, base: str) -> None:
    if key not in fields or isinstance(fields[key], (Mapping, list)):
        return
    number = number_of(fields[key])
    if number is None:
        message = f"{key} is not a number"
        sheet.problem("field_type", message, f"/document{join(base, key)}")
    else:
        sheet.put(fact, number, join(base, key))


def _seconds(key: str, value: Any) -> float | int | None:
    number = number_of(value)
    if number is not None:
        return number / 1000 if key.endswith("_ms") else number
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    unit = match[2] if match[2] in _SECONDS else match[2][:3]
    return float(match[1][:20]) * _SECONDS.get(unit, 60.0 if unit == "min" else 1.0)


_AGENT: Final = (
    ("max_steps", ("max_steps", "max_iterations", "max_turns", "max_tool_calls")),
    ("max_cost", ("max_cost", "cost_limit", "budget", "max_budget", "max_cost_usd")),
    ("max_tokens", ("max_total_tokens", "token_budget", "max_tokens")),
    ("max_seconds", ("max_seconds", "timeout_s", "timeout", "max_duration_s")),
    ("rate_per_minute", ("rate_per_minute", "max_calls_per_minute", "rate_limit")),
)


def put_agent(sheet: Sheet, config: Fields) -> None:
    """The limits of an agent loop, from ``agent`` or ``limits``."""
    for name in ("agent", "limits"):
        fields = config.get(name)
        if not isinstance(fields, Mapping):
            continue
        sheet.origins.setdefault("/agent", f"/config/{name}")
        for fact, keys in _AGENT:
            for key in keys:
                if fact == "max_seconds" and key in fields:
                    seconds = _seconds(key, fields[key])
                    sheet.put("agent.max_seconds", seconds, f"/config/{name}/{key}")
                else:
                    _put_number(sheet, f"agent.{fact}", fields, key, f"/config/{name}")


# --- tools ------------------------------------------------------------------------------------

_EFFECTS: Final = {
    "none": "none",
    "no": "none",
    "read": "read",
    "read_only": "read",
    "readonly": "read",
    "write": "write",
    "mutating": "write",
    "destructive": "write",
    "delete": "write",
    "read_write": "write",
    "exec": "exec",
    "execute": "exec",
    "code": "exec",
    "shell": "exec",
}
_APPROVALS: Final = ("requires_approval", "human_approval", "approval_required", "approval")


def put_tools(sheet: Sheet, config: Fields) -> None:
    """The tools the model may call: a list of names or objects, or an object by name."""
    tools = config.get("tools")
    if tools is None:
        return
    sheet.origins["/tools"] = "/config/tools"
    if isinstance(tools, Mapping):
        entries = [(join("/config/tools", k), {"name": k, **_fields(v)}) for k, v in tools.items()]
    elif isinstance(tools, list):
        entries = [
            (f"/config/tools/{i}", {"name": t} if isinstance(t, str) else _fields(t))
            for i, t in enumerate(tools)
        ]
    else:
        sheet.problem("field_type", "tools is not a list", "/document/config/tools")
        return
    for at, fields in entries:
        function = fields.get("function")
        fields = {**_fields(function), **fields} if isinstance(function, Mapping) else fields
        name = text_of(fields.get("name") or fields.get("id"))
        if not name:
            sheet.problem("field_type", "a tool has no name", "/document" + at)
            continue
        sheet.add("tools", _tool(name, fields), at)


def _fields(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _tool(name: str, fields: Fields) -> dict[str, Any]:
    scopes = texts_of(fields.get("scopes") or fields.get("permissions"))
    tool: dict[str, Any] = {
        "name": name,
        "side_effects": _effects(fields),
        "requires_approval": any(_approves(fields.get(key)) for key in _APPROVALS),
        "scopes": scopes,
        "wildcard": any("*" in s or s.lower() in ("all", "admin") for s in scopes),
    }
    for fact, keys in (
        ("digest", ("digest", "sha256")),
        ("credential", ("credential", "credentials", "auth")),
    ):
        text = next((text_of(fields[k]) for k in keys if k in fields), "")
        if text:
            tool[fact] = text
    return tool


def _approves(value: Any) -> bool:
    """``true``, or the name of who approves."""
    if isinstance(value, str):
        return value.lower() in ("required", "always", "human", "true", "yes")
    return value is True


def _effects(fields: Fields) -> str:
    for key in ("side_effects", "effects", "effect", "access"):
        value = fields.get(key)
        if isinstance(value, bool):
            return "write" if value else "none"
        if isinstance(value, str):
            return _EFFECTS.get(value.lower().replace("-", "_"), "unknown")
    if fields.get("read_only") is True:
        return "read"
    return "unknown"


# --- output -----------------------------------------------------------------------------------

_MAX_SCHEMA_NODES: Final = 20_000


def put_output(sheet: Sheet, config: Fields, schema_file: tuple[str, Any] | None) -> None:
    """The answer's format and schema; ``schema_file`` is a path and value found in the bundle."""
    output = config.get("output") or config.get("response_format")
    base = "/config/output" if config.get("output") else "/config/response_format"
    fields = output if isinstance(output, Mapping) else {}
    if fields or isinstance(output, str):
        sheet.origins["/output"] = base
    said = output if isinstance(output, str) else fields.get("format") or fields.get("type")
    text = text_of(said).lower()
    sheet.put("output.format", "json" if text in ("json_schema", "json_object") else text, base)
    sheet.put(
        "output.format", text_of(config.get("output_format")).lower(), "/config/output_format"
    )
    schema, at = _schema_of(config, fields, base)
    if isinstance(schema, str) or (schema is None and schema_file):
        if schema_file is None:
            _refuse_schema(sheet, f"{str(schema)[:100]} is not in the bundle", at)
            return
        schema = schema_file[1]
    if schema is not None:
        sheet.facts["output"]["schema_present"] = True
        sheet.origins["/output/schema_present"] = at
        error = schema_error(schema)
        if error:
            _refuse_schema(sheet, error, at)
        else:
            sheet.facts["output"]["schema_valid"] = True
            sheet.origins["/output/schema_valid"] = at


def _schema_of(config: Fields, fields: Fields, base: str) -> tuple[Any, str]:
    inner = fields.get("json_schema")
    if isinstance(inner, Mapping):
        return inner.get("schema", inner), f"{base}/json_schema"
    if "schema" in fields:
        return fields["schema"], f"{base}/schema"
    for key in ("output_schema", "response_schema"):
        if key in config:
            return config[key], f"/config/{key}"
    return None, base


def _refuse_schema(sheet: Sheet, error: str, at: str) -> None:
    sheet.facts["output"] |= {"schema_present": True, "schema_valid": False, "schema_error": error}
    for key in ("schema_present", "schema_valid", "schema_error"):
        sheet.origins[f"/output/{key}"] = at


def schema_error(schema: Any) -> str:
    """Why a value is no JSON Schema; empty when it is one."""
    if not isinstance(schema, dict):
        return "the schema is not an object"
    if not isinstance(schema.get("$schema", ""), str):
        return "$schema is not a text"
    if _count(schema) > _MAX_SCHEMA_NODES:
        return "the schema is too large to be checked"
    # jsonschema takes longer to import than everything else here takes to run.
    import jsonschema

    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "/".join(str(p) for p in error.absolute_path)
        return f"{where or 'the schema'}: {error.message}"[:300]
    except RecursionError:
        return "the schema is nested too deeply to be checked"
    return ""


def _count(value: Any) -> int:
    total, stack = 0, [value]
    while stack and total <= _MAX_SCHEMA_NODES:
        item = stack.pop()
        total += 1
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return total
