"""The request object of ``http.send``: consumes it as policies write it, produces it checked."""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinError, want_object
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import RegoSet, Value

REQUIRED: Final = frozenset(["method", "url"])
ALLOWED: Final = frozenset(
    [
        *("method", "url", "body", "enable_redirect", "force_json_decode", "force_yaml_decode"),
        *("headers", "raw_body", "tls_use_system_certs", "tls_ca_cert", "tls_ca_cert_file"),
        *("tls_ca_cert_env_variable", "tls_client_cert", "tls_client_cert_file"),
        *("tls_client_cert_env_variable", "tls_client_key", "tls_client_key_file"),
        *("tls_client_key_env_variable", "tls_insecure_skip_verify", "tls_server_name"),
        *("timeout", "cache", "force_cache", "force_cache_duration_seconds", "raise_error"),
        *("caching_mode", "max_retry_attempts", "cache_ignored_headers"),
    ]
)


def operand_failure(position: int, message: str) -> BuiltinError:
    """``operand 1 …`` as a type error, as OPA reports what is wrong inside an operand."""
    return BuiltinError(f"operand {position} {message}", "eval_type_error")


def checked_request(request: Value) -> dict[Any, Value]:
    """The request if all its keys are known and none is missing."""
    given = want_object(request, 1)
    unknown = RegoSet.of_boxed(given.keys() - ALLOWED)
    if len(unknown):
        raise operand_failure(1, f"invalid request parameters(s): {rego_text(unknown)}")
    missing = RegoSet(REQUIRED - given.keys())
    if len(missing):
        raise operand_failure(1, f"missing required request parameters(s): {rego_text(missing)}")
    return given
