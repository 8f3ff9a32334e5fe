"""The model lists, one per distinct groups and reach: finished text that is served as it stands.

One body for three readers: `data` for OpenAI's and Anthropic's clients, `models` for Codex.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from compiler.clients.codex import CODEX
from compiler.clients.instructions import BASE_INSTRUCTIONS
from compiler.model import ClientProfile, ClientShape, Deployment, GroupDef
from compiler.plan.model import ListingPlan, Offer, Tables
from compiler.plan.verdicts import judge, refused
from runtime.names import is_glob
from runtime.vocabulary import IMAGE_INLINE, LEVELS

# A catalog without a clock: every entry is as old as the product.
_CREATED = 1_767_225_600
_CREATED_AT = "2026-01-01T00:00:00Z"


def listings_of(
    deployment: Deployment,
    tables: Tables,
    clients: Mapping[str, ClientProfile],
    offers: Mapping[tuple[str, str, str], Offer],
) -> dict[str, ListingPlan]:
    """Every list some caller gets, by id."""
    writer = _Writer(deployment, tables, clients.get(CODEX.id, CODEX), offers)
    found: dict[str, ListingPlan] = {}
    for caller in deployment.callers.values():
        reach = tables.reach_of[caller.project]
        name = listing_id(reach, caller.groups)
        if caller.groups and name not in found:
            found[name] = ListingPlan(name, caller.groups, reach, writer.text(caller.groups, reach))
    return found


def listing_id(reach: str, groups: tuple[str, ...]) -> str:
    """A name that changes with its meaning alone, so that no other list is renamed."""
    return f"{reach}-{sha256(chr(10).join(groups).encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class _Row:
    """One name in a list: its id and its two lines, the second only where Codex may use it."""

    id: str
    data: str
    model: str | None


class _Writer:
    """Writes each (group, reach) once, however many lists it stands in."""

    def __init__(
        self,
        deployment: Deployment,
        tables: Tables,
        codex: ClientProfile,
        offers: Mapping[tuple[str, str, str], Offer],
    ) -> None:
        self._deployment = deployment
        self._tables = tables
        self._codex = codex
        self._offers = offers
        self._places = {group: place for place, group in enumerate(deployment.groups, 1)}
        self._rows: dict[tuple[str, str], tuple[_Row, ...]] = {}

    def text(self, groups: tuple[str, ...], reach: str) -> str:
        """A whole list; a group's own name wins over an alias, an earlier alias over a later."""
        rows: dict[str, _Row] = {}
        for group in groups:
            for row in self._rows_of(group, reach):
                if row.id == group or row.id not in groups:
                    rows.setdefault(row.id, row)
        data = _lines(row.data for row in rows.values())
        models = _lines(row.model for row in rows.values() if row.model)
        first, last = _dump(next(iter(rows))), _dump(next(reversed(rows)))
        return (
            f'{{"object":"list","data":{data},'
            f'"has_more":false,"first_id":{first},"last_id":{last},'
            f'"models":{models}}}\n'
        )

    def _rows_of(self, group: str, reach: str) -> tuple[_Row, ...]:
        key = (group, reach)
        if key not in self._rows:
            self._rows[key] = tuple(self._make_rows(self._deployment.groups[group], reach))
        return self._rows[key]

    def _make_rows(self, group: GroupDef, reach: str) -> Iterator[_Row]:
        data, model = self._data(group, reach), self._model(group, reach)
        for name in (group.id, *(alias for alias in group.aliases if not is_glob(alias))):
            hidden = {} if name == group.id else {"visibility": "hide"}
            line = None if model is None else _dump({"slug": name, **model, **hidden})
            yield _Row(name, _dump({"id": name, **data}), line)

    def _data(self, group: GroupDef, reach: str) -> dict[str, object]:
        """OpenAI's and Anthropic's fields; only what every served surface keeps is said."""
        offers = self._served(group, reach)
        levels = tuple(
            level
            for level in self._tables.settings.levels
            if offers and all(level in offer.levels for offer in offers)
        )
        windows = [offer.window for offer in offers if offer.window is not None]
        entry: dict[str, object] = {
            "object": "model",
            "type": "model",
            "created": _CREATED,
            "created_at": _CREATED_AT,
            "owned_by": self._deployment.name,
            "display_name": group.title or group.id,
        }
        if group.about:
            entry["description"] = group.about
        if windows:
            entry |= {"context_window": min(windows), "max_input_tokens": min(windows)}
        if levels:
            entry |= {
                "supported_reasoning_levels": self._levels(levels),
                "default_reasoning_level": _default(levels, group.reasoning_default),
            }
        return entry

    def _model(self, group: GroupDef, reach: str) -> dict[str, object] | None:
        """A catalog entry as Codex reads it, the keys of its older generations among them."""
        if "responses" not in group.surfaces or not self._reachable(group, reach, "responses"):
            return None
        offer = self._offers[group.id, "responses", reach]
        entry: dict[str, object] = {
            "display_name": group.title or group.id,
            "description": group.about or None,
            "supported_reasoning_levels": self._levels(offer.levels),
            "shell_type": "shell_command",
            "visibility": "hide" if group.purpose == "smoke" else "list",
            "supported_in_api": True,
            "priority": self._places[group.id],
            "availability_nux": None,
            "upgrade": None,
            "support_verbosity": False,
            "default_verbosity": None,
            "truncation_policy": {"mode": "tokens", "limit": 10_000},
            "experimental_supported_tools": [],
            "supports_reasoning_summaries": bool(offer.levels),
            "supports_parallel_tool_calls": self._parallel(group, reach),
            "apply_patch_tool_type": self._apply_patch(group, reach, offer),
            "input_modalities": self._modalities(group, reach),
        }
        if offer.default is not None:
            entry["default_reasoning_level"] = offer.default
        if offer.window is not None:
            entry["context_window"] = offer.window
        return {**entry, "base_instructions": BASE_INSTRUCTIONS, **group.codex}

    def _levels(self, levels: tuple[str, ...]) -> list[dict[str, str]]:
        described = self._tables.settings.levels
        return [{"effort": level, "description": described[level]} for level in levels]

    def _served(self, group: GroupDef, reach: str) -> list[Offer]:
        return [
            self._offers[group.id, surface, reach]
            for surface in group.surfaces
            if self._reachable(group, reach, surface)
        ]

    def _reachable(self, group: GroupDef, reach: str, surface: str) -> bool:
        """Whether the surface leads anywhere within a reach."""
        providers = self._tables.reaches[reach]
        routes = self._tables.paths[group.id, surface].routes
        return any(self._tables.targets[route.target].provider in providers for route in routes)

    def _apply_patch(self, group: GroupDef, reach: str, offer: Offer) -> str | None:
        """Codex sends its custom tool where the catalog says so: only where somebody takes it."""
        main = self._codex.shapes[0]
        level = LEVELS[offer.default] if offer.default else 0
        return "freeform" if self._answers(group, reach, main, level) else None

    def _modalities(self, group: GroupDef, reach: str) -> list[str]:
        """Codex replaces images by a note where the catalog names none."""
        images = any(
            self._answers(group, reach, shape, IMAGE_INLINE)
            for shape in self._codex.shapes
            if shape.core
        )
        return ["text", "image"] if images else ["text"]

    def _answers(self, group: GroupDef, reach: str, shape: ClientShape, more: int) -> bool:
        choice = judge(self._tables, (group.id, "responses"), reach, shape, more=more)
        return bool(choice.order) and not refused(shape, self._tables.settings)

    def _parallel(self, group: GroupDef, reach: str) -> bool:
        providers = self._tables.reaches[reach]
        targets = self._tables.targets
        return any(
            targets[route.target].skins[route.skin].parallel
            for route in self._tables.paths[group.id, "responses"].routes
            if targets[route.target].provider in providers
        )


def _default(levels: tuple[str, ...], wished: str | None) -> str:
    if wished in levels:
        return str(wished)
    return "medium" if "medium" in levels else levels[0]


def _lines(entries: Iterable[str]) -> str:
    """A JSON array, one entry per line."""
    text = ",\n".join(entries)
    return f"[\n{text}\n]" if text else "[]"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
