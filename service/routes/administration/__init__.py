"""Routes for administrators of projects and operators of the service: keys, the audit, what is kept."""
