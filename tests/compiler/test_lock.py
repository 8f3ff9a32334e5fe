"""What `eligibility.lock` says beside who answers what, and what leaves its lines alone."""

from compiler.pipeline import plan_deployment
from compiler.render.lock import lock_text
from tests.compiler.review.cases import BASE

TEXT = BASE.read_text()


def lock(text=TEXT):
    plan, report = plan_deployment(text, "base.yaml")
    assert plan is not None, report.text()
    return lock_text(plan).splitlines()


def test_a_reach_is_told_with_its_providers():
    rows = [row for row in lock() if row.startswith("reach ")]
    assert rows == ["reach vault anthropic gpu", "reach web anthropic openai minimax gpu"]


def test_a_project_more_changes_no_line_of_the_others():
    more = lock(TEXT.replace("projects:\n", "projects:\n  early: {providers: [openai]}\n"))
    assert set(more) - set(lock()) == {"reach early openai"}
    assert set(lock()) <= set(more)


def test_a_project_with_the_reach_of_another_is_told_with_it():
    vault = "  vault: {providers: [anthropic, gpu]}\n"
    more = lock(TEXT.replace(vault, f"{vault}  lab: {{providers: [gpu, anthropic]}}\n"))
    assert set(more) - set(lock()) == {"reach vault also of lab"}


def test_targets_that_are_out_for_the_same_reasons_share_a_line():
    rows = [row for row in lock() if row.startswith("coder messages web claude-code/main x")]
    assert rows == [
        "coder messages web claude-code/main x gpt,qwen no-skin",
        "coder messages web claude-code/main x m3 bridge-lacks-reasoning.high",
    ]


def test_the_lines_are_whole_and_sorted():
    assert lock() == sorted(set(lock()))
