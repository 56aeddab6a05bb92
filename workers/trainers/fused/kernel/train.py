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

ARGUMENTS = (
    "x", "y", "orders", "numbers", "log_betas", "updates", "weights", "slots", "others", "losses", "steps", "points",
    "divisor", "x_stride", "y_stride",
)  # fmt: skip


@triton.jit(do_not_specialize=ARGUMENTS)
def train(
    x, y, orders, numbers, log_betas, updates, weights, slots, others, losses, steps, points, divisor, x_stride,
    y_stride, FAMILY: tl.constexpr, LOSS: tl.constexpr, RULE: tl.constexpr, MOMENTUM: tl.constexpr,
    COUNT: tl.constexpr, BLOCK: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """Do `steps` updates of every member, in place. Launch it with one program a member.

    `x`, `y`: the points of member m begin at m times the stride, which is 0 where all members have the same.
    `orders`: (steps, members), of a `dynamic` model. `numbers`, (members, 7), and `log_betas`, (members, 2), are those
    of `numbers.py`. `updates`: float64 (members, 2), how often the first weight and the last were updated before.
    `weights`, and `slots` and `others`, the two slots of the optimizer: (members, COUNT). `losses`: (members, steps);
    each is the sum over the points divided by `divisor`. `POINTS`: how many there are, if no more than `BLOCK`, else 0;
    a number known to the compiler spares most points the question whether they are one.
    """
    member = tl.program_id(0).to(tl.int64)
    first = COUNT * member
    w, slot, other = loaded(weights + first, COUNT), loaded(slots + first, COUNT), loaded(others + first, COUNT)
    common, own = loaded(numbers + 7 * member, 3), loaded(numbers + 7 * member + 3, 4)
    betas, counts = loaded(log_betas + 2 * member, 2), loaded(updates + 2 * member, 2)
    x, y, losses = x + member * x_stride, y + member * y_stride, losses + member * steps
    place = tl.arange(0, BLOCK)
    x_block = tl.load(x + place, mask=place < points, other=0.0)
    y_block = tl.load(y + place, mask=place < points, other=0.0)
    for step in range(steps):
        order = tl.full([], 5, tl.int8)
        if FAMILY == "dynamic":
            order = tl.load(orders + step * tl.num_programs(0) + member)
        sums = _sums(w, x, y, x_block, y_block, points, order, common[0], FAMILY, LOSS, COUNT, BLOCK, POINTS)
        scale = divisor.to(sums[0].dtype)
        tl.store(losses + step, quotient(sums[0], scale))
        counts = (counts[0] + 1.0, counts[1] + tl.where(order >= 4, 1.0, 0.0))
        w, slot, other = _step(w, slot, other, sums, scale, common, own, betas, counts, order, RULE, MOMENTUM, COUNT)
    store(weights + first, w, COUNT)
    store(slots + first, slot, COUNT)
    store(others + first, other, COUNT)


@triton.jit
def _sums(
    w, x, y, x_block, y_block, points, order, threshold, FAMILY: tl.constexpr, LOSS: tl.constexpr,
    COUNT: tl.constexpr, BLOCK: tl.constexpr, POINTS: tl.constexpr,
):  # fmt: skip
    """The loss and the gradients of the `COUNT` weights, summed over all points; the first block is there already."""
    one_block: tl.constexpr = POINTS > 0
    place = tl.arange(0, BLOCK)
    inside = place < (POINTS if one_block else points)
    sums = of_points(w, x_block, y_block, inside, order, threshold, FAMILY, LOSS, COUNT, one_block)
    if not one_block:
        for begin in range(BLOCK, points, BLOCK):
            within = begin + place < points
            next_x = tl.load(x + begin + place, mask=within, other=0.0)
            next_y = tl.load(y + begin + place, mask=within, other=0.0)
            more = of_points(w, next_x, next_y, within, order, threshold, FAMILY, LOSS, COUNT, False)
            sums = added(sums, more, COUNT + 1)
        sums = summed(sums, COUNT + 1)
    return sums


@triton.jit
def _step(
    w, slot, other, sums, scale, common, own, betas, counts, order,
    RULE: tl.constexpr, MOMENTUM: tl.constexpr, COUNT: tl.constexpr,
):  # fmt: skip
    """The weights and slots after one update. Where the order is below 4, the last weight had no part in it."""
    shared = corrections_at(betas, counts[0], RULE)
    new = updated(
        w[0], quotient(sums[1], scale), slot[0], other[0], common, own, shared, counts[0], RULE, MOMENTUM
    )  # fmt: skip
    new_w, new_slot, new_other = (new[0],), (new[1],), (new[2],)
    for k in tl.static_range(1, COUNT):
        count, corrections = counts[0], shared
        if k == COUNT - 1:
            count = tl.maximum(counts[1], 1.0)
            corrections = corrections_at(betas, count, RULE)
        new = updated(
            w[k], quotient(sums[k + 1], scale), slot[k], other[k], common, own, corrections, count, RULE, MOMENTUM
        )  # fmt: skip
        if k == COUNT - 1:
            new = _where(order >= 4, new, (w[k], slot[k], other[k]))
        new_w, new_slot, new_other = new_w + (new[0],), new_slot + (new[1],), new_other + (new[2],)
    return new_w, new_slot, new_other


@triton.jit
def _where(condition, new, old):
    return tl.where(condition, new[0], old[0]), tl.where(condition, new[1], old[1]), tl.where(condition, new[2], old[2])
