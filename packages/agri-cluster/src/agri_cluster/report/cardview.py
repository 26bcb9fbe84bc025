"""One group on the page: its entry in the index, and its card."""

from __future__ import annotations

import math
from html import escape

from agri_cluster.report.cards import Card, View
from agri_cluster.report.groups import Group
from agri_cluster.report.palette import colour


def face_html(card: Card) -> str:
    """Return the entry of a group in the index: a tile, number, name, share, linked to its card."""
    group = card.group
    name = f" {escape(group.name)}" if group.name else ""
    return (
        f'<a class="face" href="#g{group.cluster}"><img alt="" src="{card.face}">'
        f'<span><b style="color:{colour(group.cluster)}">{group.cluster}</b>{name}<br>'
        f"{group.share:.1%}</span></a>"
    )


def card_html(card: Card, linked: frozenset[int]) -> str:
    """Return a card; groups that are near link to their own cards where they are in `linked`."""
    group = card.group
    views = "".join(_view(view, group) for view in card.views)
    return (
        f'<article class="card" id="g{group.cluster}"><div class="head"><h3><span class="swatch" '
        f'style="background:{colour(group.cluster)}"></span>{_name(group)}</h3>'
        f'<span class="soft">{_figures(card, linked)}</span></div>'
        f'<div class="row">{views}{_gap(card)}<figure>{card.spectrum}'
        f"<figcaption>{_profile(card)}</figcaption></figure></div>"
        f"<details><summary>names of these tiles</summary>{_ids(card)}</details></article>"
    )


def _name(group: Group) -> str:
    return f"{group.cluster} · {escape(group.name)}" if group.name else f"Group {group.cluster}"


def _figures(card: Card, linked: frozenset[int]) -> str:
    group = card.group
    parts = [
        f"{group.tiles:,} tile{'' if group.tiles == 1 else 's'} ({group.share:.1%})",
        f"confidence {group.confidence:.2f}",
    ]
    if group.silhouette is not None:
        parts.append(f"silhouette {group.silhouette:+.2f}")
    if group.near:
        near = ", ".join(
            f'<a href="#g{other}">{other}</a>' if other in linked else str(other)
            for other in group.near
        )
        parts.append(f"most like {near}")
    return " · ".join(parts)


def _profile(card: Card) -> str:
    if card.ndvi is None or math.isnan(card.ndvi[0]):
        return "bands"
    return f"bands · <b>NDVI {card.ndvi[0]:.2f} ± {card.ndvi[1]:.2f}</b>"


def _view(view: View, group: Group) -> str:
    alt = f"{len(view.ids)} tiles of group {group.cluster}, {view.caption}"
    return (
        f'<figure><img alt="{escape(alt)}" src="{view.uri}">'
        f"<figcaption>{view.caption}</figcaption></figure>"
    )


def _gap(card: Card) -> str:
    """Keep the profile in its column where a small group has fewer pictures."""
    return "<span></span>" * (3 - len(card.views))


def _ids(card: Card) -> str:
    return "".join(
        f'<p class="ids">{view.caption}: {escape(", ".join(view.ids))}</p>' for view in card.views
    )
