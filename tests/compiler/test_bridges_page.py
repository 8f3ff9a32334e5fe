"""docs/bridges.md is what the field tables say, and each loss in them has its reason."""

import pytest

from compiler.docs import BRIDGES_PAGE, bridges_page
from runtime.bridges.fields import DROP, MAP, REFUSE
from runtime.bridges.served import BRIDGES
from runtime.signs import SIGNS
from runtime.vocabulary import BRIDGES as NAMES
from runtime.vocabulary import FEATURES

FIELDS = [(name, field) for name, bridge in BRIDGES.items() for field in bridge.table.fields]


def test_the_page_is_current():
    assert BRIDGES_PAGE.read_text(encoding="utf-8") == bridges_page(), (
        "run `python -m compiler.docs`"
    )


def test_every_bridge_of_the_vocabulary_is_served():
    assert set(BRIDGES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_field_has_two_fates(name):
    names = [field.name for field in BRIDGES[name].table.fields]
    assert len(names) == len(set(names))


def test_every_loss_has_a_reason_and_every_mapping_a_place():
    assert [(n, f.name) for n, f in FIELDS if f.fate in (DROP, REFUSE) and not f.why] == []
    assert [(n, f.name) for n, f in FIELDS if f.fate is MAP and not f.to] == []


def test_every_refusal_has_a_word_that_readers_tell_it_by():
    known = SIGNS | set(FEATURES) | {"hosted:<type>"}
    unknown = [(n, f.name) for n, f in FIELDS if f.fate is REFUSE and f.feature not in known]
    assert unknown == []
