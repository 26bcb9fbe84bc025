"""`agri-classify card`: prints the model card of a bundle."""

from __future__ import annotations

from agri_classify.bundled import BUNDLED
from agri_classify.commands.options import Model


def card(
    model: Model = BUNDLED,
) -> None:
    """Show the card of a model, by default of the bundled one: data, scores, limits, facts.

    Example: agri-classify card --model models/compact/model.onnx
    """
    from agri_core.files.console import echo
    from agri_core.files.hashing import sha256_file
    from agri_map.bundle.bundle import read_spec
    from agri_map.bundle.card import card as facts_of

    from agri_classify.bundled import notes_of

    spec = read_spec(model)
    notes = notes_of(model)
    if notes:
        echo(notes)
    echo(facts_of(spec, model.stat().st_size, sha256_file(model)))
