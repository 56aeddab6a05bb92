"""How generated tests draw: the same examples in each run, on CI as on a laptop; others each time in `make fuzz`."""

import os

import hypothesis

FUZZ = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""How many examples of each test `make fuzz` asks for; 0 in any other run, where each test has a number of its own."""


def draw_alike_anywhere() -> None:
    """Make one profile the default of all tests.

    A machine that others load takes as long as it takes: no deadline, and no complaint that examples come slowly.
    Hypothesis has a profile of its own where the variable CI is set; with it a test may pass here and fail there.
    """
    parent = hypothesis.settings.get_profile("default")
    hypothesis.settings.register_profile(
        "anywhere", parent, max_examples=FUZZ or 100, deadline=None, database=None, derandomize=not FUZZ,
        print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )  # fmt: skip
    hypothesis.settings.load_profile("anywhere")
