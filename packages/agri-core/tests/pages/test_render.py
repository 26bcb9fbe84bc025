"""Pages are one file, run nothing, load nothing, and no value can add a tag to them."""

import base64
import sys
from html.parser import HTMLParser

import jinja2
import pytest
from agri_core.files.text import legible
from agri_core.pages.fact import Fact
from agri_core.pages.render import render
from agri_core.pages.uri import data_uri
from hypothesis import given
from hypothesis import strategies as st

PAGE = """\
{% extends "kit/base.html" %}
{% import "kit/parts.html" as kit %}
{% block title %}{{ name }}{% endblock %}
{% block style %}{% include "own.css" %}{% endblock %}
{% block heading %}{{ name }}{% endblock %}
{% block summary %}
{% call kit.verdict("good") %}{{ name }}{% endcall %}
{{ kit.facts(facts) }}
{% endblock %}
{% block footer %}<a title="{{ name }}">{{ kit.swatch("#00ff00") }}</a>{% endblock %}
"""
BODY = """\
{% import "kit/parts.html" as kit %}
<table><tr>{{ kit.count(0) }}{{ kit.count(1234567) }}</tr></table>
<p>{{ 1|plural("tile") }}, {{ 2000|plural("tile") }}, {{ 0.123456|short(3) }}, {{ name }}</p>
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """An importable package with templates of its own."""
    home = tmp_path_factory.mktemp("home")
    templates = home / "paged" / "templates" / "sections"
    templates.mkdir(parents=True)
    (home / "paged" / "__init__.py").write_text("")
    (templates / "one.html").write_text(BODY)
    (templates.parent / "page.html").write_text(PAGE)
    (templates.parent / "own.css").write_text(".own{color:red}\n")
    (templates.parent / "lacking.html").write_text("{{ lacking }}")
    sys.path.insert(0, str(home))
    yield "paged"
    sys.path.remove(str(home))


def made(package, name="field"):
    facts = (Fact("12", name), Fact("3", "lost", alert=True))
    return render(package, "page.html", name=name, facts=facts, sections={"one": f"First {name}"})


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def shape(self):
        return [(tag, sorted(attributes)) for tag, attributes in self.tags]


def test_the_kit_makes_a_whole_page(package):
    page = made(package)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert page.endswith("</body>\n</html>\n")
    reader = Reader(page)
    assert ("a", {"href": "#one"}) in reader.tags
    assert ("h2", {"id": "one"}) in reader.tags
    assert ("div", {"class": "fact alert"}) in reader.tags
    assert ("td", {"class": "n zero"}) in reader.tags
    assert ("span", {"class": "swatch", "style": "--c:#00ff00"}) in reader.tags
    assert "1 tile, 2,000 tiles, 0.123, field" in reader.text
    assert "1,234,567" in reader.text
    assert ".own{color:red}" in reader.text


def test_a_page_loads_and_runs_nothing(package):
    reader = Reader(made(package))
    assert {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in reader.tags} == set()
    (policy,) = [item["content"] for _, item in reader.tags if "http-equiv" in item]
    assert policy.split("; ") == [
        "default-src 'none'", "base-uri 'none'", "form-action 'none'", "img-src data:",
        "style-src 'unsafe-inline'",
    ]  # fmt: skip
    assert not any(word in reader.text for word in ("url(", "@import", "://"))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title></style><b>",
             "{{ facts }}", "{% include 'own.css' %}", "&lt;b&gt;"],
)  # fmt: skip
def test_a_planted_name_is_shown_as_it_is(package, name):
    reader = Reader(made(package, name))
    assert reader.shape() == Reader(made(package)).shape()
    # The title, heading, verdict, fact, section (twice) and body; the attribute is no text.
    assert reader.text.count(name) == 7


@given(st.text())
def test_no_text_changes_the_tags(package, name):
    page = made(package, name)
    assert Reader(page).shape() == Reader(made(package)).shape()
    assert page.encode("utf-8")


def test_the_same_context_gives_the_same_page(package):
    assert made(package, "a\u202eb") == made(package, "a\u202eb")


def test_a_missing_value_is_an_error(package):
    with pytest.raises(jinja2.UndefinedError, match="'lacking' is undefined"):
        render(package, "lacking.html")


def test_both_palettes_name_the_same_colours(package):
    """What is readable on white must be set for a dark page too."""
    text = Reader(made(package)).text
    dark = text.index("prefers-color-scheme:dark")
    names = [
        {part.partition(":")[0] for part in block.replace("\n", "").split(";") if part[:2] == "--"}
        for block in (text[text.index(":root{") + 6 : dark], text[dark:].partition(":root{")[2])
        for block in [block.partition("}")[0]]
    ]
    assert names[0] == names[1]
    assert len(names[0]) > 10


def test_unprintable_characters_are_spelled_out():
    assert legible("Äcker ±2 °C") == "Äcker ±2 °C"
    assert legible("a\nb\u202ec\x00") == "a\\nb\\u202ec\\x00"
    assert legible("\ud800").encode() == b"?"
    assert legible("") == ""


def test_a_uri_holds_the_bytes():
    head, _, data = data_uri(b"\x00\xff", "png").partition(",")
    assert (head, base64.b64decode(data)) == ("data:image/png;base64", b"\x00\xff")
