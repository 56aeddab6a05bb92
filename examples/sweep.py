# %% [markdown]
# # A sweep, from submission to pictures
#
# Five optimizers, nine learning rates each: 45 jobs that fit `y = a + b x + c x² + d x³` to a sine. The service trains
# those of one optimizer together, and keeps the loss of every step, so all that follows is asked of it afterwards.
#
# It needs a service that is up (`gradyard up`) and `pip install 'gradyard[pandas,plot]'`. This is both a script and a
# notebook: `examples/sweep.py` runs as it is, and `make pictures` makes `examples/sweep.ipynb` of it.

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from gradyard import Client

PICTURES = Path("pictures")
PICTURES.mkdir(exist_ok=True)
# Colors of Okabe and Ito, which color-blind readers tell apart.
COLORS = {"rmsprop": "#0072B2", "adam": "#D55E00", "adamw": "#009E73", "adagrad": "#CC79A7", "sgd": "#E69F00"}
plt.rcParams.update({
    "figure.dpi": 110, "figure.constrained_layout.use": True, "font.size": 10, "axes.titlesize": 11,
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
})  # fmt: skip


def show_progress(batch):
    done = batch.size - batch.counts["queued"] - batch.counts["running"]
    print(f"{done} of {batch.size} jobs", end="\r", file=sys.stderr)


# %% [markdown]
# ## Submit
#
# `grid` has a list for each parameter that varies; a nested one is named by its path (`optimizer.momentum`), and a
# whole object may vary as well. Every combination is a job. The answer comes at once; `wait_batch` waits for the end.

# %%
client = Client()
batch = client.sweep(
    stage="optim",
    name="optimizers and learning rates",
    steps=2000,
    seed=7,
    grid={
        "optimizer": [{"name": name} for name in COLORS],
        "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0],
    },
)
batch = client.wait_batch(batch, on_progress=show_progress)
print({state: count for state, count in batch.counts.items() if count})
for failure in batch.failures:
    print("{count} jobs failed, {reason}; one of them says: {message}".format(**failure))

# %% [markdown]
# ## The best
#
# `frame` is a row a job, with a column for each parameter and figure. The last loss cannot be under that of least
# squares, which the service worked out when the jobs were submitted; the rest of this page looks at what is above it.

# %%
jobs = client.frame(batch=batch, curves="list")
best = client.best(batch, limit=5)
least = best[0].resolved["attainable_loss"]
jobs["excess"] = jobs["loss_last"] - least
print(f"least squares reaches a loss of {least:.4f}; the best five jobs:")
print(f"{'optimizer':<10} {'learning rate':>13} {'last loss':>10} {'steps to 1 % above':>19}")
for job in best:
    losses = client.losses(job)
    reached = np.argmax(losses < 1.01 * least)
    print(f"{job.spec['optimizer']['name']:<10} {job.spec['learning_rate']:>13g} {losses[-1]:>10.4f} {reached:>19}")

# %% [markdown]
# ## Loss over two parameters


# %%
def in_words(excess):
    if np.isnan(excess):
        return "diverged"
    return "< 0.0001" if excess < 1e-4 else f"{excess:,.0f}" if excess > 10 else f"{excess:.2g}"


names, rates = list(COLORS), sorted(jobs["learning_rate"].unique())
table = jobs[jobs["state"] == "succeeded"].pivot(index="optimizer.name", columns="learning_rate", values="excess")
table = table.reindex(index=names, columns=rates)
figure, axes = plt.subplots(figsize=(7.5, 3.4))
norm = LogNorm(1e-4, 1e4)
image = axes.imshow(table.clip(1e-4), norm=norm, cmap="cividis_r", aspect="auto")
for (row, column), value in np.ndenumerate(table.to_numpy()):
    dark = not np.isnan(value) and norm(max(value, 1e-4)) > 0.55
    axes.text(column, row, in_words(value), ha="center", va="center", fontsize=8, color="white" if dark else "black")
axes.set(facecolor="0.92", title="Last loss above that of least squares", xlabel="learning rate", ylabel="optimizer")
axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
axes.set_yticks(range(len(names)), names)
axes.spines[:].set_visible(False)
axes.tick_params(length=0)
figure.colorbar(image, label="loss above least squares", extend="both")
figure.savefig(PICTURES / "sweep-heat-map.png")

