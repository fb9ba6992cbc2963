"""Long runs of every gripper: nothing explodes, sinks into the table or leaks memory."""

import os
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from scripted import slices

from envs import ENV_IDS
from envs.robots import ROBOTS
from envs.suite import SUITE

# Per gripper, distributed over its environments.
STEPS = 200_000
EPISODE = 50
# Table top: height, centre, and half extents reduced by 2 cm.
TOP, MIDDLE, TABLE = 0.4, np.array([0.5, 0.0]), np.array([0.23, 0.33])
# Depth (m) to which the centre of a falling object may sink into the table for one step. Steps of
# 20 ms and 3 m/s allow for more than that.
DIP = 0.03
# The same for the floor, which an object that fell off the table hits at up to 4 m/s.
FALL = 0.1
MEGABYTE = 2**20
# Memory growth in the last quarter. PyBullet frees no shapes, and meshes have many sizes.
GROWTH = 24 * MEGABYTE


def resident():
    """Returns the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def uniform(rng, seen, hold):
    return rng.uniform(-1.0, 1.0, hold.size)


def extremes(rng, seen, hold):
    return rng.choice([-1.0, 1.0], hold.size)


def crush(rng, seen, hold):
    """Follows the object, with all other actions at random extremes."""
    return np.r_[seen / 0.03, extremes(rng, seen, hold)[3:]]


def press(rng, seen, hold):
    """Pushes down on the object in a constant posture."""
    return np.r_[seen[:2] / 0.03, -1.0, hold[3:]]


def sweep(rng, seen, hold):
    """Runs into the object from the side, close to the table."""
    return np.r_[seen[:2] / 0.03 + 3.0 * hold[:2] * rng.choice([-1.0, 1.0]), -1.0, hold[3:]]


POLICIES = (uniform, extremes, crush, press, sweep)


def rough_episode(env, policy, rng):
    """Returns the observations and object positions of one episode."""
    at = slices(env.observation_layout)["object_rel_pos"]
    hold = rng.choice([-1.0, 1.0], env.action_space.shape)
    obs, _ = env.reset(seed=int(rng.integers(2**31)))
    rows = []
    for _ in range(EPISODE):
        action = policy(rng, obs["observation"][at], hold)
        obs, reward, _, _, _ = env.step(np.clip(action, -1.0, 1.0))
        rows.append((obs["observation"], obs["achieved_goal"][:3], reward))
    seen, positions, rewards = (np.array(column) for column in zip(*rows, strict=True))
    assert np.isfinite(rewards).all()
    return seen, positions


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("gripper", [robot.name for robot in ROBOTS.values()])
def test_long_runs_stay_physical(gripper):
    """Random and adversarial episodes with objects of all sizes."""
    ids = [env_id for env_id in ENV_IDS if SUITE[env_id].robot.name == gripper]
    envs = [gymnasium.make(i, object_size_range=(0.8, 1.2)).unwrapped for i in ids]
    rng = np.random.default_rng(0)
    episodes = STEPS // EPISODE
    lowest, fastest, memory = np.inf, 0.0, 0
    for episode in range(episodes):
        env = envs[episode % len(envs)]
        policy = POLICIES[episode // len(envs) % len(POLICIES)]
        seen, positions = rough_episode(env, policy, rng)
        space = env.observation_space["observation"]
        case = f"{ids[episode % len(envs)]}, {policy.__name__}, episode {episode}"
        assert np.isfinite(seen).all() and np.isfinite(positions).all(), case
        assert (seen >= space.low).all() and (seen <= space.high).all(), case
        above = (np.abs(positions[:, :2] - MIDDLE) < TABLE).all(axis=1)
        height = positions[above, 2] - TOP
        lowest = min(lowest, height.min(initial=np.inf))
        assert lowest > -DIP, f"{case}: object {1e3 * lowest:.1f} mm above the table top"
        assert not above[-1] or height[-1] > 0.0, f"{case}: object left in the table"
        assert positions[:, 2].min() > -FALL, f"{case}: object through the floor"
        fastest = max(fastest, np.linalg.norm(np.diff(positions, axis=0), axis=1).max() / 0.04)
        if episode == 3 * episodes // 4:
            memory = resident()
    growth = resident() - memory
    print(
        f"{gripper}: lowest {1e3 * lowest:.1f} mm above the table top, fastest {fastest:.1f} m/s,"
        f" {growth / MEGABYTE:.1f} MB gained"
    )
    assert growth < GROWTH
    for env in envs:
        env.close()
