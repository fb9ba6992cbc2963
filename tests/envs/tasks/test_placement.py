"""The uneven ground: its height, and objects that come to rest on it."""

import dataclasses

import gymnasium
import numpy as np
import pybullet as p
import pytest

from envs.objects.spec import OBJECTS
from envs.robots import ROBOTS
from envs.sim import rotations
from envs.sim.types import Shape
from envs.suite import SUITE
from envs.tasks.arenas import UNEVEN, ResetError
from envs.tasks.placement import make_ground
from envs.tasks.terrain import height

UNEVEN_IDS = [env_id for env_id, row in SUITE.items() if row.arena.bed]
CUBE = OBJECTS["ParallelJaw"]["Cube"]


def test_height_by_hand():
    eighth = rotations.about_x(np.pi / 4)  # an edge up: root 2 above the centre, falling at 45 deg
    box = Shape("box", (0.1, 0.1, 0.1), (1.0, 2.0, 0.5), eighth)
    assert height([box], 1.0, 2.0) == pytest.approx(0.5 + 0.1 * np.sqrt(2))
    assert height([box], 1.0, 2.05) == pytest.approx(0.45 + 0.1 * np.sqrt(2))
    assert height([box], 1.11, 2.0) == -np.inf  # beyond the end of the edge
    assert height([box, box._replace(rotation=(0, 0, 0, 1))], 1.0, 2.14) == pytest.approx(
        0.36 + 0.1 * np.sqrt(2)
    )
    assert height([], 1.0, 2.0) == -np.inf


def test_height_is_that_of_the_simulated_ground():
    env = gymnasium.make("UnevenPJRotCube-v0")
    env.reset(seed=0)
    inner = env.unwrapped
    inner._sim.flush([inner._robot.body, inner._object])  # out of the way
    rng = np.random.default_rng(0)
    for x, y in rng.uniform((0.26, -0.34), (0.74, 0.34), (300, 2)):
        hit = p.rayTest((x, y, 0.6), (x, y, 0.3), physicsClientId=inner._sim._client)[0]
        assert UNEVEN.ground(x, y) == pytest.approx(hit[3][2], abs=4e-3)
    env.close()


@pytest.mark.parametrize("env_id", UNEVEN_IDS)
def test_objects_begin_at_rest(env_id):
    """Nearly: one in a hundred begins to slide or topple later on."""
    env = gymnasium.make(env_id)
    moved, turned = [], []
    for seed in range(60):
        start = env.reset(seed=seed)[0]
        for _ in range(20):
            obs = env.step(np.zeros(env.action_space.shape, np.float32))[0]
        moved.append(np.linalg.norm(obs["achieved_goal"] - start["achieved_goal"]))
        turned.append(start["observation"][-18:-12])
    assert np.quantile(moved, 0.9) < 3e-3
    assert np.mean(np.array(moved) > 0.01) <= 0.05
    level = np.abs(np.reshape(turned, (-1, 2, 3))[:, :, 2]).max(axis=1) < 0.05
    assert np.mean(level) < 0.7  # objects lean on blocks
    env.close()


def test_goals_without_lift_touch_the_ground_there():
    env = gymnasium.make("UnevenPJRotCube-v0", air_goal_share=0.0)
    above = []
    for seed in range(100):
        obs, info = env.reset(seed=seed)
        x, y, z = obs["desired_goal"].tolist()
        above.append(z - UNEVEN.ground(x, y))
        assert not info["air_goal"]
    assert min(above) > 0.02 and max(above) < 0.06  # a 5 cm cube's centre
    env.close()


def test_ground_where_nothing_rests_gives_up():
    steep = dataclasses.replace(UNEVEN, object_region=(1e-4, 1e-4))
    ground = make_ground(steep, ROBOTS["PJ"].stepping)
    with pytest.raises(ResetError, match=r"Cube of size 1\.0 did not come to rest"):
        ground.lay(np.random.default_rng(0), CUBE, 1.0, (0.7, 0.0))
    ground.close()


def test_lying_does_not_depend_on_what_was_dropped_before():
    fresh, used = (make_ground(UNEVEN, ROBOTS["PJ"].stepping) for _ in range(2))
    for seed in range(5):
        used.lay(np.random.default_rng(100 + seed), OBJECTS["ParallelJaw"]["Sphere"], 1.2, (0, 0))
    for seed in range(5):
        poses = [g.lay(np.random.default_rng(seed), CUBE, 1.0, (0.5, 0.0)) for g in (fresh, used)]
        assert poses[0] == poses[1]
