"""Every edit a reviewer meets, with the comment it brings."""

import pytest

from compiler.review.changes import FINDINGS
from compiler.review.layout import SECTIONS
from compiler.review.markdown import diff_markdown
from compiler.review.words import KINDS, sentence
from tests.compiler.review import cases


@pytest.mark.parametrize("folder", cases.EDITS, ids=lambda folder: folder.name)
def test_the_comment_is_the_reviewed_one(folder):
    assert diff_markdown(cases.diff_of(cases.read(folder))) == (folder / "expected.md").read_text()


def test_the_page_of_all_edits_is_current():
    assert cases.PAGE.read_text() == cases.page()


def test_there_are_more_than_twenty_edits_and_each_finding_is_among_them():
    assert len(cases.EDITS) > 20
    diffs = [cases.diff_of(cases.read(folder)) for folder in cases.EDITS]
    assert {name for diff in diffs for name in cases.findings(diff)} == set(FINDINGS)


def test_every_kind_of_change_has_a_sentence_and_a_place():
    placed = [kind for _, kinds in SECTIONS for kind in kinds]
    assert sorted(placed) == sorted(set(placed))
    assert set(placed) == set(KINDS)


def test_no_sentence_holds_a_digest():
    """Digests of tokens stand in the YAML and in no review."""
    for folder in cases.EDITS:
        for change in cases.diff_of(cases.read(folder)).changes:
            assert "a0e4e0d92b5372e7" not in sentence(change)
