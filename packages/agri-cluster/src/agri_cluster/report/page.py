"""The report of a clustering as one page of HTML that opens without a network and prints well."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from agri_cluster.evaluation.metrics import holding
from agri_cluster.evaluation.scoreboard import Scoreboard
from agri_cluster.report.cardview import card_html, face_html
from agri_cluster.report.report import Report
from agri_cluster.report.style import STYLE

STOPS = {
    "converged": ("good", "Converged: the groups came to rest."),
    "max_iter": ("plain", "Stopped at the limit of steps, before the groups came to rest."),
    "budget": ("plain", "Stopped when the time was spent, before the groups came to rest."),
    "collapse": ("bad", "Collapsed: too few groups were left; the best state before is shown."),
}
"""What a reason to stop means, and its tone."""

ABOUT = ("objective", "encoder", "pretrain", "seed")
"""Settings that the head of the page names."""

LONGEST = 160
OPENED = ("settings", "versions", "starts", "input")
"""Groups of settings that are listed one by one."""

CAPTIONS = {
    "tsne.png": "Each mark is a tile; tiles with a like embedding lie together. Colour and marker "
    "are the group's, the number lies amid its tiles. Distances between far groups mean little.",
    "series.png": "The same tiles from the start to the end, colours by the groups of that moment.",
    "refreshes.png": "",
    "pretrain.png": "",
    "sizes.png": "",
    "confidence.png": "",
    "silhouettes.png": "1: a group apart from all others; 0: on their border; below 0: its tiles "
    "are closer to another. Training draws tiles to their centres and so raises it by itself; "
    "compare groups, not runs.",
    "tree.png": "",
}

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Groups of tiles: $source</title>
<style>$style</style>
</head>
<body>
<header>
<h1>Groups of tiles</h1>
<p class="soft source">$about</p>
$verdict
$warnings
<div class="facts">
$facts
</div>
</header>
<nav>$links</nav>
$sections
<footer class="soft">Tiles are shown in natural colours where their bands allow it, all at one
stretch; light grey is no data. Every figure is in figures.csv and profiles.csv beside this
page.</footer>
</body>
</html>
""")


def page(report: Report, board: Scoreboard | None = None) -> str:
    """Return the page, with a table of other methods where `evaluate` has made one."""
    sections = [item for item in _sections(report, board) if item[2]]
    return PAGE.substitute(
        source=escape(report.source),
        about=escape(_about(report)),
        style=STYLE,
        verdict=_verdict(report.info),
        warnings=_warnings(report),
        facts="\n".join(_facts(report)),
        links=" ".join(f'<a href="#{key}">{title}</a>' for key, title, _ in sections),
        sections="\n".join(
            f'<section><h2 id="{key}">{title}</h2>\n{body}</section>'
            for key, title, body in sections
        ),
    )


def _sections(report: Report, board: Scoreboard | None) -> Iterator[tuple[str, str, str]]:
    yield "index", "All groups", _index(report)
    yield "map", "Map of the tiles", _map(report)
    yield "cards", "Each group", _cards(report)
    yield "likeness", "Which groups are alike", _likeness(report)
    yield "figures", "How clear the groups are", _clarity(report)
    yield "course", "How the groups came about", _course(report)
    yield "methods", "Beside simpler methods", _board(board)
    yield "settings", "Settings", _settings(report.info)


def _about(report: Report) -> str:
    """Say in one line what was grouped and how, as far as it was written down."""
    info, settings = report.info, report.info.get("settings") or {}
    what = [f"folder {info['source']}" if "source" in info else "", report.source]
    how = [f"{key} {settings[key]}" for key in ABOUT if settings.get(key) not in (None, "none")]
    return " · ".join(text for text in (*what, *how) if text)


def _verdict(info: Mapping[str, Any]) -> str:
    reason = str(info.get("stop_reason", ""))
    tone, text = STOPS.get(reason, ("plain", f"Stopped: {escape(reason)}." if reason else ""))
    return f'<p class="verdict {tone}">{text}</p>' if text else ""


def _warnings(report: Report) -> str:
    found = [str(text) for text in report.info.get("warnings") or ()]
    if report.empty:
        numbers = ", ".join(map(str, report.empty[:20]))
        rest = len(report.empty) - 20
        more = f" and {rest} more" if rest > 0 else ""
        found.append(f"{len(report.empty)} of {report.clusters} groups are empty: {numbers}{more}")
    items = "".join(f"<li>{escape(text)}</li>" for text in found)
    return f'<ul class="warnings">{items}</ul>' if items else ""


