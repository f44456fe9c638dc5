"""Whatever is wrong with an OPA ends in an error with a code and a hint, never in a verdict."""

from __future__ import annotations

import gzip
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.opa.conftest import TOKEN, Fake, Opa, Subject, free_port, reply, running

from adjudge.errors import AdjudgeError
from adjudge.evaluation import evaluate
from adjudge.opa import client as client_module
from adjudge.opa.client import Opa as Client
from adjudge.opa.engine import opa_engine
from adjudge.opa.errors import OpaError
from adjudge.opa.target import parse_target, read_token

POLICY = 'package a\ndeny contains "always"\n'
Start = Callable[[Callable[[Any], None]], Fake]

VERSION = {"provenance": {"version": "1.22.0"}}


@pytest.fixture
def one(written: Callable[..., Subject]) -> Subject:
    """Something to judge."""
    return written({"a.rego": POLICY + "p := data.b.f(1)\n", "b.rego": "package b\nf(x) := x\n"})


def fails(one: Subject, url: str, timeout: float = 5.0, **options: Any) -> OpaError:
    """The error that judging by an OPA ends in."""
    target = parse_target(url, timeout=timeout, **options)
    with pytest.raises(OpaError) as caught:
        one.opa(target, [])
    error = caught.value
    assert error.code.startswith("opa_")
    assert "object at 0x" not in str(error)
    return error


def test_nobody_listens(one: Subject) -> None:
    error = fails(one, f"http://127.0.0.1:{free_port()}")
    assert error.code == "opa_unreachable"
    assert "refused" in error.message
    assert error.hint


def test_a_name_that_is_none(one: Subject) -> None:
    assert fails(one, "http://opa.invalid:8181").code == "opa_unreachable"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, {"code": "internal_error", "message": "storage is full"}, "opa_failed"),
        (500, "<html>oh</html>", "opa_failed"),
        (502, b"", "opa_failed"),
        (503, {"errors": 7}, "opa_failed"),
        (401, {"code": "unauthorized", "message": "no"}, "opa_unauthorised"),
        (403, "nope", "opa_unauthorised"),
        (404, {"message": "what?"}, "opa_not_found"),
        (400, {"message": "bad"}, "opa_refused"),
        (413, {}, "opa_request_too_large"),
        (400, {"message": "request body too large"}, "opa_request_too_large"),
        (200, "<html>hello</html>", "opa_answer_invalid"),
        (200, "", "opa_answer_invalid"),
        (200, "[]", "opa_answer_invalid"),
        (200, "null", "opa_answer_invalid"),
        (200, {}, "opa_answer_invalid"),
        (200, {"provenance": []}, "opa_answer_invalid"),
        (200, {"provenance": {"version": 7}}, "opa_answer_invalid"),
        (200, b"\xff\xfe{", "opa_answer_invalid"),
        (200, "[" * 100_000, "opa_answer_invalid"),
        (200, '{"provenance": ' + "1" * 10_000 + "}", "opa_answer_invalid"),
        (200, {"provenance": {"version": "0.70.0"}}, "opa_too_old"),
        (200, {"provenance": {"version": "dev"}}, "opa_too_old"),
        (204, b"", "opa_answer_invalid"),
    ],
)
def test_answers_that_opa_does_not_give(
    status: int, body: Any, code: str, one: Subject, fake: Start
) -> None:
    server = fake(lambda handler: reply(handler, status, body))
    error = fails(one, server.url)
    assert error.code == code
    assert len(error.message) < 1000
    # A status is an answer: it is not asked for again.
    assert len(server.requests) == 1


def test_redirects_are_not_followed(one: Subject, fake: Start) -> None:
    elsewhere = fake(lambda handler: reply(handler, 200, VERSION))
    for status in (301, 302, 307, 308):

        def answer(handler: Any, status: int = status) -> None:
            reply(handler, status, b"", Location=elsewhere.url + handler.path)

        server = fake(answer)
        assert fails(one, server.url).code == "opa_redirected"
    assert elsewhere.requests == []


def hang(handler: Any) -> None:
    time.sleep(3)


def trickle_head(handler: Any) -> None:
    for _ in range(60):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.05)


def trickle_body(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [hang, trickle_head, trickle_body])
def test_slow_answers_end(answer: Callable[[Any], None], one: Subject, fake: Start) -> None:
    error = fails(one, fake(answer).url, timeout=0.5)
    assert error.code == "opa_timeout"
    assert "--opa-timeout" in (error.hint or "")


def test_connections_that_break_are_tried_again_a_few_times(one: Subject, fake: Start) -> None:
    server = fake(lambda handler: None)
    assert fails(one, server.url).code == "opa_unreachable"
    assert len(server.requests) == 1 + client_module.RETRIES


