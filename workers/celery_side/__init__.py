"""What exists only because bells come by Celery: its app, the one task, signals, the reaper, the watchdog."""
