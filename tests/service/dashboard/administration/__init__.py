"""Pages of workers and queues, keys, storage, webhooks and the audit, as HTML."""
