"""The five update rules of one weight, in Triton: the classes of `optimizers.update_rules` with plain numbers."""

import triton
import triton.language as tl

from workers.trainers.fused.kernel.scalars import quotient, root


@triton.jit
def updated(weight, grad, slot, other, common, own, corrections, count, RULE: tl.constexpr, MOMENTUM: tl.constexpr):
    """The weight and its two slots after its update number `count`.

    `common` are the threshold of the loss, the learning rate and the weight decay.
    `own` are the rule's numbers as in `numbers.OWN_NUMBERS`, `corrections` the result of `corrections_at`.
    """
    _, rate, decay = common
    if RULE == "adamw":
        weight = weight * (1.0 - rate * decay)
    else:
        grad = tl.where(decay != 0, grad + weight * decay, grad)
    if RULE == "sgd":
        slot, step = _sgd(grad, slot, own, MOMENTUM)
    elif RULE == "rmsprop":
        slot, other, step = _rmsprop(grad, slot, other, own, MOMENTUM)
    elif RULE == "adagrad":
        slot = slot + grad * grad
        step = quotient(grad, root(slot) + own[0])
        rate = quotient(rate, 1.0 + (count - 1.0).to(weight.dtype) * own[1])
    else:
        tl.static_assert(RULE == "adam" or RULE == "adamw")
        slot, other, step = _adam(grad, slot, other, own, corrections)
    return weight - rate * step, slot, other


@triton.jit
def corrections_at(betas, count, RULE: tl.constexpr):
    """What Adam divides by at its update number `count`: 1 - beta1^count, and the root of 1 - beta2^count.

    `betas` are the logarithms of base 2 of both, and `count` is a float64: a float32 would lose the difference from 1.
    """
    corrections = (count, count)  # other rules have none
    if RULE == "adam" or RULE == "adamw":
        corrections = (1.0 - tl.exp2(count * betas[0]), tl.sqrt(1.0 - tl.exp2(count * betas[1])))
    return corrections


@triton.jit
def _sgd(grad, slot, own, MOMENTUM: tl.constexpr):
    step = grad
    if MOMENTUM:
        slot = slot * own[0] + grad
        step = tl.where(own[1] != 0, grad + slot * own[0], slot)
    return slot, step


@triton.jit
def _rmsprop(grad, slot, other, own, MOMENTUM: tl.constexpr):
    slot = slot * own[0] + own[1] * grad * grad
    step = quotient(grad, root(slot) + own[2])
    if MOMENTUM:
        other = other * own[3] + step
        step = other
    return slot, other, step


@triton.jit
def _adam(grad, slot, other, own, corrections):
    slot = slot + own[0] * (grad - slot)
    other = other * own[1] + own[2] * grad * grad
    divisor = quotient(root(other), corrections[1].to(other.dtype)) + own[3]
    return slot, other, quotient(quotient(slot, corrections[0].to(slot.dtype)), divisor)
