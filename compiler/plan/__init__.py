"""Who may answer what, and why not: pure functions from the Deployment to a frozen Plan."""

from __future__ import annotations

from compiler.model import Deployment
from compiler.plan.listings import listing_id, listings_of
from compiler.plan.model import ListingPlan, Offer, Out, Paths, Plan, Tables, Verdict
from compiler.plan.offers import offers_of
from compiler.plan.records import caller_record, limit_record, token_record
from compiler.plan.tables import make_tables
from compiler.plan.verdicts import known_clients, verdicts_of

__all__ = [
    "ListingPlan",
    "Offer",
    "Out",
    "Paths",
    "Plan",
    "Tables",
    "Verdict",
    "make_plan",
]


def make_plan(deployment: Deployment) -> Plan:
    """Everything the artifact says."""
    clients = known_clients(deployment)
    tables = make_tables(deployment)
    offers = offers_of(deployment, tables, clients)
    callers = deployment.callers.values()
    return Plan(
        deployment=deployment,
        clients=clients,
        tables=tables,
        offers=offers,
        verdicts_of={
            group.id: tuple(verdicts_of(deployment, tables, clients, offers, group))
            for group in deployment.groups.values()
        },
        listings=listings_of(deployment, tables, clients, offers),
        callers={
            caller.id: caller_record(
                caller,
                reach := tables.reach_of[caller.project],
                listing_id(reach, caller.groups) if caller.groups else None,
            )
            for caller in callers
        },
        tokens={t.id: token_record(t, caller.id) for caller in callers for t in caller.tokens},
        limits={name: limit_record(limits) for name, limits in deployment.limits.items()},
        project_limits={
            project.id: project.limits
            for project in deployment.projects.values()
            if project.limits is not None
        },
    )
