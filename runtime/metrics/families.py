"""Every metric there is, on one page: its name, labels, kind and meaning. It counts nothing.

Labels take values of closed lists alone: names of the artifact, or the words of `WORDS`. Nothing
that callers or upstreams write can make a time series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from runtime.clients import CLIENTS
from runtime.errors import STATUS
from runtime.vocabulary import DIALECTS

Kind = Literal["counter", "gauge", "histogram"]

OTHER: Final = "other"
SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
PER_SECOND: Final = (5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 250.0, 500.0)


class Family(NamedTuple):
    """One metric; `buckets` are the upper ends of a histogram's."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(help_: str, *labels: str) -> Family:
    return Family("counter", help_, labels)


def _gauge(help_: str, *labels: str) -> Family:
    return Family("gauge", help_, labels)


def _histogram(help_: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Family:
    return Family("histogram", help_, labels, buckets)


FAMILIES: Final[dict[str, Family]] = {
    # --- requests ------------------------------------------------------------------------------
    "interlock_requests_total": _counter(
        "Requests on the three surfaces, refused ones too, by class of status and by outcome.",
        *("group", "surface", "target", "status", "outcome"),
    ),
    "interlock_request_errors_total": _counter(
        "Requests that ended in an error, by its code.", "group", "surface", "code"
    ),
    "interlock_client_requests_total": _counter(
        "Requests by the client that its user-agent names.", "client", "surface", "outcome"
    ),
    "interlock_phase_requests_total": _counter(
        "Requests of groups with phases, by the phase that was found.", "group", "phase"
    ),
    "interlock_other_calls_total": _counter(
        "Dry runs and token counts, which no other metric counts.", "kind", "surface", "status"
    ),
    "interlock_request_seconds": _histogram(
        "From the head of a request to the end of its answer, for those that were answered.",
        *("group", "surface", "stream"),
    ),
    "interlock_first_byte_seconds": _histogram(
        "From the head of a request to the first content of its answer.",
        *("group", "surface", "stream"),
    ),
    # --- upstreams -----------------------------------------------------------------------------
    "interlock_attempts_total": _counter(
        "Attempts at a target: ok, or the class of the failure.", "target", "provider", "kind"
    ),
    "interlock_attempt_head_seconds": _histogram(
        "From the start of an attempt to the head of the upstream's answer.", "target", "provider"
    ),
    "interlock_output_tokens_per_second": _histogram(
        "Output tokens per second behind the first content, of streams that ended well.",
        "target",
        buckets=PER_SECOND,
    ),
    "interlock_fallbacks_total": _counter(
        "Requests for which more than one target was tried, by the last of them.",
        *("group", "target", "outcome"),
    ),
    "interlock_target_resting": _gauge(
        "Workers in which the target cools down after failures, now.", "target"
    ),
    "interlock_provider_in_flight": _gauge("Requests at the provider now.", "provider"),
    "interlock_requests_in_flight": _gauge("Requests under way at targets now."),
    "interlock_retries_in_flight": _gauge("Requests at a further target now, without content yet."),
    "interlock_retries_denied_total": _counter(
        "Further attempts for which the retry budget had no room."
    ),
    # --- tokens and money ----------------------------------------------------------------------
    "interlock_tokens_total": _counter(
        "Tokens by the upstreams' count. Cached and cache-written ones are part of input, "
        "reasoning is part of output.",
        *("group", "target", "kind"),
    ),
    "interlock_cost_usd_total": _counter(
        "What answers cost at the deployment's prices, in USD.", "group", "target", "project"
    ),
    "interlock_baseline_cost_usd_total": _counter(
        "What answers would have cost at the group's baseline target, in USD.", "group", "project"
    ),
    "interlock_compared_cost_usd_total": _counter(
        "What the answers that have a baseline cost, in USD; the difference is what was saved.",
        *("group", "project"),
    ),
    # --- limits, cache, stores -----------------------------------------------------------------
    "interlock_limits_refused_total": _counter(
        "Requests refused by a limit of the deployment.", "code", "project"
    ),
    "interlock_cache_total": _counter(
        "Requests of groups with a response cache.", "group", "state"
    ),
    "interlock_cache_entries": _gauge("Answers kept in the workers' own response caches."),
    "interlock_cache_bytes": _gauge("Size of the workers' own response caches."),
    "interlock_store_resting": _gauge(
        "Workers that do without the shared Redis for now, because it did not answer."
    ),
    "interlock_store_failures_total": _counter(
        "Operations that the shared Redis did not answer, or not in time."
    ),
    "interlock_journal_rows_total": _counter("Usage rows written to the journal."),
    "interlock_journal_lost_rows_total": _counter(
        "Usage rows that were never written, for the journal could not be for too long."
    ),
    "interlock_journal_failures_total": _counter("Writes to the journal that failed."),
    "interlock_journal_waiting_bytes": _gauge("Journal that is in no database yet."),
    "interlock_ingested_rows_total": _counter("Usage rows brought into the database."),
    "interlock_uningested_rows_total": _counter(
        "Usage rows that will be in no database: torn, rejected by it, or dropped for room.",
        "reason",
    ),
    # --- the process ---------------------------------------------------------------------------
    "interlock_artifact_info": _gauge(
        "Workers that serve the artifact; the digest's first twelve digits.", "name", "artifact"
    ),
    "interlock_build_info": _gauge("Workers that run this version of the router.", "version"),
    "interlock_reloads_total": _counter(
        "Artifacts put into service or refused while running, in every worker.", "result"
    ),
    "interlock_workers": _gauge("Workers that are alive."),
    "interlock_stopping": _gauge("Workers that were asked to stop and still serve streams."),
    "interlock_connections": _gauge("Open connections of clients."),
    "interlock_unread_sources_total": _counter(
        "Parts of the router whose numbers are missing from a scrape; a fault."
    ),
    "interlock_worker_cpu_seconds_total": _counter("CPU time of the worker.", "worker"),
    "interlock_worker_resident_bytes": _gauge("Resident memory of the worker.", "worker"),
    "interlock_worker_open_files": _gauge("Open file descriptors of the worker.", "worker"),
    "interlock_worker_start_time_seconds": _gauge(
        "When the worker began to serve, Unix seconds.", "worker"
    ),
}

OUTCOMES: Final = ("ok", "error", "client-gone", "aborted", "internal-error")
# Every failure class of `runtime.failures`, and what an attempt without one is.
ATTEMPTS: Final = (
    "ok",
    "auth",
    "busy",
    "client",
    "client-gone",
    "connect",
    "context",
    "aborted",
    "internal-error",
    "interrupted",
    "invalid",
    "overloaded",
    "rate-limited",
    "server",
    "timeout",
    OTHER,
)
# What labels may say that are no names of the artifact. `kind` means something else per metric.
WORDS: Final[Mapping[str, frozenset[str]]] = {
    "surface": frozenset(DIALECTS),
    "status": frozenset({"2xx", "3xx", "4xx", "5xx"}),
    "outcome": frozenset(OUTCOMES),
    "code": frozenset(STATUS),
    "client": frozenset(CLIENTS),
    "stream": frozenset({"true", "false"}),
    "state": frozenset({"hit", "miss", "bypass"}),
    "result": frozenset({"ok", "failed"}),
    "reason": frozenset({"torn", "rejected", "dropped"}),
    "kind": frozenset(
        {*ATTEMPTS, "dry-run", "count-tokens"}
        | {"input", "output", "cached", "cache_write", "reasoning"}
    ),
}
