"""No text of a deployment ever becomes code, however it is written."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.artifact import artifact_files
from compiler.render.allowed import NotAllowed, check_module
from compiler.render.literals import Literals
from compiler.render.views import comment
from runtime.artifact import load
from runtime.vocabulary import Settings
from tests.compiler.build.worlds import built, group, planned, skin, small

HOSTILE = [
    '"); import os; os.abort(); ("',
    "'''\nimport os\n'''",
    '"""\nraise SystemExit\n"""',
    "{{ 7 * 7 }}{% raw %}{# no #}",
    "line\nimport os\n# end",
    "line\r\nimport os",
    "next\x85line\u2028and\u2029another",
    "back\\slash\\",
    "\\N{BULLET} \\x41 \\u0041",
    "${HOME} $(id) `id` %(x)s %s",
    "\u202e reversed \u2066",
    "nul \x00 inside",
]


def hostile(text):
    """Every field that takes free text holds this one."""
    document = small(
        description=text,
        reasoning={"levels": {"low": text}},
        groups={
            "g": group(
                title=text,
                about=text,
                codex={"base_instructions": text},
                surfaces=["chat", "responses"],
            )
        },
    )
    chat = skin(patch={"extra": [text, {text: text}]}, path="/x")
    document["targets"]["t"] = {
        "provider": "own",
        "model": text,
        "skins": {"chat": chat, "responses": skin(model=text)},
    }
    return document


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text, tmp_path):
    document = hostile(text)
    folder = built(document, tmp_path)
    artifact = load(folder)
    assert artifact.targets["t"].model == document["targets"]["t"]["model"]
    assert artifact.settings.levels == document["reasoning"]["levels"]
    patch = document["targets"]["t"]["skins"]["chat"]["patch"]
    assert artifact.targets["t"].skins["chat"].patch == patch
    for file in folder.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert {type(node) for node in tree.body} <= {
            ast.Expr,
            ast.ImportFrom,
            ast.Assign,
            ast.AnnAssign,
        }


@given(st.text())
def test_any_text_reads_back_as_itself(text):
    literals = Literals()
    assert ast.literal_eval(literals.value(text)) == text
    assert ast.literal_eval(literals.value({text: [text, (text,)]})) == {text: [text, (text,)]}


@given(st.text())
def test_a_comment_is_one_line_whatever_it_holds(text):
    assert len(f"# {comment(text)}".splitlines()) == 1


@given(st.text())
def test_a_source_name_never_leaves_its_comment(text):
    files = artifact_files(planned(small()), text)
    for path, content in files.items():
        if path.endswith(".py"):
            check_module(path, content.decode())


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from os import path",
        "from runtime.vocabulary import Any",
        "from runtime.vocabulary import Route as R",
        "ROUTES = __import__('os')",
        "ROUTES = (lambda: 1)()",
        "ROUTES = Route.__class__",
        "ROUTES = {**OTHER}",
        "ROUTES = [x for x in ()]",
        "ROUTES = f'{1}'",
        "ROUTES = STREAM + TOOLS",
        "ROUTES = Route(*('a',))",
        "OTHER = 1",
        "x: __import__('os') = 1",
        "ROUTES: dict[__import__('os'), str] = {}",
        "def f(): pass",
        "if True: pass",
        "ROUTES = b'bytes'",
        "ROUTES = inf",
    ],
)
def test_a_module_that_is_more_than_data_is_refused(code):
    with pytest.raises(NotAllowed):
        check_module("bad.py", code)


def test_a_value_that_is_no_data_has_no_place():
    with pytest.raises(TypeError):
        Literals().value(object())
    with pytest.raises(NotAllowed):
        check_module(
            "x.py", f"SETTINGS = {Literals().value(Settings('a', keepalive=float('inf')))}"
        )
