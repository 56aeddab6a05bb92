"""The bell: Celery messages that tell workers to look for work, and when one has to be rung again."""
