"""Every code has a broken deployment beside this file, with the report it must give.

A new case is a `<code>-<what>.yaml` in diagnostics/; `python tests/compiler/test_diagnostics.py`
writes the expected `.txt` of all cases, to be read before it is committed.
"""

import re
from pathlib import Path

import pytest

from compiler.diagnostics import RULES
from compiler.pipeline import compile_deployment

FOLDER = Path(__file__).parent / "diagnostics"
CASES = sorted(FOLDER.glob("*.yaml"), key=lambda case: case.name)
# Their examples are large, and made in test_source.py.
TOO_LARGE_TO_KEEP = {"IL107", "IL110"}
# A whole diagnostic: code, message, then the place.
HEAD = re.compile(r"^(?:error|warning)\[(IL\d{3})\]: .+\n +--> ([^:\n]+):(\d+):(\d+)$", re.M)


def reported(case: Path) -> str:
    _, report = compile_deployment(case.read_bytes(), case.name)
    return f"{report.text()}\n\n{report.summary()}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_broken_deployment_is_reported_as_expected(case):
    assert reported(case) == case.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_its_code_comes_with_a_place_and_a_hint(case):
    blocks = reported(case).split("\n\n")
    own = [block for block in blocks if f"[{case.stem[:5]}]" in block]
    assert own, "the code in the file's name was not reported"
    for block in own:
        code, file, line, column = HEAD.search(block).groups()
        assert (code, file) == (case.stem[:5], case.name)
        assert int(line) >= 1
        assert int(column) >= 1
        assert re.search(r"^ +\^+", block.split("|")[-1], re.M) or "^" in block
        assert re.search(r"^ += hint: \S+", block, re.M)


def test_every_code_has_an_example():
    shown = {case.stem[:5] for case in CASES} | TOO_LARGE_TO_KEEP
    # What only a plan can tell (4xx, 5xx) has its examples beside the tests of the plan.
    assert sorted(code for code in set(RULES) - shown if code[2] not in "45") == []


def test_every_expectation_belongs_to_a_case():
    stale = {file.stem for file in FOLDER.glob("*.txt")} - {case.stem for case in CASES}
    assert stale == set()


def test_no_report_quotes_a_credential():
    for case in CASES:
        for secret in re.findall(r"sk-proj-\w+|k1_\w{20,}", case.read_text("utf-8", "replace")):
            assert secret not in reported(case)


def test_a_message_cannot_drive_a_terminal_nor_fill_it():
    text = 'interlock: 1\nname: "\\e[31m\\n' + "x" * 5000 + '"\n'
    _, report = compile_deployment(text, "x.yaml")
    told = report.text()
    assert "\x1b" not in told
    assert "\\x1b[31m\\nx" in told
    assert max(len(line) for line in told.splitlines()) < 500


if __name__ == "__main__":
    for case in CASES:
        case.with_suffix(".txt").write_text(reported(case), encoding="utf-8")
