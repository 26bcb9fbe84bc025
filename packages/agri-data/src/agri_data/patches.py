"""Labelled patches: synthetic ones, EuroSAT, or chips of one's own labelled imagery."""

from __future__ import annotations

from pathlib import Path

from agri_core.files.atomic import scratch_dir, sibling_path
from agri_core.files.errors import InputError
from agri_core.files.ownership import check_folder

from agri_data.build import Report, build
from agri_data.sources.description.description import EurosatDescription
from agri_data.sources.patches import check_share
from agri_data.sources.source import describe
from agri_data.sources.windows import Cut

SIDE = 512


def synthetic_patches(out: Path, *, seed: int, places: int, cut: Cut, share: float) -> Report:
    """Render scenes of 13 bands with moist and dry fields, and write their patches to `out`.

    The scenes, `SIDE` pixels wide, lie in a folder next to `out` that is removed in the end.

    Raises:
        InputError: the seed, places, size or share is impossible.
    """
    from agri_data.synth.write import MARKER, Plan, write_synth

    check_share(share)
    if cut.size > SIDE:
        raise InputError(f"expected a size of up to {SIDE} pixels, got {cut.size}")
    check_folder(out)
    with scratch_dir(sibling_path(out, "scenes")) as folder:
        plan = Plan(seed, SIDE, places, target="moisture", bands=13)
        write_synth(folder / "scenes", plan, spare=False)
        return build(folder / "scenes" / MARKER, out, cut=cut, share=share)


def own_patches(source: Path, out: Path, *, root: Path | None, cut: Cut, share: float) -> Report:
    """Write the patches of EuroSAT as they are, or those that one class covers of other imagery.

    Raises:
        AgriError: the source, or a file of it, is not as it must be.
    """
    if isinstance(describe(source, root), EurosatDescription):
        return build(source, out, root=root)
    return build(source, out, cut=cut, root=root, share=share)
