"""Equal keys give equal numbers, different keys give different numbers."""

import hypothesis
import numpy as np
import torch
from hypothesis import strategies as st

from grasp_func.core.rng import Key, Stream, fold_in, integer_seed, numpy_rng, torch_rng

numbers = st.integers(0, 2**32 - 1)
keys = st.builds(Key, st.integers(0, 2**64), st.lists(numbers, max_size=5).map(tuple))


def draws(key):
    return (
        tuple(numpy_rng(key).integers(2**63, size=4)),
        tuple(torch.randint(2**62, (4,), generator=torch_rng(key)).tolist()),
        integer_seed(key),
    )


@hypothesis.given(keys, keys)
def test_only_equal_keys_give_equal_numbers(a, b):
    assert draws(a) == draws(Key(*a))
    if a != b:
        assert all(x != y for x, y in zip(draws(a), draws(b), strict=True))


@hypothesis.given(keys, numbers, numbers)
def test_order_of_folding_matters(key, a, b):
    assert fold_in(fold_in(key, a), b) == fold_in(key, a, b)
    if a != b:
        pairs = zip(draws(fold_in(key, a, b)), draws(fold_in(key, b, a)), strict=True)
        assert all(x != y for x, y in pairs)


def test_a_trailing_zero_is_part_of_the_path():
    key = Key(7, (1,))
    assert len({draws(key), draws(fold_in(key, 0)), draws(fold_in(key, 0, 0))}) == 3


def test_folding_does_not_change_the_key_and_takes_numpy_integers():
    key = Key(7)
    child = fold_in(key, np.int64(3), Stream.REPLAY)
    assert key == Key(7, ())
    assert child == Key(7, (3, 3))
    assert all(type(number) is int for number in child.path)


def test_streams_differ():
    assert len({draws(fold_in(Key(0), stream)) for stream in Stream}) == len(Stream) == 9


def test_numbers_stay_the_same_over_the_years():
    """Otherwise recorded runs could not be repeated."""
    key = fold_in(Key(0), Stream.REPLAY, 1, 2)
    assert numpy_rng(key).integers(1000, size=3).tolist() == [764, 240, 843]
    assert integer_seed(key) == 1815454984


@hypothesis.given(keys)
def test_integer_seeds_have_31_bits(key):
    assert 0 <= integer_seed(key) < 2**31
