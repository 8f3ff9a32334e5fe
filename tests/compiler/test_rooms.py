"""Every table that has a row per dialect, feature or code has them all."""

from typing import get_args

from compiler.checks import CHECKS, DOCUMENT_CHECKS, PLAN_CHECKS, said, skins
from compiler.clients import BUILT_IN, USUAL
from compiler.diagnostics import RULES
from compiler.plan import features, paths
from compiler.resolve import PATHS
from compiler.schema import targets
from runtime import reasoning
from runtime.bridges.served import BRIDGES as CROSSED
from runtime.dialects import DIALECTS as SERVED
from runtime.vocabulary import ALL_LEVELS, BRIDGES, CARRY, DIALECTS, FEATURES


def test_every_table_of_dialects_has_all_of_them():
    tables = {
        "served": SERVED,
        "paths": PATHS,
        "titles": paths.TITLES,
        "usual clients": USUAL,
        "cap fields": skins.CAP_FIELDS,
        "owned fields": skins.OWNED,
        "never said": said.NEVER_SAID,
        "owned fields of reasoning": reasoning.OWNED,
    }
    assert {name for name, table in tables.items() if set(table) != set(DIALECTS)} == set()
    assert set(get_args(targets.Dialect)) == set(DIALECTS)
    assert set(USUAL.values()) <= set(BUILT_IN)


def test_every_bridge_of_the_vocabulary_can_be_named_and_crossed():
    assert set(get_args(targets.BridgeName)) == set(BRIDGES)
    assert set(CROSSED) == set(BRIDGES)


def test_every_control_of_reasoning_is_written_in_every_dialect():
    for control in ("effort", "budget", "adaptive", "toggle"):
        for dialect in DIALECTS:
            assert (dialect, control) in reasoning._ON
            assert (dialect, control) in reasoning._OFF


def test_every_feature_is_brought_by_a_word_of_some_skin():
    tables = (
        features._STREAM,
        features._TOOLS,
        features._INPUT,
        features._IMAGES,
        features._STRUCTURED,
        features._EXTRAS,
    )
    brought = {bit for table in tables for bit in table.values()}
    brought |= {FEATURES["stateful"], FEATURES["prefill"]}
    assert {bit for bit in FEATURES.values() if not bit & ALL_LEVELS} == brought


def test_what_a_dialect_never_says_is_a_feature_that_another_says():
    never = set().union(*said.NEVER_SAID.values())
    assert never <= set(CARRY)
    assert never == set(said._WORDS)
    assert all(said.sayers(feature) for feature in never)


def test_every_rule_over_the_deployment_and_its_plan_runs():
    running = {c.__name__.replace("_", "-") for c in (*CHECKS, *DOCUMENT_CHECKS, *PLAN_CHECKS)}
    earlier = {"1", "2"}  # the stages before any check
    named = {rule.name for code, rule in RULES.items() if code[2] not in earlier}
    assert named - running == {"incomplete-skin"}  # found while names are resolved
