"""The JSON Schema that editors complete by."""

import re

from compiler.schema import json_schema


def fields():
    """Every field the schema knows, by its place, with the node that describes it."""
    schema = json_schema()
    for name, node in (("top", schema), *schema["$defs"].items()):
        for field, inner in node.get("properties", {}).items():
            yield f"{name}.{field}", inner


def test_every_field_is_described_in_a_sentence_of_its_own():
    found = dict(fields())
    assert len(found) > 150
    assert [place for place, node in found.items() if not node.get("description")] == []
    odd = [
        n["description"] for n in found.values() if not re.fullmatch(r"\S.*[.]", n["description"])
    ]
    assert odd == []


def test_every_word_a_field_may_hold_is_explained_where_it_says_little_by_itself():
    told = {
        *("top.interlock", "SettingsShape.no_eligible_status", "ErrorRowShape.class"),
        *("OutputCap.field", "SkinReasoning.field", "CallerShape.status", "TokenShape.status"),
        *("GroupReasoning.default", "SkinReasoning.default", "ClientShapeOf.surface"),
    }
    for place, node in fields():
        if place not in told and "enum" in node:
            words = [word for word in node["enum"] if word not in node["description"]]
            assert len(words) <= 1, f"{place} does not explain {words}"


def test_a_default_can_be_written_as_it_stands():
    defaults = {place: node["default"] for place, node in fields() if "default" in node}
    assert defaults["PolicyShape.attempt_timeout"] == "90s"
    assert defaults["TimeoutsShape.total"] == "30m"
    assert defaults["SettingsShape.body_limit"] == "32MiB"
    for place, node in fields():
        if node.get("type") == "string" and "default" in node:
            assert re.fullmatch(node.get("pattern", ".*"), node["default"]), place


def test_every_mapping_of_fixed_fields_is_closed():
    for name, node in json_schema()["$defs"].items():
        if "properties" in node:
            assert node["additionalProperties"] is False, name


def test_the_schema_says_nothing_for_the_sake_of_python():
    def walk(node):
        if isinstance(node, dict):
            assert node.get("type") != "null"
            assert node.get("default", 0) is not None
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(json_schema())


def test_fields_of_the_contract_are_all_there():
    known = {
        name for node in json_schema()["$defs"].values() for name in node.get("properties", {})
    }
    known |= set(json_schema()["properties"])
    for name in CONTRACT.split():
        assert name in known, name


CONTRACT = """
interlock name description public_url as_of default_group settings reasoning prices providers
profiles targets groups phase_rules limits projects callers evidence clients
trace prefix show_upstream body images url_schemes inline_types max_count max_bytes body_limit
no_eligible_status cache ttl max_age_days require keepalive docs hosted_tools levels budgets
input output cache_read cache_write image image_tokens source
base_url auth header key_env key_file key_id region headers allow_http timeouts connect first_byte
idle total cooldown failures base max max_in_flight continuity errors status code class transport
use path model stream image_sources tools structured extras output_cap field min over honored
default stateful store prefill system_turns prompt_cache tool_schemas drop patch betas body_bytes
input_tokens tool_schema_bytes only_when bridges carry control map min_budget max_budget summaries
echo rejects
provider context price tags skins title about purpose surfaces aliases members target weight
last_resort policy kind attempts attempt_timeout total_timeout phases unsupported sticky baseline
promise depth shapes codex base_instructions rules phase last_user max_chars after_tools
min_input_tokens examples rpm tpm concurrent day month requests tokens usd reserve_output regions
user project env roles expires id sha256 verified by note surface needs prefers cap
"""
