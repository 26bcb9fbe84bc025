"""Text from a user's file as text that can be shown."""

from __future__ import annotations


def legible(text: str) -> str:
    """Return `text` with control characters and lone surrogates spelled out as escapes.

    Names come from files of any origin. Unprintable characters could hide or reorder what is
    shown, and UTF-8 cannot hold half a surrogate pair.
    """
    if text.isprintable():
        return text
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in whole)
