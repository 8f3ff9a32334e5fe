"""A compiled deployment as a test asks it: its lock, the plan of one request, a caller's list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.diagnostics import did_you_mean
from compiler.explanation import artifact_of, dropped, read_request
from compiler.model import ClientProfile, ClientShape, GroupDef
from compiler.pipeline import compile_deployment, read_file
from compiler.plan import Plan, Verdict
from compiler.plan.verdicts import active_callers, reaches_of, verdicts_of_shape
from compiler.render.lock import lines_of, losses_of
from runtime.artifact import Artifact
from runtime.decision import phase_of
from runtime.selection import Choice, choose
from runtime.vocabulary import Caller, words


class CannotCompile(Exception):
    """The deployment has errors; the message is the whole report."""


class CannotAsk(LookupError):
    """A test asks for what the deployment does not have; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of one request. `excluded` has all reasons, `dropped` what is not sent; by target.

    Its text is what a snapshot keeps.
    """

    needs: tuple[str, ...]
    order: tuple[str, ...]
    excluded: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, tuple[str, ...]]
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [f"needs {' '.join(self.needs) or 'nothing'}"]
        rows += [f"refused {' '.join(self.refused)}"] if self.refused else []
        for target in self.order:
            losses = ", ".join(self.dropped.get(target, ()))
            rows.append(f"-> {target} without {losses}" if losses else f"-> {target}")
        rows += [] if self.order else ["-> nobody"]
        rows += [f"x {target} {' '.join(reasons)}" for target, reasons in self.excluded.items()]
        return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class Compiled:
    """One deployment file, compiled."""

    file: Path
    _plan: Plan = field(repr=False)

    @classmethod
    def of(cls, file: Path) -> Compiled:
        """The deployment in a file. Raises CannotCompile."""
        plan, report = compile_deployment(read_file(file), str(file))
        if plan is None:
            raise CannotCompile(report.text())
        return cls(file, plan)

    @property
    def name(self) -> str:
        """As the file names it."""
        return self._plan.deployment.name

    @property
    def groups(self) -> tuple[str, ...]:
        """In the author's order."""
        return tuple(self._plan.deployment.groups)

    @property
    def callers(self) -> tuple[str, ...]:
        """Those who have a model list, in the author's order."""
        return tuple(name for name, caller in self._plan.callers.items() if caller.listing)

    def lock(
        self,
        group: str,
        surface: str | None = None,
        client: str | None = None,
        project: str | None = None,
    ) -> str:
        """The lines of `eligibility.lock` about a group, or about less of it.

        `client` is one with a profile, or one of its shapes as in `codex/image`; without it what
        is advertised is told as well.
        """
        plan, reach = self._plan, self._reach(project) if project else None
        found = self._group(group)
        offers = {
            place: offer
            for place, offer in plan.offers.items()
            if client is None and place[0] == group and _fits(surface, place[1], reach, place[2])
        }
        verdicts = plan.verdicts_of[group] if client is None else self._verdicts(found, client)
        kept = (v for v in verdicts if _fits(surface, v.surface, reach, v.reach))
        return lines_of(plan.tables.settings, kept, offers)

    def plan(
        self,
        group: str,
        client: str | None = None,
        *,
        request: str | Path | None = None,
        surface: str | None = None,
        project: str | None = None,
        phase: str | None = None,
    ) -> Planned:
        """Who answers one shape of a client (`codex/main`), or the request in a file.

        Without a project the callers of the group must share one reach; without a surface it is
        the client's, or the dialect of the request.
        """
        if (client is None) == (request is None):
            raise CannotAsk("name either a client's shape or a request")
        found = self._group(group)
        reach = self._reach(project) if project else self._only_reach(found)
        self._check_phase(found, phase)
        if request is not None:
            return self._of_request(found, Path(request), surface, reach, phase)
        return self._of_shape(found, str(client), reach, phase)

    def listing(self, caller: str) -> str:
        """What a caller's model list says, a line per name and for Codex one more."""
        known = self._plan.callers
        if caller not in known or known[caller].listing is None:
            raise CannotAsk(f"no model list for {caller!r}; {did_you_mean(caller, self.callers)}")
        text = json.loads(self._plan.listings[str(known[caller].listing)].text)
        rows = [*map(_entry, text["data"]), *map(_codex, text["models"])]
        return "".join(f"{row}\n" for row in rows)

    @cached_property
    def _artifact(self) -> Artifact:
        return artifact_of(self._plan)

    def _group(self, name: str) -> GroupDef:
        groups = self._plan.deployment.groups
        if name not in groups:
            raise CannotAsk(f"no group {name!r}; {did_you_mean(name, groups)}")
        return groups[name]

    def _reach(self, project: str) -> str:
        known = self._plan.tables.reach_of
        if project not in known:
            raise CannotAsk(f"no project {project!r}; {did_you_mean(project, known)}")
        return known[project]

    def _reaches(self, group: GroupDef) -> tuple[str, ...]:
        plan = self._plan
        callers = active_callers(plan.deployment, plan.tables, group.id)
        return reaches_of(plan.tables, callers)

    def _only_reach(self, group: GroupDef) -> str:
        reaches = self._reaches(group)
        if len(reaches) != 1:
            raise CannotAsk(
                f"callers of {group.id!r} have {len(reaches) or 'no'} reaches; name a project: "
                + did_you_mean("", self._plan.tables.reach_of)
            )
        return reaches[0]

    def _check_phase(self, group: GroupDef, phase: str | None) -> None:
        if phase is not None and phase not in group.phases:
            known = did_you_mean(phase, group.phases) or "the group has none"
            raise CannotAsk(f"no phase {phase!r}; {known}")

    def _shapes(self, group: GroupDef, client: str) -> tuple[ClientProfile, list[ClientShape]]:
        """A client by its name, or by one of its shapes; by its name what a lock would tell."""
        name, _, wanted = client.partition("/")
        profile = self._plan.clients.get(name)
        if profile is None:
            raise CannotAsk(f"no client {name!r}; {did_you_mean(name, self._plan.clients)}")
        promised = {shape for p in group.promises if p.client == name for shape in p.shapes}
        usual = [s for s in profile.shapes if s.core or s.name in promised]
        found = [s for s in profile.shapes if s.name == wanted] if wanted else usual
        if not found:
            names = [shape.name for shape in profile.shapes]
            raise CannotAsk(f"{name!r} sends no shape {wanted!r}; {did_you_mean(wanted, names)}")
        return profile, found

    def _verdicts(
        self, group: GroupDef, client: str, reaches: Iterable[str] | None = None
    ) -> Iterator[Verdict]:
        plan = self._plan
        profile, shapes = self._shapes(group, client)
        if profile.surface not in group.surfaces:
            raise CannotAsk(f"{group.id!r} does not open {profile.surface}, which {client} speaks")
        within = self._reaches(group) if reaches is None else reaches
        for shape in shapes:
            yield from verdicts_of_shape(
                plan.tables, plan.offers, group, profile.surface, within, profile.id, shape
            )

    def _of_shape(self, group: GroupDef, client: str, reach: str, phase: str | None) -> Planned:
        if "/" not in client:
            raise CannotAsk(f"name one shape of {client!r}, as in {client + '/main'!r}")
        if reach not in self._reaches(group):
            raise CannotAsk(f"no caller of {group.id!r} is of that project")
        wanted = phase or self._plan.tables.groups[group.id].phase_default
        verdict = next(v for v in self._verdicts(group, client, [reach]) if v.phase == wanted)
        settings = self._plan.tables.settings
        losses = {
            c.target_id: tuple(losses_of(settings, verdict.shape, verdict.choice, c))
            for c in verdict.choice.order
        }
        return _planned(verdict.choice, losses, verdict.refused)

    def _of_request(
        self, group: GroupDef, file: Path, surface: str | None, reach: str, phase: str | None
    ) -> Planned:
        tables = self._artifact
        asked = read_request(tables, file.read_bytes(), surface)
        cell = tables.cells[group.id, asked.surface]
        wanted = phase or phase_of(tables, group.id, asked.reading)
        choice = choose(cell, asked.reading.shape, reach=reach, phase=wanted)
        somebody = Caller(user="", project="", env="", groups=(group.id,), reach=reach)
        return _planned(choice, dropped(tables, asked, choice, somebody))


