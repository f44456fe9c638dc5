"""Trust settings as a manifest writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge.trust import SignerIdentity, TrustSettings, parse_trust_settings

BASE = Path("release")


def test_everything() -> None:
    value = {
        "trusted_root": "trust/root.json",
        "identities": [
            {"identity": "a@b.example", "issuer": "https://i.example"},
            {"identity_regex": "https://x/.*", "issuer": "https://i.example"},
        ],
        "keys": ["k.pub"],
        "certificate_roots": ["ca.pem"],
        "certificate_names": ["n"],
        "max_age_days": 30,
    }
    assert parse_trust_settings(value, BASE) == TrustSettings(
        trusted_root=BASE / "trust/root.json",
        identities=(
            SignerIdentity("https://i.example", "a@b.example"),
            SignerIdentity("https://i.example", identity_regex="https://x/.*"),
        ),
        keys=(BASE / "k.pub",),
        certificate_roots=(BASE / "ca.pem",),
        certificate_names=("n",),
        max_age_days=30,
    )


@pytest.mark.parametrize("value", [None, {}])
def test_nothing(value: Any) -> None:
    assert parse_trust_settings(value, BASE) == TrustSettings()


@pytest.mark.parametrize(
    "value",
    [
        [],
        "x",
        {"unknown": 1},
        {"trusted_root": 5},
        {"keys": "k.pub"},
        {"keys": [5]},
        {"keys": [""]},
        {"certificate_names": {}},
        {"max_age_days": -1},
        {"max_age_days": True},
        {"max_age_days": "30"},
        {"identities": ["a"]},
        {"identities": [{}]},
        {"identities": [{"identity": "a"}]},
        {"identities": [{"issuer": "i"}]},
        {"identities": [{"identity": "a", "issuer": ""}]},
        {"identities": [{"identity": "a", "identity_regex": "a", "issuer": "i"}]},
        {"identities": [{"identity": 5, "issuer": "i"}]},
        {"identities": [{"identity": "a", "issuer": "i", "more": "x"}]},
        {"identities": [{"identity_regex": "(", "issuer": "i"}]},
        {"identities": [{"identity_regex": "(?=x)", "issuer": "i"}]},
    ],
)
def test_mistakes(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_trust_settings(value, BASE)
    assert caught.value.code == "trust_settings_invalid"
