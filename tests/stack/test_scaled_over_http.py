"""Data in units of their own, from the POST to a prediction, through a running service."""

import numpy as np
import pytest

from gradyard import Client

pytestmark = pytest.mark.stack
YEARS = np.arange(1871.0, 1971.0)
FLOW = 1_100 - 250 / (1 + np.exp(1898 - YEARS)) + 60 * np.cos(YEARS)


@pytest.mark.parametrize("service", ["postgresql"], indirect=True)
@pytest.mark.parametrize("stage", ["numpy", "nn", "module"])
def test_raw_data_are_warned_of_and_scaled_ones_reach_least_squares(client: Client, stage: str) -> None:
    data = {"kind": "inline", "x": YEARS.tolist(), "y": FLOW.tolist()}
    raw = client.submit(stage=stage, dataset=data, learning_rate="auto", steps=5)
    assert 'scale "standard"' in raw.warnings[0]["message"]
    job = client.wait(client.submit(stage=stage, dataset=data, learning_rate="auto", scale="standard").id, timeout=60)
    assert job.succeeded, job.message
    assert job.warnings == ()
    assert job.loss["last"] <= 1.01 * job.loss["attainable"]
    middle = YEARS - YEARS.mean()
    best = np.polyval(np.polyfit(middle, FLOW, 3), middle)
    found = client.predict(job.id, YEARS)
    assert np.square(found - FLOW).sum() <= 1.01 * np.square(best - FLOW).sum()
    assert job.coefficients is not None
    np.testing.assert_allclose(np.polyval([*job.coefficients.values()][::-1], YEARS), found, rtol=1e-3)
