"""The JSON Schema that editors complete by."""

from compiler.schema import json_schema


def properties(node, path=()):
    """Every field the schema knows, with the node that describes it."""
    for name, inner in node.get("properties", {}).items():
        yield (*path, name), inner


def test_every_field_is_described():
    schema = json_schema()
    nodes = [((), schema), *(((name,), node) for name, node in schema["$defs"].items())]
    fields = [field for path, node in nodes for field in properties(node, path)]
    assert len(fields) > 150
    described = {
        f"#/$defs/{name}" for name, node in schema["$defs"].items() if "description" in node
    }
    bare = [path for path, node in fields if "description" not in node]
    assert [p for p in bare if dict(fields)[p].get("$ref") not in described] == []


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
default stateful store prefill system_turns prompt_cache drop patch betas body_bytes input_tokens
tool_schema_bytes only_when bridges carry control map min_budget max_budget summaries echo rejects
provider context price tags skins title about purpose surfaces aliases members target weight
last_resort policy kind attempts attempt_timeout total_timeout phases unsupported sticky baseline
promise depth shapes codex base_instructions rules phase last_user max_chars after_tools
min_input_tokens examples rpm tpm concurrent day month requests tokens usd reserve_output regions
user project env roles expires id sha256 verified by note surface needs prefers cap
"""
