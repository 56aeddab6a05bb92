"""Pages of those who run the service or a project: workers and queues, keys, storage, webhooks, the audit."""
