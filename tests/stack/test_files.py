"""Files in a running service: sent in once, trained on by many, rechecked to the bit, kept while they are needed."""

import io

import numpy as np
import pytest

from gradyard import Client, RefusedByService

pytestmark = pytest.mark.stack
SPEED = np.linspace(0.0, 30.0, 400)
DIST = 3.0 + 0.5 * SPEED + 0.1 * SPEED**2


def csv_of(shift: float) -> bytes:
    lines = (f"{x!r};{y!r}" for x, y in zip(SPEED.tolist(), (DIST + shift).tolist(), strict=True))
    return ("speed;dist\r\n" + "\r\n".join(lines)).encode()


def npy_of(shift: float) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(list(zip(SPEED, DIST + shift, strict=True)), [("speed", "f8"), ("dist", "f8")]))
    return file.getvalue()


def test_a_job_on_a_file_is_trained_rechecked_and_predicts_in_the_units_of_the_file(client: Client) -> None:
    file = client.upload(csv_of(1.0), name="cars.csv")
    about = {"stage": "nn", "degree": 2, "steps": 3000, "learning_rate": "auto", "scale": "standard"}
    job = client.wait(client.submit(about, dataset=file.dataset("speed", "dist")), timeout=60)
    assert job.succeeded, job.message
    np.testing.assert_allclose(client.predict(job, [10.0, 20.0]), [1 + 3 + 5 + 10, 1 + 3 + 10 + 40], rtol=0.02)
    again = client.wait(client.recheck(job), timeout=60)
    assert again.recheck is not None
    assert again.recheck["state"] == "same"
    assert client.receipt(job).dataset["kind"] == "file"


def test_the_form_of_the_file_changes_no_bit(client: Client) -> None:
    files = [client.upload(content) for content in (csv_of(2.0), npy_of(2.0))]
    points = {"kind": "inline", "x": SPEED.tolist(), "y": (DIST + 2.0).tolist()}
    datasets = [*(file.dataset("speed", "dist") for file in files), points]
    about = {"stage": "tensor", "degree": 1, "steps": 50, "learning_rate": "auto"}
    jobs = [client.submit(about, dataset=dataset) for dataset in datasets]
    curves = [client.losses(client.wait(job, timeout=60)).tobytes() for job in jobs]
    assert len(curves[0]) == 50 * 4
    assert curves == [curves[0]] * 3


def test_a_sweep_over_a_file_needs_it_until_the_batch_is_deleted(client: Client) -> None:
    file = client.upload(csv_of(3.0))
    grid = {"seed": range(12)}
    about = {"stage": "nn", "steps": 20, "learning_rate": "auto", "scale": "standard"}
    spec = about | {"dataset": file.dataset("speed", "dist")}
    batch = client.wait_batch(client.sweep(spec, grid=grid), timeout=60)
    assert batch.counts["succeeded"] == 12
    assert client.file(file).jobs == 12
    with pytest.raises(RefusedByService, match="12 jobs are trained on the file"):
        client.delete_file(file)
    client.batches.delete(batch)
    client.delete_file(file)
    assert file.id not in {each.id for each in client.files()}


def test_a_larger_file_is_kept_where_the_service_was_told(client: Client) -> None:
    content = io.BytesIO()
    x = np.linspace(-1.0, 1.0, 100_000)
    np.savez(content, x=x, y=x**2)
    file = client.upload(content.getvalue())
    assert (file.format, file.rows, file.bytes > 2**20) == ("npz", 100_000, True)
    job = client.wait(client.submit(stage="numpy", degree=2, steps=20, dataset=file.dataset("x", "y")), timeout=60)
    assert job.succeeded, job.message
    assert client.files.content(file) == content.getvalue()
