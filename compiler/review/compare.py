"""Two views side by side: every kind of change, each found in a room of its own."""

from __future__ import annotations

from compiler.review.candidates import candidate_changes
from compiler.review.changes import Change
from compiler.review.costs import cost_changes
from compiler.review.fields import field_changes
from compiler.review.lists import list_changes
from compiler.review.people import name_changes, people_changes
from compiler.review.reach import reach_changes
from compiler.review.renames import find_renames, rename_changes, under_new_names
from compiler.review.view import View


def compare(old: View, new: View) -> tuple[Change, ...]:
    """Everything NEW does otherwise; what has only another name is compared under it."""
    names = find_renames(old, new)
    before = under_new_names(old, names)
    return (
        *rename_changes(old, names),
        *candidate_changes(before, new),
        *people_changes(before, new),
        *name_changes(old, new, names.groups),
        *reach_changes(before, new),
        *list_changes(before, new),
        *cost_changes(before, new),
        *field_changes(before, new),
    )
