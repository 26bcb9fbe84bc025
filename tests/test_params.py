"""The pipeline is well formed: parameters, templates, dependencies and commands."""

from __future__ import annotations

import copy
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

EXPONENT = re.compile(r"(?<![\w.'\"])[-+]?\d+(?:\.\d*)?[eE][-+]?\d+")


@pytest.fixture(scope="module")
def params(root):
    return YAML().load((root / "params.yaml").read_text())


@pytest.fixture(scope="module")
def stages(root):
    """All stages as DVC itself resolves them, matrix and `${...}` included."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return list(repo.index.stages)


def flow_style(node, name=""):
    """Yield the names of lists and tables written as [..] or {..}."""
    if hasattr(node, "fa") and node.fa.flow_style():
        yield name
    pairs = node.items() if hasattr(node, "items") else enumerate(node)
    for key, child in pairs:
        if hasattr(child, "fa"):
            yield from flow_style(child, f"{name}.{key}".lstrip("."))


def flat(node, prefix=""):
    for key, value in node.items():
        yield f"{prefix}{key}"
        if hasattr(value, "items"):
            yield from flat(value, f"{prefix}{key}.")


def relative(output, root):
    return Path(output.fs_path).relative_to(root).as_posix()


def shown_below(pipeline):
    """Yield the files that the top-level sections `plots` and `metrics` of dvc.yaml name."""
    for entry in [*pipeline.get("plots", []), *pipeline.get("metrics", [])]:
        if hasattr(entry, "items"):
            name, options = next(iter(entry.items()))
            yield from options["y"] if hasattr(options.get("y"), "items") else [name]
        else:
            yield entry


def is_below(path, folder):
    return path.startswith(f"{folder}/")


def test_params_are_in_block_style(params):
    """DVC rewrites [a, b] to block lists; from the start, a diff shows only the value."""
    assert list(flow_style(params)) == []
    assert list(flow_style(YAML().load("a:\n  b: [1, 2]\n"))) == ["a.b"]


def test_params_hold_plain_decimals(root):
    """YAML 1.1 readers take 1e-5 for a string."""
    lines = (root / "params.yaml").read_text().splitlines()
    assert [line for line in lines if EXPONENT.search(line.partition("#")[0])] == []
    assert EXPONENT.search("lr: 1e-5")


def test_no_parameter_has_the_name_of_a_path(params, stages, root):
    """Such a name mixes up the columns of `dvc exp show` (a list `archs`, not `models`)."""
    paths = {relative(item, root) for stage in stages for item in (*stage.deps, *stage.outs)}
    assert sorted((paths | {"models"}) & set(flat(params))) == []


def test_plots_and_metrics_are_files_of_their_own(root, stages):
    """In a clone without a cache, DVC fails all experiments over a plot in or of a folder."""
    outputs = [out for stage in stages for out in stage.outs]
    made = {relative(out, root) for out in outputs}
    text = (root / "dvc.yaml").read_text()
    assert set(shown_below(YAML().load(text))) - made == set()
    planted = text.replace("  - reports/map/map.png\n", "  - data/map/map.tif\n")
    assert set(shown_below(YAML().load(planted))) - made == {"data/map/map.tif"}
    shown = {relative(out, root) for out in outputs if out.plot or out.metric}
    assert "models/plain/history.csv" in shown
    assert [path for path in shown | set(shown_below(YAML().load(text))) if "." not in path] == []


def test_dependencies_exist_or_are_made(stages, root):
    made = {relative(out, root) for stage in stages for out in stage.outs}
    missing = [
        f"{stage.addressing}: {name}"
        for stage in stages
        for name in (relative(dep, root) for dep in stage.deps)
        if not (root / name).exists()
        and not any(name == out or is_below(name, out) or is_below(out, name) for out in made)
    ]
    assert missing == []


def test_stage_parameters_exist(stages, params):
    known = set(flat(params))
    missing = [
        f"{stage.addressing}: {name}"
        for stage in stages
        for dep in stage.deps
        for name in getattr(dep, "params", [])
        if name not in known
    ]
    assert missing == []


def test_stage_commands_exist(stages, check_line):
    wrong = []
    for stage in stages:
        lines = stage.cmd if isinstance(stage.cmd, list) else [stage.cmd]
        wrong += [problem for line in lines for problem in check_line(line)]
    assert wrong == []


@pytest.fixture
def commands(root, params, tmp_path):
    """Resolve dvc.yaml with other parameters, `section__key`; the words of each command."""
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    def resolve(**changes):
        changed = copy.deepcopy(params)
        for name, value in changes.items():
            section, key = name.split("__")
            changed[section][key] = value
        YAML().dump(changed, tmp_path / "params.yaml")
        definition = YAML(typ="safe").load(root / "dvc.yaml")
        with Repo(str(root)) as repo:
            stages = DataResolver(repo, str(tmp_path), definition).resolve()["stages"]
        found = [stage["cmd"] for stage in stages.values()]
        lines = [line for cmd in found for line in ([cmd] if isinstance(cmd, str) else cmd)]
        return [shlex.split(line) for line in lines]

    return resolve


def test_a_fold_reaches_the_split(commands):
    lines = commands(data__split="kfold", data__fold=2, data__folds=4)
    split = next(words for words in lines if words[:3] == ["agri-data", "split", "data/chips"])
    assert split[split.index("--method") + 1] == "kfold"
    assert split[split.index("--fold") + 1] == "2" and split[split.index("--folds") + 1] == "4"


TEXTS = [
    "data__source", "data__root", "data__eurosat", "data__labels", "annotate__file",
    "annotate__classes", "annotate__attribute", "annotate__undrawn", "map__scene", "map__truth",
    "select__names",
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_paths_and_texts_reach_commands_whole(commands, name):
    value = "a b;$HOME *&"
    words = [word for line in commands(**{name: value}) for word in line]
    assert any(value in word for word in words)


def test_stages_depend_on_the_code_they_run(stages, root):
    """A stage that runs agri-x depends on the source of agri-x, or a change would not rerun it."""
    missing = []
    for stage in stages:
        deps = {relative(dep, root) for dep in stage.deps}
        for name in set(re.findall(r"\bagri-[a-z]+\b(?= )", str(stage.cmd))):
            source = f"packages/{name}/src"
            if not any(dep.startswith(source) or source.startswith(f"{dep}/") for dep in deps):
                missing.append(f"{stage.addressing} runs {name} but does not depend on {source}")
    assert missing == []


def test_small_overrides_exist(root, params):
    lines = (root / "tests" / "small.txt").read_text().splitlines()
    overrides = [line for line in lines if line and not line.startswith("#")]
    assert overrides
    assert [line for line in overrides if line.partition("=")[0] not in set(flat(params))] == []


def test_dvc_asks_no_network(root):
    config = (root / ".dvc" / "config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config
    template = root / ".dvc" / re.search(r"html_template = (.+)", config)[1]
    page = template.read_text()
    assert "{plot_divs}" in page
    assert "{scripts}" not in page
    assert not re.search(r"<(?:script|link)[^>]+(?:src|href)=", page)
