"""Requests to one OPA in, checked answers or one :class:`OpaError` out.

The requests are those of opa-python-client.  What it leaves to chance is settled here, below
it, in the session it sends them with: every answer is read with a limit, a status that is no
success is an error with what OPA said, redirects are not followed (they would take the token
elsewhere), ``.netrc`` and proxies of the environment take no part, only what did not reach
OPA or was cut off is sent again, and the whole of it is over when its time is over.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote

import requests
from opa_client import OpaClient
from opa_client.errors import PolicyNotFoundError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError, ReadTimeoutError
from urllib3.util.retry import Retry

from adjudge.opa.errors import OpaError
from adjudge.opa.target import Target
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.source import Location

RETRIES: Final = 2
"""How often a request is sent again that did not get through."""
MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of an answer, unpacked."""
MAX_SAID: Final = 400
"""Characters of what OPA says that become part of a message."""
OLDEST: Final = (1, 0)
"""The first OPA that reads policies as Rego v1."""

_CHUNK: Final = 64 * 1024
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that OPA found while it evaluated: code, message, and place (row and column
    from 1) in a policy of OPA's."""

    code: str
    message: str
    file: str = ""
    row: int = 0
    col: int = 0


class EvaluationFailed(Exception):
    """A query could not be evaluated: a builtin failed, rules conflict, and the like."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an OPA says of itself: its version, the commit it was built from (often empty) and
    the revisions of its bundles by name."""

    version: str
    commit: str
    bundles: Mapping[str, str]


def as_path(keys: Sequence[object]) -> str:
    """Keys below ``data`` as the API writes a path.  The library would take a dot for a step."""
    return "/".join(quote(str(key), safe="").replace(".", "%2E") for key in keys)


