"""Which scope each route asks for, in one table. A route that is not in it is the operator's."""

from gradyard.jobs.api_keys import Scope

PAGE = "page"
"""The blueprint of what people look at."""
PAGE_PARTS = ("page.sign_in", "page.parts")
"""What a browser gets before it is signed in."""

_ROUTES = {
    Scope.JOBS_READ: """
        counts.count_jobs counts.summarize_jobs
        jobs.list_jobs jobs.show_job jobs.list_events retry_and_logs.list_logs losses.show_losses
        losses.show_losses_of_many metrics_and_artifacts.show_metric_of_many
        metrics_and_artifacts.list_metrics metrics_and_artifacts.show_metric
        rechecks.show_receipt predict.predict metrics_and_artifacts.list_artifacts metrics_and_artifacts.fetch_artifact
        batches.list_batches batches.show_batch export.export_batch export.export_jobs
        best.best_of_batch best.best_of_jobs live.watch_batch live.watch_many
        stages.list_stages stages.show_stage fleet.list_workers fleet.list_queues
        storage.show_storage storage.show_retention
        files.list_files files.show_file files.fetch_file
        page.overview page.jobs page.job page.sign_out
        page.batches page.batch page.batch_runs page.batch_band page.compare
        page.workers page.storage page.files
    """,
    Scope.JOBS_WRITE: """
        jobs.submit_job jobs.change_job jobs.cancel_job jobs.delete_job actions.act_on_jobs
        retry_and_logs.retry_job rechecks.recheck_job
        batches.submit_batch batches.cancel_batch batches.retry_batch batches.delete_batch
        page.submit page.check
    """,
    Scope.FILES_WRITE: "files.upload_file files.delete_file",
    Scope.METRICS_READ: "prometheus.show_service_metrics",
    Scope.OPERATOR: """
        fleet.drain_workers fleet.undrain_workers fleet.pause_queue fleet.resume_queue audit.list_audit_entries
        page.projects page.audit
    """,
    Scope.ADMIN: """
        api_keys.make_key api_keys.list_keys api_keys.rotate_key api_keys.revoke_key
        storage.set_retention storage.unset_retention
        webhooks.create_webhook webhooks.list_webhooks webhooks.show_webhook webhooks.change_webhook
        webhooks.delete_webhook webhooks.rotate_webhook_secret webhooks.test_webhook
        webhooks.list_webhook_deliveries webhooks.show_webhook_delivery webhooks.resend_webhook_delivery
        page.keys page.webhooks page.webhook
    """,
}

NEEDED: dict[str, Scope] = {endpoint: scope for scope, routes in _ROUTES.items() for endpoint in routes.split()}
"""By endpoint."""
