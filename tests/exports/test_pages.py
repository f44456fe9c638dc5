"""Markdown and HTML: what a reader's parser makes of them, above all of hostile text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from adjudge.decision.model import Degradation
from adjudge.exports import html, markdown
from adjudge.exports.report import Options, Report

VOID = {"meta", "br", "link", "img", "input", "hr"}


@pytest.fixture(params=["denied", "allowed", "empty", "hostile"])
def any_report(request: pytest.FixtureRequest) -> Report:
    report = request.getfixturevalue(request.param)
    assert isinstance(report, Report)
    return report


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.text: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def of(self, tag: str) -> str:
        return "".join(self.text.get(tag, []))


# HTML


def test_html_is_well_formed_and_self_contained(any_report: Report) -> None:
    page = Page(html.render(any_report))
    assert page.tags.count("script") == 1
    assert ("script", "type", "application/json") in page.attributes
    assert not {"link", "img", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "href", "style")
        assert "javascript:" not in (value or "")
    assert "url(" not in page.of("style")
    assert "@import" not in page.of("style")
    assert any(
        name == "content" and (value or "").startswith("default-src 'none'")
        for _, name, value in page.attributes
    )


def test_html_carries_the_record(any_report: Report) -> None:
    data = json.loads(Page(html.render(any_report)).of("script"))
    assert data == json.loads(json.dumps(any_report.decision.document()))


def test_html_is_the_same_every_time(denied: Report) -> None:
    assert html.render(denied) == html.render(replace(denied))


def test_html_says_everything(denied: Report) -> None:
    page = Page(html.render(denied))
    everything = " ".join("".join(parts) for parts in page.text.values())
    for part in (
        "Denied",
        "support-assistant 1.4.0",
        "13 findings block this release.",
        "“support-7b:latest” is a moving target",
        "prompts/triage/2.1.0/config.yaml:6:8",
        "Name the model with its date or digest.",
        "nist-ai-600-1/GV-1.6-003",
        "redacted: secret_name",
        "Waived until 2026-12-01",
        "clock_overridden",
        "W-2026-003",
        "The card parses",
        "Dataset licences are allowed",
        denied.decision.digest,
    ):
        assert part in everything
    assert page.of("mark").startswith("[More Information Needed]support-7b:latest")
    assert "not-a-real-key" not in html.render(denied)


def test_html_headings_and_tables_are_accessible(denied: Report) -> None:
    page = Page(html.render(denied))
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("th") == sum(
        1 for tag, name, _ in page.attributes if (tag, name) == ("th", "scope")
    )
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for _, name, value in page.attributes:
        if name == "aria-labelledby":
            assert value in ids


def test_html_shows_hostile_text_as_text(hostile: Report) -> None:
    text = html.render(hostile)
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "<script>alert(1)</script>" in page.of("h1")
    assert "49" not in page.of("h1")
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", shown)
    assert "##[" not in text
    assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_html_folds_what_is_long(denied: Report) -> None:
    assert "4 more findings of this rule" in html.render(denied)


def test_verbose_opens_what_passed(allowed: Report) -> None:
    assert "<details open>" not in html.render(allowed)
    assert "<details open>" in html.render(replace(allowed, options=Options(verbose=True)))


# Markdown


def rendered(text: str) -> Page:
    """The summary as a Markdown reader shows it, with raw HTML and links on."""
    reader = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    return Page(reader.render(text))


def test_markdown_reads_as_meant(denied: Report) -> None:
    text = markdown.render(denied)
    page = rendered(text)
    assert page.of("h2") == "❌ Denied: support-assistant 1.4.0 · production · acme"
    assert "fail high · PB-05: The model is pinned" in page.text["h4"]
    assert "6 | model: support-7b:latest\n  |        ^\n" in page.text["code"]
    assert "prompts/triage/2.1.0/config.yaml:6:8" in page.of("code")
    assert "review_date" in page.of("p")
    assert denied.decision.digest in page.of("code")


def test_markdown_shows_hostile_text_as_text(hostile: Report) -> None:
    text = markdown.render(hostile)
    page = rendered(text)
    allowed = {"h2", "h3", "h4", "p", "strong", "br", "code", "pre", "sub", "em"}
    allowed |= {"table", "thead", "tbody", "tr", "th", "td"}
    assert set(page.tags) <= allowed
    assert "<script>alert(1)</script>|`cell`" in page.of("td")
    assert "\\x1b[31mred" in page.of("td")
    assert "##[" not in text
    assert not re.search(r"^\s*::", text, re.MULTILINE)


@pytest.mark.parametrize("text", ["- a", "+ a", "1. a", "23) a", "---", "===", "> a", "# a", "~~~"])
def test_a_message_cannot_begin_a_block(denied: Report, text: str) -> None:
    results = (denied.findings[0].model_copy(update={"message": text}),)
    decision = denied.decision.model_copy(update={"results": results})
    page = rendered(markdown.render(replace(denied, decision=decision)))
    assert text in page.text["p"]
    assert not {"ul", "ol", "hr", "h1", "blockquote"} & set(page.tags)


def test_hostile_cells_stay_in_their_tables(hostile: Report) -> None:
    text = markdown.render(hostile)
    widths = [
        len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("| ")
    ]
    assert set(widths) <= {3, 4, 5}


def test_markdown_stays_within_the_limit_of_a_summary(denied: Report) -> None:
    model = denied.findings[1]
    results = tuple(
        model.model_copy(update={"rule_id": f"R-{n}", "message": "x" * 4_000}) for n in range(400)
    )
    decision = denied.decision.model_copy(update={"results": results})
    text = markdown.render(replace(denied, decision=decision))
    assert len(text.encode()) <= markdown.MAX_BYTES
    assert re.search(r"_\d+ more findings do not fit here", text)
    assert decision.digest in text


def test_even_the_rest_of_a_summary_is_bounded(denied: Report) -> None:
    many = tuple(Degradation(code=f"c{n}", message="日" * 1_000) for n in range(1_000))
    decision = denied.decision.model_copy(update={"degradations": many})
    text = markdown.render(replace(denied, decision=decision))
    assert len(text.encode()) <= markdown.MAX_BYTES
    assert text.endswith("does not fit a step summary.\n")