def _facts(report: Report) -> Iterator[str]:
    sizes = [group.tiles for group in report.groups]
    labels = np.repeat(np.arange(len(sizes)), sizes)
    sure = sum(group.confidence * group.share for group in report.groups)
    facts = [
        (f"{report.tiles:,}", "tiles"),
        (f"{len(sizes)} of {report.clusters}", "groups in use"),
        (f"{max(sizes) / report.tiles:.1%}", "in the largest"),
        (str(holding(labels)), "groups hold 90\u00a0%"),
        (f"{sure:.2f}", "mean confidence"),
    ]
    if report.history is not None and len(report.history):
        last = report.history.iloc[-1]
        facts.append((f"{int(last['iteration']):,}", "steps"))
        changed = pd.to_numeric(last["changed"], errors="coerce")
        if not pd.isna(changed):
            facts.append((f"{changed:.2%}", "changed at the end"))
    for value, label in facts:
        yield f'<div class="fact"><b>{value}</b><span class="soft">{label}</span></div>'


def _index(report: Report) -> str:
    ranked = sorted(report.cards, key=lambda card: card.group.cluster)
    named = " named" if any(card.group.name for card in ranked) else ""
    rest = len(report.groups) - len(ranked)
    more = f" The {rest:,} smallest have no card; figures.csv has them." if rest else ""
    return (
        '<p class="soft">The tile nearest to each centre, the group\'s number and its share of '
        f'all tiles.{more}</p><div class="faces{named}">'
        f"{''.join(face_html(card) for card in ranked)}</div>"
    )


def _map(report: Report) -> str:
    still, series = _figure(report, "tsne.png"), _figure(report, "series.png")
    moving = report.pictures.get("tsne.gif")
    if moving is None:
        return still + series
    return (
        f"{still}{series}<details><summary>watch the groups form</summary><figure>"
        f'<img alt="the map of the tiles from the start to the end" src="{moving}"></figure>'
        "</details>"
    )


def _cards(report: Report) -> str:
    linked = frozenset(card.group.cluster for card in report.cards)
    lead = (
        '<p class="soft">Groups that are alike follow one another. Curves: the mean of each band '
        f"({report.unit}) and one standard deviation to each side; dashed, the mean of all "
        "tiles.</p>"
    )
    return lead + "\n".join(card_html(card, linked) for card in report.cards)


def _likeness(report: Report) -> str:
    figure = _figure(report, "tree.png")
    if len(report.groups) <= 30 or not figure:
        return figure
    summary = f"<summary>show the tree of {len(report.groups)} groups</summary>"
    return f"<details>{summary}{figure}</details>"


def _clarity(report: Report) -> str:
    parts = [_figure(report, name) for name in ("sizes.png", "silhouettes.png", "confidence.png")]
    if len(report.groups) > 24:
        return "".join(parts)
    return f'<div class="pair">{"".join(parts)}</div>'


def _course(report: Report) -> str:
    parts = "".join(_figure(report, name) for name in ("refreshes.png", "pretrain.png"))
    return f'<div class="pair">{parts}</div>' if parts else ""


def _figure(report: Report, name: str) -> str:
    uri = report.pictures.get(name)
    if uri is None:
        return ""
    caption = f"<figcaption>{CAPTIONS[name]}</figcaption>" if CAPTIONS[name] else ""
    return f'<figure><img alt="{name.removesuffix(".png")}" src="{uri}">{caption}</figure>'


def _board(board: Scoreboard | None) -> str:
    if board is None:
        return ""
    heads = "".join(
        f"<th{' class=n' if place else ''}>{escape(text)}</th>"
        for place, text in enumerate(board.header)
    )
    rows = "\n".join(
        "<tr>" + "".join(f"<td{' class=n' if place else ''}>{escape(text)}</td>"
                         for place, text in enumerate(row)) + "</tr>"
        for row in board.rows
    )  # fmt: skip
    troubles = "".join(f'<p class="soft">{escape(text)}</p>' for text in board.troubles)
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody>'
        f"</table></div>{troubles}"
    )


def _settings(info: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in info.items() if key != "warnings"}
    rows = list(_flat(shown))
    half = -(-len(rows) // 2)
    tables = "".join(
        f'<table class="settings"><tbody>{"".join(part)}</tbody></table>'
        for part in (rows[:half], rows[half:])
        if part
    )
    return f'<div class="columns">{tables}</div>'


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, Mapping) and key in OPENED and not prefix:
            yield from _flat(value, f"{key}: ")
        else:
            yield f"<tr><td>{escape(prefix + key)}</td><td>{escape(_text(value))}</td></tr>"


def _text(value: Any) -> str:
    """Write a setting as JSON would, without the quotes of plain text, cut where it is long."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = ", ".join(map(_text, value))
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
