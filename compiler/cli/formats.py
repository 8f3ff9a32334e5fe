"""A report in the forms machines read; finds and judges nothing."""

from __future__ import annotations

import json
from typing import Any

from compiler.diagnostics import RULES, Diagnostic, Report, Severity


def as_json(report: Report) -> str:
    """One object: counts, and every diagnostic with its place."""
    told = {
        "file": report.file,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "diagnostics": [_plain(diagnostic) for diagnostic in report.diagnostics],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows at the line in a pull request."""
    return "\n".join(_annotation(diagnostic) for diagnostic in report.diagnostics)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, which code scanning and editors read."""
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in report.diagnostics))
    driver = {"name": "interlock", "rules": [_sarif_rule(code) for code in codes]}
    results = [_sarif_result(d, codes.index(d.code)) for d in report.diagnostics]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


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
    hint = f" (hint: {diagnostic.hint})" if diagnostic.hint else ""
    return diagnostic.message + hint


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.page.split("\n\n")[0].replace("\n", " ")},
        "help": {"text": rule.page},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    at = diagnostic.at
    region = {
        "startLine": at.line,
        "startColumn": at.column,
        "endColumn": at.column + at.width,
    }
    place = {"artifactLocation": {"uri": at.file.replace("\\", "/")}, "region": region}
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity.value,
        "message": {"text": _sentence(diagnostic)},
        "locations": [{"physicalLocation": place}],
    }
