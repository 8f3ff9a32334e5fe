"""What the findings over a plan say, word for word and place by place.

`python -m tests.compiler.answers.test_reports` writes the expectation, to be read before it is
committed.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.bridges.fields import DROP, REFUSE
from runtime.bridges.served import BRIDGES
from tests.compiler.answers.test_findings import BAD, TWO, bridged, targets
from tests.compiler.build.worlds import caller, findings, group, resolved, skin, small

EXPECTED = Path(__file__).parent / "reports.txt"
BOTH_SKINS = {"chat": skin(), "messages": skin(output_cap={"max": 64000})}
REACHES = {
    "providers": TWO,
    "projects": {"web": {"providers": ["own"]}, "vault": {"providers": ["far"]}},
}
WORLDS = {
    **BAD,
    "IL401 for two projects": small(
        **REACHES,
        groups={"g": group(promise={"roo": 2})},
        callers={
            "alice": caller(),
            "bob": caller(
                user="bob", project="vault",
                tokens=[{"id": "rtr_small_bob_vault_dev_k1", "sha256": "0" * 64}]),
        },
    ),
    "IL401 for a search that is refused": small(
        settings={"hosted_tools": {"web_search": "refuse"}},
        targets=targets(responses=skin(tools=["function", "custom", "namespace"])),
        groups={"g": group(surfaces=["responses"], promise={"codex": 1})},
    ),
    "IL401 for two tools that are refused": small(
        settings={"hosted_tools": {"web_search": "refuse", "mcp": "refuse"}},
        clients={"own": {"surface": "responses", "shapes": [
            {"name": "main", "needs": ["hosted:web_search"], "prefers": ["hosted:mcp"]}]}},
        targets=targets(responses=skin(tools=["function", "hosted:web_search", "hosted:mcp"])),
        groups={"g": group(surfaces=["responses"], promise={"own": 1})},
    ),
    "IL401 over a bridge": small(
        targets=bridged("chat", "messages_to_chat", ["stream"]),
        groups={"g": group(surfaces=["messages"], promise={"claude-code": 1})},
    ),
    "IL405 for a provider nobody may reach": small(
        **REACHES,
        targets={**targets(chat=skin()),
                 "far": {"provider": "far", "model": "f", "skins": {"chat": skin()}}},
        groups={"g": group(members=[{"target": "t"}, {"target": "far"}])},
    ),
    "IL405 for conditions": small(
        groups={"g": group(members=[{"target": "t", "only_when": ["image.inline"]}])},
    ),
    "IL412 for a group": small(
        targets=targets(**BOTH_SKINS),
        groups={"g": group(), "h": group(surfaces=["messages"])},
        callers={
            "bob": caller(
                user="bob", tokens=[{"id": "rtr_small_bob_web_dev_k1", "sha256": "0" * 64}]),
            "alice": caller(groups=["g", "h"], clients=["aider"]),
        },
    ),
    "IL401 in phases": small(
        phase_rules={"own": {"rules": [{"phase": "plan", "last_user": "plan"},
                                       {"phase": "rest"}]}},
        groups={"g": {"surfaces": ["chat"], "policy": {"kind": "phases"}, "phase_rules": "own",
                      "phases": {"plan": ["t"], "rest": ["t"]}, "promise": {"roo": 2}}},
    ),
    "a bridge that is crossed": small(
        targets=bridged("chat", "messages_to_chat", ["stream", "tools"]),
        groups={"g": group(surfaces=["chat", "messages"])},
    ),
    "a Messages skin over a bridge": small(
        targets=bridged("messages", "chat_to_messages", ["stream", "tools"]),
        groups={"g": group(surfaces=["chat"])},
    ),
}  # fmt: skip


def told(document):
    text = resolved(document)[1].text()
    assert text == "", "the checks before the plan find something, too"
    for found in findings(document):
        if found.code == "IL506":  # counts fields, and has a test of its own
            continue
        yield f"  {found.code} {found.severity.value} at column {found.at.column}"
        yield f"    {found.message}"
        parts = (("label", found.label), *(("note", note) for note in found.notes))
        yield from (f"    {kind}: {part}" for kind, part in parts if part)
        yield f"    hint: {found.hint}"


def report():
    """All worlds; sizes in bytes change with the model lists, and are no part of the words."""
    text = "".join(
        f"{name}\n" + "".join(f"{line}\n" for line in told(world)) for name, world in WORLDS.items()
    )
    return re.sub(r"\d{5,}", "N", text)


def test_every_finding_is_told_in_the_words_and_at_the_place_somebody_read():
    assert report() == EXPECTED.read_text(encoding="utf-8")


def test_what_a_bridge_leaves_out_is_counted_and_listed():
    table = BRIDGES["messages_to_chat"].table
    (found,) = [d for d in findings(WORLDS["a bridge that is crossed"]) if d.code == "IL506"]
    lost, refused = ([f.name for f in table.of(fate)] for fate in (DROP, REFUSE))
    assert found.message == (
        f"`messages_to_chat` leaves out {len(lost)} fields of a request, "
        f"and refuses requests with {len(refused)} others"
    )
    assert found.hint == "read why in docs/bridges.md#messages_to_chat"
    for kind, names in (("left out: ", lost), ("refused: ", refused)):
        lines = [note.removeprefix(kind) for note in found.notes if note.startswith(kind)]
        assert " ".join(lines) == ", ".join(names)
        assert max(len(line) for line in lines) <= 90


if __name__ == "__main__":
    EXPECTED.write_text(report(), encoding="utf-8")
