"""`python -m workers.celery_side worker …` is `celery -A workers worker …`, for the pool.

`celery -A workers` puts the current folder first on the import path: a user's folder `workers/` would be imported.
"""

import sys

from workers.celery_side import signals, tasks  # noqa: F401  # Celery would import these from the current folder first
from workers.celery_side.app import app

if __name__ == "__main__":
    sys.exit(app.start(sys.argv[1:]))
