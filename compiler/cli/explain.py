"""`interlock explain`: an artifact's plan for one request, with every reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from compiler.cli import CannotRun
from compiler.diagnostics import did_you_mean
from compiler.explanation import Asked, Unreadable, anybody, cell_of, dropped, read_request
from runtime.artifact import Artifact, ArtifactError, load
from runtime.decision import phase_of
from runtime.errors import RouterError
from runtime.names import resolve_group
from runtime.selection import Candidate, Cell, Choice, choose, only_over_body, only_over_context
from runtime.shape import Shape
from runtime.vocabulary import ALL_LEVELS, DIALECTS, FEATURES, LEVELS, Caller, words

_FOLDER = click.Path(path_type=Path)  # whatever is wrong with it, the loader says better
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NO_LOSSES: Mapping[str, tuple[str, ...]] = {}


@click.command(short_help="Show who answers a request, in order, and why others do not.")
@click.argument("artifact", type=_FOLDER)
@click.option("--group", help="Name, alias or match of a group; by default the request's model.")
@click.option(
    "--surface",
    type=click.Choice(sorted(DIALECTS)),
    help="The dialect spoken; by default that of the request.",
)
@click.option("--needs", help="Feature words, separated by commas.")
@click.option("--effort", type=click.Choice(list(LEVELS)), help="Asked reasoning level.")
@click.option("--cap", type=click.IntRange(min=1), help="Asked output cap, in tokens.")
@click.option("--input-tokens", type=click.IntRange(min=0), help="Estimated input.")
@click.option("--request", type=_READABLE, help="A request body that says all of this itself.")
@click.option("--caller", help="Within the groups and the reach of this caller.")
@click.option("--phase", help="Of a group with phases; by default the one the request is in.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def explain(
    context: click.Context,
    artifact: Path,
    group: str | None,
    surface: str | None,
    needs: str | None,
    effort: str | None,
    cap: int | None,
    input_tokens: int | None,
    request: Path | None,
    caller: str | None,
    phase: str | None,
    form: Literal["text", "json"],
) -> None:
    """Show who answers a request on ARTIFACT, in order, and why each other target does not.

    Exits 1 when nobody is eligible.
    """
    try:
        tables = load(artifact)
    except ArtifactError as error:
        raise CannotRun(str(error)) from error
    if request is None:
        asked = None
        shape = _shape(needs or "", effort, cap, input_tokens or 0)
    elif given := _given(needs=needs, effort=effort, cap=cap, input_tokens=input_tokens):
        raise click.UsageError(f"{given} stands in the body of --request; leave one of them out")
    else:
        asked = _read(tables, surface, request)
        shape, surface, group = asked.reading.shape, asked.surface, group or asked.reading.model
    if surface is None:
        raise click.UsageError("without --request, --surface says which dialect is spoken")
    who = _caller(tables, caller)
    cell = _cell(tables, who, group, surface)
    _check_phase(cell, phase)
    if phase is None and asked is not None:
        phase = phase_of(tables, cell.group_id, asked.reading)
    choice = choose(cell, shape, reach=who.reach, phase=phase)
    told = _told(tables, choice, asked, who)
    click.echo(_json(told) if form == "json" else _text(told, caller))
    context.exit(0 if choice.order else 1)


def _given(**options: object) -> str:
    """The first option that was given, as it is written."""
    names = (name for name, value in options.items() if value is not None)
    return next((f"--{name.replace('_', '-')}" for name in names), "")


def _shape(needs: str, effort: str | None, cap: int | None, input_tokens: int) -> Shape:
    bits = LEVELS[effort] if effort else 0
    for word in filter(None, (part.strip() for part in needs.split(","))):
        if word not in FEATURES:
            raise click.UsageError(f"no feature is called {word!r}; {did_you_mean(word, FEATURES)}")
        bits |= FEATURES[word]
    if (bits & ALL_LEVELS).bit_count() > 1:
        raise click.UsageError("a request asks for one reasoning level")
    return Shape(needs=bits, cap=cap, input_tokens=input_tokens, body_bytes=input_tokens * 4)


def _read(tables: Artifact, surface: str | None, request: Path) -> Asked:
    """What the runtime itself would read from this body."""
    try:
        return read_request(tables, request.read_bytes(), surface)
    except Unreadable as error:
        raise CannotRun(f"{request}: {error}") from error


def _caller(tables: Artifact, name: str | None) -> Caller:
    """A caller of the artifact, or one who may do everything."""
    if name is None:
        return anybody(tables)
    if name not in tables.callers:
        raise click.UsageError(f"no caller {name!r}; {did_you_mean(name, tables.callers)}")
    return tables.callers[name]


def _cell(tables: Artifact, caller: Caller, model: str | None, surface: str) -> Cell:
    try:
        name = resolve_group(tables, caller, model)
    except RouterError as error:
        hint = did_you_mean(model, caller.groups) if model else "name one with --group"
        asked = f"no group is called {model!r}" if model else "no group is named"
        raise click.UsageError(f"{asked}; {hint}") from error
    return cell_of(tables, name, surface)


def _check_phase(cell: Cell, phase: str | None) -> None:
    if phase is not None and phase not in cell.group.phases:
        known = did_you_mean(phase, cell.group.phases) or f"`{cell.group_id}` has no phases"
        raise click.UsageError(f"no phase {phase!r}; {known}")


def _told(tables: Artifact, choice: Choice, asked: Asked | None, who: Caller) -> dict[str, Any]:
    """The plan as data; both formats show the same. What is dropped only a body can tell."""
    cell = choice.cell
    losses = _NO_LOSSES if asked is None else dropped(tables, asked, choice, who)
    return {
        "artifact": tables.digest,
        "group": cell.group_id,
        "surface": cell.surface,
        "dialect": asked.reading.dialect if asked else cell.surface,
        "phase": choice.phase or cell.group.phase_default,
        "strategy": cell.group.kind,
        "shape": {**msgspec.structs.asdict(choice.shape), "needs": words(choice.shape.needs)},
        "order": [_candidate(choice, candidate, losses) for candidate in choice.order],
        "excluded": [
            {"target": out.target, "reason": out.reasons[0], "reasons": list(out.reasons)}
            for out in choice.excluded
        ],
        "overflow": _overflow(choice),
        "note": _note(asked),
    }


def _note(asked: Asked | None) -> str | None:
    if asked is None or asked.reading.previous_response_id is None:
        return None
    return "it continues an answer: of these, only the target that gave it is asked"


def _candidate(
    choice: Choice, candidate: Candidate, losses: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    weight = choice.cell.group.weights.get(candidate.target_id)
    return {
        "target": candidate.target_id,
        "provider": candidate.target.provider,
        "skin": candidate.route.skin,
        "bridge": candidate.route.bridge,
        "weight": weight if choice.cell.group.kind == "weighted" else None,
        "last_resort": candidate.route.last_resort,
        "cap": candidate.cap if candidate.cap is not None else choice.shape.cap,
        "reasoning": _reasoning(choice, candidate),
        "dropped": list(losses.get(candidate.target_id, ())),
    }


def _reasoning(choice: Choice, candidate: Candidate) -> str | None:
    asked = choice.shape.needs & ALL_LEVELS
    if not asked:
        return None
    if not candidate.keep_level:
        return "dropped"
    return "native" if asked & candidate.route.levels else "mapped"


def _overflow(choice: Choice) -> str | None:
    if (tokens := only_over_context(choice)) is not None:
        return f"all fail by size alone, at most {tokens} input tokens: clients compact on this"
    if (size := only_over_body(choice)) is not None:
        return f"all fail by size alone, at most {size} body bytes: answered 413"
    return None


def _json(told: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


# An amount of a shape, and how it is told; the others need no word where they are nothing.
_AMOUNTS = {
    "cap": "cap {}",
    "input_tokens": "about {} input tokens",
    "tools": "tools: {}",
    "images": "images: {}",
}


def _text(told: dict[str, Any], caller: str | None) -> str:
    shape = told["shape"]
    needs = ", ".join(shape["needs"]) or "no feature"
    numbers = [form.format(shape[name]) for name, form in _AMOUNTS.items() if shape[name]]
    head = f"{told['group']} on {told['surface']}: {', '.join([needs, *numbers])}"
    if told["dialect"] != told["surface"]:
        head += f", written in {told['dialect']}"
    if told["phase"]:
        head += f", phase {told['phase']}"
    if caller:
        head += f", as {caller}"
    rows = [head, f"policy {told['strategy']}, artifact {told['artifact'][:12]}", ""]
    for place, entry in enumerate(told["order"], 1):
        rows += _rows(place, entry, shape)
    if not told["order"]:
        rows.append("nobody is eligible")
    if told["excluded"]:
        rows += [
            "",
            *(f"  x {out['target']}: {', '.join(out['reasons'])}" for out in told["excluded"]),
        ]
    for more in filter(None, (told["overflow"], told["note"])):
        rows += ["", more]
    return "\n".join(rows)


def _rows(place: int, entry: dict[str, Any], shape: dict[str, Any]) -> list[str]:
    how = [entry["skin"] if entry["bridge"] is None else f"{entry['skin']} by {entry['bridge']}"]
    if entry["weight"] is not None:
        how.append(f"weight {entry['weight']}")
    if entry["last_resort"]:
        how.append("last resort")
    if entry["reasoning"] in {"mapped", "dropped"}:
        how.append(f"level {entry['reasoning']}")
    if entry["cap"] != shape["cap"]:
        how.append(f"cap {entry['cap']}")
    rows = [f"  {place} {entry['target']}: {', '.join(how)}"]
    return rows + ([f"      dropped: {', '.join(entry['dropped'])}"] if entry["dropped"] else [])
