"""The report of a clustering as one HTML page that opens without a network and prints well."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from agri_core.pages.fact import Fact
from agri_core.pages.render import render

from agri_cluster.artifact.balance import Balance
from agri_cluster.evaluation.metrics import holding
from agri_cluster.evaluation.scoreboard import Scoreboard
from agri_cluster.report.report import Report

ABOUT = ("objective", "encoder", "pretrain", "seed")
"""Settings that the head of the page names."""

EMPTY = 20
"""Empty clusters that a warning lists by number."""

LONGEST = 160
OPENED = ("settings", "versions", "starts", "input")
"""Groups of settings that are listed one by one."""

CHARTS = {
    "tsne.png": (
        "map of the tiles",
        "Each mark is a tile; tiles with similar embeddings lie close together. Colour and marker "
        "show the cluster, its number stands among its tiles. Distances between clusters that lie "
        "far apart mean little.",
    ),
    "series.png": (
        "map of the tiles at several iterations",
        "The same tiles from the first iteration to the last, coloured by their cluster at that "
        "iteration.",
    ),
    "tsne.gif": ("animated map of the tiles from the first iteration to the last", ""),
    "tree.png": ("tree of the clusters", ""),
    "sizes.png": ("tiles per cluster", ""),
    "silhouettes.png": (
        "silhouette of each cluster",
        "1: a cluster far from all others; 0: on the border of another; below 0: its tiles are "
        "closer to another. Training draws tiles to their centres and so raises the silhouette by "
        "itself: compare the clusters of one run, not runs.",
    ),
    "confidence.png": ("confidence of the tiles", ""),
    "refreshes.png": ("clusters in use and label changes over the iterations", ""),
    "pretrain.png": ("pretraining loss over the epochs", ""),
}
"""What each chart shows, and its caption."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the clustering ended, and whether that is good, bad or neither."""

    tone: str
    text: str


STOPS = {
    "converged": Verdict("good", "Converged: label changes fell below the tolerance."),
    "max_iter": Verdict("plain", "Stopped at the iteration limit before convergence."),
    "budget": Verdict("plain", "Stopped at the time limit before convergence."),
    "collapse": Verdict(
        "bad",
        "Collapsed: too few clusters were left. The last state before the collapse is shown.",
    ),
}
"""What each reason to stop means."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture on the page: what it shows, a caption or "", a data URI."""

    title: str
    caption: str
    uri: str


def page(report: Report, board: Scoreboard | None = None) -> str:
    """Return the page, with a table of other methods where `evaluate` has made one."""
    settings = tuple(_settings({k: v for k, v in report.info.items() if k != "warnings"}))
    return render(
        "agri_cluster.report",
        "page.html",
        report=report,
        sections=dict(_sections(report, board is not None, bool(settings))),
        about=tuple(_about(report)),
        verdict=_verdict(str(report.info.get("stop_reason", "")), report.balance),
        warnings=tuple(_warnings(report)),
        facts=tuple(_facts(report)),
        cards=report.cards,
        named=any(card.group.name for card in report.cards),
        linked=frozenset(card.group.cluster for card in report.cards),
        charts={name: Chart(*CHARTS[name], uri) for name, uri in report.pictures.items()},
        board=board,
        settings=settings,
    )


def _sections(report: Report, methods: bool, settings: bool) -> Iterator[tuple[str, str]]:
    """Yield the key and the title of each section that has something to show."""
    drawn = report.pictures.keys()
    yield "index", "Overview"
    if drawn & {"tsne.png", "series.png", "tsne.gif"}:
        yield "map", "Map of the tiles"
    yield "cards", "Clusters"
    if "tree.png" in drawn:
        yield "similarity", "Similarity"
    if drawn & {"sizes.png", "silhouettes.png", "confidence.png"}:
        yield "separation", "Size and separation"
    if drawn & {"refreshes.png", "pretrain.png"}:
        yield "training", "Training"
    if methods:
        yield "methods", "Comparison with other methods"
    if settings:
        yield "settings", "Settings"


def _about(report: Report) -> Iterator[str]:
    """Yield what was clustered and how, as far as it was written down."""
    info, settings = report.info, report.info.get("settings") or {}
    if "source" in info:
        yield f"folder {info['source']}"
    yield report.source
    yield from (
        f"{key} {settings[key]}" for key in ABOUT if settings.get(key) not in (None, "none")
    )


def _verdict(reason: str, balance: Balance) -> Verdict | None:
    known = STOPS.get(reason) or (Verdict("plain", f"Stopped: {reason}.") if reason else None)
    if not balance.dominated:
        return known
    # That labels came to rest says nothing good of a clustering that is hardly one.
    text = (
        f"Dominated: cluster {balance.cluster} holds {balance.largest:.0%} of the tiles, "
        f"effectively {balance.effective:.1f} of {balance.clusters} clusters."
    )
    return Verdict("bad", f"{text} {known.text}" if known else text)


def _warnings(report: Report) -> Iterator[str]:
    known = [str(text) for text in report.info.get("warnings") or ()]
    yield from known
    # Folders of earlier versions hold no warning of it.
    if report.balance.warning and report.balance.warning not in known:
        yield report.balance.warning
    if report.empty:
        numbers = ", ".join(map(str, report.empty[:EMPTY]))
        rest = len(report.empty) - EMPTY
        more = f" and {rest} more" if rest > 0 else ""
        yield f"{len(report.empty)} of {report.clusters} clusters are empty: {numbers}{more}"


def _facts(report: Report) -> Iterator[Fact]:
    sizes = [group.tiles for group in report.groups]
    labels = np.repeat(np.arange(len(sizes)), sizes)
    confidence = sum(group.confidence * group.share for group in report.groups)
    yield Fact(f"{report.tiles:,}", "tiles")
    yield Fact(f"{len(sizes)} of {report.clusters}", "clusters in use", bool(report.empty))
    yield Fact(
        f"{max(sizes) / report.tiles:.1%}", "in the largest cluster", report.balance.dominated
    )
    yield Fact(str(holding(labels)), "clusters hold 90% of tiles")
    yield Fact(f"{confidence:.2f}", "mean confidence")
    if report.history is not None and len(report.history):
        last = report.history.iloc[-1]
        yield Fact(f"{int(last['iteration']):,}", "iterations")
        changed = pd.to_numeric(last["changed"], errors="coerce")
        if not pd.isna(changed):
            yield Fact(f"{changed:.2%}", "changed at the end")


def _settings(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and key in OPENED and not prefix:
            yield from _settings(value, f"{key}: ")
        else:
            yield prefix + key, _text(value)


def _text(value: Any) -> str:
    """Write a setting as JSON would, without the quotes of plain text, cut where it is long."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = ", ".join(map(_text, value))
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
