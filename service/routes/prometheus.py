"""For Prometheus: /metrics in its text form."""

from flask import Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from service.http.openapi import TEXT, problems, routes
from service.http.services import current_services
from service.representation.process_metrics import ProcessMetrics

api = routes("prometheus", "", tag="health")


@api.get("/metrics", responses={"200": TEXT, **problems()})
def show_service_metrics() -> Response:
    """Tell how the service is, in the text form of Prometheus: queues, jobs, workers, GPUs, packs, faults survived."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(current_services().metrics)
    registry.register(ProcessMetrics(current_services().stream_places))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
