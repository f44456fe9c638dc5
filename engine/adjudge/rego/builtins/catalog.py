"""Finds the function behind a builtin's name, importing its family only then."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from adjudge.rego.builtins import registry
from adjudge.rego.builtins.registry import Builtin
from adjudge.rego.runtime.values import Value

_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "aggregates": (
        "all",
        "any",
        "count",
        "max",
        "min",
        "product",
        "sort",
        "sum",
    ),
    "arithmetic": (
        "abs",
        "and",
        "ceil",
        "div",
        "floor",
        "minus",
        "mul",
        "or",
        "plus",
        "rem",
        "round",
    ),
    "arrays": (
        "array.concat",
        "array.flatten",
        "array.reverse",
        "array.slice",
    ),
    "aws": ("providers.aws.sign_req",),
    "bits": (
        "bits.and",
        "bits.lsh",
        "bits.negate",
        "bits.or",
        "bits.rsh",
        "bits.xor",
    ),
    "comparison": (
        "equal",
        "gt",
        "gte",
        "internal.member_2",
        "internal.member_3",
        "lt",
        "lte",
        "neq",
    ),
    "conversions": (
        "format_int",
        "to_number",
    ),
    "crypto": (
        "crypto.hmac.equal",
        "crypto.hmac.md5",
        "crypto.hmac.sha1",
        "crypto.hmac.sha256",
        "crypto.hmac.sha512",
        "crypto.md5",
        "crypto.parse_private_keys",
        "crypto.sha1",
        "crypto.sha256",
    ),
    "debugging": (
        "internal.print",
        "internal.test_case",
        "print",
        "trace",
    ),
    "encoding": (
        "base64.decode",
        "base64.encode",
        "base64.is_valid",
        "base64url.decode",
        "base64url.encode",
        "base64url.encode_no_pad",
        "hex.decode",
        "hex.encode",
        "uri.is_valid",
        "uri.parse",
        "urlquery.decode",
        "urlquery.decode_object",
        "urlquery.encode",
        "urlquery.encode_object",
    ),
    "globs": (
        "glob.match",
        "glob.quote_meta",
    ),
    "globs_meet": ("regex.globs_match",),
    "graph": (
        "graph.reachable",
        "graph.reachable_paths",
        "walk",
    ),
    "graphql": (
        "graphql.is_valid",
        "graphql.parse",
        "graphql.parse_and_verify",
        "graphql.parse_query",
        "graphql.parse_schema",
        "graphql.schema_is_valid",
    ),
    "http": ("http.send",),
    "json_paths": (
        "json.filter",
        "json.patch",
        "json.remove",
    ),
    "json_schema": (
        "json.match_schema",
        "json.verify_schema",
    ),
    "json_text": (
        "json.is_valid",
        "json.marshal",
        "json.marshal_with_options",
        "json.unmarshal",
    ),
    "jwt": (
        "io.jwt.decode",
        "io.jwt.decode_verify",
        "io.jwt.encode_sign",
        "io.jwt.encode_sign_raw",
        "io.jwt.verify_eddsa",
        "io.jwt.verify_es256",
        "io.jwt.verify_es384",
        "io.jwt.verify_es512",
        "io.jwt.verify_hs256",
        "io.jwt.verify_hs384",
        "io.jwt.verify_hs512",
        "io.jwt.verify_ps256",
        "io.jwt.verify_ps384",
        "io.jwt.verify_ps512",
        "io.jwt.verify_rs256",
        "io.jwt.verify_rs384",
        "io.jwt.verify_rs512",
    ),
    "net": (
        "net.cidr_contains",
        "net.cidr_contains_matches",
        "net.cidr_expand",
        "net.cidr_intersects",
        "net.cidr_is_valid",
        "net.cidr_merge",
        "net.cidr_overlap",
        "net.lookup_ip_addr",
    ),
    "numbers_range": (
        "numbers.range",
        "numbers.range_step",
    ),
    "objects": (
        "object.filter",
        "object.get",
        "object.keys",
        "object.remove",
        "object.subset",
        "object.union",
        "object.union_n",
    ),
    "rand": ("rand.intn",),
    "regex": (
        "re_match",
        "regex.find_all_string_submatch_n",
        "regex.find_n",
        "regex.is_valid",
        "regex.match",
        "regex.replace",
        "regex.split",
        "regex.template_match",
    ),
    "rego_meta": (
        "rego.metadata.chain",
        "rego.metadata.rule",
        "rego.parse_module",
    ),
    "rendering": ("strings.render_template",),
    "runtime_info": ("opa.runtime",),
    "semver": (
        "semver.compare",
        "semver.is_valid",
    ),
    "sets": (
        "intersection",
        "set_diff",
        "union",
    ),
    "sprintf": ("sprintf",),
    "strings": (
        "concat",
        "contains",
        "endswith",
        "indexof",
        "indexof_n",
        "lower",
        "replace",
        "split",
        "startswith",
        "strings.any_prefix_match",
        "strings.any_suffix_match",
        "strings.count",
        "strings.replace_n",
        "strings.reverse",
        "strings.split_n",
        "substring",
        "trim",
        "trim_left",
        "trim_prefix",
        "trim_right",
        "trim_space",
        "trim_suffix",
        "upper",
    ),
    "templates": ("internal.template_string",),
    "times": (
        "time.add_date",
        "time.clock",
        "time.date",
        "time.diff",
        "time.format",
        "time.now_ns",
        "time.parse_duration_ns",
        "time.parse_ns",
        "time.parse_rfc3339_ns",
        "time.weekday",
    ),
    "types": (
        "cast_array",
        "cast_boolean",
        "cast_null",
        "cast_object",
        "cast_set",
        "cast_string",
        "is_array",
        "is_boolean",
        "is_null",
        "is_number",
        "is_object",
        "is_set",
        "is_string",
        "type_name",
    ),
    "units": (
        "units.parse",
        "units.parse_bytes",
    ),
    "uuids": (
        "uuid.parse",
        "uuid.rfc4122",
    ),
    "x509": (
        "crypto.x509.parse_and_verify_certificates",
        "crypto.x509.parse_and_verify_certificates_with_options",
        "crypto.x509.parse_certificate_request",
        "crypto.x509.parse_certificates",
        "crypto.x509.parse_keypair",
        "crypto.x509.parse_rsa_private_key",
    ),
    "yaml_text": (
        "yaml.is_valid",
        "yaml.marshal",
        "yaml.unmarshal",
    ),
}

_MODULES: Final = {name: module for module, names in _FAMILIES.items() for name in names}


def find(name: str) -> Builtin | None:
    """The builtin, or None when nothing implements it."""
    found = registry.declared().get(name)
    module = _MODULES.get(name)
    if found is None and module is not None:
        importlib.import_module(f"adjudge.rego.builtins.{module}")
        found = registry.declared().get(name)
    return found


def resolve(name: str) -> Builtin:
    """The builtin; for one that only a capabilities file knows of, one that ends the
    evaluation when it is called and not mocked."""
    found = find(name)
    if found is None:
        registry.builtin(name)(_absent(name))
        found = registry.declared()[name]
    return found


def _absent(name: str) -> Callable[..., Value]:
    def absent(*args: Value) -> Value:
        raise registry.BuiltinError(
            "unsupported built-in: the capabilities name it, but nothing implements it",
            "eval_internal_error",
            halt=True,
        )

    return absent


def names() -> frozenset[str]:
    """Every builtin that is implemented."""
    return frozenset(_MODULES)
