"""What builtins ask of the host, and how they answer where it is withheld."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adjudge.errors import AdjudgeError
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.values import RegoSet

Call = Callable[..., Any]
GET = {"method": "get", "url": "https://example.com/x"}


def response(body: bytes = b"", kind: str = "text/plain", **more: Any) -> dict[str, Any]:
    headers = {"Content-Type": [kind], "X-Many": ["a", "b"]}
    return {"status": "200 OK", "status_code": 200, "headers": headers, "body": body} | more


class Transport:
    """Answers every request the same way, and remembers the requests."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: dict[str, Any]) -> Any:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


# -- http.send -----------------------------------------------------------------------------


def test_a_request_as_the_transport_sees_it(call: Call, context: Call) -> None:
    transport = Transport(response())
    request = {
        "method": "post",
        "url": "https://example.com/x",
        "headers": {"x-a-b": "1"},
        "body": {"b": 1, "a": [True, None]},
        "timeout": "1.5s",
        "enable_redirect": True,
        "tls_server_name": "other",
        "tls_insecure_skip_verify": False,
        "cache": True,
        "max_retry_attempts": 2,
    }
    call("http.send", request, context=context(http=transport))
    assert transport.requests == [
        {
            "method": "POST",
            "url": "https://example.com/x",
            "headers": {"X-A-B": "1"},
            "body": b'{"a":[true,null],"b":1}',
            "timeout_ns": 1_500_000_000,
            "enable_redirect": True,
            "max_retry_attempts": 2,
            "tls": {"server_name": "other"},
        }
    ]


def test_a_response_as_policies_see_it(call: Call, context: Call) -> None:
    transport = Transport(response(b"plain \xff"))
    assert call("http.send", GET, context=context(http=transport)) == {
        "status": "200 OK",
        "status_code": 200,
        "headers": {"content-type": ["text/plain"], "x-many": ["a", "b"]},
        "body": None,
        "raw_body": "plain \udcff",
    }


@pytest.mark.parametrize(
    ("kind", "more", "body", "want"),
    [
        ("application/json", {}, b'{"a": 1e2}', {"a": 100}),
        ("application/problem+json; charset=utf-8", {}, b"[1]", [1]),
        ("application/json", {}, b"{", None),
        ("text/plain", {}, b"[1]", None),
        ("text/plain", {"force_json_decode": True}, b"[1]", [1]),
        ("application/yaml", {}, b"a: [1]", {"a": [1]}),
        ("application/x-yaml; q", {}, b"a: b", {"a": "b"}),
        ("text/plain", {"force_yaml_decode": True}, b"- 1", [1]),
        ("application/yaml", {}, b"a: [", None),
        ("application/json", {"force_yaml_decode": True}, b"- 1", None),
    ],
)
def test_bodies_are_decoded(
    call: Call, context: Call, kind: str, more: dict[str, Any], body: bytes, want: Any
) -> None:
    transport = Transport(response(body, kind))
    assert call("http.send", GET | more, context=context(http=transport))["body"] == want


def test_no_answer(call: Call, context: Call) -> None:
    refused = context(http=Transport(ConnectionRefusedError("connection refused")))
    with pytest.raises(BuiltinError) as raised:
        call("http.send", GET, context=refused)
    assert raised.value.message == 'Get "https://example.com/x": connection refused'
    assert call("http.send", GET | {"raise_error": False}, context=refused) == {
        "status_code": 0,
        "error": {
            "code": "eval_http_send_network_error",
            "message": 'Get "https://example.com/x": connection refused',
        },
    }
    with pytest.raises(BuiltinError, match="request timed out"):
        call("http.send", GET, context=context(http=Transport(TimeoutError())))


def test_a_wrong_request_is_an_answer_if_errors_are_not_raised(call: Call) -> None:
    answer = call("http.send", {"method": "get", "raise_error": False, "uri": "x"})
    assert answer["status_code"] == 0
    assert answer["error"]["code"] == "eval_http_send_internal_error"
    assert 'invalid request parameters(s): {"uri"}' in answer["error"]["message"]


def test_requests_are_withheld(call: Call) -> None:
    for request in (GET, GET | {"raise_error": False}):
        with pytest.raises(BuiltinError, match="withheld") as raised:
            call("http.send", request)
        assert raised.value.halt


def test_large_responses_end_the_evaluation(call: Call, context: Call) -> None:
    large = context(http=Transport(response(b"x" * 1_000_001)))
    with pytest.raises(BuiltinError, match="larger than") as raised:
        call("http.send", GET | {"raise_error": False}, context=large)
    assert raised.value.halt


# -- the others ----------------------------------------------------------------------------


def test_names_are_looked_up_once(call: Call, context: Call) -> None:
    asked: list[str] = []

    def resolver(name: str) -> list[str]:
        asked.append(name)
        return ["192.0.2.1", "2001:db8::1"]

    ctx = context(resolver=resolver)
    want = RegoSet(["192.0.2.1", "2001:db8::1"])
    assert call("net.lookup_ip_addr", "example.com", context=ctx) == want
    assert call("net.lookup_ip_addr", "example.com", context=ctx) == want
    assert asked == ["example.com"]


