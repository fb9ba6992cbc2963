"""Intervals by hand, and the contents of statistics files."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grasp_func.errors import SaveError
from grasp_func.training.metrics import stats_json
from grasp_func.training.rate import wilson_interval
from statistics_rows import make_row


def test_wilson_interval_by_hand():
    # share 1/2, n 10, z 2: centre .5 + 4/20 = .7, half width 2 sqrt(.25/10 + 4/400) = 2 sqrt(.035),
    # both over 1 + 4/10 = 1.4
    low, high = wilson_interval(5, 10, z=2)
    assert low == pytest.approx((0.7 - 2 * math.sqrt(0.035)) / 1.4)
    assert high == pytest.approx((0.7 + 2 * math.sqrt(0.035)) / 1.4)
    # share 0: centre 4/20 = .2, half width 2 sqrt(4/400) = .2, so 0 and .4 / 1.4 = 2/7
    assert wilson_interval(0, 10, z=2) == pytest.approx((0.0, 2 / 7))
    # share 1 mirrors share 0
    assert wilson_interval(10, 10, z=2) == pytest.approx((5 / 7, 1.0))


def test_wilson_interval_without_trials_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (0, -1), (math.nan, 3)])
def test_wilson_interval_refuses_impossible_counts(successes, n):
    with pytest.raises(ValueError, match="expected 0 <= successes <= trials"):
        wilson_interval(successes, n)


@given(st.integers(1, 2000), st.data())
def test_wilson_interval_holds_the_share_and_shrinks_with_data(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    low_100, high_100 = wilson_interval(100 * successes, 100 * n)
    assert high_100 - low_100 < high - low


def test_statistics_are_json_in_order_with_a_line_for_each_row():
    facts, rows = {"z": 1, "a": {"x": None}}, [make_row(0), make_row(1)]
    data = stats_json(facts, rows)
    loaded = json.loads(data)
    assert loaded == {**facts, "epochs": rows}
    assert list(loaded) == ["z", "a", "epochs"]
    assert [json.loads(line.rstrip(b",")) for line in data.splitlines()[4:6]] == rows
    assert json.loads(stats_json({"z": 1}, [])) == {"z": 1, "epochs": []}


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}])
def test_statistics_that_are_not_json_are_refused(value):
    with pytest.raises(SaveError, match=r"statistics: not plain JSON"):
        stats_json({"bad": value}, [])
    with pytest.raises(SaveError, match=r"statistics: not plain JSON"):
        stats_json({}, [{"bad": value}])
