"""What every point of the data adds to a member's loss and gradients, in Triton."""

import triton
import triton.language as tl


@triton.jit
def of_points(
    w, x, y, inside, order, threshold, FAMILY: tl.constexpr, LOSS: tl.constexpr, COUNT: tl.constexpr, SUM: tl.constexpr
):
    """A tuple: the loss, then the gradient of each of the `COUNT` weights; blocks, or with `SUM` their sums.

    For a squared error it is half of the gradient: twice the sum costs less than the sum of twice each slope.
    The models are those of `compiled.families`. `order` is the highest power of a `dynamic` model at this step. Points
    that are not `inside` give zeros. A block is summed before the next one is computed, which needs fewer registers.
    """
    if FAMILY == "legendre":
        blocks = _legendre(w, x, y, inside, threshold, LOSS, SUM)
    elif FAMILY == "dynamic":
        blocks = _dynamic(w, x, y, inside, order, threshold, LOSS, SUM)
    else:
        value, slope = _loss(tl.where(inside, _series(w, x, COUNT) - y, 0.0), threshold, LOSS)
        blocks = (_whole_or_sum(value, SUM), _whole_or_sum(slope, SUM))
        for _ in tl.static_range(1, COUNT):
            slope = slope * x
            blocks = blocks + (_whole_or_sum(slope, SUM),)
    return blocks


@triton.jit
def _whole_or_sum(block, SUM: tl.constexpr):
    result = block
    if SUM:
        result = tl.sum(block, 0)
    return result


@triton.jit
def _series(w, x, COUNT: tl.constexpr):
    """w[0] + w[1] x + w[2] x^2 + ... by Horner's rule, which keeps nothing but x in registers."""
    value = x * 0.0 + w[COUNT - 1]
    for k in tl.static_range(1, COUNT):
        value = value * x + w[COUNT - 1 - k]
    return value


@triton.jit
def _legendre(w, x, y, inside, threshold, LOSS: tl.constexpr, SUM: tl.constexpr):
    z = w[2] + w[3] * x
    model = z * (2.5 * (z * z) - 1.5)
    value, slope = _loss(tl.where(inside, w[0] + w[1] * model - y, 0.0), threshold, LOSS)
    outer = (_whole_or_sum(value, SUM), _whole_or_sum(slope, SUM), _whole_or_sum(slope * model, SUM))
    inner = slope * (w[1] * (7.5 * (z * z) - 1.5))
    return outer + (_whole_or_sum(inner, SUM), _whole_or_sum(inner * x, SUM))


@triton.jit
def _dynamic(w, x, y, inside, order, threshold, LOSS: tl.constexpr, SUM: tl.constexpr):
    fourth, fifth = tl.where(order >= 4, w[4], 0.0), tl.where(order >= 5, w[4], 0.0)
    error = _series((w[0], w[1], w[2], w[3], fourth, fifth), x, 6) - y
    value, slope = _loss(tl.where(inside, error, 0.0), threshold, LOSS)
    blocks = (_whole_or_sum(value, SUM), _whole_or_sum(slope, SUM))
    for _ in tl.static_range(3):
        slope = slope * x
        blocks = blocks + (_whole_or_sum(slope, SUM),)
    shared = slope * x * (1.0 + tl.where(order >= 5, x, 0.0))
    return blocks + (_whole_or_sum(shared, SUM),)


@triton.jit
def _loss(error, threshold, LOSS: tl.constexpr):
    """The loss and its slope at every point, as in `losses.written_out`; half the slope of a squared error."""
    size = tl.abs(error)
    sign = tl.where(error > 0, 1.0, tl.where(error < 0, -1.0, 0.0)).to(error.dtype)
    if LOSS == "mse":
        value, slope = error * error, error
    elif LOSS == "l1":
        value, slope = size, sign
    elif LOSS == "smooth_l1":
        divisor = tl.where(threshold > 0, threshold, 1.0)
        value = tl.where(size < threshold, 0.5 * size * size / divisor, size - 0.5 * threshold)
        slope = tl.where(size < threshold, error / divisor, sign)
    else:
        tl.static_assert(LOSS == "huber")
        value = tl.where(size < threshold, 0.5 * size * size, threshold * (size - 0.5 * threshold))
        slope = tl.where(size < threshold, error, threshold * sign)
    return value, slope
