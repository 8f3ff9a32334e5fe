"""Every rule over a deployment, in order: a file per family, a function per code.

A check takes the deployment and yields findings with a path. It never prints, raises, or stops
the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from compiler.checks import (
    answers,
    bridges,
    callers,
    keys,
    names,
    notyet,
    phases,
    proof,
    providers,
    settings,
    skins,
    unused,
    waits,
)
from compiler.diagnostics import Finding, Report
from compiler.model import Deployment
from compiler.plan import Plan
from compiler.source import Document

# Over the text and its plain data, before the schema: what no later finding may quote.
DOCUMENT_CHECKS: Final[tuple[Callable[[Document], Iterable[Finding]], ...]] = (keys.key_in_file,)
CHECKS: Final[tuple[Callable[[Deployment], Iterable[Finding]], ...]] = (
    names.unknown_name,
    names.profile_cycle,
    names.alias_is_a_group,
    names.alias_shadowed,
    names.member_twice,
    names.member_skin,
    names.phases_or_members,
    names.phase_without_targets,
    names.phase_never_told,
    names.smoke_for_ordinary_callers,
    names.project_reaches_nothing,
    names.client_built_in,
    unused.unused,
    unused.idle_target,
    unused.idle_group,
    unused.idle_default,
    unused.field_without_effect,
    providers.base_url,
    providers.public_url,
    providers.header_not_allowed,
    providers.key_source,
    waits.waits_inconsistent,
    callers.limits_missing,
    callers.token_of_another,
    callers.token_twice,
    callers.too_many_tokens,
    callers.dead_credential,
    callers.caller_without_token,
    callers.limits_inconsistent,
    skins.cap_inconsistent,
    skins.cap_field,
    skins.reasoning_inconsistent,
    skins.budget_missing,
    skins.system_turns,
    skins.field_of_another_dialect,
    skins.owned_field,
    skins.tools_incomplete,
    skins.text_missing,
    skins.cap_missing,
    waits.attempts_do_not_fit,
    waits.wait_never_ends,
    proof.price_missing,
    proof.price_unsourced,
    proof.evidence_missing,
    proof.evidence_old,
    proof.dated_later,
    proof.as_of_missing,
    phases.pattern_unsafe,
    phases.rules_end_open,
    phases.rule_shadowed,
    phases.example_wrong,
    settings.budgets_unordered,
    settings.images_do_not_fit,
    settings.budget_unadvertised,
    notyet.docs_not_yet,
    notyet.public_url_not_yet,
    notyet.tags_not_yet,
)
# Over the deployment and its plan: 4xx nobody answers, 5xx lost on a bridge.
PLAN_CHECKS: Final[tuple[Callable[[Deployment, Plan], Iterable[Finding]], ...]] = (
    *answers.CHECKS,
    *bridges.CHECKS,
)


def check_document(document: Document, report: Report) -> None:
    """Runs all of DOCUMENT_CHECKS."""
    for check in DOCUMENT_CHECKS:
        report.run(check, document)


def check_deployment(deployment: Deployment, report: Report) -> None:
    """Runs all of CHECKS."""
    for check in CHECKS:
        report.run(check, deployment)


def check_plan(deployment: Deployment, plan: Plan, report: Report) -> None:
    """Runs all of PLAN_CHECKS."""
    for check in PLAN_CHECKS:
        report.run(check, deployment, plan)
