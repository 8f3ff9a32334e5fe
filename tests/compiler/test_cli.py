"""The commands as a person or a pipeline runs them."""

import gc
import hashlib
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler import VERSION
from compiler.cli import COMMANDS, main
from compiler.docs import FOLDER, pages
from compiler.pipeline import compile_deployment

CASES = Path(__file__).parent / "diagnostics"
BROKEN = CASES / "IL302-unknown-target.yaml"
WARNED = CASES / "IL320-unused.yaml"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_names_every_command():
    shown = run("--help").output
    assert [name for name in COMMANDS if not re.search(rf"^  {name} ", shown, re.M)] == []


def test_check_ends_with_1_on_errors_and_0_on_warnings():
    assert run("check", BROKEN).exit_code == 1
    assert run("check", WARNED).exit_code == 0
    assert run("check", WARNED, "--strict").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nowhere.yaml"),
        ("check", BROKEN, "--format", "xml"),
        ("chekc", BROKEN),
        ("token", "new", WARNED, "--caller", "nobody"),
        ("token", "new", WARNED, "--caller", "alice", "--key", "K_1"),
        ("token", "new", WARNED, "--caller", "alice", "--key", "k1"),
        ("token", "new", WARNED, "--caller", "alice", "--key", "k" * 65),
        ("serve", CASES, "--port", "http"),
        ("explain", WARNED, "--surface", "chat"),
    ],
)
def test_what_cannot_run_ends_with_2(arguments):
    assert run(*arguments).exit_code == 2


def test_check_as_text_is_the_report_and_its_sum():
    shown = run("check", BROKEN).output
    expected = BROKEN.with_suffix(".txt").read_text()
    assert shown == expected.replace(f" {BROKEN.name}:", f" {BROKEN}:")


def test_check_as_json_names_every_place():
    told = json.loads(run("check", BROKEN, "--format", "json").output)
    assert (told["errors"], told["warnings"]) == (1, 0)
    found = told["diagnostics"][0]
    assert (found["code"], found["name"]) == ("IL302", "unknown-name")
    assert (found["line"], found["column"], found["width"]) == (28, 24, 4)
    assert found["hint"] == "did you mean `small`?"


def test_check_as_github_annotates_the_line():
    rows = run("check", BROKEN, "--format", "github").output.splitlines()
    assert rows[0] == (
        f"::error file={BROKEN},line=28,col=24,endColumn=28,title=IL302 unknown-name::"
        "there is no target `smal` (hint: did you mean `small`?)"
    )


def test_check_as_github_escapes_what_ends_a_command(tmp_path):
    file = tmp_path / "a,b:c.yaml"
    file.write_text("interlock: 100%\n")
    shown = run("check", file, "--format", "github").output
    assert "a%2Cb%3Ac.yaml,line=1" in shown
    assert "not `100%25`" in shown


def test_check_as_sarif_lists_rules_and_regions():
    file = CASES / "IL310-members-missing.yaml"
    log = json.loads(run("check", file, "--format", "sarif").output)
    ran = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in ran["tool"]["driver"]["rules"]] == ["IL321", "IL310"]
    for result in ran["results"]:
        assert ran["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    region = ran["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 15, "startColumn": 3, "endColumn": 8}


def test_schema_prints_json():
    assert json.loads(run("schema").output)["title"] == "Interlock deployment"


def test_init_writes_a_deployment_that_compiles_and_keeps_what_is_there(tmp_path):
    file = tmp_path / "deployments/new.yaml"
    assert run("init", file).exit_code == 0
    plan, report = compile_deployment(file.read_bytes(), str(file))
    assert plan is not None, report.text()
    text = file.read_text()
    assert "no_eligible_status: 400" in text
    assert "unsupported: drop" in text
    file.write_text("mine")
    assert run("init", file).exit_code == 2
    assert file.read_text() == "mine"


def test_the_version_is_told():
    assert run("--version").output == f"interlock, version {VERSION}\n"


def test_a_file_without_end_is_not_read_to_its_end():
    result = run("check", "/dev/zero")
    assert result.exit_code == 1
    assert "larger than 4,194,304 bytes" in result.output


def test_garbage_is_collected_again_after_a_command():
    run("check", WARNED)
    assert gc.isenabled()


def test_what_a_new_token_prints_fits_where_it_says(tmp_path):
    file = tmp_path / "new.yaml"
    run("init", file)
    result = run("token", "new", file, "--caller", "me")
    assert "in place of its `tokens`" in result.stderr
    rows = "".join(row for row in result.stdout.splitlines(keepends=True)[1:] if row.strip())
    file.write_text(file.read_text().replace("    tokens: []\n", rows))
    assert "IL6" not in run("check", file).output
    assert "under its `tokens`" in run("token", "new", file, "--caller", "me").stderr


def test_a_new_token_fits_the_deployment_it_was_minted_for(tmp_path):
    file = tmp_path / "new.yaml"
    run("init", file)
    shown = run("token", "new", file, "--caller", "me").output
    token = re.search(r'^"(.+)"$', shown, re.M)[1]
    row = re.search(r"^ +- .+$", shown, re.M)[0]
    token_id, _, secret = token.rpartition("_")
    assert token_id == "rtr_router_me_web_dev_k1"
    assert re.fullmatch("[A-Za-z0-9]{27,}", secret)
    assert hashlib.sha256(token.encode()).hexdigest() in row
    assert secret not in row
    assert secret not in file.read_text()

    file.write_text(file.read_text().replace("tokens: []", f"tokens:\n{row}"))
    assert "IL6" not in run("check", file).output
    again = run("token", "new", file, "--caller", "me").output
    assert "rtr_router_me_web_dev_k2_" in again


def test_two_tokens_are_never_alike():
    file = CASES / "IL320-unused.yaml"
    shown = {run("token", "new", file, "--caller", "alice").output for _ in range(3)}
    assert len(shown) == 3


def test_a_token_for_a_broken_deployment_is_not_minted():
    result = run("token", "new", CASES / "IL201-unknown-field.yaml", "--caller", "alice")
    assert result.exit_code == 1
    assert "rtr_acme" not in result.stdout
    assert "error[IL201]" in result.output


def test_the_diagnostics_reference_is_what_the_docstrings_say():
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    assert sorted(written) == sorted(pages()), "run `python -m compiler.docs`"
    stale = [name for name, text in pages().items() if written[name] != text]
    assert stale == [], "run `python -m compiler.docs`"


def test_every_page_says_what_why_and_shows_bad_and_good():
    for name, text in pages().items():
        if name != "README.md":
            head, bad, good = re.split(r"^## (?:Bad|Good)$", text, flags=re.M)
            assert head.count("\n\n") >= 3, f"{name} does not say why"
            assert bad.strip().startswith("```yaml"), name
            assert good.strip().startswith("```yaml"), name
