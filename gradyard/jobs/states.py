"""The states of a job and the moves between them; `gradyard.store.lifecycle` alone makes them."""

from enum import StrEnum


class State(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a job failed."""

    ERROR = "error"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    POISON = "poison"
    INVALID_DATA = "invalid_data"
    UPSTREAM_FAILED = "upstream_failed"


# To each state, the states that it may be reached from.
MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING}),
    State.RUNNING: frozenset({State.QUEUED}),
    State.SUCCEEDED: frozenset({State.RUNNING}),
    State.FAILED: frozenset({State.QUEUED, State.RUNNING}),
    State.CANCELLED: frozenset({State.QUEUED, State.RUNNING}),
}

SENTENCES: dict[State, str] = {
    State.QUEUED: "The job waits for a worker that may train it.",
    State.RUNNING: "A worker holds the job in a claim and trains it.",
    State.SUCCEEDED: "The job trained to its end; its result and every loss are stored.",
    State.FAILED: "The job cannot be done; `reason` and `message` say why.",
    State.CANCELLED: "The job was cancelled before its end.",
}

FINISHED: frozenset[State] = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


def picture() -> str:
    """MOVES as a Mermaid state diagram, as in `docs/states.md`."""
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    lines += [f"    {source} --> {to}" for source in State for to in State if source in MOVES[to]]
    lines += [f"    {state} --> [*]" for state in State if state in FINISHED]
    return "\n".join(lines)
