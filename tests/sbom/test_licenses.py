"""Licence texts to SPDX expressions."""

from __future__ import annotations

import pytest

from adjudge.documents.sbom.licenses import MAX_OPTIONS, combine, parse_license


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        (" mit ", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT OR Apache-2.0 AND ISC", "MIT OR (Apache-2.0 AND ISC)"),
        ("(MIT OR Apache-2.0) AND ISC", "(MIT OR Apache-2.0) AND ISC"),
        ("((MIT))", "MIT"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("AGPL-3.0", "AGPL-3.0-only"),
        ("Apache-2.0+", "Apache-2.0+"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("gpl-2.0-only with classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("LicenseRef-own", "LicenseRef-own"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ("The MIT License (MIT)", "LicenseRef-The-MIT-License-MIT"),
        ("MIT License", "MIT"),
        ('BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
        ("GNU General Public License v3.0 or later", "GPL-3.0-or-later"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("MIT AND", "LicenseRef-MIT-AND"),
        ("MIT WITH nothing", "LicenseRef-MIT-WITH-nothing"),
        ("Proprietary: ask us", "LicenseRef-Proprietary-ask-us"),
        ("::error::\n%", "LicenseRef-error"),
        ("((((", "LicenseRef-unnamed"),
    ],
)
def test_expression(text: str, expression: str) -> None:
    found = parse_license(text)
    assert found is not None
    assert found.expression == expression
    again = parse_license(found.expression)
    assert again == found, "the canonical form stays as it is"


@pytest.mark.parametrize("text", ["", "  ", "NOASSERTION", "none", "NONE"])
def test_nothing_stated(text: str) -> None:
    assert parse_license(text) is None


def test_ids_and_options() -> None:
    found = parse_license("(MIT OR GPL-2.0-only WITH Classpath-exception-2.0) AND (ISC OR Zlib)")
    assert found is not None
    assert found.ids == ("GPL-2.0-only", "ISC", "MIT", "Zlib")
    assert set(found.options) == {
        ("ISC", "MIT"),
        ("MIT", "Zlib"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "ISC"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "Zlib"),
    }


def test_several_statements_all_apply() -> None:
    found = combine(("MIT OR ISC", "NOASSERTION", "Zlib", "Zlib"))
    assert found is not None
    assert found.expression == "(MIT OR ISC) AND Zlib"
    assert found.options == (("MIT", "Zlib"), ("ISC", "Zlib"))
    assert combine(("NONE",)) is None
    assert combine(()) is None


def test_too_many_options_need_everything_allowed() -> None:
    found = parse_license(" AND ".join(["(MIT OR ISC)"] * 12))
    assert found is not None
    assert found.options == (("ISC", "MIT"),)
    assert MAX_OPTIONS < 2**12


@pytest.mark.parametrize("text", ["(" * 5000 + "X" + ")" * 5000, "MIT OR " * 3000 + "MIT"])
def test_hostile_expression(text: str) -> None:
    found = parse_license(text)
    assert found is not None
    assert found.expression.startswith("LicenseRef-")
    assert len(found.expression) < 200
