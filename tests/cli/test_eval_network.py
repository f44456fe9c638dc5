"""What ``adjudge eval --grant`` lets policies do: requests on the loopback interface only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run, write


class Handler(BaseHTTPRequestHandler):
    """Tells what it was sent."""

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        code = {"/gone": 410, "/moved": 302}.get(self.path, 200)
        told = {"path": self.path, "body": body.decode(), "own": self.headers["x-own"]}
        text = json.dumps(told).encode()
        self.send_response(code)
        if code == 302:
            self.send_header("location", "/there")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def sent(run: Run, request: dict[str, Any], *more: str) -> Any:
    """The answer to a request, None when there is none."""
    query = f"http.send({json.dumps(request)})"
    result = run("eval", "--grant", "http.send", *more, query).json.get("result")
    return result[0]["expressions"][0]["value"] if result else None


def test_requests_are_sent(run: Run, url: str) -> None:
    request = {"method": "post", "url": f"{url}/x", "body": {"a": 1}, "headers": {"X-Own": "v"}}
    answer = sent(run, request)
    assert answer["status_code"] == 200
    assert answer["body"] == {"path": "/x", "body": '{"a":1}', "own": "v"}
    assert answer["headers"]["content-type"] == ["application/json"]


def test_an_answer_need_not_be_success(run: Run, url: str) -> None:
    assert sent(run, {"method": "get", "url": f"{url}/gone"})["status_code"] == 410


@pytest.mark.parametrize(("follow", "code"), [(True, 200), (False, 302)])
def test_redirects_are_followed_when_asked_for(run: Run, url: str, follow: bool, code: int) -> None:
    request = {"method": "get", "url": f"{url}/moved", "enable_redirect": follow}
    assert sent(run, request)["status_code"] == code


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "file:///etc/hostname", "ftp://x"])
def test_where_there_is_no_answer(run: Run, address: str) -> None:
    assert sent(run, {"method": "get", "url": address}) is None
    told = sent(run, {"method": "get", "url": address, "raise_error": False})
    assert told["error"]["code"] == "eval_http_send_network_error"


def test_the_environment_is_told_when_granted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADJUDGE_TEST_VALUE", "here")
    query = "opa.runtime().env.ADJUDGE_TEST_VALUE"
    assert run("eval", query).json == {}
    assert run("eval", "--grant", "opa.runtime", "-f", "raw", query).out == "here\n"


def test_modules_may_call_what_is_not_granted(run: Run, work: Path) -> None:
    """It is evaluating the call that is an error."""
    text = "package p\n\na := http.send({})\n\nb := net.lookup_ip_addr(`x.y`)\n\nc := 1\n"
    write(work, {"p.rego": text})
    assert run("eval", "-d", "p.rego", "-f", "raw", "data.p.c").out == "1\n"
    for query in ("data.p.b", 'http.send({"method": "get", "url": "http://127.0.0.1:1"})'):
        refused = run("eval", "-d", "p.rego", query)
        assert refused.code == 2
        assert "withheld" in refused.json["errors"][0]["message"]
