"""Render a template of a package into one HTML page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from agri_core.files.text import legible

if TYPE_CHECKING:
    from jinja2 import Environment

KIT = "agri_core.pages"
"""The package whose `templates/kit` every page may extend, include and import."""


def render(package: str, template: str, **context: object) -> str:
    """Return the page that `template` makes of `context`; the same context gives the same text.

    Templates lie in the folder `templates` of `package`; names that begin with `kit/` are found in
    the kit. Every value is escaped for HTML, so a template can neither be broken nor extended by a
    name. A value that a template uses and `context` lacks is an error.

    Args:
        package: dotted name of an importable package.
        template: file name below its `templates`.
        **context: what the template may use.
    """
    return _environment(package).get_template(template).render(context)


@cache
def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, KIT))]),
        autoescape=True,
        finalize=_shown,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "number": "{:,}".format,
        "percent": "{:.1%}".format,
        "plural": _plural,
        "short": _short,
    }
    return environment


def _shown(value: object) -> object:
    """Make a text legible before it is escaped; what a macro returns is HTML already."""
    return legible(value) if type(value) is str else value


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _short(value: float, digits: int = 7) -> str:
    """Write a coordinate with so many significant digits at most, as SVG takes it."""
    return f"{value:.{digits}g}"
