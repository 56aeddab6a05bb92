"""The Celery processes: they claim jobs, train them and store what comes of it. Never Flask, never service.

The way of a job, from its submission to its result. Four kinds of processes take part; each arrow names what passes::

    API (service/)           one transaction stores the row, state `queued`; then it rings: a message in Redis that
      │                      tells the queue's workers to look. The row is the truth, the bell only a hint.
      │ bell (Redis)         gradyard/broker/producer.py
      ▼
    Celery main process      celery_side/        one for each slot; opens no database, loads no torch
      │                      forked_main.py: a fork of one that has loaded all, so that a killed one is back at once
      │ task                 signals.py, main_process.py: queue, GPU, stop; reaper.py: a dead child is seen at once
      │                      guarded_transport.py, heard.py: all that is read of a message is that it rang
      ▼
    Celery child             celery_side/        celery_child.py: registers the worker and starts its heartbeat
      │                      tasks.py: the one task, `train`; watchdog.py: restarts a worker that gets no bells
      │ calls
      ▼
    the same process         supervisor/         has the database, and no torch
      │  1 claim             supervisor.py       the first claimable job, and riders of its shape, become one pack
      │  2 resume            resume.py           thaws the checkpoints of a pack that was handed back
      │  3 send              attempt.py, pack.py, pack_data.py -> TrainMessage
      │                      runner_client/      starts a runner or takes the warm one; send_pack.py, output.py
      │ messages             protocol/           messages/: a dataclass for each; wire.py: the socket; frame.py: bytes
      ▼
    runner                   runner/             has torch and the device; no SQL, no Redis, no secret
      │  4 train             main.py, training.py -> trainers/, one class a stage
      │                      loop.py: segments of about 0.2 s (loop_ahead.py on a GPU)
      │  5 check             checked_outputs.py, segment_message.py -> SegmentMessage
      │ messages             losses of each segment; state and results where a record is due
      ▼
    supervisor               supervisor/
      │  6 check, add up     checked_segment.py: could this be right? pack.py: losses since the last record
      │  7 record            records.py          one transaction: chunk, checkpoint, result, move to a final state
      │    leave             departures.py       cancels, time limits, stops; failure_policy.py: whatever failed
      ▼
    database                 gradyard/store/     `succeeded`, `failed`, `cancelled`, or `queued` again

    Beside them
      heartbeat (a thread)   supervisor/heartbeat.py   renews the lease of worker and claim, sees cancels
      pool                   pool/                     one for each host: a slot for each GPU and for some CPU cores
      maintenance            maintenance.py            one for each pool: expired leases, lost bells, old rows
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # `celery -A workers` looks for this name; a runner, which imports this package too, must not load Celery.
    if name == "celery":
        from workers.celery_side.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
