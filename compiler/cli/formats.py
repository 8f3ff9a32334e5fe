"""Reports in the forms machines read; finds and judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from compiler import VERSION
from compiler.diagnostics import RULES, Diagnostic, Report, Severity

_ROOT: Final = "%SRCROOT%"  # SARIF: relative places are below the checkout


def as_json(reports: Sequence[Report]) -> str:
    """One object: counts, and every diagnostic with its place; of several files a list of them."""
    told = [_report(report) for report in reports]
    return json.dumps(told[0] if len(told) == 1 else told, indent=2, ensure_ascii=False)


def as_github(reports: Sequence[Report]) -> str:
    """Workflow commands, which GitHub shows at the line in a pull request."""
    return "\n".join(_annotation(diagnostic) for diagnostic in _all(reports))


def as_sarif(reports: Sequence[Report]) -> str:
    """SARIF 2.1.0, which code scanning and editors read. Each rule brings its page along."""
    found = list(_all(reports))
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in found))
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "interlock",
                        "semanticVersion": VERSION,
                        "rules": _sarif_rules(codes),
                    }
                },
                "automationDetails": {"id": "interlock/check/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True}],
                "results": [_sarif_result(d, codes.index(d.code)) for d in found],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _all(reports: Iterable[Report]) -> Iterator[Diagnostic]:
    for report in reports:
        yield from report.diagnostics


def _report(report: Report) -> dict[str, Any]:
    return {
        "file": report.file,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "diagnostics": [_plain(diagnostic) for diagnostic in report.diagnostics],
    }


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    at = diagnostic.at
    return {
        "code": diagnostic.code,
        "name": RULES[diagnostic.code].name,
        "severity": diagnostic.severity.value,
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "width": at.width,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "hint": diagnostic.hint,
        "notes": list(diagnostic.notes),
    }


def _annotation(diagnostic: Diagnostic) -> str:
    at = diagnostic.at
    fields = {
        "file": at.file,
        "line": at.line,
        "col": at.column,
        "endColumn": at.column + at.width,
        "title": f"{diagnostic.code} {RULES[diagnostic.code].name}",
    }
    told = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in fields.items())
    return f"::{diagnostic.severity} {told}::{_escaped(_sentence(diagnostic), '')}"


def _escaped(text: str, also: str) -> str:
    """GitHub's own escapes; `:` and `,` end a property."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sentence(diagnostic: Diagnostic) -> str:
    """All that stands around the line in the text form, notes on lines of their own."""
    why = f": {diagnostic.label}" if diagnostic.label else ""
    hint = f" (hint: {diagnostic.hint})" if diagnostic.hint else ""
    return "\n".join([diagnostic.message + why + hint, *diagnostic.notes])


def _sarif_rules(codes: Iterable[str]) -> list[dict[str, Any]]:
    # read only here, for it knows the bridges and would make every check slower
    from compiler.docs import FAMILIES, page

    return [
        {
            "id": code,
            "name": RULES[code].name,
            "shortDescription": {"text": RULES[code].page.split("\n\n")[0].replace("\n", " ")},
            "help": {"text": RULES[code].page, "markdown": page(RULES[code])},
            "defaultConfiguration": {"level": RULES[code].severity.value},
            "properties": {"tags": [FAMILIES[code[2]]]},
        }
        for code in codes
    ]


def _sarif_result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    at = diagnostic.at
    region = {
        "startLine": at.line,
        "startColumn": at.column,
        "endColumn": at.column + at.width,
    }
    place = {"artifactLocation": _sarif_place(at.file), "region": region}
    # the same finding in the next run, wherever other lines have moved it
    same = sha256(f"{diagnostic.code}\0{at.file}\0{diagnostic.message}".encode()).hexdigest()
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity.value,
        "message": {"text": _sentence(diagnostic)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"interlockFinding/v1": same},
    }


def _sarif_place(file: str) -> dict[str, str]:
    path = Path(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": _ROOT}
