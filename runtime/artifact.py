"""A generated package, checked byte by byte and turned into the tables a worker serves from.

It refuses whatever its manifest does not vouch for, with one line that says why. It knows nothing
of the YAML behind the package, nor of requests.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from importlib import util
from pathlib import Path
from types import CodeType
from typing import Any, Final, cast

import msgspec

from runtime import eligibility, vocabulary
from runtime.phases import Detector
from runtime.selection import Cell
from runtime.vocabulary import (
    DIALECTS,
    Caller,
    Group,
    LimitSet,
    PhaseRule,
    Price,
    Provider,
    Route,
    Settings,
    Target,
    Token,
)

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_CACHE: Final = "__pycache__"
_CHECKED_HASH: Final = (0b11).to_bytes(4, "little")  # flags of a .pyc bound to its source by hash
_PYC_HEADER: Final = 16


class ArtifactError(Exception):
    """The package cannot be served; the message is one line."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in `manifest.json`. `digest` covers the file list, and so every byte."""

    format: int
    name: str
    digest: str
    compiler: str
    source: dict[str, str]
    files: dict[str, str]


class Listing(msgspec.Struct, frozen=True):
    """Finished bytes of the model list: as a whole, for Codex alone, and per id."""

    all: bytes
    codex: bytes
    entries: dict[str, bytes]


class Artifact(msgspec.Struct, frozen=True):
    """Everything a worker knows of its deployment. Cells exist for closed surfaces too."""

    name: str
    digest: str
    settings: Settings
    providers: dict[str, Provider]
    targets: dict[str, Target]
    prices: dict[str, Price]
    groups: dict[str, Group]
    # by group, for those with phases
    detectors: dict[str, Detector]
    cells: dict[tuple[str, str], Cell]
    reaches: dict[str, frozenset[str]]
    callers: dict[str, Caller]
    tokens: dict[str, Token]
    limits: dict[str, LimitSet]
    listings: dict[str, Listing]
    # project -> the set of limits its callers share, for those that have one
    project_limits: dict[str, str] = {}


def load(folder: Path) -> Artifact:
    """The artifact in a folder, or an ArtifactError that says in one line what is wrong with it."""
    manifest = read_manifest(folder)
    files = _verified_files(folder, manifest)
    try:
        return _assemble(folder, manifest, files)
    except ArtifactError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ArtifactError(f"{folder}: the package does not fit this runtime: {reason}") from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest, of a format this runtime knows and with a digest that is its own."""
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path}: cannot be read ({error.strerror}); is this a folder that `interlock build` "
            "wrote?"
        ) from error
    _check_format(path, text)
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise ArtifactError(f"{path}: not a manifest ({error})") from error
    if manifest.digest != digest_of(manifest.files):
        raise ArtifactError(f"{path}: the digest is not that of the file list; build it again")
    return manifest


def digest_of(files: Mapping[str, str]) -> str:
    """The artifact digest: SHA-256 over the sorted file list, as `sha256sum` would write it."""
    lines = "".join(f"{files[path]}  {path}\n" for path in sorted(files))
    return sha256(lines.encode()).hexdigest()


def _check_format(path: Path, text: bytes) -> None:
    """Before anything else is read: a newer format may have other fields."""
    try:
        head = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ArtifactError(f"{path}: not JSON ({error})") from error
    found = head.get("format") if isinstance(head, dict) else None
    if found != FORMAT:
        raise ArtifactError(
            f"{path}: format {found!r} is unknown, this runtime reads {FORMAT}; "
            "build it again with the compiler of this version"
        )


def _verified_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The bytes of every listed file, each with the digest the manifest names, and no other."""
    present = set(_present(folder))
    for path in sorted(manifest.files.keys() - present):
        raise ArtifactError(f"{folder / path}: listed in the manifest, but missing")
    for path in sorted(present - manifest.files.keys() - {MANIFEST}):
        raise ArtifactError(f"{folder / path}: not listed in the manifest; remove it")
    files = {}
    for path, digest in manifest.files.items():
        content = (folder / path).read_bytes()
        if sha256(content).hexdigest() != digest:
            raise ArtifactError(f"{folder / path}: changed since it was built; build it again")
        files[path] = content
    return files


