"""Documents name only commands, options, files and headings that exist."""

from __future__ import annotations

import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:docs|packages|benchmarks|tests|\.ci|\.dvc)/[\w./-]*\w)`")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LONGEST_README = 160


def slug(heading):
    """Return the anchor that a Markdown renderer gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(text):
    return {slug(line) for line in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.M)}


def broken_links(path):
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists():
            yield f"{path.name}: {link} does not exist"
        elif anchor and anchor not in headings(target.read_text(encoding="utf-8")):
            yield f"{path.name}: {link} has no such heading"


def test_documents_exist(documents):
    assert [path.name for path in documents if not path.is_file()] == []


def test_commands_and_options_exist(documents, shell_lines, check_line, root):
    wrong = [
        f"{path.relative_to(root)}: {problem}"
        for path in documents
        for line in shell_lines(path.read_text(encoding="utf-8"))
        for problem in check_line(line)
    ]
    assert wrong == []


def test_planted_commands_are_found(check_line):
    assert check_line("agri-nothing --help")
    assert check_line("cd data && agri-map --nope")
    assert check_line("agri-data nothing")
    assert check_line("dvc repro --nope")
    assert check_line("dvc nothing")
    assert check_line(".venv/bin/nox -s nothing")
    assert check_line("dvc exp run -S unet.encoder=inceptionv3  # one line") == []
    assert check_line('nox -s "tests(agri-map)" && nox -s lint -- --fix') == []


def test_relative_links_exist(documents):
    assert [broken for path in documents for broken in broken_links(path)] == []


def test_paths_in_code_marks_exist(documents, root):
    missing = [
        f"{path.relative_to(root)}: {name}"
        for path in documents
        for name in CODE_PATH.findall(FENCED.sub("", path.read_text(encoding="utf-8")))
        if not (root / name).exists() and "agri-x" not in name
    ]
    assert missing == []


def test_readme_is_short(root):
    assert len((root / "README.md").read_text().splitlines()) <= LONGEST_README


def test_ci_runs_what_the_readme_says(root, shell_lines):
    script = (root / ".ci" / "run").read_text().splitlines()
    said = shell_lines((root / "README.md").read_text())
    assert script[-1].endswith("nox")
    assert script[-1] in said
    assert f"{script[-1]} -s example" in said
