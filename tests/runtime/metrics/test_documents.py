"""The page of metrics, the dashboard and the alerts speak of metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from runtime.metrics.families import FAMILIES, WORDS, Family
from tests.runtime.metrics.catalogue_page import PAGE, page

RULES = yaml.safe_load((PAGE.parent / "prometheus-rules.yaml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((PAGE.parent / "grafana-dashboard.json").read_text(encoding="utf-8"))
# Labels that Prometheus adds to what it scrapes.
ADDED = {"instance", "job"}
_SELECTOR = re.compile(r"(interlock_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and every expression of PromQL."""
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for text in re.findall(r"`([^`]*interlock_[^`]*\([^`]*)`", PAGE.read_text(encoding="utf-8")):
        yield "metrics.md", text


def family_of(name: str) -> tuple[Family, set[str]]:
    """The metric that has this line, and the labels of the line."""
    for end in ("_bucket", "_count", "_sum"):
        base = name.removesuffix(end)
        if base != name and FAMILIES.get(base, FAMILIES["interlock_workers"]).kind == "histogram":
            family = FAMILIES[base]
            return family, {*family.labels, *(["le"] if end == "_bucket" else [])}
    family = FAMILIES[name]
    assert family.kind != "histogram", f"{name} has no line of its own"
    return family, set(family.labels)


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_an_expression_names_metrics_labels_and_words_that_exist(place, expression):
    assert expression.count("(") == expression.count(")")
    known = set(ADDED)
    for name, matchers in _SELECTOR.findall(expression):
        _, labels = family_of(name)
        known |= labels
        for label, operator, value in _MATCHER.findall(matchers):
            assert label in labels | ADDED, f"{name} has no label {label}"
            words = value.split("|") if operator in ("=~", "!~") else [value]
            if label in WORDS:
                assert set(words) <= WORDS[label], f"{label} is never {value}"
    for grouping in _BY.findall(expression):
        assert {label.strip() for label in grouping.split(",")} <= known


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_counters_are_looked_at_by_their_rate_and_gauges_are_not(place, expression):
    for function, name in re.findall(r"(\w+)\((interlock_\w+)", expression):
        family, _ = family_of(name)
        rated = function in ("rate", "increase")
        assert rated == (family.kind != "gauge") or function == "changes"


def test_every_alert_says_what_is_wrong_and_what_to_do():
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS) >= 12
    for rule in ALERTS:
        assert re.fullmatch(r"Interlock[A-Za-z]+", rule["alert"])
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "action"}
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        for grouping in _BY.findall(rule["expr"]):
            assert used <= {label.strip() for label in grouping.split(",")} | ADDED | {"le"}


def test_panels_have_their_own_place_and_number():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_no_data_source_of_ours_is_written_into_the_dashboard():
    sources = re.findall(r'"uid": "([^"]*)"', json.dumps(DASHBOARD["panels"]))
    assert set(sources) == {"${datasource}"}


def test_the_page_lists_every_metric():
    """If not: `python -m tests.runtime.metrics.catalogue_page`."""
    assert PAGE.read_text(encoding="utf-8") == page()
