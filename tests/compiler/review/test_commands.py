"""`diff`, `whatif` and `matrix` as a person or a pipeline runs them."""

import json
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from compiler.cli import main
from tests.compiler.review import cases


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def edited(tmp_path):
    """The base with an edit, by the number of its folder."""

    def write(number):
        (folder,) = (f for f in cases.EDITS if f.name.startswith(f"{number:02d}-"))
        file = tmp_path / "edited.yaml"
        file.write_text(cases.read(folder).text)
        return file

    return write


@pytest.mark.parametrize(
    ("number", "fail_on", "code"),
    [
        (1, "", 0),
        (1, "lost", 1),
        (1, "reach,price,levels", 0),
        (3, "reach", 1),
        (3, "lost", 0),
        (10, "lost, price", 1),
        (18, "levels", 1),
        (6, "lost,reach,price,levels", 0),
    ],
)
def test_diff_ends_with_1_where_a_named_finding_is_found(edited, number, fail_on, code):
    ran = run("diff", cases.BASE, edited(number), "--fail-on", fail_on)
    assert ran.exit_code == code
    assert ("refused by --fail-on" in ran.stderr) == bool(code)


def test_diff_of_the_same_is_one_line_and_fine():
    ran = run("diff", cases.BASE, cases.BASE, "--fail-on", "lost,reach,price,levels")
    assert ran.exit_code == 0
    assert ran.output.splitlines()[1].startswith("Nothing changes")


@pytest.mark.parametrize(
    "arguments",
    [
        ("diff", "nowhere.yaml", cases.BASE),
        ("diff", cases.BASE, cases.BASE, "--fail-on", "lots"),
        ("diff", cases.BASE, cases.BASE, "--format", "xml"),
        ("diff", cases.BASE),
        ("whatif", cases.BASE),
        ("whatif", cases.BASE, "--each", "--down", "provider:gpu"),
        ("whatif", cases.BASE, "--down", "provider:gup"),
        ("whatif", cases.BASE, "--down", "gpu"),
        ("matrix", "nowhere"),
        ("matrix", cases.BASE, "--group", "codr"),
        ("matrix", cases.BASE, "--client", "aidr"),
    ],
)
def test_what_cannot_run_ends_with_2_and_says_why(arguments):
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert "Error: " in ran.output
    assert "Traceback" not in ran.output


def test_diff_as_json_has_a_stable_shape(edited):
    told = json.loads(run("diff", cases.BASE, edited(1), "--format", "json").output)
    assert list(told) == ["schema", "old", "new", "findings", "changes", "callers"]
    assert (told["schema"], told["findings"]) == (1, ["lost"])
    change = told["changes"][0]
    assert list(change) == [
        "text", "kind", "about", "before", "after", "reasons", "scopes", "groups", "projects",
        "callers", "finding",
    ]  # fmt: skip
    assert change["text"] == "`opus` lacks `image.inline`"
    assert change["reasons"] == ["opus lacks-image.inline"]
    assert change["scopes"][0] == {
        "groups": ["coder"],
        "surface": "messages",
        "shapes": ["claude-code/image"],
        "every": False,
        "phases": [],
        "projects": ["web", "vault"],
        "callers": ["alice", "bob"],
        "whole": True,
    }
    assert [row["callers"] for row in told["callers"]] == [["alice"], ["bob"]]


def test_diff_shows_the_errors_that_keep_the_new_one_from_being_built(edited):
    shown = run("diff", cases.BASE, edited(21)).output
    assert "does not build: IL401 `coder` promises 2 targets" in shown


def test_whatif_ends_with_1_where_a_promise_falls():
    ran = run("whatif", cases.BASE, "--down", "provider:anthropic")
    assert ran.exit_code == 1
    assert "nothing that caller `bob` may send is answered" in ran.output
    assert "promised 1 target, nobody is left" in ran.output


def test_whatif_ends_with_0_where_every_promise_holds():
    ran = run("whatif", cases.BASE, "--down", "target:qwen")
    assert ran.exit_code == 0
    assert "every promise holds" in ran.output


