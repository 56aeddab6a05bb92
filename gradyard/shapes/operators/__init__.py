"""Answers about keys, workers, storage, webhooks and the audit."""
