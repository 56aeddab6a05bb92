"""A seed must give the same numbers for ever: the vectors here may never change."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gradyard.jobs.numbers.draws import Stream, normals, normals_of, orders, uniforms, uniforms_of

Draw = Callable[[int, Stream, int], np.ndarray]
DrawOfSeeds = Callable[[Sequence[int], Stream, int], np.ndarray]

LARGEST_SEED = 2**53 - 1

NORMALS_OF_7 = [-0.04739161673254484, -1.192916693828728, 0.40070996668332465, -0.8106331979639336]
UNIFORMS_OF_7 = [0.7649336605090824, -0.26192333064903184, 0.034139388905422674, -0.3364204984559982]
NOISE_OF_THE_LARGEST_SEED = [0.5082793593229528, 0.6966858487070332, 1.3860989224904579]
ORDERS_OF_7 = [3, 4, 5, 5, 5, 4, 4, 4, 3, 4, 4, 4, 4, 4, 3, 3, 5, 4, 3, 4, 3, 5, 4, 5]


def test_normals_are_fixed() -> None:
    assert normals(7, Stream.INITIAL_WEIGHTS, 4).tolist() == NORMALS_OF_7
    assert normals(LARGEST_SEED, Stream.NOISE, 3).tolist() == NOISE_OF_THE_LARGEST_SEED


def test_uniforms_are_fixed() -> None:
    assert uniforms(7, Stream.INITIAL_WEIGHTS, 4).tolist() == UNIFORMS_OF_7


def test_orders_are_fixed() -> None:
    assert orders(7, 0, 24).tolist() == ORDERS_OF_7


def test_orders_of_a_step_do_not_depend_on_where_the_draw_begins() -> None:
    whole = orders(11, 0, 5000)
    for begin, count in ((0, 1), (1, 1), (2, 9), (3, 4), (4, 4), (1021, 1024), (4999, 1)):
        assert np.array_equal(orders(11, begin, count), whole[begin : begin + count])


def test_orders_are_uniform_over_three_four_and_five() -> None:
    counts = np.bincount(orders(3, 0, 90_000), minlength=6)
    assert counts[:3].sum() == 0
    # four standard deviations of a binomial with p = 1/3
    assert np.abs(counts[3:] - 30_000).max() < 4 * np.sqrt(90_000 * 2 / 9)


def test_uniforms_lie_between_minus_one_and_one() -> None:
    drawn = uniforms(5, Stream.INITIAL_WEIGHTS, 10_000)
    assert drawn.min() >= -1.0
    assert drawn.max() < 1.0
    assert abs(drawn.mean()) < 4 / np.sqrt(3 * 10_000)


@pytest.mark.parametrize("draw", [normals, uniforms])
def test_a_longer_draw_begins_with_the_shorter_one(draw: Draw) -> None:
    assert np.array_equal(draw(1, Stream.NOISE, 100)[:7], draw(1, Stream.NOISE, 7))


@pytest.mark.parametrize(("draw", "draw_all"), [(normals, normals_of), (uniforms, uniforms_of)])
def test_the_numbers_of_many_seeds_are_those_of_each(draw: Draw, draw_all: DrawOfSeeds) -> None:
    seeds = [3, LARGEST_SEED, 0, 3]
    assert np.array_equal(draw_all(seeds, Stream.NOISE, 5), [draw(seed, Stream.NOISE, 5) for seed in seeds])


def test_streams_and_seeds_are_independent() -> None:
    streams = [normals(1, stream, 1000) for stream in Stream] + [normals(2, Stream.NOISE, 1000)]
    correlations = np.corrcoef(streams) - np.eye(len(streams))
    assert np.abs(correlations).max() < 0.15
