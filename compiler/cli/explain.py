"""`interlock explain`: an artifact's plan for one request, with every reason why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from compiler.cli import CannotRun
from compiler.diagnostics import did_you_mean
from runtime.artifact import Artifact, ArtifactError, load
from runtime.errors import RouterError
from runtime.selection import (
    Candidate,
    Cell,
    Choice,
    choose,
    only_over_body,
    only_over_context,
    resolve_group,
)
from runtime.shape import Shape
from runtime.vocabulary import ALL_LEVELS, DIALECTS, FEATURES, LEVELS, Caller, words

_FOLDER = click.Path(path_type=Path)  # whatever is wrong with it, the loader says better
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EVERY = "every provider"  # the reach of nobody in particular


@click.command(short_help="Show who answers a request, in order, and why others do not.")
@click.argument("artifact", type=_FOLDER)
@click.option("--group", help="Name, alias or match of a group; by default the request's model.")
@click.option("--surface", type=click.Choice(sorted(DIALECTS)), required=True)
@click.option("--needs", help="Feature words, separated by commas.")
@click.option("--effort", type=click.Choice(list(LEVELS)), help="Asked reasoning level.")
@click.option("--cap", type=click.IntRange(min=1), help="Asked output cap, in tokens.")
@click.option("--input-tokens", type=click.IntRange(min=0), help="Estimated input.")
@click.option("--request", type=_READABLE, help="A request body to take the last four from.")
@click.option("--caller", help="Within the groups and the reach of this caller.")
@click.option("--phase", help="Of a group with phases; by default the one that catches all.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def explain(
    context: click.Context,
    artifact: Path,
    group: str | None,
    surface: str,
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
    model = group
    if request is None:
        shape = _shape(needs or "", effort, cap, input_tokens or 0)
    elif given := _given(needs=needs, effort=effort, cap=cap, input_tokens=input_tokens):
        raise click.UsageError(f"{given} stands in the body of --request; leave one of them out")
    else:
        asked, shape = _read(tables, surface, request)
        model = group or asked
    who = _caller(tables, caller)
    cell = _cell(tables, who, model, surface)
    _check_phase(cell, phase)
    choice = choose(cell, shape, reach=who.reach, phase=phase)
    told = _told(tables, choice)
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


def _read(tables: Artifact, surface: str, request: Path) -> tuple[str | None, Shape]:
    """What the runtime itself would read from this body."""
    from runtime.dialects import DIALECTS as READERS

    try:
        reading = READERS[surface].read(request.read_bytes(), {}, tables.settings)
    except RouterError as error:
        raise CannotRun(f"{request}: {error.code}: {error.message}") from error
    if reading.dialect != surface:
        raise CannotRun(f"{request}: this body is in the {reading.dialect} dialect, not {surface}")
    return reading.model, reading.shape


def _caller(tables: Artifact, name: str | None) -> Caller:
    """A caller of the artifact, or one who may call every group and reach every provider."""
    if name is None:
        return Caller(user="", project="", env="", groups=tuple(tables.groups), reach=_EVERY)
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
    cell = tables.cells[name, surface]
    reaches = {**tables.reaches, _EVERY: frozenset(tables.providers)}
    return Cell(name, cell.group, surface, cell.routes, tables.targets, reaches, cell.out)


def _check_phase(cell: Cell, phase: str | None) -> None:
    if phase is not None and phase not in cell.group.phases:
        known = did_you_mean(phase, cell.group.phases) or f"`{cell.group_id}` has no phases"
        raise click.UsageError(f"no phase {phase!r}; {known}")


def _told(tables: Artifact, choice: Choice) -> dict[str, Any]:
    """The plan as data; both formats show the same."""
    cell = choice.cell
    return {
        "artifact": tables.digest,
        "group": cell.group_id,
        "surface": cell.surface,
        "phase": choice.phase or cell.group.phase_default,
        "strategy": cell.group.kind,
        "shape": {
            "needs": words(choice.shape.needs),
            "cap": choice.shape.cap,
            "input_tokens": choice.shape.input_tokens,
        },
        "order": [_candidate(choice, candidate) for candidate in choice.order],
        "excluded": [
            {"target": out.target, "reason": out.reasons[0], "reasons": list(out.reasons)}
            for out in choice.excluded
        ],
        "overflow": _overflow(choice),
    }


def _candidate(choice: Choice, candidate: Candidate) -> dict[str, Any]:
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


def _text(told: dict[str, Any], caller: str | None) -> str:
    shape = told["shape"]
    needs = ", ".join(shape["needs"]) or "no feature"
    numbers = [f"cap {shape['cap']}"] if shape["cap"] else []
    numbers += [f"{shape['input_tokens']} input tokens"] if shape["input_tokens"] else []
    head = f"{told['group']} on {told['surface']}: {', '.join([needs, *numbers])}"
    if told["phase"]:
        head += f", phase {told['phase']}"
    if caller:
        head += f", as {caller}"
    rows = [head, f"policy {told['strategy']}, artifact {told['artifact'][:12]}", ""]
    rows += [_row(place, entry, shape) for place, entry in enumerate(told["order"], 1)]
    if not told["order"]:
        rows.append("nobody is eligible")
    if told["excluded"]:
        rows += [
            "",
            *(f"  x {out['target']}: {', '.join(out['reasons'])}" for out in told["excluded"]),
        ]
    if told["overflow"]:
        rows += ["", told["overflow"]]
    return "\n".join(rows)


def _row(place: int, entry: dict[str, Any], shape: dict[str, Any]) -> str:
    how = [entry["skin"] if entry["bridge"] is None else f"{entry['skin']} by {entry['bridge']}"]
    if entry["weight"] is not None:
        how.append(f"weight {entry['weight']}")
    if entry["last_resort"]:
        how.append("last resort")
    if entry["reasoning"] in {"mapped", "dropped"}:
        how.append(f"level {entry['reasoning']}")
    if entry["cap"] != shape["cap"]:
        how.append(f"cap {entry['cap']}")
    return f"  {place} {entry['target']}: {', '.join(how)}"