# %% [markdown]
# ## The curves of the best, over all others

# %%
figure, axes = plt.subplots(figsize=(7.5, 3.8))
for losses in jobs.loc[jobs["state"] == "succeeded", "losses"]:
    axes.plot(range(1, 2001), losses, color="0.87", linewidth=0.7, zorder=1)
for color, style, job in zip(COLORS.values(), ("-", "--", "-.", ":", (0, (6, 1, 1, 1))), best, strict=True):
    label = f"{job.spec['optimizer']['name']}, {job.spec['learning_rate']:g}"
    losses = client.losses(job)
    axes.plot(range(1, 2001), losses, color=color, linestyle=style, linewidth=1.6, label=label, zorder=2)
axes.axhline(least, color="black", linewidth=0.8, linestyle=(0, (1, 3)), zorder=3)
axes.annotate("least squares", (1, least), (4, -4), textcoords="offset points", va="top", fontsize=8)
axes.set(title=f"The five best of {batch.size} jobs, and the others in gray")
axes.set(xlabel="step, the first one as 1", ylabel="loss (sum of squares)")
axes.set(xscale="log", yscale="log", xlim=(1, 2000), ylim=(5, 5e4))
axes.legend(title="optimizer, learning rate", loc="center left", bbox_to_anchor=(1, 0.5))
figure.savefig(PICTURES / "sweep-curves.png")

# %% [markdown]
# ## Two jobs side by side
#
# The best job of Adam, and that of RMSprop: what differs in their rows, and their curves.

# %%
first, second = (jobs[jobs["optimizer.name"] == name].nsmallest(1, "loss_last").iloc[0] for name in ("adam", "rmsprop"))
for column in ("optimizer.name", "learning_rate", "loss_first", "loss_last", "loss_min", "loss_min_step"):
    values = [f"{job[column]:.6g}" if not isinstance(job[column], str) else job[column] for job in (first, second)]
    print(f"{column:<16} {values[0]:>12} {values[1]:>12}{'' if values[0] == values[1] else '   differs'}")

# %%
figure, axes = plt.subplots(figsize=(7.5, 3.4))
for job, style in ((first, "-"), (second, "--")):
    name = job["optimizer.name"]
    excess = job["losses"].astype(float) - least
    label = f"{name}, learning rate {job['learning_rate']:g}"
    axes.plot(np.maximum(excess, 1e-6), color=COLORS[name], linestyle=style, linewidth=1.4, label=label)
axes.set(title="How far above least squares each of them is", xlabel="step", ylabel="loss above least squares")
axes.set(yscale="log", xlim=(0, 2000))
axes.legend()
figure.savefig(PICTURES / "sweep-two-jobs.png")

# %% [markdown]
# ## The fitted curve
#
# `predict` computes y from the stored coefficients, in float64.

# %%
x = np.linspace(-np.pi, np.pi, 400)
fitted = client.predict(best[0], x)
figure, (above, below) = plt.subplots(2, figsize=(7.5, 4.4), sharex=True, height_ratios=(3, 1))
above.plot(x, np.sin(x), color="0.6", linewidth=4, label="sin x, the data")
above.plot(x, fitted, color="black", linewidth=1.4, label="the best job's cubic")
above.set(title="The best fit", ylabel="y")
above.legend(loc="upper left")
below.axhline(0, color="0.6", linewidth=0.8)
below.fill_between(x, fitted - np.sin(x), color=COLORS["rmsprop"], alpha=0.35, linewidth=0)
below.set(xlabel="x (radians)", ylabel="fit − data", xlim=(-np.pi, np.pi))
below.set_xticks(np.pi * np.arange(-1, 1.5, 0.5), ["−π", "−π/2", "0", "π/2", "π"])
figure.savefig(PICTURES / "sweep-fit.png")
terms = zip(best[0].coefficients.values(), ("", " x", " x²", " x³"), strict=True)
print("y =", " ".join(f"{value:+.5f}{power}" for value, power in terms))
client.close()
