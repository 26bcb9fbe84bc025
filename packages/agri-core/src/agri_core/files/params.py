"""`--params FILE`: sections of a YAML file fill the defaults of a command's options.

A key is an option's name, so a file sets nothing that a flag cannot; a flag on the command line
takes precedence, and a key that is no option is an error. YAML 1.2 rules: `1e-05` is a number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, get_type_hints

import typer

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint

KEY = "agri_core.files.params"
RESERVED = ("params", "help")


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
        ctx.meta[KEY] = (path, load_params(path))


def fill_defaults(ctx: typer.Context, sections: Sequence[str], apart: Iterable[str] = ()) -> None:
    """Fill the command's defaults from `sections` of the file that `keep_params` has read.

    Args:
        ctx: of the command.
        sections: a later one wins over an earlier.
        apart: options that no file may give, such as the one that names a section.
    """
    if KEY in ctx.meta:
        path, content = ctx.meta[KEY]
        known = [p.name for p in ctx.command.params if p.name and p.name not in apart]
        ctx.default_map = dict(choose(content, sections, known, str(path)))


def load_params(path: Path) -> dict[str, Any]:
    """Read a parameter file.

    Raises:
        MissingError: No such file.
        InputError: Not YAML, or not a mapping.
    """
    from agri_core.files.yamlfile import parse_yaml

    if not path.is_file():
        raise MissingError(f"there is no parameter file {path}; --params wants a YAML file")
    content = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path)) or {}
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold sections such as 'train:', got {content!r}")
    return {str(name): part for name, part in content.items()}


def choose(
    content: Mapping[str, Any], sections: Sequence[str], known: Iterable[str], where: str
) -> dict[str, str]:
    """Merge the named sections, a later one over an earlier, to the text a flag would have.

    Raises:
        InputError: A section is none, a key is no option, or its value is no plain value.

    Example:
        >>> content = {"train": {"epochs": 50, "lr": 1e-3}, "unet": {"epochs": 60}}
        >>> choose(content, ["train", "unet"], known=["epochs", "lr"], where="params.yaml")
        {'epochs': '60', 'lr': '0.001'}
    """
    known = [name for name in known if name not in RESERVED]
    chosen: dict[str, str] = {}
    for name in sections:
        for key, value in _section(content, name, where).items():
            if key not in known:
                raise InputError(_unknown(f"{where}: '{name}.{key}'", str(key), known))
            if value is not None:
                chosen[key] = _as_text(value, f"{where}: '{name}.{key}'")
    return chosen


def with_settings(
    record: type, panel: str = "Settings"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for every field of a settings dataclass, with its documentation.

    The command's own parameter `settings` receives the options as a dictionary. `panel` is the
    section of the help where they are listed.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        texts = _field_texts(record)
        added = [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                default=typer.Option(
                    field.default, help=texts[name], show_default=True, rich_help_panel=panel
                ),
                annotation=str if "|" in str(field.type) else type(field.default),
            )
            for name, field in record.__dataclass_fields__.items()  # type: ignore[attr-defined]
        ]
        hints = get_type_hints(command, include_extras=True)
        own = [
            p.replace(annotation=hints.get(p.name, p.annotation))
            for p in signature(command).parameters.values()
            if p.name != "settings"
        ]

        def run(**values: Any) -> None:
            settings = {p.name: values.pop(p.name) for p in added}
            command(**values, settings=settings)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = signature(command).replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *added]}
        return run

    return decorate


def _section(content: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    section = content.get(name) or {}
    if not isinstance(section, dict):
        raise InputError(f"{where}: '{name}' must be a section of keys, got {section!r}")
    return section


def _as_text(value: Any, where: str) -> str:
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ",".join(str(item) for item in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise InputError(f"{where} must be a plain value or a list of them, got {value!r}")


def _unknown(where: str, key: str, known: Sequence[str]) -> str:
    near = hint(key, known)
    return f"{where} is no option of this command{near} (options: {', '.join(known)})"


def _field_texts(record: type) -> dict[str, str]:
    """Read the `Attributes:` part of a docstring: field name to its text."""
    texts: dict[str, str] = {}
    name = ""
    for line in (record.__doc__ or "").partition("Attributes:")[2].splitlines():
        head, colon, rest = line.strip().partition(": ")
        if colon and head in record.__dataclass_fields__:  # type: ignore[attr-defined]
            name, texts[head] = head, rest
        elif name and line.strip():
            texts[name] += " " + line.strip()
    return {name: texts.get(name, "").rstrip(".") for name in record.__dataclass_fields__}  # type: ignore[attr-defined]
