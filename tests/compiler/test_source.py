"""What the reader takes and refuses, and where it says each value stood."""

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.diagnostics import Report
from compiler.pipeline import compile_deployment
from compiler.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, read_yaml


def read(text):
    report = Report()
    return read_yaml(text, "x.yaml", report), report


def codes(report):
    return [diagnostic.code for diagnostic in report.diagnostics]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("+1", "+1"),
        ("2026-11-20", "2026-11-20"),
        ("2.1.197", "2.1.197"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        (".", "."),
        ("-", "-"),
        ("=", "="),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-7", -7),
        ("1.10", 1.1),
        (".5", 0.5),
        ("2e3", 2000.0),
        ("'true'", "true"),
        ('"1"', "1"),
        ("9" * 500, "9" * 500),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(written, meant):
    document, report = read(f"a: {written}\n" if written != "-" else "a: '-'\n")
    assert report.clean
    assert document.data == {"a": meant}
    assert type(document.data["a"]) is type(meant)


def test_every_value_and_key_has_its_place():
    document, _ = read("groups:\n  coder:\n    aliases: [é, b]\n  fast: &f {a: 1}\n  copy: *f\n")
    where = {
        ("groups",): (1, 1),  # a mapping is shown at its key
        ("groups", "coder", "aliases", 0): (3, 15),
        ("groups", "coder", "aliases", 1): (3, 18),
        ("groups", "fast", "a"): (4, 16),
        ("groups", "copy", "a"): (5, 3),  # behind an alias: the alias, not the anchor
        ("groups", "coder", "nothing"): (2, 3),  # what is not there: its parent
    }
    for path, (line, column) in where.items():
        at = document.locate(path)
        assert (path, at.line, at.column) == (path, line, column)


def test_all_findings_of_reading_are_told_at_once():
    _, report = read("a: 1\na: 2\n3: x\nb: !!str 4\n")
    assert codes(report) == ["IL103", "IL104", "IL105"]


def test_the_first_of_two_equal_keys_keeps_its_value_and_place():
    document, _ = read("a: 1\na: 2\n")
    assert document.data == {"a": 1}
    assert document.locate(("a",)).line == 1


def test_a_file_of_more_than_4_mib_is_refused_unread():
    _, report = read("a: " + "x" * MAX_BYTES)
    assert codes(report) == ["IL110"]
    assert "4,194,304" in report.text()


def test_more_than_200000_values_are_refused():
    _, report = read("a: [" + "1," * MAX_NODES + "]")
    assert codes(report) == ["IL107"]


def test_nesting_is_counted_through_aliases_too():
    rows = ["l0: &l0 [x]"] + [f"l{i}: &l{i} [*l{i - 1}]" for i in range(1, MAX_DEPTH + 4)]
    _, report = read("\n".join(rows))
    assert codes(report) == ["IL106"]


def test_nesting_of_64_is_read():
    document, report = read("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    assert report.clean
    assert document is not None


def test_a_bomb_of_aliases_is_refused_before_anybody_walks_it():
    rows = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"l{i}: &l{i} [" + f"*l{i - 1}, " * 9 + "]" for i in range(1, 40)]
    _, report = read("\n".join(rows))
    assert codes(report) == ["IL108"]


def test_line_ends_of_windows_and_a_byte_order_mark_change_no_place():
    document, _ = read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert document.data == {"a": 1, "b": 2}
    assert (document.locate(("b",)).line, document.locate(("b",)).column) == (2, 4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_refused(encoding):
    _, report = read("name: café".encode(encoding))
    assert codes(report)[0] in {"IL101", "IL102"}


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
@example("\ud800")
@example("a: &a [*a]")
@example("? {a: b}\n: c")
@example("<<: *x")
@example("- - - - -\n  - ? ?")
@example("a: '\x85'\n\u2028b: [")
@example("%YAML 9.9\n---\n%")
@example("interlock: 1\ngroups: {a: {members: [[[]]]}}")
def test_whatever_is_read_ends_in_a_report_and_never_in_an_exception(content):
    plan, report = compile_deployment(content, "x.yaml")
    assert plan is None
    assert not report.clean
    assert report.text()


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["chat", "messages", "agent", "90s", "32MiB", "2026-11-20", "small", "*"]),
)
FIELDS = st.sampled_from(
    re.findall(
        r"\w+",
        "interlock name providers targets groups skins chat use tools output_cap reasoning levels "
        "members target policy phases phase_rules rules prices callers tokens limits settings",
    )
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(FIELDS, inner, max_size=6)
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(FIELDS, TREES, max_size=12))
def test_any_tree_of_known_fields_ends_in_a_report(tree):
    plan, report = compile_deployment(json.dumps(tree), "x.yaml")
    assert plan is None
    for diagnostic in report.diagnostics:
        assert diagnostic.at.line >= 1
        assert diagnostic.message
    assert report.text()
