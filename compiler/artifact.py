"""The artifact on disk: written beside and renamed, or compared with what stands there.

The manifest goes last, so that a torn write is never taken for an artifact, and a router that
watches it finds all else in its place, bytecode too.
"""

from __future__ import annotations

import difflib
import json
import os
import py_compile
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path

from compiler import VERSION
from compiler.model import Deployment
from compiler.plan import Plan
from compiler.render import render
from compiler.render.allowed import check_module
from runtime.artifact import FORMAT, MANIFEST, digest_of

# Every path a build writes.
_OURS = re.compile(
    r"manifest\.json|eligibility\.lock|review\.json|(__init__|providers|targets|policies|callers)\.py"
    r"|routes/[^/]+\.py|models/[^/]+\.json"
)


def artifact_files(plan: Plan, source: str) -> dict[str, bytes]:
    """Every file of the artifact, the manifest last. `source` is the YAML's name in headers."""
    texts = render(plan, source)
    for path, text in texts.items():
        if path.endswith(".py"):
            check_module(path, text)
    files = {path: texts[path].encode() for path in sorted(texts)}
    return {**files, MANIFEST: _manifest(plan.deployment, source, files)}


def source_name(file: Path, out: Path) -> str:
    """The YAML's name as the artifact shows it: below the repository, no machine's path."""
    whole = file.resolve()
    for root in (out.resolve().parent, Path.cwd()):
        if whole.is_relative_to(root):
            return whole.relative_to(root).as_posix()
    return file.name


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Puts every file in its place, beside the old one first, with bytecode for a warm start.

    What stands in the folder and belongs to no artifact is not ours to remove, and a link may
    lead anywhere: FileExistsError.
    """
    if links := sorted(_links(folder)):
        raise FileExistsError(f"{links[0]} is a symbolic link; remove it first")
    old = _owned(folder)
    if strange := sorted(_present(folder) - old - files.keys()):
        raise FileExistsError(f"{folder / strange[0]} belongs to no artifact; remove it first")
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path in sorted(old - files.keys()):
            (folder / path).unlink(missing_ok=True)
            Path(cache_from_source(str(folder / path))).unlink(missing_ok=True)
        for path in files.keys() - {MANIFEST}:
            _replace(beside / "file", folder / path, files[path])
        _leave_bytecode(files, folder)
        _replace(beside / "file", folder / MANIFEST, files[MANIFEST])
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def compare(files: Mapping[str, bytes], folder: Path) -> str:
    """A unified diff from what stands in the folder to what should; empty when nothing differs."""
    paths = sorted(_present(folder) | files.keys())
    return "".join(line for path in paths for line in _diff(path, files, folder))


def _manifest(deployment: Deployment, source: str, files: Mapping[str, bytes]) -> bytes:
    digests = {path: sha256(content).hexdigest() for path, content in files.items()}
    manifest = {
        "format": FORMAT,
        "name": deployment.name,
        "digest": digest_of(digests),
        "compiler": VERSION,
        "source": {"file": source, "sha256": sha256(deployment.source).hexdigest()},
        "files": digests,
    }
    return (json.dumps(manifest, indent=2, ensure_ascii=True) + "\n").encode()


def _replace(beside: Path, place: Path, content: bytes) -> None:
    if place.is_file() and place.read_bytes() == content:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(content)
    beside.replace(place)


def _leave_bytecode(files: Mapping[str, bytes], folder: Path) -> None:
    """Bound to the source by its hash, so that a changed source never runs as the old one."""
    for path in files:
        if path.endswith(".py"):
            place = str(folder / path)
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(place, doraise=True, invalidation_mode=mode)


def _owned(folder: Path) -> set[str]:
    """What an earlier build put there. A manifest that nobody can read, or that lists what no
    build writes, proves nothing: then a file must at least be named as ours are.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return set()
    named = {path for path in _present(folder) if _OURS.fullmatch(path)}
    try:
        listed = set(json.loads(manifest.read_bytes())["files"])
    except (ValueError, KeyError, TypeError):
        return named
    return (named & listed) | {MANIFEST}


def _links(folder: Path) -> Iterator[Path]:
    """The folder, or anything in it that is no bytecode, where it is a symbolic link."""
    if folder.is_symlink():
        yield folder
    for path in folder.rglob("*"):
        if path.is_symlink() and "__pycache__" not in path.relative_to(folder).parts[:-1]:
            yield path


def _present(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.relative_to(folder).parts
    }


def _diff(path: str, files: Mapping[str, bytes], folder: Path) -> Iterator[str]:
    place = folder / path
    old = place.read_bytes() if place.is_file() else None
    new = files.get(path)
    if old == new:
        return
    yield from difflib.unified_diff(
        _lines(old),
        _lines(new),
        os.devnull if old is None else place.as_posix(),
        os.devnull if new is None else f"{place.as_posix()} (built)",
    )


def _lines(content: bytes | None) -> list[str]:
    text = (content or b"").decode("utf-8", "replace")
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []
