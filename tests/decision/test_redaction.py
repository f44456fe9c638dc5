"""Secrets and large values stay out of the record; ordinary values do not.

Secret-looking text is put together at run time, so that this file holds none.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.canonical import digest_of
from adjudge.decision.model import Source
from adjudge.decision.redaction import MISSING, RedactionPolicy

POLICY = RedactionPolicy()

SECRETS = {
    "private_key": "-----BEGIN EC " + "PRIVATE KEY-----\nMHcCAQEE",
    "aws_access_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "azure_key": "AccountKey=" + "a" * 86 + "==",
    "google_api_key": "AIza" + "b" * 35,
    "github_token": "ghp_" + "c" * 36,
    "github_token ": "github_pat_" + "c" * 30,
    "gitlab_token": "glpat-" + "d" * 20,
    "hugging_face_token": "hf_" + "E" * 34,
    "slack_token": "xoxb-" + "1234567890-abc",
    "stripe_key": "sk_live_" + "f" * 24,
    "model_api_key": "sk-" + "proj-" + "g7G" * 14,
    "json_web_token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3.c2ln",
    "authorization": "Authorization: Bearer " + "h" * 24,
    "url_password": "postgres://app:" + "s3cr3t@db.example/x",
    "assigned_secret": "password" + " = hunter2hunter2",
}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_every_shape_is_redacted_wherever_it_stands(name: str) -> None:
    secret, name = SECRETS[name], name.strip()
    for value in (secret, [secret], {"a": {"b": secret}}, {secret: 1}, f"x {secret} y"):
        kept = POLICY.record("/document/text", value)
        assert (kept.recorded, kept.redacted) == ("redacted", name)
        assert (kept.value, kept.digest) == (None, None)
    shown = POLICY.redact_text(f"before {secret} after")
    assert f"[redacted: {name}]" in shown
    assert secret not in shown
    assert shown.startswith("before ")


@pytest.mark.parametrize(
    "member",
    [
        "password",
        "dbPassword",
        "api_key",
        "apiKey",
        "APIKey",
        "X-Api-Key",
        "OPENAI_API_KEY",
        "access_token",
        "clientSecret",
        "credentials",
        "Authorization",
        "private-key",
    ],
)
def test_members_with_secret_names(member: str) -> None:
    for kept in (
        POLICY.record(f"/document/{member}", "short"),
        POLICY.record(f"/document/{member}/0", 12345),
        POLICY.record("/document", {"a": [{member: "short"}]}),
        POLICY.record(f"/document/{member}", "x" * 100_000),
    ):
        assert kept.redacted == "secret_name"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/document/max_tokens", 512),
        ("/document/eos_token", "</s>"),
        ("/document/tokenizer", "bpe"),
        ("/document/secret_scanning", "enabled"),
        ("/document/password", ""),
        ("/document/password", None),
        ("/document/password", False),
        ("/document/api_key", "${OPENAI_API_KEY}"),
        ("/document/api_key", "{{ secrets.KEY }}"),
        ("/facts/author", "A. Person <a@example.com>"),
        ("/document/public_key", "short"),
        ("/document/text", "Ask for the password: customers forget it."),
        (
            "/document/text",
            "a risk-assessment-of-the-whole-system-2026-A and sk-learn-like-names-of-things",
        ),
        ("/document/text", "shelf_" + "a" * 40),
        ("/document/homepage", "https://example.com/a?b=c@d"),
        ("", {"licence": "Apache-2.0", "n": 3, "ok": True}),
    ],
)
def test_ordinary_values_are_kept(pointer: str, value: Any) -> None:
    kept = POLICY.record(pointer, value)
    assert (kept.recorded, kept.value) == ("value", value)


@pytest.mark.parametrize("value", ["x" * 2000, ["ab"] * 500, {str(n): n for n in range(400)}])
def test_large_values_are_kept_by_digest(value: Any) -> None:
    kept = POLICY.record("/document/text", value)
    assert kept.recorded == "digest"
    assert kept.digest == digest_of(value)
    assert kept.value is None


def test_the_limit_is_a_setting() -> None:
    text = "x" * 100
    assert RedactionPolicy(max_bytes=50).record("/a", text).recorded == "digest"
    assert RedactionPolicy(max_bytes=5000).record("/a", text * 20).recorded == "value"


def test_a_long_text_that_is_a_secret_is_not_even_hashed() -> None:
    kept = POLICY.record("/document/text", SECRETS["private_key"] + "A" * 5000)
    assert (kept.recorded, kept.digest) == ("redacted", None)


def test_absent_and_null_differ() -> None:
    assert POLICY.record("/a", MISSING).recorded == "absent"
    assert POLICY.record("/a", None).recorded == "value"


def test_hostile_depth_is_said_not_raised() -> None:
    value: Any = "x"
    for _ in range(50_000):
        value = [value]
    assert POLICY.record("/a", value).redacted == "value_too_deep"


def test_huge_numbers() -> None:
    assert POLICY.record("/a", 10**20).value == {"$number": str(10**20)}
    assert POLICY.record("/a", 10**5000).recorded == "digest"


def test_evidence_is_made_ready_for_the_record() -> None:
    at = Source(file="a.json", line=2, column=5)
    evidence = POLICY.evidence("a.json", "/document/api_key", "abc", at)
    assert evidence.model_dump() == {
        "artifact": "a.json",
        "pointer": "/document/api_key",
        "recorded": "redacted",
        "value": None,
        "redacted": "secret_name",
        "digest": None,
        "source": {"file": "a.json", "line": 2, "column": 5},
    }


def test_details_follow_the_same_rules() -> None:
    assert POLICY.details(None) is None
    assert POLICY.details({"found": 3}) == {"found": 3}
    assert POLICY.details({"password": "x"}) == {"redacted": "secret_name"}
    assert POLICY.details("y" * 5000) == {"sha256": digest_of("y" * 5000)}


@given(st.recursive(st.none() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_value_makes_it_fail(value: Any) -> None:
    assert POLICY.evidence("a", "/x", value).pointer == "/x"