def _planned(
    choice: Choice, losses: Mapping[str, tuple[str, ...]], refused: tuple[str, ...] = ()
) -> Planned:
    return Planned(
        needs=tuple(words(choice.shape.needs)),
        order=() if refused else tuple(candidate.target_id for candidate in choice.order),
        excluded={out.target: out.reasons for out in choice.excluded},
        dropped={} if refused else {target: lost for target, lost in losses.items() if lost},
        refused=refused,
    )


def _fits(surface: str | None, own: str, reach: str | None, reached: str) -> bool:
    return surface in (None, own) and reach in (None, reached)


def _entry(entry: Mapping[str, Any]) -> str:
    return f"{entry['id']}: {', '.join(_facts(entry))}"


def _codex(entry: Mapping[str, Any]) -> str:
    """A catalog entry without its prompt, which is no matter of eligibility."""
    facts = [*_facts(entry), f"reads {' '.join(entry['input_modalities'])}"]
    facts += ["apply_patch"] if entry["apply_patch_tool_type"] else []
    facts += ["parallel tool calls"] if entry["supports_parallel_tool_calls"] else []
    facts += ["hidden"] if entry["visibility"] == "hide" else []
    return f"{entry['slug']} in the Codex catalog: {', '.join(facts)}"


def _facts(entry: Mapping[str, Any]) -> Iterator[str]:
    window = entry.get("context_window")
    yield f"window {window}" if window else "window unknown"
    levels = [level["effort"] for level in entry.get("supported_reasoning_levels", ())]
    yield f"levels {' '.join(levels)}" if levels else "no levels"
    if default := entry.get("default_reasoning_level"):
        yield f"default {default}"
