"""A wheel holds all that its package needs: modules, templates, styles, bundled models."""

from __future__ import annotations

import shutil

from hatchling.builders.wheel import WheelBuilder


def left_out(root, files):
    """Return which of `files` below `root/src` a wheel of the project in `root` would lack."""
    held = {item.distribution_path for item in WheelBuilder(str(root)).recurse_included_files()}
    below = [path.relative_to(root / "src").as_posix() for path in files]
    return sorted(set(below) - held)


def test_every_file_of_a_package_is_in_its_wheel(root, packages, tracked):
    for package in packages:
        home = root / "packages" / package
        files = [path for path in tracked if path.is_relative_to(home / "src")]
        assert left_out(home, files) == []


def test_a_file_that_is_left_out_is_found(root, tmp_path):
    shutil.copytree(root / "packages/agri-core/src", tmp_path / "src")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(root / "packages/agri-core" / name, tmp_path)
    config = tmp_path / "pyproject.toml"
    config.write_text(config.read_text() + 'exclude = ["*.css"]\n')
    styles = sorted((tmp_path / "src").rglob("*.css"))
    assert left_out(tmp_path, styles) == ["agri_core/pages/templates/kit/style.css"]
