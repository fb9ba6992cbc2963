"""A scripted policy lifts every object, which shows that the tasks can be learned."""

import gymnasium
import numpy as np
import pytest
from scripted import LiftPolicy, slices, success_rate

from envs import ENV_IDS

# Least success rates. On uneven ground objects lean on blocks, which get in the way of the fingers.
# This policy perceives neither blocks nor obstacles, so an agent may do better. In 100 episodes it
# reached, in this order, .78, .89, .90, .90, .84, .64 and .49.
FLOORS = {
    "ObstacleSHCube-v0": 0.7,
    "UnevenPJFixedCube-v0": 0.7,
    "UnevenPJRotCube-v0": 0.8,
    "UnevenBarrettCube-v0": 0.8,
    "UnevenBarrettMesh-v0": 0.6,
    "UnevenSHCube-v0": 0.45,
    "UnevenSHMesh-v0": 0.35,
}
OPEN_IDS = [env_id for env_id in ENV_IDS if env_id not in FLOORS]


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_scripted_policy_lifts_objects(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    assert success_rate(env, 20) >= FLOORS.get(env_id, 0.95)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_scripted_policy_lifts_objects_in_many_episodes(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    assert success_rate(env, 100) >= FLOORS.get(env_id, 0.95)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("n_eigengrasps", [3, 5, 7])  # 0, the default, is tested above
def test_the_scripted_policy_lifts_a_cube_with_eigengrasps(n_eigengrasps):
    env = gymnasium.make("FlatSHCube-v0", air_goal_share=1.0, n_eigengrasps=n_eigengrasps)
    assert success_rate(env, 100) >= 0.95  # .98, .97 and 1.0
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("env_id", OPEN_IDS)
def test_the_scripted_policy_lifts_objects_of_other_sizes(env_id, factor):
    env = gymnasium.make(env_id, air_goal_share=1.0, object_size_multiplier=factor)
    # The BarrettHand's fingers miss some of the small meshes; the rate was .74.
    low = (env_id, factor) == ("FlatBarrettMesh-v0", 0.8)
    assert success_rate(env, 100, first_seed=1000) >= (0.65 if low else 0.9)
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_rough_handling_stays_physical(env_id):
    """No object gets faster than 5 m/s, and no centre of an object sinks into the table."""
    env = gymnasium.make(env_id)
    at = slices(env.unwrapped.observation_layout)
    rotation = slices(env.unwrapped.action_layout).get("grip_rot_matrix", slice(0))
    rng = np.random.default_rng(0)
    for seed in range(24):
        obs, _ = env.reset(seed=seed)
        for _ in range(50):
            to_object = obs["observation"][at["object_rel_pos"]] / 0.03
            action = rng.choice([-1.0, 1.0], env.action_space.shape).astype(np.float32)
            action[:3] = np.clip(to_object, -1, 1)
            action[rotation] = [0, 0, 1, 0, 1, 0, -1, 0, 0][: action[rotation].size]
            obs = env.step(action)[0]
            x, y, z = obs["achieved_goal"][:3]
            assert np.linalg.norm(obs["observation"][at["object_velp"]]) / 0.04 < 5.0 + 1.25
            if abs(x - 0.5) < 0.22 and abs(y) < 0.32:
                # Pressed objects sink in, but never by half.
                assert z > 0.4
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("env_id", OPEN_IDS)
def test_lifted_objects_survive_shaking(env_id):
    """In 16 random moves of up to 5 cm per step and axis, the object slips by less than 4 cm."""
    env = gymnasium.make(env_id, air_goal_share=1.0).unwrapped
    at = slices(env.observation_layout)["object_rel_pos"]
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(20):
        obs, _ = env.reset(seed=seed)
        policy = LiftPolicy(env)
        for _ in range(50):
            action = policy(obs)
            obs = env.step(action)[0]
        before = np.linalg.norm(obs["observation"][at])
        for _ in range(16):
            action[:3] = rng.uniform(-1, 1, 3)
            obs = env.step(action)[0]
        held += abs(np.linalg.norm(obs["observation"][at]) - before) < 0.04
    assert held >= 19
    env.close()
