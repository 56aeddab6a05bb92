"""The kernel: one program trains one member through all steps of a segment, its data and weights in registers.

A member's bits follow from its own numbers and from the constants of the kernel. Neither the width of the pack nor
where a segment begins is one of them. No argument is specialized: Triton would choose layouts, and with them the order
of a sum, by whether a stride is a multiple of 16.
"""

import triton
import triton.language as tl

from workers.trainers.fused.kernel.models import of_points
from workers.trainers.fused.kernel.rules import corrections_at, updated
from workers.trainers.fused.kernel.scalars import added, loaded, quotient, store, summed
from workers.trainers.fused.numbers import COMMON, OWN

COMMON_NUMBERS, OWN_NUMBERS = tl.constexpr(COMMON), tl.constexpr(OWN)

ARGUMENTS = (
    "x", "y", "orders", "numbers", "log_betas", "updates", "weights", "slots", "others", "losses", "steps", "points",
    "x_blocks", "y_blocks",
)  # fmt: skip


@triton.jit(do_not_specialize=ARGUMENTS[2:])  # of x and y it may know that they begin at multiples of 16 bytes: all do
def train(
    x, y, orders, numbers, log_betas, updates, weights, slots, others, losses, steps, points, x_blocks, y_blocks,
    FAMILY: tl.constexpr, LOSS: tl.constexpr, MEAN: tl.constexpr, RULE: tl.constexpr, MOMENTUM: tl.constexpr,
    COUNT: tl.constexpr, BLOCK: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Do `steps` updates of every member, in place. Launch it with one program a member.

    `x`, `y`: rows filled up to whole blocks and one more; the row of member m begins at m times `x_blocks` blocks, 0
    where all members have the same. `orders`: (steps, members), of a `dynamic` model. `numbers` and
    `log_betas` are those of `numbers.py`. `updates`: float64 (members, 2), how often the first weight
    and the last were updated, which it advances. `weights`, and `slots` and `others`, the two slots of the optimizer:
    (members, COUNT). `losses`: (members, steps), with `MEAN` divided by the points. `POINTS`: how many there are, if
    no more than `BLOCK`, else 0; a number known to the compiler spares most points the question whether they are one.
    """
    member = tl.program_id(0).to(tl.int64)
    first = COUNT * member
    w, slot, other = loaded(weights + first, COUNT), loaded(slots + first, COUNT), loaded(others + first, COUNT)
    numbers += (COMMON_NUMBERS + OWN_NUMBERS) * member
    common, own = loaded(numbers, COMMON_NUMBERS), loaded(numbers + COMMON_NUMBERS, OWN_NUMBERS)
    betas, counts = loaded(log_betas + 2 * member, 2), loaded(updates + 2 * member, 2)
    x, y, losses = x + member * x_blocks * BLOCK, y + member * y_blocks * BLOCK, losses + member * steps
    x_block, y_block = tl.load(x + tl.arange(0, BLOCK)), tl.load(y + tl.arange(0, BLOCK))
    for step in range(steps):
        order = tl.full([], 5, tl.int8)
        if FAMILY == "dynamic":
            order = tl.load(orders + step * tl.num_programs(0) + member)
        sums = _sums(w, x, y, x_block, y_block, points, order, common[0], FAMILY, LOSS, COUNT, BLOCK, POINTS)
        sums = _scaled(sums, points, LOSS, MEAN, COUNT)
        tl.store(losses + step, sums[0])
        counts = (counts[0] + 1.0, counts[1] + tl.where(order >= 4, 1.0, 0.0))
        w, slot, other = _step(w, slot, other, sums, common, own, betas, counts, order, RULE, MOMENTUM, COUNT)
    store(weights + first, w, COUNT)
    store(slots + first, slot, COUNT)
    store(others + first, other, COUNT)
    store(updates + 2 * member, counts, 2)


@triton.jit
def _sums(
    w, x, y, x_block, y_block, points, order, threshold, FAMILY: tl.constexpr, LOSS: tl.constexpr,
    COUNT: tl.constexpr, BLOCK: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """The loss and the gradients of the `COUNT` weights, summed over all points; the first block is there already."""
    place = tl.arange(0, BLOCK)
    if POINTS > 0:
        sums = of_points(w, x_block, y_block, place < POINTS, order, threshold, FAMILY, LOSS, COUNT, True)
    else:
        next_x, next_y = tl.load(x + BLOCK + place), tl.load(y + BLOCK + place)
        sums = of_points(w, x_block, y_block, place < BLOCK, order, threshold, FAMILY, LOSS, COUNT, False)
        last = (points - 1) // BLOCK * BLOCK
        for begin in range(BLOCK, last, BLOCK):  # all points are there; the next block is on its way meanwhile
            x_block, y_block = next_x, next_y
            next_x, next_y = tl.load(x + begin + BLOCK + place), tl.load(y + begin + BLOCK + place)
            more = of_points(w, x_block, y_block, place < BLOCK, order, threshold, FAMILY, LOSS, COUNT, False)
            sums = added(sums, more, COUNT + 1)
        more = of_points(w, next_x, next_y, last + place < points, order, threshold, FAMILY, LOSS, COUNT, False)
        sums = summed(added(sums, more, COUNT + 1), COUNT + 1)
    return sums


@triton.jit
def _scaled(sums, points, LOSS: tl.constexpr, MEAN: tl.constexpr, COUNT: tl.constexpr):
    """The loss and the whole gradients, of a mean divided by the points."""
    size = points.to(sums[0].dtype)
    scaled = (quotient(sums[0], size) if MEAN else sums[0],)
    for k in tl.static_range(1, COUNT + 1):
        grad = 2.0 * sums[k] if LOSS == "mse" else sums[k]
        scaled = scaled + (quotient(grad, size) if MEAN else grad,)
    return scaled


@triton.jit
def _step(
    w, slot, other, sums, common, own, betas, counts, order,
    RULE: tl.constexpr, MOMENTUM: tl.constexpr, COUNT: tl.constexpr,
):  # fmt: skip
    """The weights and slots after one update. Where the order is below 4, the last weight had no part in it."""
    shared = corrections_at(betas, counts[0], RULE)
    new = updated(w[0], sums[1], slot[0], other[0], common, own, shared, counts[0], RULE, MOMENTUM)
    new_w, new_slot, new_other = (new[0],), (new[1],), (new[2],)
    for k in tl.static_range(1, COUNT):
        count, corrections = counts[0], shared
        if k == COUNT - 1:
            count = tl.maximum(counts[1], 1.0)
            corrections = corrections_at(betas, count, RULE)
        new = updated(w[k], sums[k + 1], slot[k], other[k], common, own, corrections, count, RULE, MOMENTUM)
        if k == COUNT - 1:
            new = _where(order >= 4, new, (w[k], slot[k], other[k]))
        new_w, new_slot, new_other = new_w + (new[0],), new_slot + (new[1],), new_other + (new[2],)
    return new_w, new_slot, new_other


@triton.jit
def _where(condition, new, old):
    return tl.where(condition, new[0], old[0]), tl.where(condition, new[1], old[1]), tl.where(condition, new[2], old[2])