class Opa:
    """One OPA; safe to share between threads.

    Every method raises :class:`OpaError`.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client = _Client(target)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close_connection()

    # -- what is asked -----------------------------------------------------------------------

    def provenance(self, path: str) -> Provenance:
        """What OPA says of itself, asked along with the document at ``path``.

        Also raises OpaError ``opa_too_old``.
        """
        params = {"provenance": "true"}
        answer = self._ask("say which version it is", path, {}, params)
        found = answer.get("provenance")
        version = found.get("version") if isinstance(found, dict) else None
        if not isinstance(version, str) or not version:
            raise self._invalid("it does not say which version of OPA it is")
        if _numbers(version) < OLDEST:
            raise OpaError(
                "opa_too_old",
                f"the OPA at {self.target.url} is {self._said(version)}; 1.0 or later is needed",
                hint="older ones read policies as Rego v0",
            )
        bundles = found.get("bundles") if isinstance(found, dict) else None
        revisions = {
            str(name): str(bundle.get("revision") or "")
            for name, bundle in (bundles.items() if isinstance(bundles, dict) else ())
            if isinstance(bundle, dict)
        }
        commit = found.get("build_commit") if isinstance(found, dict) else None
        return Provenance(version, commit if isinstance(commit, str) else "", revisions)

    def document(
        self, path: str, input_: Any, *, strict: bool = True, seconds: float | None = None
    ) -> Any:
        """The document at a path below ``data`` (keys with ``/`` between them) for an input
        (it may be ``UNDEFINED``); ``UNDEFINED`` when there is none.

        ``strict``: a builtin that fails is an error.  Raises :class:`EvaluationFailed` too.
        """
        params = {"strict-builtin-errors": "true"} if strict else {}
        answer = self._ask("evaluate policies", path, input_, params, seconds)
        return answer.get("result", UNDEFINED)

    def _ask(
        self,
        what: str,
        path: str,
        input_: Any,
        params: dict[str, str],
        seconds: float | None = None,
    ) -> dict[str, Any]:
        # The library takes dots for steps; there are none in what is given to it.
        client = self._client

        def ask() -> Any:
            if input_ is not UNDEFINED:
                return client.query_rule(input_, path, None, params)
            try:
                # Only without a body there is no input.
                return client.get_data(path, params)
            except PolicyNotFoundError:
                return {}

        answer = self._call(what, ask, seconds)
        if not isinstance(answer, dict):
            raise self._invalid("an object was expected")
        return answer

    # -- what is written ---------------------------------------------------------------------

    def put_policy(self, name: str, text: str) -> None:
        """Give OPA a policy.

        Also raises OpaError ``opa_policy_refused``, with the place in that text.
        """
        # The library would rewrite what OPA refuses, and put that: not with our policies.
        client = self._client
        self._call("store policies", lambda: client.update_policy_from_string(text, name, False))

    def delete_policy(self, name: str) -> None:
        """Take a policy away; that it is gone already is no error."""
        self._delete("delete policies", lambda: self._client.delete_policy(name))

    def put_data(self, path: str, value: dict[str, Any]) -> None:
        """Give OPA a base document."""
        client = self._client
        self._call("store data", lambda: client.update_or_create_data(value, path))

    def delete_data(self, path: str) -> None:
        """Take a base document away; that it is gone already is no error."""
        self._delete("delete data", lambda: self._client.delete_data(path))

    def policies(self) -> dict[str, str]:
        """The text of every policy that OPA has, by id."""
        answer = self._call("list policies", self._client.list_policies)
        found = answer.get("result", []) if isinstance(answer, dict) else None
        if not isinstance(found, list) or not all(isinstance(p, dict) for p in found):
            raise self._invalid("a list of policies was expected")
        return {str(p.get("id")): str(p.get("raw")) for p in found}

    # -- calling and explaining --------------------------------------------------------------

    def _delete(self, what: str, call: Callable[[], object]) -> None:
        try:
            self._call(what, call)
        except OpaError as error:
            if error.code != "opa_not_found":
                raise

    def _call(self, what: str, call: Callable[[], _T], seconds: float | None = None) -> _T:
        """Make a call of the library, within its time."""
        limit = self.target.timeout if seconds is None else min(seconds, self.target.timeout)
        try:
            if limit <= 0:
                raise _Late
            return _within(limit, call)
        except EvaluationFailed:
            raise
        except _Late:
            raise self._late(what, limit) from None
        except Exception as error:
            # Whatever it is: the library lets through what requests, json and urllib3 raise,
            # and TypeError and KeyError for answers it does not expect.
            self._explain(what, error, limit)

    def _explain(self, what: str, error: Exception, limit: float) -> NoReturn:
        url = self.target.url
        if isinstance(error, _Rejected):
            raise self._rejected(what, error) from None
        if isinstance(error, _Redirected):
            raise OpaError(
                "opa_redirected",
                f"{url} sends us elsewhere when asked to {what}; that is not followed",
                hint="name the address of OPA itself",
            ) from None
        if isinstance(error, _TooLarge):
            raise OpaError(
                "opa_answer_too_large",
                f"the OPA at {url} answers with more than {MAX_ANSWER >> 20} MiB",
                hint="judge fewer or smaller artifacts at once",
            ) from None
        if isinstance(error, requests.exceptions.SSLError):
            raise OpaError(
                "opa_tls_failed",
                f"no secure connection to {url}: {self._said(_innermost(error))}",
                hint="name the certificates to trust with --opa-ca",
            ) from None
        if isinstance(error, requests.exceptions.Timeout) or _timed_out(error):
            raise self._late(what, limit) from None
        if isinstance(error, requests.exceptions.ConnectionError):
            raise OpaError(
                "opa_unreachable",
                f"cannot reach OPA at {url}: {self._said(_innermost(error))}",
                hint="is it running? `opa run --server --addr HOST:PORT` starts one",
            ) from None
        if isinstance(error, UnicodeError):
            raise OpaError(
                "opa_policy_inexpressible", "a policy holds text that is not Unicode"
            ) from None
        raise self._invalid(self._said(str(error) or type(error).__name__)) from None

    def _rejected(self, what: str, error: _Rejected) -> OpaError:
        url, status, said = self.target.url, error.status, self._said(error.said)
        told = f": {said}" if said else ""
        if status in (401, 403):
            return OpaError(
                "opa_unauthorised",
                f"the OPA at {url} does not let us {what} (HTTP {status}{told})",
                hint="give a token that it accepts with --opa-token-file"
                if self.target.token is None
                else "the token is not accepted, or its policy does not allow this",
            )
        if status == 413 or "too large" in error.said:
            return OpaError(
                "opa_request_too_large",
                f"what we sent is too large for the OPA at {url}",
                hint="raise server.decoding.max_length in the configuration of OPA",
            )
        if status == 404:
            return OpaError("opa_not_found", f"the OPA at {url} does not have it{told}")
        if status >= 500:
            return OpaError(
                "opa_failed",
                f"the OPA at {url} failed to {what} (HTTP {status}{told})",
                hint="its log says why",
            )
        if error.errors:
            first = error.errors[0]
            return OpaError(
                "opa_policy_refused",
                f"the OPA at {url} does not accept a policy: {said}",
                location=Location(first.file, first.row, first.col),
                hint="an older OPA may lack a builtin or a keyword that the policy uses",
            )
        return OpaError("opa_refused", f"the OPA at {url} refused to {what} (HTTP {status}{told})")

    def _late(self, what: str, limit: float) -> OpaError:
        return OpaError(
            "opa_timeout",
            f"the OPA at {self.target.url} took longer than {max(limit, 0):.3g} s to {what}",
            hint="allow it more with --opa-timeout (and the whole evaluation with --timeout)",
        )

    def _invalid(self, why: str) -> OpaError:
        return OpaError(
            "opa_answer_invalid",
            f"what answers at {self.target.url} does not answer as OPA does: {why}",
            hint="is it an OPA, and the right address?",
        )

    def _said(self, text: str) -> str:
        """Text from outside as part of a message: short, on one line, and without the token."""
        if self.target.token:
            text = text.replace(self.target.token, "[token]")
        text = " ".join(text.split())
        return text if len(text) <= MAX_SAID else text[: MAX_SAID - 1] + "…"


class _Late(Exception):
    """The time is over."""


class _Redirected(Exception):
    """The answer is to ask elsewhere."""


class _TooLarge(Exception):
    """The answer does not end in time."""


class _Rejected(Exception):
    """A status that is no success, with what OPA says about it."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        found = document if isinstance(document, dict) else {}
        errors = found.get("errors")
        self.code = found.get("code")
        self.errors = [_failure(e) for e in errors] if isinstance(errors, list) else []
        texts = [str(found.get("message") or ""), *(f"{e.code}: {e.message}" for e in self.errors)]
        self.said = "; ".join(text for text in texts if text)


