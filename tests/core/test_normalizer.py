"""Moments by hand and against NumPy, for any partition of the data."""

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from grasp_func.core import normalizer
from grasp_func.core.normalizer import MIN_STD, NormState, Scaling
from helpers import assert_same


def state(count, mean, m2):
    arrays = (torch.tensor(x, dtype=torch.float64) for x in (count, mean, m2))
    return NormState(**dict(zip(("count", "mean", "m2"), arrays, strict=True)))


def merged(chunks, size):
    total = normalizer.init(size)
    for chunk in chunks:
        total = normalizer.merge(total, normalizer.batch_moments(chunk))
    return total


def test_moments_by_hand():
    # columns 1, 3 and 2, 8: means 2 and 5; deviations 1, 1 and 3, 3: squares 2 and 18
    batch = torch.tensor([[1.0, 2.0], [3.0, 8.0]])
    assert_same(normalizer.batch_moments(batch), state(2.0, [2.0, 5.0], [2.0, 18.0]))


def test_moments_of_nothing():
    assert_same(normalizer.batch_moments(torch.zeros(0, 3)), normalizer.init(3))
    with pytest.raises(AssertionError):
        normalizer.batch_moments(torch.zeros(3))


def test_merge_by_hand():
    # {1, 3} and {8}: mean 2 + (8 - 2) * 1/3 = 4; m2 = 2 + 0 + 6^2 * 2 * 1/3 = 26 = 9 + 1 + 16
    both = normalizer.merge(state(2.0, [2.0], [2.0]), state(1.0, [8.0], [0.0]))
    torch.testing.assert_close(both.mean, torch.tensor([4.0], dtype=torch.float64))
    torch.testing.assert_close(both.m2, torch.tensor([26.0], dtype=torch.float64))
    assert float(both.count) == 3.0


def test_merging_nothing_changes_nothing():
    one = normalizer.batch_moments(torch.tensor([[1.0, 2.0], [3.0, 8.0]]))
    nothing = normalizer.init(2)
    assert_same(normalizer.merge(one, nothing), one)
    assert_same(normalizer.merge(nothing, one), one)
    assert_same(normalizer.merge(nothing, nothing), nothing)


def test_merge_refuses_other_sizes():
    with pytest.raises(AssertionError):
        normalizer.merge(normalizer.init(2), normalizer.init(1))


@hypothesis.given(
    st.lists(st.integers(0, 40), max_size=6), st.sampled_from([0.0, 1e3, -1e5]), st.integers(0, 99)
)
def test_any_partition_gives_numpys_mean_and_std(cuts, offset, seed):
    data = np.random.default_rng(seed).normal(offset, [1.0, 10.0], (40, 2)).astype(np.float32)
    chunks = np.split(data, sorted(cuts))
    total = merged(map(torch.from_numpy, chunks), 2)
    found = normalizer.scaling(total, 5.0)
    wide = data.astype(np.float64)
    assert float(total.count) == 40.0
    np.testing.assert_allclose(total.mean, wide.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.mean, wide.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found.std, wide.std(0), rtol=1e-6)


def test_variance_survives_an_offset_that_breaks_running_sums():
    """In float32, or as E[x^2] - E[x]^2, the variance of these numbers is lost or negative."""
    data = torch.tensor([[1e4 - 0.5], [1e4 + 0.5]]).repeat(1000, 1)
    total = merged(data.split(10), 1)
    torch.testing.assert_close(normalizer.scaling(total, 5.0).std, torch.tensor([0.5]))


def test_scaling_by_hand():
    # std = sqrt(m2 / count) = sqrt(18 / 2) = 3; sqrt(0 / 2) = 0 becomes MIN_STD
    found = normalizer.scaling(state(2.0, [1.0, 4.0], [18.0, 0.0]), 7.0)
    assert_same(found, Scaling(torch.tensor([1.0, 4.0]), torch.tensor([3.0, MIN_STD]), 7.0))


def test_scaling_leaves_excluded_entries_unchanged():
    found = normalizer.scaling(state(2.0, [1.0, 4.0], [18.0, 18.0]), 7.0, (1,))
    assert_same(found, Scaling(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 1.0]), 7.0))


def test_scaling_without_data_changes_nothing():
    found = normalizer.scaling(normalizer.init(2), 7.0)
    assert_same(found, Scaling(torch.zeros(2), torch.ones(2), 7.0))


def test_normalize_by_hand():
    scale = Scaling(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 0.5]), 3.0)
    x = torch.tensor([[5.0, 0.5], [1.0, -9.0]])
    # (5 - 1) / 2 = 2, 0.5 / 0.5 = 1; (1 - 1) / 2 = 0, -9 / 0.5 = -18 is clipped to -3
    assert_same(normalizer.normalize(x, scale), torch.tensor([[2.0, 1.0], [0.0, -3.0]]))
