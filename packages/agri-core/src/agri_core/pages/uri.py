"""Data URIs: a picture as text inside a page."""

from __future__ import annotations

import base64
from typing import Literal


def data_uri(content: bytes, kind: Literal["gif", "jpeg", "png"]) -> str:
    """Return an encoded picture as a URI that needs no other file."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
