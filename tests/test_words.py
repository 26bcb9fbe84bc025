"""The words of the field (docs/glossary.md) in help texts and documents; retired words stay out."""

from __future__ import annotations

import ast
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
    r"beside": "next to, against, compared with",
    r"(?:different|same|one) parts? of (?:a|the) split": "splits, one split",
    r"different parts": "splits",
    r"stored turned|turned ellipses?|turned views?": "rotated",
    r"says? no class": "has no class",
    r"nothing is said": "has no value",
    r"in words for people|for people": "readable",
}
"""Pattern of a word that is no term here, and what to say instead."""
INTERVAL = re.compile(r"95 %(?! CI)(?= *(?:\||interval|confidence|[01]\.\d))")
"""A confidence interval that is not called 95 % CI."""
NAMES = {
    "Twin": "NearDuplicate",
    "find_twins": "find_near_duplicates",
    "twins": "near duplicates",
    "prints": "hashes",
    "beside": "sibling_path",
    "slack": "tolerance",
    "SLACK": "REGION_MARGIN",
    "slacken": "jitter_border",
    "commonest": "most_frequent",
    "Turn": "Rotation",
    "TURNS": "ROTATIONS",
    "Ground": "PixelArea",
    "Tally": "Histogram, AreaAccumulator",
    "tally": "histogram, area",
    "Wanted": "SelectionRequest, OverlayOptions",
    "Said": "ParsedRegion",
    "said": "raw, values",
    "say": "echo",
    "Light": "PhotometricChange",
    "Weight": "Severity",
    "Keeper": "CheckpointCallback",
    "Ticket": "BatchSpec",
    "Likelihood": "CrossEntropyLoss",
    "RunningMean": "EMA",
    "resaved": "jpeg_accuracy",
    "halve": "to_half_precision",
    "untrained": "missing_extra",
}
"""Retired name in code, and the present one; a leading underscore does not matter."""
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


def names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines: functions, classes, arguments, variables."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def retired_names(tree: ast.Module) -> set[str]:
    """Return the retired names that a module defines."""
    return {name for name in names(tree) if name.lstrip("_") in NAMES}


def test_code_uses_the_names_of_the_field(sources):
    wrong = [
        f"{source.at(source.tree)}: {sorted(found)}"
        for source in sources
        if (found := retired_names(source.tree))
    ]
    assert wrong == []


def test_a_retired_name_is_found(parse):
    tree = parse("def _say(slack):\n    Twin = self.tally = slack\n    ground_area = 1").tree
    assert retired_names(tree) == {"_say", "slack", "Twin", "tally"}


def test_documents_and_modules_call_a_confidence_interval_95_ci(documents, sources):
    texts = [*documents, *(source.path for source in sources)]
    wrong = [
        f"{path}: {found.group()}"
        for path in texts
        for found in INTERVAL.finditer(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


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
