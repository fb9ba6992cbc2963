"""The helpers that other tests lean on must be able to fail."""

import collections

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from grasp_func.core import normalizer
from grasp_func.core.noise import Exploration
from helpers import POINT_REACH, assert_pure, assert_same, run_twins

STATE = normalizer.init(2)
DIFFERENT = [
    (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
    (torch.zeros(2), torch.zeros(2, 1)),
    (torch.tensor([0.0]), torch.tensor([-0.0])),  # equal for ==, not to the bit
    (np.float32([1]), np.nextafter(np.float32([1]), np.float32(2))),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ((1,), [1]),
    (Exploration(eps=0.1), Exploration(eps=0.2)),
    (STATE, STATE.replace(mean=torch.ones(2, dtype=torch.float64))),
    (np.random.default_rng(0), np.random.default_rng(1)),
    (torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_assert_same_sees_differences_at_any_depth(a, b):
    assert_same([{"x": (a,)}], [{"x": (a,)}])
    with pytest.raises(AssertionError):
        assert_same([{"x": (a,)}], [{"x": (b,)}])


def test_assert_same_takes_nan_for_nan():
    assert_same(np.float32([np.nan]), np.float32([np.nan]))


def test_assert_pure_returns_the_output():
    assert assert_pure(lambda x, *, y: x + y, 1, y=2) == 3


def test_assert_pure_sees_a_modified_input():
    with pytest.raises(AssertionError, match="input"):
        assert_pure(lambda x: x.add_(1), torch.zeros(2))
    with pytest.raises(AssertionError, match="input"):
        assert_pure(lambda *, state: state.mean.add_(1), state=normalizer.init(2))


def test_assert_pure_sees_hidden_state():
    counter = collections.Counter()

    def impure():
        counter["calls"] += 1
        return counter["calls"]

    with pytest.raises(AssertionError, match="output"):
        assert_pure(impure)
    with pytest.raises(AssertionError, match="output"):
        assert_pure(lambda: torch.rand(1))


@pytest.mark.parametrize("kwargs", [{}, {"dims": 1}, {"rotation": True}])
def test_point_reach_is_a_valid_environment(kwargs):
    check_env(gymnasium.make(POINT_REACH, **kwargs).unwrapped, skip_render_check=True)


def test_point_reach_can_be_solved_and_keeps_the_reward_contract():
    env = gymnasium.make(POINT_REACH)
    observation, _ = env.reset(seed=3)
    for _ in range(10):
        offset = observation["desired_goal"] - observation["achieved_goal"]
        observation, reward, _, truncated, info = env.step(np.clip(offset / 0.2, -1, 1))
        achieved, goal = observation["achieved_goal"], observation["desired_goal"]
        assert reward == env.unwrapped.compute_reward(achieved, goal, info)
    assert truncated
    assert info["is_success"]


def test_twins_exchange_values_in_rank_order():
    def program(comm):
        rank, received = comm.Get_rank(), np.empty((3, 2))
        comm.Allgather(np.full((1, 2), float(rank)), received)
        return comm.allgather(rank * 10), comm.bcast([rank], root=1), received.tolist()

    expected = ([0, 10, 20], [1], [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    assert run_twins(3, program) == [expected] * 3


def test_a_twin_that_raises_releases_the_others():
    def program(comm):
        if comm.Get_rank() == 1:
            raise KeyError("one")
        return comm.allgather(0)

    first, second = run_twins(2, program)
    assert isinstance(second, KeyError)
    assert "another process has left" in str(first)