def _failure(entry: object) -> Failure:
    found = entry if isinstance(entry, dict) else {}
    place = found.get("location")
    place = place if isinstance(place, dict) else {}
    row, col = place.get("row"), place.get("col")
    return Failure(
        str(found.get("code") or ""),
        str(found.get("message") or entry),
        str(place.get("file") or ""),
        row if isinstance(row, int) else 0,
        col if isinstance(col, int) else 0,
    )


class _Client(OpaClient):  # type: ignore[misc]  # it ships no types
    """The client of the library, with a session that can be relied on."""

    def __init__(self, target: Target) -> None:
        self._ca = target.ca
        super().__init__(
            host=target.host,
            port=target.port,
            ssl=target.scheme == "https",
            token=target.token,
            retries=RETRIES,
            timeout=target.timeout,
        )

    def _init_session(self) -> requests.Session:
        session = requests.Session()
        # A .netrc would replace the token, a proxy would see it.
        session.trust_env = False
        session.verify = self._ca or True
        session.headers.update(self.headers or {})
        adapter = _Adapter(self.retries, self.timeout)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def list_policies(self) -> Any:
        """All policies with their texts.

        The library's own lists leave out the texts, and of a policy whose id begins with a
        slash (a file that OPA was started with) it cannot ask for the text.
        """
        return self._session.get(f"{self.root_url}/policies", timeout=self.timeout).json()


class _Adapter(HTTPAdapter):
    """Sends requests, all of which may be sent twice, and reads whole answers with a limit."""

    def __init__(self, retries: int, seconds: float) -> None:
        self._seconds = seconds
        super().__init__(
            pool_maxsize=32,
            max_retries=Retry(
                total=retries,
                status=0,
                other=0,
                # A query changes nothing, and what is put or deleted twice is put or deleted.
                allowed_methods=None,
                backoff_factor=0.1,
                backoff_jitter=0.2,
                respect_retry_after_header=False,
                raise_on_status=False,
            ),
        )

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        end = time.monotonic() + self._seconds
        response = super().send(request, **{**options, "stream": True})
        try:
            if 300 <= response.status_code < 400:
                raise _Redirected
            body = _body(response, end)
        finally:
            response.close()
        if response.status_code >= 400:
            rejected = _Rejected(response.status_code, body)
            first = rejected.errors[0] if rejected.errors else None
            if rejected.status == 500 and first is not None and first.code.startswith("eval_"):
                raise EvaluationFailed(first)
            raise rejected
        # What requests itself sets when it has read an answer.
        response._content = body
        return response


def _body(response: requests.Response, end: float) -> bytes:
    out = bytearray()
    for chunk in response.iter_content(_CHUNK):
        out += chunk
        if len(out) > MAX_ANSWER:
            raise _TooLarge
        if time.monotonic() > end:
            raise _Late
    return bytes(out)


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """The result of a call, or :class:`_Late`.

    It is made in a thread of its own: looking up a name has no time limit, and one that
    counts bytes starts anew with each of them.
    """
    done: queue.SimpleQueue[tuple[_T | None, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put((call(), None))
        except Exception as error:
            done.put((None, error))

    threading.Thread(target=work, daemon=True, name="adjudge-opa").start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty:
        raise _Late from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _timed_out(error: BaseException) -> bool:
    return any(isinstance(e, ReadTimeoutError) for e in _chain(error))


def _innermost(error: BaseException) -> str:
    """What went wrong, without the layers around it and without addresses of objects."""
    for each in _chain(error):
        if isinstance(each, NewConnectionError):
            return str(each).rpartition(": ")[2]
    return str(list(_chain(error))[-1])


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what is within it: requests and urllib3 put one into another."""
    out: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and each not in out:
            out.append(each)
            waiting += [getattr(each, "reason", None), *each.args]
    return out


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``1.22.0-dev`` is ``(1, 22)``."""
    parts = version.removeprefix("v").split(".")[:2]
    return tuple(int(p) if p.isascii() and p.isdigit() else 0 for p in parts)