def test_huge_answers(one: Subject, fake: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_ANSWER", 1 << 20)
    packed = gzip.compress(b" " * (1 << 24))
    plain = fake(lambda handler: reply(handler, 200, b" " * (1 << 21)))
    bomb = fake(lambda handler: reply(handler, 200, packed, Content_Encoding="gzip"))
    assert fails(one, plain.url).code == "opa_answer_too_large"
    assert fails(one, bomb.url).code == "opa_answer_too_large"


def test_plain_http_where_tls_was_asked_for(one: Subject, opa: Opa) -> None:
    error = fails(one, opa.url.replace("http:", "https:"))
    assert error.code == "opa_tls_failed"
    assert "--opa-ca" in (error.hint or "")


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {},
        {"marker": "another", "values": {"clause_0": [["always"]]}},
        {"marker": True, "values": {}},
    ],
)
def test_answers_to_queries_that_are_none(result: Any, one: Subject, fake: Start) -> None:
    def answer(handler: Any) -> None:
        if "/ask/answer" in handler.path:
            reply(handler, 200, {} if result is None else {"result": result})
        elif handler.command == "POST":
            reply(handler, 200, VERSION)
        else:
            reply(handler, 204 if "/data/" in handler.path else 200, b"{}")

    assert fails(one, fake(answer).url).code == "opa_policies_gone"


@pytest.mark.parametrize("values", [None, [], {}, {"clause_0": 1}, {"clause_0": [1]}])
def test_values_that_are_none(values: Any, one: Subject, fake: Start) -> None:
    marker: list[str] = []

    def answer(handler: Any) -> None:
        if handler.command == "PUT" and "/data/" in handler.path:
            marker.append(json.loads(server.requests[-1][2])["marker"])
        if "/ask/answer" in handler.path:
            reply(handler, 200, {"result": {"marker": marker[0], "values": values}})
        elif handler.command == "POST":
            reply(handler, 200, VERSION)
        else:
            reply(handler, 204 if "/data/" in handler.path else 200, b"{}")

    server = fake(answer)
    assert fails(one, server.url).code in ("opa_policies_gone", "opa_answer_invalid")


# --- half-way ------------------------------------------------------------------------------------


def test_what_was_pushed_until_an_error_is_taken_away(opa: Opa, written: Any) -> None:
    # Two values for one rule of a name: OPA sees it when the second module comes.
    one = written(
        {"a.rego": POLICY, "a/data.json": '{"b": {"deny": 1}}', "b.rego": "package a.b\n"}
    )
    before = opa.contents()
    broken = replace(one.judge.policies, data={"a": {"deny": {"x": 1}}})
    with (
        pytest.raises(OpaError) as caught,
        opa_engine(opa.target, broken, one.judge.entries, one.judge.evidence, pytest.fail),
    ):
        pass
    assert caught.value.code == "opa_policy_refused"
    assert caught.value.location is not None
    assert opa.contents()[0] == before[0]


