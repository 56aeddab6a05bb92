"""The orders of stage 8 drawn on the GPU: what `numbers.draws.orders` draws on the host, member by member.

The generator is Philox4x64-10 (Salmon et al., 2011), whose constants these are; see `gradyard/jobs/numbers/draws.py`.
"""

import triton
import triton.language as tl

ROUNDS = tl.constexpr(10)
MULTIPLIER_0, MULTIPLIER_1 = tl.constexpr(0xD2E7470EE14C6C93), tl.constexpr(0xCA5A826395121157)
INCREMENT_0, INCREMENT_1 = tl.constexpr(0x9E3779B97F4A7C15), tl.constexpr(0xBB67AE8584CAA73B)


@triton.jit(do_not_specialize=["orders", "seeds", "begin", "steps", "members"])
def draw_orders(orders, seeds, begin, steps, members, STREAM: tl.constexpr, BLOCK: tl.constexpr):
    """Fill `orders`, int8 (steps, members), for the steps from `begin` on, by the `seeds`, int64 (members,).

    Launch it with a program for every `BLOCK` members and every four steps that begin at a multiple of 4.
    """
    member = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = member < members
    counter = begin.to(tl.int64) // 4 + tl.program_id(1)
    outputs = _philox(tl.load(seeds + member, mask=there, other=0).to(tl.uint64), counter, STREAM, BLOCK)
    for k in tl.static_range(4):
        step = (counter * 4 + k - begin).to(tl.int32)
        drawn = 3 + (outputs[k] % 3).to(tl.int8)
        tl.store(orders + step * members + member, drawn, mask=there & (step >= 0) & (step < steps))


@triton.jit
def _philox(seeds, counter, STREAM: tl.constexpr, BLOCK: tl.constexpr):
    """Four 64-bit outputs at a counter. As in numpy, the counter is advanced before the first output."""
    zero = tl.zeros([BLOCK], tl.uint64)
    a, b, c, d = zero + (counter + 1).to(tl.uint64), zero, zero, zero
    key_0, key_1 = seeds, zero + STREAM
    for _ in tl.static_range(ROUNDS):
        high_0, low_0 = tl.umulhi(a, zero + MULTIPLIER_0), a * MULTIPLIER_0
        high_1, low_1 = tl.umulhi(c, zero + MULTIPLIER_1), c * MULTIPLIER_1
        a, b, c, d = high_1 ^ b ^ key_0, low_1, high_0 ^ d ^ key_1, low_0
        key_0, key_1 = key_0 + INCREMENT_0, key_1 + INCREMENT_1
    return a, b, c, d
