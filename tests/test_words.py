"""The words of the field (docs/glossary.md) in help texts and documents; retired words stay out."""

from __future__ import annotations

import re

import pytest

RETIRED = {
    r"anew": "again",
    r"learnt": "learned",
    r"commonest": "majority, most frequent",
    r"(?:model|models|weights) in the box": "bundled model",
    r"in the box": "bundled",
    r"stands? before": "in front of",
    r"stock of|taken stock": "inventory",
    r"came to rest": "converged",
    r"bear each other": "crash when loaded together",
    r"slack": "border jitter",
    r"says? nothing": "has no",
    r"nobody drew|no one drew": "unannotated",
    r"(?:train|val|validation|test|held-out) parts?": "split",
    r"(?:train|val|test) set": "split",
    r"becomes a bundle": "is exported as a bundle",
    r"look-?alikes?": "near duplicates",
    r"fall into": "cluster",
    r"upon": "on",
    r"whilst|thereof|herein|hereby|thereby": "plain English",
    r"twins?": "near duplicate",
    r"ticket|keeper": "batch spec, checkpoint",
    r"running mean": "EMA",
}
"""Pattern of a word that is no term here, and what to say instead."""
PATTERN = re.compile(rf"\b(?:{'|'.join(RETIRED)})\b", re.IGNORECASE)
CODE = re.compile(r"```.*?```|`[^`]*`", re.S)


def retired(text: str) -> list[str]:
    """Return the retired words in a text, code apart."""
    return [found.group() for found in PATTERN.finditer(CODE.sub("", text))]


def helps(command, name):
    """Yield (where, text) of a command's help and of each of its options."""
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for own, sub in getattr(command, "commands", {}).items():
        yield from helps(sub, f"{name} {own}")


def test_help_texts_use_the_words_of_the_field(apps):
    wrong = [
        f"{where}: {words}"
        for script, command in apps.items()
        for where, text in helps(command, script)
        if (words := retired(text))
    ]
    assert wrong == []


def test_documents_use_the_words_of_the_field(documents, root):
    wrong = [
        f"{path.relative_to(root)}: {words}"
        for path in documents
        if path.name != "CHANGELOG.md" and (words := retired(path.read_text(encoding="utf-8")))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text", ["Trained anew.", "the model in the box", "On the val part", "the commonest class"]
)
def test_a_retired_word_is_found(text):
    assert retired(text)


def test_code_and_other_words_are_no_matter():
    assert retired("Use `--slack 0.5`; the party\n```\nanew\n```\n") == []


def test_the_glossary_defines_each_term_once(root):
    rows = re.findall(r"^\| ([^|]+) \|", (root / "docs/glossary.md").read_text(), re.M)
    terms = [t.strip() for row in rows if row not in ("term", "---") for t in row.split(",")]
    assert len(terms) > 40
    assert sorted(terms) == sorted(set(terms))
