"""Messages of webhooks are sent, beside the rounds of maintenance."""