def test_names_that_need_no_resolver(call: Call) -> None:
    assert call("net.lookup_ip_addr", "10.1.2.3") == RegoSet(["10.1.2.3"])
    assert "127.0.0.1" in call("net.lookup_ip_addr", "localhost")


def test_unknown_names(call: Call, context: Call) -> None:
    def resolver(name: str) -> list[str]:
        raise OSError(name)

    with pytest.raises(BuiltinError, match="lookup nowhere: no such host") as raised:
        call("net.lookup_ip_addr", "nowhere", context=context(resolver=resolver))
    assert not raised.value.halt


def test_looking_up_is_withheld(call: Call) -> None:
    with pytest.raises(BuiltinError, match="withheld") as raised:
        call("net.lookup_ip_addr", "example.com")
    assert raised.value.halt


def test_parsing_modules(call: Call, context: Call) -> None:
    def parse(name: str, text: str) -> Any:
        if "bad" in text:
            raise AdjudgeError("rego_parse_error", "no module")
        return {"package": {"name": name}}

    ctx = context(parse_module=parse)
    assert call("rego.parse_module", "a.rego", "package a", context=ctx) == {
        "package": {"name": "a.rego"}
    }
    with pytest.raises(BuiltinError, match="no module"):
        call("rego.parse_module", "a.rego", "bad", context=ctx)
    with pytest.raises(BuiltinError, match="withheld") as raised:
        call("rego.parse_module", "a.rego", "package a")
    assert raised.value.halt


def test_the_host_tells_no_secrets(call: Call, context: Call) -> None:
    told = {
        "env": {"HOME": "/home/u"},
        "config": {
            "services": {"a": {"url": "u", "credentials": {"bearer": {"token": "t"}}}},
            "keys": {"k": {"key": "secret", "private_key": "p", "algorithm": "RS256"}},
            "labels": {"x": "y"},
        },
    }
    before = json.dumps(told)
    assert call("opa.runtime", context=context(runtime=told)) == {
        "env": {"HOME": "/home/u"},
        "config": {
            "services": {"a": {"url": "u"}},
            "keys": {"k": {"algorithm": "RS256"}},
            "labels": {"x": "y"},
        },
    }
    assert json.dumps(told) == before
    listed = {"config": {"services": [{"name": "a", "credentials": 1}], "keys": None}}
    assert call("opa.runtime", context=context(runtime=listed)) == {
        "config": {"services": [{"name": "a"}], "keys": None}
    }
    with pytest.raises(BuiltinError, match="illegal service config type"):
        call("opa.runtime", context=context(runtime={"config": {"services": "secret"}}))
    assert call("opa.runtime") == {}


def test_printing(call: Call, context: Call) -> None:
    lines: list[str] = []
    ctx = context(print=lines.append)
    operands = [RegoSet(["a", 1]), RegoSet(), RegoSet([RegoSet([1]), {"k": "v"}])]
    assert call("internal.print", operands, context=ctx) is True
    assert lines == [
        '1 <undefined> {"k": "v"}',
        "1 <undefined> {1}",
        'a <undefined> {"k": "v"}',
        "a <undefined> {1}",
    ]
    assert call("print", "a", [1], context=ctx) is True
    assert lines[-1] == "a [1]"
    assert call("internal.print", operands) is True
    with pytest.raises(BuiltinError) as raised:
        call("internal.print", [["a"]], context=ctx)
    assert raised.value.halt


def test_printing_many_combinations_is_charged(call: Call, context: Call) -> None:
    ctx = context(limit=1000, print=lambda line: None)
    with pytest.raises(TimeoutError):
        call("internal.print", [RegoSet(range(100))] * 3, context=ctx)


# -- seeded --------------------------------------------------------------------------------


def test_uuids_follow_the_seed(call: Call, context: Call) -> None:
    ctx, other = context(), context()
    other.seed = b"other"
    first = call("uuid.rfc4122", "k", context=ctx)
    assert call("uuid.rfc4122", "k", context=context()) == first
    assert call("uuid.rfc4122", "l", context=ctx) != first
    assert call("uuid.rfc4122", "k", context=other) != first
    parsed = call("uuid.parse", first)
    assert (parsed["version"], parsed["variant"]) == (4, "RFC4122")


def test_random_numbers_follow_the_seed(call: Call, context: Call) -> None:
    ctx, other = context(), context()
    other.seed = b"other"
    numbers = [call("rand.intn", str(key), 10, context=ctx) for key in range(200)]
    assert numbers == [call("rand.intn", str(key), 10, context=context()) for key in range(200)]
    assert set(numbers) == set(range(10))
    assert numbers != [call("rand.intn", str(key), 10, context=other) for key in range(200)]
    assert call("rand.intn", "k", 0, context=ctx) == 0
    assert 0 <= call("rand.intn", "k", -5, context=ctx) < 5
    assert 0 <= call("rand.intn", "k", 2**200, context=ctx) < 2**200
