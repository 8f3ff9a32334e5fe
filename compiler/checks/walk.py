"""Ways through a deployment that many checks take; finds nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.diagnostics import Path
from compiler.model import Deployment, SkinDef, TargetDef


def skins(deployment: Deployment) -> Iterator[tuple[Path, TargetDef, SkinDef]]:
    """Every skin, merged with its profiles, and where it stands."""
    for target in deployment.targets.values():
        for dialect, skin in target.skins.items():
            yield ("targets", target.id, "skins", dialect), target, skin


def written_skins(deployment: Deployment) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every profile and every skin as the author wrote it, not merged."""
    for name, profile in section(deployment, "profiles").items():
        yield ("profiles", name), profile
    for target, raw in section(deployment, "targets").items():
        for dialect, skin in raw["skins"].items():
            yield ("targets", target, "skins", dialect), skin


def section(deployment: Deployment, name: str) -> Mapping[str, Any]:
    """A section as the author wrote it; empty when it is not there."""
    found: Mapping[str, Any] = deployment.document.get(name, {})
    return found


def named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The names in a field that takes one or a list of them, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, name in enumerate(value):
            yield (*path, index), name
