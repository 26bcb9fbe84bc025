"""Options of a command that dataclasses declare: a field is an option."""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, signature
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer

Command = Callable[..., None]


def with_records(command: Command) -> Command:
    """Give a command an option for every field of the dataclasses that it takes.

    A field is annotated as a parameter of a command would be, and its default is the option's. The
    options stand where the dataclass stands among the parameters, and the command receives the
    dataclass.
    """
    own = _parameters(command)
    records: dict[str, Any] = {p.name: p.annotation for p in own if is_dataclass(p.annotation)}

    def run(*arguments: Any, **values: Any) -> None:
        made = {}
        for name, record in records.items():
            given = [field.name for field in fields(record) if field.name in values]
            made[name] = record(**{key: values.pop(key) for key in given})
        command(*arguments, **values, **made)

    spread = [option for p in own for option in (_declared(p) if p.name in records else [p])]
    return _dressed(run, command, spread)


def with_settings(record: type[Any], panel: str = "Settings") -> Callable[[Command], Command]:
    """Give a command an option for every field of a settings dataclass, with its documentation.

    The command's own parameter `settings` receives the options as a dictionary. `panel` is the
    section of the help where they are listed.
    """

    def decorate(command: Command) -> Command:
        texts, hints = _field_texts(record), get_type_hints(record)
        added = [
            Parameter(
                field.name,
                Parameter.KEYWORD_ONLY,
                default=typer.Option(
                    field.default, help=texts[field.name], show_default=True, rich_help_panel=panel
                ),
                annotation=_flag_type(hints[field.name]),
            )
            for field in fields(record)
        ]
        own = [p for p in _parameters(command) if p.name != "settings"]

        def run(**values: Any) -> None:
            settings = {p.name: values.pop(p.name) for p in added}
            command(**values, settings=settings)

        return _dressed(run, command, [*own, *added])

    return decorate


def words(text: str) -> tuple[str, ...]:
    """Return the words of an option's value, which commas separate.

    Example:
        >>> words("B04, B03,")
        ('B04', 'B03')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag_type(hint: Any) -> Any:
    """Return the type of a setting's flag: choices if it has some, text for one of several types.

    A setting that may also be an object of Python's has the flag of its choices.
    """
    for part in (hint, *get_args(hint)):
        if get_origin(part) is Literal:
            return part
    return hint if get_origin(hint) is None else str


def _parameters(command: Command) -> list[Parameter]:
    """Return the parameters of a command, with annotations that were text resolved."""
    hints = get_type_hints(command, include_extras=True)
    return [
        p.replace(annotation=hints.get(p.name, p.annotation))
        for p in signature(command).parameters.values()
    ]


def _declared(taken: Parameter) -> list[Parameter]:
    """Return the options that the dataclass of a parameter declares."""
    hints = get_type_hints(taken.annotation, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(taken.annotation)
    ]


def _dressed(run: Command, command: Command, parameters: list[Parameter]) -> Command:
    """Return `run` with the name and the documentation of `command` and with `parameters`."""
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _field_texts(record: type[Any]) -> dict[str, str]:
    """Read the `Attributes:` part of a docstring: field name to its text."""
    texts = {field.name: "" for field in fields(record)}
    name = ""
    for line in (record.__doc__ or "").partition("Attributes:")[2].splitlines():
        head, colon, rest = line.strip().partition(": ")
        if colon and head in texts:
            name, texts[head] = head, rest
        elif name and line.strip():
            texts[name] += " " + line.strip()
    return {name: text.rstrip(".") for name, text in texts.items()}
