"""The plan of the house: imports point one way, and the API process never sees torch."""

import subprocess
import sys


def test_the_api_does_not_load_torch() -> None:
    code = "import service.app, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_main_celery_process_loads_neither_torch_nor_flask() -> None:
    load = "import workers.celery_side.app, workers.celery_side.tasks, sys"
    code = f"{load}; assert not {{'torch', 'flask'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_runner_loads_no_database_no_redis_and_no_flask() -> None:
    code = (
        "import workers.runner.main, workers.runner.training, sys; "
        "assert not {'sqlalchemy', 'redis', 'celery', 'kombu', 'flask', 'jobs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
