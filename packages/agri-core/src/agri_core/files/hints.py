"""Hints: the known word that a mistyped one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 80
"""Characters of a word that are compared; the comparison takes quadratic time."""
CUTOFF = 0.65
"""Least similarity of a hint, of 1; at difflib's own 0.6 'table' is near 'labelled'."""
SHORT, SHORT_CUTOFF = 3, 0.5
"""Words of so few letters have a lower cutoff: one letter of 'lr' is half of it."""


def nearest(word: str, known: Iterable[str], cutoff: float = CUTOFF) -> str:
    """Return the known word that is most like `word`, whatever its case; "" when none is near.

    >>> nearest("Classs", ["class", "area"])
    'class'
    """
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name[:LONGEST].casefold(), name)
    wanted = word[:LONGEST].strip().casefold()
    least = SHORT_CUTOFF if len(wanted) <= SHORT else cutoff
    found = get_close_matches(wanted, folded, n=1, cutoff=least)
    return folded[found[0]] if found else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" for the end of a message, "" when no known word is near.

    Example:
        >>> hint("NDV1", ["ndvi", "ndwi"])
        ", did you mean 'ndvi'?"
    """
    near = nearest(word, known)
    return f", did you mean '{near}'?" if near else ""
