"""Tuples of numbers or blocks in a Triton kernel, one element for each coefficient, slot or sum."""

import triton
import triton.language as tl


@triton.jit
def loaded(place, COUNT: tl.constexpr):
    """The `COUNT` numbers that begin at that pointer."""
    values = (tl.load(place),)
    for k in tl.static_range(1, COUNT):
        values = values + (tl.load(place + k),)
    return values


@triton.jit
def store(place, values, COUNT: tl.constexpr):
    """The inverse of `loaded`."""
    for k in tl.static_range(COUNT):
        tl.store(place + k, values[k])


@triton.jit
def added(blocks, others, COUNT: tl.constexpr):
    """The sums of two tuples, element by element."""
    sums = (blocks[0] + others[0],)
    for k in tl.static_range(1, COUNT):
        sums = sums + (blocks[k] + others[k],)
    return sums


@triton.jit
def summed(blocks, COUNT: tl.constexpr):
    """Of each block the sum of its elements, by a tree that follows from the block's size and the warps alone."""
    sums = (tl.sum(blocks[0], 0),)
    for k in tl.static_range(1, COUNT):
        sums = sums + (tl.sum(blocks[k], 0),)
    return sums


@triton.jit
def quotient(number, divisor):
    """Rounded to the nearest, where Triton's own division of float32 is faster and less exact."""
    if number.dtype == tl.float32:
        result = tl.div_rn(number, divisor)
    else:
        result = number / divisor
    return result


@triton.jit
def root(number):
    """The square root, rounded to the nearest."""
    if number.dtype == tl.float32:
        result = tl.sqrt_rn(number)
    else:
        result = tl.sqrt(number)
    return result
