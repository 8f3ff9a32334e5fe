"""The stages of the compiler, in order, on one screen."""

from __future__ import annotations

from compiler.checks import check_deployment, check_document, check_plan
from compiler.diagnostics import Report
from compiler.model import Deployment
from compiler.plan import Plan, make_plan
from compiler.resolve import resolve
from compiler.schema import parse
from compiler.source import read_file, read_yaml

__all__ = ["compile_deployment", "plan_deployment", "read_deployment", "read_file"]


def compile_deployment(content: str | bytes, file: str) -> tuple[Plan | None, Report]:
    """Everything the compiler does, in order. It stops between stages, never inside one."""
    plan, report = plan_deployment(content, file)
    return (plan if report.clean else None), report


def plan_deployment(content: str | bytes, file: str) -> tuple[Plan | None, Report]:
    """The same, with the plan also where it breaks its promises: a review shows what they cost."""
    deployment, report = read_deployment(content, file)
    if deployment is None:
        return None, report
    check_deployment(deployment, report)  # 3xx, 6xx, 7xx
    if not report.clean:
        return None, report
    plan = make_plan(deployment)
    check_plan(deployment, plan, report)  # 4xx, 5xx
    return plan, report


def read_deployment(content: str | bytes, file: str) -> tuple[Deployment | None, Report]:
    """From text to names and things: everything before the checks."""
    report = Report(file)
    document = read_yaml(content, file, report)  # 1xx
    if document is None:
        return None, report
    check_document(document, report)  # keys in the file
    shape = parse(document, report)  # 2xx
    return (resolve(shape, document, report) if shape and report.clean else None), report
