"""Kinds of surface and the cover each belongs to: the one table truth and picture share."""

from __future__ import annotations

COVER_OF = {
    "field": "arable",
    "meadow": "grassland",
    "conifer": "forest",
    "broadleaf": "forest",
    "mixed": "forest",
    "road": "built-up",
    "village": "built-up",
    "estate": "built-up",
    "river": "water",
    "lake": "water",
    "quarry": "bare",
    "sand": "bare",
    "felled": "bare",
}

FORESTS = ("conifer", "broadleaf", "mixed")
