"""Which scope each route asks for, in one table. A route that is not in it is the administrator's."""

from gradyard.jobs.api_keys import Scope

_ROUTES = {
    Scope.JOBS_READ: """
        jobs.list_jobs jobs.show_job jobs.list_events retry_and_logs.list_logs losses.show_losses
        metrics_and_artifacts.list_metrics metrics_and_artifacts.show_metric
        predict.predict metrics_and_artifacts.list_artifacts metrics_and_artifacts.fetch_artifact
        batches.list_batches batches.show_batch batches.list_best export.export_batch
        stages.list_stages stages.show_stage fleet.list_workers fleet.list_queues
    """,
    Scope.JOBS_WRITE: """
        jobs.submit_job jobs.cancel_job jobs.delete_job retry_and_logs.retry_job
        batches.submit_batch batches.cancel_batch batches.retry_batch batches.delete_batch
    """,
    Scope.METRICS_READ: "prometheus.metrics",
    Scope.OPERATOR: "fleet.drain_workers fleet.undrain_workers fleet.pause_queue fleet.resume_queue",
    Scope.ADMIN: "api_keys.make_key api_keys.list_keys api_keys.revoke_key",
}

NEEDED: dict[str, Scope] = {endpoint: scope for scope, routes in _ROUTES.items() for endpoint in routes.split()}
"""By endpoint."""
