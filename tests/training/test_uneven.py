"""Episodes on uneven ground: which of them count as lifting."""

from itertools import product

import gymnasium
import numpy as np
import pytest

import envs  # noqa: F401
from grasp_func.core.replay import LIFTED
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.rollout import run_episode

SEED = 5


def play_moved(env, height):
    """Plays an episode whose object is then `height` above the highest block of the bed."""
    goal_env, inner = GymGoalEnv(env), env.unwrapped
    ground, simulated = inner._arena.ground, inner._sim.state

    def moved(body):
        state = simulated(body)
        return state._replace(position=place) if body == inner._object else state

    goal_env.reset(SEED)
    x, y, z = inner.save_reset()["object_position"]
    steps = np.arange(-0.2, 0.201, 0.01)
    tip = max(product(x + steps, y + steps), key=lambda point: ground(*point))
    place = (*tip, z + ground(*tip) - ground(x, y) + height)

    def policy(obs, goal):
        inner._sim.state = moved
        return np.zeros(goal_env.spec.action)

    return run_episode(goal_env, policy, SEED)[0]


@pytest.mark.parametrize(("height", "lifted"), [(0.0, 0), (0.06, 1)])
def test_climbing_a_block_is_no_lifting(height, lifted):
    env = gymnasium.make("UnevenPJRotCube-v0")
    episode = play_moved(env, height)
    env.close()
    rise = episode.achieved[:, 2].max() - episode.achieved[0, 2]
    # On a table this would be lifting in both cases.
    assert rise > LIFTED
    assert episode.flags.tolist() == [1, lifted]
