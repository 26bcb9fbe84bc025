"""`--params FILE`: sections of a YAML file fill the defaults of a command's options.

A key is an option's name, so a file can say nothing that a flag cannot, a flag on the command
line wins, and a key that is no option is an error, as is a value that is not of the option's kind.
YAML 1.2 rules: `1e-05` is a number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import typer

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint, nearest
from agri_core.files.values import wrong_value

CONTENT = "agri_core.files.params"
ORIGINS = "agri_core.files.params.origins"
"""Where a context keeps the file's content, and the values that fill its defaults."""
RESERVED = ("params", "help")
SAME = 0.75
"""Least similarity of a section's name to a misspelt one; 'plain' is 0.6 like 'train'."""


class Given(NamedTuple):
    """A value of a parameter file, and its place as messages name it."""

    where: str
    value: Any

    @property
    def text(self) -> str:
        """The value as a flag would have it."""
        many = isinstance(self.value, list)
        return ",".join(map(str, self.value)) if many else str(self.value)


def fill_from(*sections: str) -> Callable[[typer.Context, Path | None], Path | None]:
    """Return the callback of an eager `--params` option; a later section wins over an earlier."""

    def read(ctx: typer.Context, path: Path | None) -> Path | None:
        keep_params(ctx, path)
        fill_defaults(ctx, sections)
        return path

    return read


def params_option(*sections: str) -> Any:
    """Return the option `--params FILE` of a command that those sections fill."""
    names = " and ".join(f"`{section}`" for section in sections)
    many = "sections" if len(sections) > 1 else "section"
    fill = "fill" if len(sections) > 1 else "fills"
    text = f"YAML file whose {many} {names} {fill} the options."
    return typer.Option(help=text, is_eager=True, callback=fill_from(*sections))


def keep_params(ctx: typer.Context, path: Path | None) -> None:
    """Read the parameter file at `path`, if any, for `fill_defaults`."""
    if path is not None:
        ctx.meta[CONTENT] = (path, load_params(path))


def fill_defaults(
    ctx: typer.Context,
    sections: Sequence[str],
    apart: Iterable[str] = (),
    others: Iterable[str] = (),
) -> None:
    """Fill the command's defaults from `sections` of the file that `keep_params` has read.

    Args:
        ctx: of the command.
        sections: a later one wins over an earlier.
        apart: options that no file may give, such as the one that names a section.
        others: names of sections that the command reads in another call, so they are not misspelt.
    """
    if CONTENT not in ctx.meta:
        return
    path, content = ctx.meta[CONTENT]
    check_sections(content, sections, others, str(path))
    known = [p.name for p in ctx.command.params if p.name and p.name not in apart]
    given = choose(content, sections, known, str(path))
    kinds = get_type_hints(ctx.command.callback)
    for name, item in given.items():
        fault = wrong_value(item.value, kinds.get(name, str))
        if fault:
            raise InputError(f"{item.where} {fault}")
    ctx.meta[ORIGINS] = given
    ctx.default_map = {name: item.text for name, item in given.items()}


def origin(ctx: typer.Context, name: str) -> Given | None:
    """Return what a parameter file gave for an option, None if a flag or the default counts."""
    source = ctx.get_parameter_source(name)
    given: Mapping[str, Given] = ctx.meta.get(ORIGINS, {})
    return given.get(name) if source is not None and source.name == "DEFAULT_MAP" else None


def load_params(path: Path) -> dict[str, Any]:
    """Read a parameter file.

    Raises:
        MissingError: No such file.
        InputError: Not YAML, or not a mapping.
    """
    from agri_core.files.yamlfile import read_yaml

    if not path.is_file():
        raise MissingError(f"there is no parameter file {path}; --params wants a YAML file")
    content = read_yaml(path)
    if content is None:
        raise InputError(f"{path} is empty; it must hold sections such as 'train:'")
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold sections such as 'train:', got {content!r}")
    return {str(name): part for name, part in content.items()}


def check_sections(
    content: Mapping[str, Any], sections: Sequence[str], others: Iterable[str], where: str
) -> None:
    """Check that a section is there, and that none that is missing is there misspelt.

    Raises:
        InputError: as said.
    """
    strangers = [name for name in content if name not in (*sections, *others)]
    for name in sections:
        near = "" if name in content else nearest(name, strangers, SAME)
        if near:
            raise InputError(f"{where}: unknown section '{near}', did you mean '{name}'?")
    if not any(name in content for name in sections):
        wanted = " or ".join(f"'{name}'" for name in sections)
        raise InputError(
            f"{where} has no section {wanted} for this command; it has {', '.join(content)}"
        )


def choose(
    content: Mapping[str, Any], sections: Sequence[str], known: Iterable[str], where: str
) -> dict[str, Given]:
    """Merge the named sections, a later one over an earlier.

    Raises:
        InputError: A section is none, or a key is no option.

    Example:
        >>> content = {"train": {"epochs": 50, "lr": 1e-3}, "unet": {"epochs": 60}}
        >>> given = choose(content, ["train", "unet"], known=["epochs", "lr"], where="p.yaml")
        >>> given["epochs"]
        Given(where="p.yaml: 'unet.epochs'", value=60)
    """
    known = [name for name in known if name not in RESERVED]
    chosen: dict[str, Given] = {}
    for name in sections:
        for key, value in _section(content, name, where).items():
            if key not in known:
                raise InputError(_unknown(f"{where}: '{name}.{key}'", str(key), known))
            chosen[key] = Given(f"{where}: '{name}.{key}'", value)
    return chosen


def _section(content: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    section = content.get(name, {})
    if section is None:
        raise InputError(f"{where}: the section '{name}' is empty; give it keys, or remove it")
    if not isinstance(section, dict):
        raise InputError(f"{where}: '{name}' must be a section of keys, got {section!r}")
    return section


def _unknown(where: str, key: str, known: Sequence[str]) -> str:
    near = hint(key, known)
    return f"{where} is no option of this command{near} (options: {', '.join(known)})"
