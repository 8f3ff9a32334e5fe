"""docs/usage.md tells every column, and no other."""

import re

from runtime.records.schema import ATTEMPT_COLUMNS, MIGRATIONS, REQUEST_COLUMNS
from tests.support.router import ROOT

PAGE = (ROOT / "docs/usage.md").read_text(encoding="utf-8")


def test_the_page_has_every_column_of_a_request_in_order():
    _, _, table = PAGE.partition("## Columns of `requests`")
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = [name for first in firsts for name in re.findall(r"`(\w+)`", first)]
    assert told == list(REQUEST_COLUMNS)


def test_the_page_has_every_column_of_an_attempt():
    _, _, text = PAGE.partition("`attempts` has a row")
    assert set(ATTEMPT_COLUMNS) <= set(re.findall(r"`(\w+)`", text))


def test_the_page_names_every_table():
    tables = re.findall(r"CREATE TABLE (\w+)", "".join(MIGRATIONS.values()))
    for table in (*tables, "migrations"):
        assert f"`{table}`" in PAGE