def test_two_that_are_down_at_once_may_be_worse_than_each_alone():
    assert run("whatif", cases.BASE, "--down", "target:m3").exit_code == 0
    assert run("whatif", cases.BASE, "--down", "target:qwen").exit_code == 0
    both = run("whatif", cases.BASE, "--down", "target:m3", "--down", "target:qwen")
    assert both.exit_code == 1
    assert "promised 2 targets, `gpt` is left" in both.output


def test_each_provider_in_turn_names_the_single_points_of_failure():
    ran = run("whatif", cases.BASE, "--each", "--format", "json")
    told = json.loads(ran.output)
    assert ran.exit_code == 1
    assert told["single_points"] == ["provider:anthropic", "provider:openai"]
    assert [outage["down"] for outage in told["outages"]] == [
        ["provider:anthropic"], ["provider:openai"], ["provider:minimax"], ["provider:gpu"]
    ]  # fmt: skip
    assert told["outages"][0]["fallen"] == ["coder: claude-code", "deep: claude-code"]
    assert told["outages"][0]["cut_off"] == ["bob"]
    assert told["outages"][2]["falls"] is False


def test_each_as_markdown_is_a_table_with_folded_details():
    shown = run("whatif", cases.BASE, "--each", "--format", "markdown").output
    assert "| `provider:minimax` | every promise holds |" in shown
    assert shown.count("<details>") == shown.count("</details>") > 0


def test_matrix_names_every_way_and_every_client(edited):
    told = json.loads(run("matrix", cases.BASE, "--format", "json").output)
    sheets = {(sheet["group"], sheet["surface"]): sheet for sheet in told["sheets"]}
    messages = sheets["coder", "messages"]
    ways = [(way["target"], way["bridge"], way["evidence"]) for way in messages["ways"]]
    assert ways == [("m3", "messages_to_chat", 50), ("opus", None, 17)]
    assert messages["out"] == [["gpt", "no-skin"], ["qwen", "no-skin"]]
    main = next(row for row in messages["rows"] if "main" in row["shapes"])
    assert (main["client"], main["depth"], main["order"]) == ("claude-code", 1, ["opus"])
    image = next(row for row in sheets["coder", "chat"]["rows"] if row["shapes"] == ["image"])
    assert (image["order"], image["reasons"]) == ([], ["lacks-image.inline"])


def test_matrix_marks_evidence_that_is_too_old(edited):
    shown = run("matrix", edited(6), "--format", "markdown").output
    assert "99 days, too old" in shown


def test_matrix_may_be_asked_for_one_group_and_one_client():
    told = json.loads(
        run("matrix", cases.BASE, "--group", "deep", "--client", "cline", "--format", "json").output
    )
    assert {sheet["group"] for sheet in told["sheets"]} == {"deep"}
    assert {row["client"] for sheet in told["sheets"] for row in sheet["rows"]} <= {"cline"}


class Links(HTMLParser):
    """What a page would run or load."""

    def __init__(self):
        super().__init__()
        self.tags, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [
            value for key, value in attrs
            if key in {"src", "href", "srcset", "data"} and not value.startswith("#")
        ]  # fmt: skip
        self.loads += [key for key, _ in attrs if key.startswith("on")]


def test_the_page_stands_alone():
    page = run("matrix", cases.BASE, "--format", "html").output
    links = Links()
    links.feed(page)
    assert links.loads == []
    assert {"script", "link", "iframe", "img"}.isdisjoint(links.tags)
    assert not re.search(r"url\(|@import", page)
    assert 'name="viewport"' in page


def test_the_page_escapes_names(tmp_path):
    file = tmp_path / "a<b>&c.yaml"
    file.write_bytes(cases.BASE.read_bytes())
    page = run("matrix", file, "--format", "html").output
    assert "a&lt;b&gt;&amp;c.yaml" in page
    assert "a<b>" not in page
