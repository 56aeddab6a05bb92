"""Metrics of the one process that answers, beside those that all processes read from the database."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric

from service.live.stream_places import StreamPlaces


@dataclass(frozen=True)
class ProcessMetrics:
    """A collector of `prometheus_client`."""

    streams: StreamPlaces

    def collect(self) -> Iterator[Metric]:
        """How many streams of events this process holds."""
        text = "Streams of events that the answering process of the API holds"
        yield GaugeMetricFamily("gradyard_streams_open", text, value=self.streams.taken())
