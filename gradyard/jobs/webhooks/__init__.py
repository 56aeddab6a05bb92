"""Webhooks: what they tell, to which addresses, and how a message is signed."""