def _present(folder: Path) -> Iterator[str]:
    """Files below the folder; bytecode is only a copy of what is verified, and not looked at."""
    for path in folder.rglob("*"):
        if _CACHE not in path.relative_to(folder).parts and not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _assemble(folder: Path, manifest: Manifest, files: dict[str, bytes]) -> Artifact:
    def module(path: str) -> dict[str, Any]:
        if path not in files:
            raise ArtifactError(f"{folder / path}: missing from the manifest")
        return _execute(folder / path, files[path])

    settings: Settings = module("__init__.py")["SETTINGS"]
    models, people = module("targets.py"), module("callers.py")
    targets: dict[str, Target] = models["TARGETS"]
    policies = module("policies.py")
    groups: dict[str, Group] = policies["GROUPS"]
    reaches = {name: frozenset(providers) for name, providers in people["REACHES"].items()}
    cells: dict[tuple[str, str], Cell] = {}
    for group_id, group in groups.items():
        routes = module(f"routes/{group_id}.py")
        for surface in DIALECTS:
            cells[group_id, surface] = _cell(group_id, group, surface, routes, targets, reaches)
    return Artifact(
        name=manifest.name,
        digest=manifest.digest,
        settings=settings,
        providers=module("providers.py")["PROVIDERS"],
        targets=targets,
        prices=models["PRICES"],
        groups=groups,
        detectors=detectors_of(groups, policies.get("PHASE_RULES", {})),
        cells=cells,
        reaches=reaches,
        callers=people["CALLERS"],
        tokens=people["TOKENS"],
        limits=people["LIMITS"],
        listings={
            path.removeprefix("models/").removesuffix(".json"): read_listing(content)
            for path, content in files.items()
            if path.startswith("models/")
        },
        project_limits=people.get("PROJECT_LIMITS", {}),
    )


def detectors_of(
    groups: Mapping[str, Group], rules: Mapping[str, Iterable[PhaseRule]]
) -> dict[str, Detector]:
    """The detector of each group with phases; those with the same rules share one."""
    used = dict.fromkeys(g.phase_rules for g in groups.values() if g.phase_rules is not None)
    compiled = {name: Detector(rules[name]) for name in used}
    return {
        name: compiled[group.phase_rules]
        for name, group in groups.items()
        if group.phase_rules is not None
    }


def _cell(
    group_id: str,
    group: Group,
    surface: str,
    module: dict[str, Any],
    targets: dict[str, Target],
    reaches: dict[str, frozenset[str]],
) -> Cell:
    routes: dict[str, tuple[Route, ...]] = module["ROUTES"]
    out: dict[str, str] = module.get("OUT", {}).get(surface, {})
    if surface not in group.surfaces:
        out = dict.fromkeys(group.ranks, eligibility.SURFACE_CLOSED)
    return Cell(group_id, group, surface, routes.get(surface, ()), targets, reaches, out)


class _ListingText(msgspec.Struct):
    """The two lists of a listing file, each entry as it stands."""

    data: list[msgspec.Raw]
    models: list[msgspec.Raw]


class _Entry(msgspec.Struct):
    id: str


def read_listing(content: bytes) -> Listing:
    """A listing file, taken apart once so that no request has to."""
    text = msgspec.json.decode(content, type=_ListingText)
    models = b",\n".join(bytes(entry) for entry in text.models)
    return Listing(
        all=content,
        codex=b'{"models":[\n' + models + b"\n]}\n",
        entries={msgspec.json.decode(entry, type=_Entry).id: bytes(entry) for entry in text.data},
    )


def _execute(path: Path, source: bytes) -> dict[str, Any]:
    """The names of a generated module: it can reach the vocabulary and nothing else."""
    names: dict[str, Any] = {"__builtins__": dict(_BUILTINS), "__name__": path.stem}
    exec(_code(path, source), names)  # noqa: S102  literals and words, verified by digest
    return names


def _code(path: Path, source: bytes) -> CodeType:
    """Bytecode left by the build where it belongs to these very bytes, else compiled now."""
    try:
        cached = Path(util.cache_from_source(str(path))).read_bytes()
    except (OSError, NotImplementedError):
        cached = b""
    header = util.MAGIC_NUMBER + _CHECKED_HASH + util.source_hash(source)
    if cached[:_PYC_HEADER] == header:
        with suppress(EOFError, ValueError, TypeError):  # cut short by a full disk, say
            return cast(CodeType, marshal.loads(cached[_PYC_HEADER:]))  # noqa: S302  as any .pyc
    return compile(source, str(path), "exec", dont_inherit=True)


def _import(name: str, *_: object, **__: object) -> object:
    if name != vocabulary.__name__:
        raise ArtifactError(f"a generated module imports {name!r}")
    return vocabulary


_BUILTINS: Final[dict[str, object]] = {
    "__import__": _import,
    "dict": dict,
    "str": str,
    "tuple": tuple,
}
