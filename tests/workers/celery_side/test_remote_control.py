"""A worker answers questions of Celery's remote control, and takes no orders."""

import pytest
from celery.worker.control import Panel

from workers.celery_side import app, remote_control

assert app  # it restricts the commands when it is imported


def test_every_order_of_celery_is_gone_but_those_by_which_flower_sees_tasks() -> None:
    kinds = {name: about.type for name, about in Panel.meta.items()}
    assert {name for name in Panel.data if kinds.get(name) == "control"} == remote_control.EVENTS


@pytest.mark.parametrize("name", sorted(remote_control.QUESTIONS | remote_control.EVENTS))
def test_every_command_that_is_kept_is_one_of_celery(name: str) -> None:
    assert name in Panel.data
