"""From what a person names to a view: a YAML file, an artifact's folder, or `REV:path` of git."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from compiler.diagnostics import Report, Severity
from compiler.pipeline import plan_deployment, read_file
from compiler.render.kept import KEPT, read_kept
from compiler.review.view import View, view_of_artifact, view_of_plan
from runtime.artifact import ArtifactError, load

_GIT_SECONDS = 60


class Unreadable(Exception):
    """There is no deployment to look at; the message says why and what to do."""


class Absent(Unreadable):
    """The revision is there, and holds nothing of that name."""


@dataclass(frozen=True, slots=True)
class Source:
    """A view, the name it was asked for by, and the errors that keep it from being built."""

    name: str
    view: View
    errors: tuple[str, ...] = ()


def open_source(name: str) -> Source:
    """What stands behind a name. Raises Unreadable. What exists on disk is never a revision."""
    path = Path(name)
    if path.is_dir():
        return _artifact(name, path)
    if path.is_file():
        return _deployment(name, read_file(path))
    if ":" in name:
        return _revision(name)
    raise Unreadable(f"{name}: no such file, folder or `REV:path`")


def new_deployment(name: str, of: Source) -> Source:
    """What stood where a deployment is new: its settings, and nobody who asks or answers."""
    nothing: dict[str, Any] = {
        field: {}
        for field in (
            *("providers", "prices", "targets", "groups", "routes", "out", "reaches", "callers"),
            *("tokens", "limits", "listings", "promises", "uses", "evidence", "phase_rules"),
            *("project_limits", "cells"),
        )
    }
    return Source(f"{name} (not there yet)", replace(of.view, **nothing))


def _deployment(name: str, content: bytes) -> Source:
    """A YAML that breaks a promise is still looked at: what it breaks is what a review shows."""
    plan, report = plan_deployment(content, name)
    if plan is None:
        raise Unreadable(f"{report.text()}\n\n{name} cannot be compared: {report.summary()}")
    return Source(name, view_of_plan(plan), errors_of(report))


def _artifact(name: str, folder: Path) -> Source:
    try:
        artifact = load(folder)
        kept = read_kept((folder / KEPT).read_bytes())
    except ArtifactError as error:
        raise Unreadable(str(error)) from error
    except FileNotFoundError as error:
        raise Unreadable(
            f"{folder / KEPT}: missing; an older compiler built this, build it again"
        ) from error
    except msgspec.DecodeError as error:
        raise Unreadable(f"{folder / KEPT}: {error}; build it again") from error
    return Source(name, view_of_artifact(artifact, kept))


def _revision(name: str) -> Source:
    """A file at a revision is a YAML, a folder an artifact."""
    revision, _, path = name.partition(":")
    if revision.startswith("-") or not revision:
        raise Unreadable(f"{name}: no such file, folder or `REV:path`")
    try:
        kind = _git("cat-file", "-t", name).strip()
    except Unreadable as error:
        if _git("ls-tree", "--full-tree", revision, "--", path):
            raise  # it is there, and cannot be read
        raise Absent(str(error)) from error
    if kind != b"tree":
        return _deployment(name, _git("show", "--no-textconv", name))
    packed = _git("archive", "--format=tar", name)
    with tempfile.TemporaryDirectory(prefix="interlock-") as folder:
        place = Path(folder)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(place, filter="data")
        try:
            return Source(name, _artifact(name, place).view)
        except Unreadable as error:
            raise Unreadable(str(error).replace(folder, name)) from error


def _git(*arguments: str) -> bytes:
    """What git prints; no shell, no pager, and no argument that could be an option."""
    try:
        ran = subprocess.run(  # noqa: S603  a list of arguments, the name checked above
            ["git", "--no-pager", *arguments],  # noqa: S607  the user's own git
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"git {arguments[0]}: {error}") from error
    if ran.returncode:
        told = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unreadable(f"{arguments[-1]}: {told[-1] if told else 'git says nothing'}")
    return ran.stdout


def errors_of(report: Report) -> tuple[str, ...]:
    """The errors that keep a deployment from being built, one line each."""
    return tuple(
        f"{d.code} {d.message}" for d in report.diagnostics if d.severity is Severity.ERROR
    )
