"""Credentials, internal hosts and personal data are found; look-alikes are not.

Credentials are put together here from pieces, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents.sensitive import (
    find_internal_hosts,
    find_personal,
    find_secrets,
    preview,
)

RANDOM = "q7Xe2Vb9Lk4Tz8Rw1Np6Ys3Mc5Hd0JfAgUiOo"
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow" + "A" * 60 + "\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    ("aws_access_key", "AKIA" + "IOSFODNN7ABCDEFG"),
    ("github_token", "ghp_" + RANDOM[:36]),
    ("github_token", "github_pat_" + RANDOM[:30]),
    ("gitlab_token", "glpat-" + RANDOM[:20]),
    ("slack_token", "xoxb-" + "1234567890-abcdef"),
    ("google_api_key", "AIza" + RANDOM[:35]),
    ("model_api_key", "sk-proj-" + RANDOM[:32]),
    ("model_api_key", "sk-ant-api03-" + RANDOM[:32]),
    ("huggingface_token", "hf_" + RANDOM[:34]),
    ("stripe_key", "sk_live_" + RANDOM[:24]),
    ("npm_token", "npm_" + RANDOM[:36]),
    ("pypi_token", "pypi-" + RANDOM + RANDOM),
    ("sendgrid_key", "SG." + RANDOM[:22] + "." + RANDOM[:36]),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + RANDOM[:30]),
    ("private_key", KEY),
    ("private_key", KEY.replace("\n", "\\n")),
    ("private_key", KEY[:90]),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_credentials(kind: str, secret: str) -> None:
    text = f"before\n{secret}\nafter"
    (found,) = find_secrets(text)
    assert found.kind == kind
    assert text[found.start : found.end].strip() == secret


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        ("Authorization: Bearer " + RANDOM, "bearer_token", RANDOM),
        ("postgres://admin:s3cr3t!@db/x", "url_password", "s3cr3t!"),
        ("AccountKey=" + "Ab1+" * 21 + "==;x", "azure_storage_key", "Ab1+" * 21 + "=="),
        ("hooks.slack.com/services/T0/B0/" + RANDOM, "slack_webhook", "T0/B0/" + RANDOM),
        (f'api_key: "{RANDOM}"', "assigned_secret", RANDOM),
        (f'"client_secret": "{RANDOM}"', "assigned_secret", RANDOM),
        ("The password is hunter2!", "assigned_secret", "hunter2!"),
        ("DB_PASSWORD=pa55word", "assigned_secret", "pa55word"),
    ],
)
def test_credentials_in_context(text: str, kind: str, secret: str) -> None:
    (found,) = find_secrets(text)
    assert found.kind == kind
    assert text[found.start : found.end] == secret


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 1000000000",
        "api_key: ${API_KEY_FROM_VAULT_1}",
        "api_key: {api_key_variable_01}",
        "api_key: your-api-key-goes-here-123",
        "password: required",
        "The secret is to listen.",
        "digest: sha256:" + "0123456789abcdef" * 4,
        "token: aaaaaaaaaaaaaaaaaaaaaaa1",
        "task-oriented-dialogue-with-many-words",
        "https://user:{password}@host/",
    ],
)
def test_no_credentials(text: str) -> None:
    assert find_secrets(text) == []


def test_overlapping_credentials_count_once() -> None:
    assert [f.kind for f in find_secrets("api_key = AKIA" + "IOSFODNN7ABCDEFG")] == [
        "aws_access_key"
    ]


def test_previews_tell_little() -> None:
    assert preview("AKIAIOSFODNN7ABCDEFG") == "AKIA****"
    assert preview("hunter2!") == "hu****"
    assert preview("abc") == "****"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("see http://wiki/start and https://wiki.example.com/", ["wiki"]),
        ("10.1.2.3, 192.168.0.1, 172.16.9.9, 172.32.0.1, 8.8.8.8", None),
        ("db.prod.internal and svc.ns.svc.cluster.local", None),
        ("git.acme.corp:8080", ["git.acme.corp"]),
        ("http://printer.local/ but not settings.local", ["printer.local"]),
        ("http://localhost:8000", ["localhost"]),
        ("version 10.2.1 of 110.1.2.3", []),
        ("internal policies, a corporate card", []),
    ],
)
def test_internal_hosts(text: str, hosts: list[str] | None) -> None:
    found = [text[f.start : f.end] for f in find_internal_hosts(text)]
    if hosts is None:
        hosts = [w.strip(",") for w in text.split() if w.strip(",") not in ("172.32.0.1", "and")]
        hosts = [h for h in hosts if h != "8.8.8.8"]
    assert found == hosts


@pytest.mark.parametrize(
    ("text", "kind", "synthetic"),
    [
        ("write to jane.doe@mail.acme.com now", "email", False),
        ("write to jane@example.com now", "email", True),
        ("write to jane@shop.example now", "email", True),
        ("call +49 30 1234567 today", "phone", False),
        ("call (212) 664-7665 today", "phone", False),
        ("call 212-555-0123 today", "phone", True),
        ("SSN 536-22-8726.", "us_ssn", False),
        ("SSN 123-45-6789.", "us_ssn", True),
        ("IBAN DE44 5001 0517 5407 3249 31 please", "iban", False),
        ("IBAN DE89370400440532013000 please", "iban", True),
        ("card 4539 1488 0343 6467 thanks", "credit_card", False),
        ("card 4111-1111-1111-1111 thanks", "credit_card", True),
    ],
)
def test_personal_data(text: str, kind: str, synthetic: bool) -> None:
    (found,) = find_personal(text)
    assert (found.kind, found.synthetic) == (kind, synthetic)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T10:00:00Z",
        "order 4539 1488 0343 6468",
        "DE44 5001 0517 5407 3249 32",
        "000-12-3456 and 666-12-3456",
        "sha 4539148803436467abc",
        "user@localhost",
        "1.2.3.4 and 10.20.30.40",
        "0000000000000000",
    ],
)
def test_no_personal_data(text: str) -> None:
    assert find_personal(text) == []


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="aA1-+@.:/ ={}'\"\n_", max_size=80))
def test_findings_lie_in_the_text_in_order(text: str) -> None:
    for find in (find_secrets, find_internal_hosts, find_personal):
        found = find(text)
        assert all(0 <= f.start < f.end <= len(text) for f in found)
        assert [f.start for f in found] == sorted(f.start for f in found)
