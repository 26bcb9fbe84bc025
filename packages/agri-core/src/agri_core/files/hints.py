"""Hints: the known word that a mistyped one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 80
"""Characters of a word that are compared; the comparison takes quadratic time."""
CUTOFF = 0.5
"""Least similarity of a hint, of 1; difflib's own 0.6 misses short words with one letter off."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like `word`, whatever its case; "" when none is near.

    >>> nearest("Classs", ["class", "area"])
    'class'
    """
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name[:LONGEST].casefold(), name)
    found = get_close_matches(word[:LONGEST].strip().casefold(), folded, n=1, cutoff=CUTOFF)
    return folded[found[0]] if found else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" for the end of a message, "" when no known word is near.

    Example:
        >>> hint("NDV1", ["ndvi", "ndwi"])
        ", did you mean 'ndvi'?"
    """
    near = nearest(word, known)
    return f", did you mean '{near}'?" if near else ""
