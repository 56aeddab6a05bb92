"""`python -m workers.celery_side worker …` is `celery -A workers worker …`, for the pool.

`celery -A workers` puts the current folder first on the import path: a user's folder `workers/` would be imported.
"""

import sys

from gradyard.processes.loading import load

if __name__ == "__main__":
    for module in ("tasks", "signals"):  # Celery would import these from the current folder first
        load(f"workers.celery_side.{module}")
    for module in ("bin.celery", "bin.worker", "apps.worker", "concurrency.prefork", "worker.strategy"):
        load(f"celery.{module}")  # else each fork would
    app = load("workers.celery_side.app").app
    load("workers.celery_side.forked_main").stay_behind()
    sys.exit(app.start(sys.argv[1:]))
