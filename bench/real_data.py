"""Cubics of real data, raw and scaled, beside numpy's polyfit: writes docs/real-data.md and its plots.

python -m bench.real_data     (needs the extra `real-data`)
"""

from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.real_sets import SETS, RealSet
from bench.report import about
from bench.service import service, train

PAGE = Path(__file__).parents[1] / "docs" / "real-data.md"
STAGES, STEPS, NEAR = ("numpy", "nn", "module"), 20_000, 1.01
INTRODUCTION = f"""# Real data

Cubics (`degree` 3) of five data sets from Python packages, trained with `learning_rate: "auto"` for {STEPS:,} steps
through the whole service. A figure is the sum of squared errors of `/predict`, in the units of the data, over that of
numpy's `polyfit`: 1 is the best that a cubic can do. Raw, `auto` has to be so small that training hardly moves, and the
submission warns of it; with `scale: "standard"` every stage arrives. Measured by a command of this repository:
"""


def main() -> None:
    """Train, draw, and write the page."""
    sets = [each() for each in SETS]
    with service() as client:
        rows = [_row(client, each) for each in sets]
    head = ["data", "points", "x", "y", "condition", "raw, `nn`", *(f"`{stage}`" for stage in STAGES)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))
    pictures = "\n\n".join(f"![{each.title}]({_plot(each).relative_to(PAGE.parent)})" for each in sets)
    PAGE.write_text("\n".join([INTRODUCTION, *about("python -m bench.real_data"), "", table, "", pictures, ""]))
    print(table)


def _row(client: httpx.Client, data: RealSet) -> list[str]:
    best = data.error_of(data.best)
    raw = train(client, _spec(data, "nn", "none")).job
    fits = {stage: train(client, _spec(data, stage, "standard")).job for stage in STAGES}
    ratios = {stage: data.error_of(_predicted(client, job, data.x)) / best for stage, job in fits.items()}
    assert all(ratio <= NEAR for ratio in ratios.values()), (data.title, ratios)
    data.curve = _predicted(client, fits["nn"], data.grid)
    condition = f"{np.linalg.cond(np.vander(data.x, 4)):.0e}"
    raw_ratio = data.error_of(_predicted(client, raw, data.x)) / best
    return [
        f"{data.title} ({data.source})", f"{len(data.x):,}", data.x_label, data.y_label, condition,
        f"{raw_ratio:.3g}{' (warned)' if raw['warnings'] else ''}", *(f"{ratio:.5f}" for ratio in ratios.values()),
    ]  # fmt: skip


def _spec(data: RealSet, stage: str, scale: str) -> dict[str, Any]:
    inline = {"kind": "inline", "x": data.x.tolist(), "y": data.y.tolist()}
    return {"stage": stage, "dataset": inline, "scale": scale, "learning_rate": "auto", "steps": STEPS}


def _predicted(client: httpx.Client, job: dict[str, Any], x: np.ndarray) -> np.ndarray:
    answer = client.post(f"/v1/jobs/{job['id']}/predict", json={"x": x.tolist()}).raise_for_status()
    return np.array(answer.json()["y"], np.float64)


def _plot(data: RealSet) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(data.x, data.y, ".", color="#b0b8c0", markersize=3, label=f"{data.title}, {len(data.x):,} points")
    axes.plot(data.grid, data.polyfit_at(data.grid), color="#d55e00", linewidth=3, label="polyfit")
    axes.plot(data.grid, data.curve, color="#0072b2", linestyle="--", label="nn, scaled")
    axes.set(xlabel=data.x_label, ylabel=data.y_label)
    axes.legend(frameon=False, fontsize="small")
    path = PAGE.parent / "real-data" / f"{data.name}.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


if __name__ == "__main__":
    main()
