"""Initial states: regions, distances and resting objects."""

import dataclasses
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from scripted import slices

from envs import ENV_IDS
from envs.objects import body
from envs.objects.spec import OBJECTS, rest_height, sample_standing_or_lying
from envs.sim.types import Mesh
from envs.suite import SUITE
from envs.tasks.arenas import FLAT, ResetError

CENTRE = np.array([0.5, 0.0])


def starts(env, n):
    for seed in range(n):
        obs, info = env.reset(seed=seed)
        yield obs["observation"].astype(float), obs["desired_goal"][:3].astype(float), info


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_initial_positions_respect_regions_and_distances(env_id):
    env = gymnasium.make(env_id)
    at = slices(env.unwrapped.observation_layout)
    shapes = {spec.name: spec.shape for spec in env.unwrapped._objects}
    arena = SUITE[env_id].arena
    for seen, goal, info in starts(env, 200):
        grip, obj = seen[at["grip_pos"]], seen[at["object_pos"]]
        assert 0.15 <= grip[2] - 0.4 <= 0.35
        assert np.all(np.abs(grip[:2] - CENTRE) <= [0.05 + 1e-6, 0.10 + 1e-6])
        assert np.all(np.abs(obj[:2] - CENTRE) <= [0.10 + 1e-6, 0.15 + 1e-6])
        assert np.all(np.abs(goal[:2] - CENTRE) <= 0.15 + 1e-6)
        assert np.hypot(*(grip - obj)[:2]) >= 0.1 - 1e-6
        assert np.hypot(*(goal - obj)[:2]) >= 0.1 - 1e-6
        shape = shapes[env.unwrapped.save_reset()["object_name"]]
        if arena.bed:
            assert obj[2] > 0.41
        elif isinstance(shape, Mesh):
            # The scale of a mesh is its longest edge.
            assert 0.1 * shape.scale < obj[2] - 0.4 < 0.9 * shape.scale
        else:
            assert obj[2] == pytest.approx(0.4 + shape.size[0], abs=1e-6)
        lift = arena.lift(goal, obj)
        assert -1e-6 <= lift <= 0.3 + 1e-6
        assert info["air_goal"] == (lift > 0.05)
        assert not info["is_success"]
        for name in ("grip_velp", "object_velp", "object_velr"):
            assert not seen[at[name]].any()
    env.close()


@pytest.mark.parametrize(("p_air", "expected"), [(0.0, 0.0), (0.5, 0.5 * 5 / 6), (1.0, 5 / 6)])
def test_the_fraction_of_air_goals_follows_the_argument(p_air, expected):
    env = gymnasium.make("FlatPJCube-v0", air_goal_share=p_air)
    rows = list(starts(env, 400))
    on_table = np.mean([goal[2] == seen[16] for seen, goal, _ in rows])
    assert on_table == pytest.approx(1.0 - p_air, abs=0.07)
    assert np.mean([info["air_goal"] for *_, info in rows]) == pytest.approx(expected, abs=0.07)
    env.close()


def test_sizes_cover_the_requested_range():
    env = gymnasium.make("FlatPJCube-v0", object_size_multiplier=0.9, object_size_range=(0.8, 1.2))
    heights = [seen[16] - 0.4 for seen, *_ in starts(env, 100)]
    assert min(heights) >= 0.9 * 0.8 * 0.025 - 1e-6 and max(heights) <= 0.9 * 1.2 * 0.025 + 1e-6
    assert np.ptp(heights) > 0.005
    env.close()


def test_untouched_objects_do_not_move():
    for env_id in [env_id for env_id in ENV_IDS if not SUITE[env_id].arena.bed]:
        env = gymnasium.make(env_id)
        for seed in range(5):
            start = env.reset(seed=seed)[0]["achieved_goal"]
            for _ in range(20):
                obs = env.step(np.zeros(env.action_space.shape, np.float32))[0]
            np.testing.assert_allclose(obs["achieved_goal"], start, atol=1e-3)
        env.close()


def test_cylinders_stand_or_lie():
    rng = np.random.default_rng(0)
    upright = []
    for _ in range(300):
        x, y, _, _ = sample_standing_or_lying(rng)
        # The absolute cosine between the z axis and the vertical.
        upright.append(abs(1.0 - 2.0 * (x * x + y * y)))
    assert set(np.round(upright, 6)) == {0.0, 1.0}
    assert 0.4 < np.mean(upright) < 0.6


def test_rest_heights_by_hand():
    shapes = {name: spec.shape for name, spec in OBJECTS["ParallelJaw"].items()}
    # 45 degrees about x.
    eighth = (np.sin(np.pi / 8), 0.0, 0.0, np.cos(np.pi / 8))
    flat = (0.0, 0.0, 0.0, 1.0)
    tall = shapes["Cylinder"]._replace(size=(0.01, 0.04))
    root = np.sqrt(0.5)
    assert rest_height(shapes["Cube"], flat) == 0.025
    assert rest_height(shapes["Cube"], eighth) == pytest.approx(0.025 * np.sqrt(2))
    assert rest_height(shapes["Sphere"], eighth) == 0.025
    assert rest_height(tall, flat) == pytest.approx(0.04)
    assert rest_height(tall, (root, 0.0, 0.0, root)) == pytest.approx(0.01)
    assert rest_height(tall, eighth) == pytest.approx((0.01 + 0.04) * root)


def test_impossible_distances_raise_an_error():
    tight = dataclasses.replace(FLAT, clearance=9.0)
    with pytest.raises(ResetError, match=r"9\.0 m away"):
        tight.sample_object(np.random.default_rng(0), (0.5, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_a_thousand_resets_succeed(env_id):
    env = gymnasium.make(env_id)
    for seed in range(1000):
        env.reset(seed=seed)
    env.close()


@pytest.mark.slow
def test_memory_stays_flat(monkeypatch):
    """PyBullet leaks removed bodies: without rebuilt worlds, 3000 of them would leak 2.7 MB."""
    monkeypatch.setattr(body, "_MAX_BODIES", 500)
    env = gymnasium.make("FlatPJAll-v0")
    sizes = []
    for n in (2000, 3000):
        for _ in range(n):
            env.reset()
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
    assert sizes[1] - sizes[0] < 1.5e6
    env.close()