def test_an_error_in_between_leaves_nothing(opa: Opa, one: Subject) -> None:
    judge = one.judge

    def interrupted() -> None:
        with opa_engine(opa.target, judge.policies, judge.entries, judge.evidence, pytest.fail):
            assert opa.runs()[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_an_opa_that_stops_in_between(one: Subject) -> None:
    warnings: list[str] = []
    judge = one.judge
    with (
        running() as opa,
        opa_engine(
            opa.target, judge.policies, judge.entries, judge.evidence, warnings.append
        ) as engine,
    ):
        opa.stop()
        with pytest.raises(OpaError) as caught:
            evaluate(judge, one.case, one.settings, None, engine)
    assert caught.value.code == "opa_unreachable"
    (warning,) = warnings
    assert "adjudge_runs/" in warning


def test_an_opa_that_is_restarted_in_between(one: Subject) -> None:
    judge = one.judge
    with (
        running() as opa,
        opa_engine(
            opa.target, judge.policies, judge.entries, judge.evidence, pytest.fail
        ) as engine,
    ):
        opa.stop()
        with running(port=opa.port) as again:
            with pytest.raises(OpaError) as caught:
                evaluate(judge, one.case, one.settings, None, engine)
            assert caught.value.code == "opa_policies_gone"
            # What is cleared away at the end is not there: that is no error.
            engine.workspace.clear(pytest.fail)  # type: ignore[union-attr]
            assert again.runs() == ([], {})


@pytest.mark.parametrize("number", range(5))
def test_policies_that_somebody_deletes_are_missed(
    number: int, written: Callable[..., Subject], opa: Opa
) -> None:
    # Rules that ask for their annotations stay modules of their own.
    apart = "q := rego.metadata.rule()\nf(x) := x\n"
    judge = (
        one := written(
            {
                "a.rego": POLICY + "p := data.b.f(1)\n",
                "b.rego": "package b\n" + apart,
                "c.rego": 'package c\ndeny contains "c" if data.b.q\n' + apart,
            }
        )
    ).judge
    with opa_engine(
        opa.target, judge.policies, judge.entries, judge.evidence, pytest.fail
    ) as engine:
        policies = opa.runs()[0]
        opa.call("DELETE", f"policies/{policies[number]}")
        if number < 2:
            # The declarations of functions: nothing is missing without them.
            evaluate(judge, one.case, one.settings, None, engine)
            return
        with pytest.raises(OpaError) as caught:
            evaluate(judge, one.case, one.settings, None, engine)
        assert caught.value.code == "opa_policies_gone"


def test_runs_do_not_meet_and_others_are_left_alone(opa: Opa, written: Any) -> None:
    opa.call("PUT", "data/tenant", {"a": 1})
    opa.call("PUT", "policies/theirs", 'package a\ndeny contains "theirs"\nf(x, y) := x + y\n')
    try:
        before = opa.contents()
        one = written({"a.rego": POLICY + "f(x) := x\n", "data.json": '{"tenant": {"b": 2}}'})
        judge = one.judge
        with opa_engine(
            opa.target, judge.policies, judge.entries, judge.evidence, pytest.fail
        ) as engine:
            assert one.opa(opa.target).decision.results == one.opa(opa.target).decision.results
            made = evaluate(judge, one.case, one.settings, None, engine).decision
            assert [r.message for r in made.results] == ["always"]
        policies, data = opa.contents()
        data.pop("adjudge_runs", None)
        before[1].pop("adjudge_runs", None)
        assert (policies, data) == before
    finally:
        opa.call("DELETE", "data/tenant")
        opa.call("DELETE", "policies/theirs")


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_needed(one: Subject, guarded_opa: Opa, tmp_path: Path) -> None:
    error = fails(one, guarded_opa.url)
    assert error.code == "opa_unauthorised"
    assert "--opa-token-file" in (error.hint or "")
    wrong = tmp_path / "wrong"
    wrong.write_text("another-token\n")
    error = fails(one, guarded_opa.url, token_file=wrong)
    assert error.code == "opa_unauthorised"
    assert "another-token" not in error.render()


def test_with_the_token(one: Subject, guarded_opa: Opa, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    target = parse_target(guarded_opa.url, token_file=file)
    record = one.opa(target).decision
    assert [r.message for r in record.results] == ["always"]
    assert TOKEN not in json.dumps(record.document())
    assert TOKEN not in repr(target)
    assert guarded_opa.runs() == ([], {})


def test_a_netrc_does_not_replace_the_token(
    one: Subject, guarded_opa: Opa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, netrc = tmp_path / "token", tmp_path / "netrc"
    file.write_text(TOKEN)
    netrc.write_text("machine 127.0.0.1 login me password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert one.opa(parse_target(guarded_opa.url, token_file=file)).decision.outcome == "deny"


def test_a_token_that_is_said_back_is_not_shown(one: Subject, fake: Start, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("my-secret")

    def answer(handler: Any) -> None:
        reply(handler, 401, {"message": f"bad {handler.headers['Authorization']}"})

    error = fails(one, fake(answer).url, token_file=file)
    assert "my-secret" not in error.render()
    assert "Bearer [token]" in error.message


@pytest.mark.parametrize("raw", [b"", b" \n", b"two words", b"a\nb", b"\xff", b"a" * 20_000])
def test_files_that_hold_no_token(raw: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(raw)
    with pytest.raises(AdjudgeError) as caught:
        read_token(file)
    assert caught.value.code == "opa_token_invalid"


def test_a_token_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError, match="No such file") as caught:
        read_token(tmp_path / "none")
    assert caught.value.code == "opa_token_invalid"


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8181",
        "ftp://a",
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://a/path",
        "http://a/?q",
        "http://a#f",
        "http://user:pass@a",
        "http://[::1",
        "http://a b",
        "http://a\nb",
        "unix:///tmp/x",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(AdjudgeError) as caught:
        parse_target(url)
    assert caught.value.code == "opa_url_invalid"
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown", "clear"),
    [
        ("http://127.0.0.1:8181/", "http://127.0.0.1:8181", False),
        ("http://localhost:8181", "http://localhost:8181", False),
        ("http://[::1]:8181", "http://[::1]:8181", False),
        ("http://opa.example", "http://opa.example:80", True),
        ("https://opa.example", "https://opa.example:443", False),
        ("http://10.0.0.7:1", "http://10.0.0.7:1", True),
    ],
)
def test_addresses(url: str, shown: str, clear: bool) -> None:
    target = parse_target(url)
    assert (target.url, target.in_the_clear) == (shown, clear)


def test_a_client_can_be_shared_by_threads(opa: Opa) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = Client(opa.target)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.provenance("x").version, range(64)))
    assert len(set(answers)) == 1


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody else vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def test_certificates_are_verified(
    one: Subject, fake: Start, certificate: tuple[Path, Path]
) -> None:
    server = fake(lambda handler: reply(handler, 200, VERSION))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    error = fails(one, url)
    assert error.code == "opa_tls_failed"
    assert "verify failed" in error.message
    assert server.requests == []
    trusting = Client(parse_target(url, ca=certificate[0]))
    assert trusting.provenance("x").version == "1.22.0"
