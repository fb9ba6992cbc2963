"""Conversion to float32, the learner's number type."""

import numpy as np

from grasp_func.core.types import as_float32


def test_as_float32_copies_into_contiguous_float32():
    source = np.arange(6.0).reshape(2, 3).T
    result = as_float32(source)
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, source)
    result[0, 0] = 9.0
    assert source[0, 0] == 0.0


def test_as_float32_copies_float32_too():
    source = np.zeros(2, np.float32)
    assert not np.shares_memory(as_float32(source), source)
