"""Known answers of Philox, distributions, and permutations that are permutations."""

import numpy as np
import pytest

from nndsl import random

KNOWN_ANSWERS = [  # Random123's kat_vectors, philox4x32 10
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((random.MASK,) * 4, (random.MASK,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, answer):
    words = tuple(np.array([c], dtype=np.uint64) for c in counter)
    assert tuple(int(w[0]) for w in random.philox(words, key)) == answer


def test_elements_do_not_depend_on_how_many_are_drawn():
    whole = random.uniform_block(7, 3, 5, 101)
    assert np.array_equal(whole[:13], random.uniform_block(7, 3, 5, 13))
    assert np.array_equal(whole[6:], random.uniform_block(7, 3, 5, 95, first=6))
    normal = random.normal_block(7, 3, 5, 101)
    for first in range(6):
        assert np.array_equal(normal[first:], random.normal_block(7, 3, 5, 101 - first, first))


def test_uniform_numbers_are_exact_in_float32_and_uniform():
    numbers = random.uniform_block(1, 2, 3, 40_000)
    assert numbers.min() >= 0 and numbers.max() < 1
    assert np.array_equal(numbers.astype(np.float32).astype(np.float64), numbers)
    counts = np.histogram(numbers, bins=50, range=(0, 1))[0]
    assert ((counts - 800) ** 2 / 800).sum() < 85  # chi-square, 49 degrees: p = 0.001


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    numbers = random.normal_block(1, 2, 3, 40_000)
    assert abs(numbers.mean()) < 0.02
    assert abs(numbers.std() - 1) < 0.01
    assert abs((numbers**3).mean()) < 0.05
    assert abs((numbers**4).mean() - 3) < 0.15


def test_seeds_streams_and_steps_differ():
    blocks = [random.uniform_block(*key, 8) for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]]
    assert len({b.tobytes() for b in blocks}) == 4


def test_stream_goes_on_where_it_stopped():
    stream = random.Stream(5, random.stream_of("dense.weight"))
    first, second, third = stream.uniform(6), stream.normal(5), stream.uniform(3)
    again = random.Stream(5, random.stream_of("dense.weight"))
    assert np.array_equal(again.uniform(6), first)
    assert np.array_equal(again.normal(5), second)
    assert not np.array_equal(first[:3], third)


def test_stream_of_is_the_crc_of_the_name():
    assert random.stream_of("123456789") == 0xCBF43926


@pytest.mark.parametrize("rows", [*range(1, 71), 150, 1000, 4096, 60_000, 65_537])
def test_permutations_are_permutations(rows):
    order = random.permutation(rows, seed=3, epoch=rows % 5)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(rows))


@pytest.mark.parametrize("rows", [3, 8, 11, 150])
def test_every_row_comes_to_every_position_about_equally_often(rows):
    epochs = 400 * rows if rows < 20 else 3000
    orders = np.array([random.permutation(rows, 1, epoch) for epoch in range(epochs)])
    for position in (0, rows // 2, rows - 1):
        counts = np.bincount(orders[:, position], minlength=rows)
        if rows < 20:  # a network of four rounds on four bits is not perfect
            assert np.abs(counts / counts.mean() - 1).max() < 0.2
        else:
            assert_even(counts)


def test_neighbours_in_an_epoch_are_as_if_drawn_by_lot():
    orders = np.array([random.permutation(150, 1, epoch) for epoch in range(3000)])
    for distance in (1, 2, 64):
        differences = (orders[:, distance] - orders[:, 0]) % 150
        assert_even(np.bincount(differences, minlength=150)[1:])


def assert_even(counts):
    """Chi-square within five standard deviations."""
    expected = counts.sum() / len(counts)
    degrees = len(counts) - 1
    assert ((counts - expected) ** 2 / expected).sum() < degrees + 5 * np.sqrt(2 * degrees)


def test_numbers_of_elements_depend_on_the_element_alone() -> None:
    elements = np.array([7, 0, 2**31, 7])
    found = random.uniforms_of(5, 9, 3, elements, 6)
    assert found.shape == (4, 6)
    assert np.array_equal(found[0], found[3])
    assert len(np.unique(found[:3])) == 18
    assert ((found >= 0) & (found < 1)).all()
    assert np.array_equal(random.uniforms_of(5, 9, 3, elements[2:3], 4)[0], found[2, :4])
    for other in ((6, 9, 3), (5, 8, 3), (5, 9, 4)):
        assert not np.isin(random.uniforms_of(*other, elements, 6), found).any()
    assert not np.isin(random.uniforms_of(5, 9, 3, elements, 6, part=1), found).any()
    # element 0, part 0 is the block that a stream's own numbers come from
    assert np.array_equal(found[1, :4], random.uniform_block(5, 9, 3, 4))


def test_numbers_of_elements_are_uniform() -> None:
    found = random.uniforms_of(1, 2, 3, np.arange(5000), 4)
    assert np.abs(found.mean(axis=0) - 0.5).max() < 0.02
    assert np.abs(np.corrcoef(found.T) - np.eye(4)).max() < 0.05
    assert np.abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.05
