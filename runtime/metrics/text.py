"""Numbers in the formats that scrapers read. The only place that imports prometheus-client."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

# Imported by the first scrape, for it costs a worker some megabytes.
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.metrics.families import FAMILIES, Family
from runtime.metrics.samples import Labels, Samples, Value


def render(samples: Samples, accept: str) -> tuple[bytes, str]:
    """The page and its content type: OpenMetrics where `accept` asks for it, else Prometheus's."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(samples))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


class _Collected(Collector):
    """Samples as prometheus-client wants them."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """The metrics that have values, in the catalogue's order."""
        for name, family in FAMILIES.items():
            if cells := self._samples.get(name):
                metric = Metric(name.removesuffix("_total"), family.help, family.kind)
                for labels in sorted(cells):
                    _add(metric, name, family, labels, cells[labels])
                yield metric


def _add(metric: Metric, name: str, family: Family, labels: Labels, value: Value) -> None:
    named = dict(zip(family.labels, labels, strict=True))
    if not isinstance(value, list):
        metric.add_sample(name, named, value)
        return
    ends = [*(repr(end) for end in family.buckets), "+Inf"]
    counts = list(accumulate(value[1:]))
    for end, count in zip(ends, counts, strict=True):
        metric.add_sample(f"{name}_bucket", {**named, "le": end}, count)
    metric.add_sample(f"{name}_count", named, counts[-1])
    metric.add_sample(f"{name}_sum", named, value[0])
