"""Variables, delimiters and includes of prompt templates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.documents.prompt_template import MAX_USES, read_template, sounds_untrusted


def names(text: str) -> list[str]:
    return [u.variable for u in read_template(text).uses]


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("Hello {name} and {name}.", ["name", "name"]),
        ("{user.first} {items[0]} {price:.2f}", ["user", "items", "price"]),
        ("${name} costs $5", ["name"]),
        ("{{ name }} {{user.name | upper}}", ["name", "user"]),
        ("{{ a if b else 'c d' }}", ["a", "b"]),
        ("{% for d in docs %}{{ d.text }}{{ loop.index }}{% endfor %}", ["docs"]),
        ("{% set x = y %}{{ x }}", ["y"]),
        ("{% if flag == 1 %}x{% endif %}", ["flag"]),
        ("{{#if ok}}{{{raw}}}{{/if}}{{! note }}", ["ok", "raw"]),
        ('{{role "system"}} {{ role }} {{ raw }}', ["role", "raw"]),
        ("{{ range(3) }}{{ f(x) }}", ["x"]),
        ('{"json": 1, "a": {"b": [1]}} {} { x y }', []),
        ("{{}} {%%} ${} {1}", []),
    ],
)
def test_variables(text: str, used: list[str]) -> None:
    assert names(text) == used


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("<user_input>{q}</user_input>", "<user_input>"),
        ('<doc id="1">\n{q}\n</doc>', "<doc>"),
        ("```\n{q}\n```", "```"),
        ('"""{q}"""', '"""'),
        ("<a><b1>{q}</b1></a>", "<b1>"),
        ("{q}", ""),
        ("<user_input>{q}", ""),
        ("<x></x>{q}", ""),
        ("</x>{q}<x>", ""),
        ("<system>{q}</system>", ""),
        ("<b>{q}</b>", ""),
    ],
)
def test_delimiters(text: str, delimiter: str) -> None:
    (use,) = read_template(text).uses
    assert use.delimiter == delimiter
    assert text[use.offset : use.offset + use.length] == "{q}"


def test_includes() -> None:
    text = "{% include 'a.txt' %} {{> part }} file://b.txt {% extends base %}"
    assert [i.target for i in read_template(text).includes] == ["a.txt", "part", "b.txt", "base"]


def test_very_many_uses_are_cut() -> None:
    template = read_template("{a}" * (MAX_USES + 5))
    assert len(template.uses) == MAX_USES
    assert template.truncated


@pytest.mark.parametrize(
    "name",
    ["user_input", "query", "Question", "customer_message", "documents", "context", "ticket"],
)
def test_untrusted_names(name: str) -> None:
    assert sounds_untrusted(name)


@pytest.mark.parametrize("name", ["company_name", "kb_update_date", "user_id", "input_limit"])
def test_other_names(name: str) -> None:
    assert not sounds_untrusted(name)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="{}%$<>/#!|.'\"ab \n`=", max_size=60))
def test_any_text_is_read(text: str) -> None:
    for use in read_template(text).uses:
        assert use.variable in text
