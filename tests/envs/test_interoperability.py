"""The environments without the trainer: vector environments, checkers, wrappers, installation."""

import copy
import pickle
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils import env_checker as gymnasium_checker
from gymnasium.vector import AutoresetMode
from stable_baselines3.common import env_checker as stable_baselines_checker

from envs import ENV_IDS
from envs.grasp_env import GraspEnv
from envs.suite import SUITE

ROOT = Path(__file__).parents[2]
ONE_OF_EACH = list({row.robot.name: env_id for env_id, row in SUITE.items()}.values())
TRAINERS = {"torch", "chex", "mpi4py", "orbax", "matplotlib", "pydantic", "filelock", "pyyaml"}
HEAVY = TRAINERS | {"jax", "yaml", "grasp_func"}


def alone(env_id, seed, steps):
    """Returns the observations of one environment, with actions drawn from its seed."""
    env = gymnasium.make(env_id)
    seen = [env.reset(seed=seed)[0]]
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        action = rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        seen.append(env.step(action)[0])
    env.close()
    return seen


def in_a_vector(env_id, mode, seeds, steps, **vector_kwargs):
    """Returns the observations of a vector environment, with the same actions per seed."""
    vector = gymnasium.make_vec(
        env_id, num_envs=len(seeds), vectorization_mode=mode, vector_kwargs=vector_kwargs
    )
    seen = [vector.reset(seed=list(seeds))[0]]
    rngs = [np.random.default_rng(seed) for seed in seeds]
    shape = vector.single_action_space.shape
    for _ in range(steps):
        seen.append(vector.step(np.array([r.uniform(-1, 1, shape) for r in rngs], "f"))[0])
    vector.close()
    return seen


def assert_equals_single_environments(env_id, seen, seeds):
    for index, seed in enumerate(seeds):
        for single, batch in zip(alone(env_id, seed, len(seen) - 1), seen, strict=True):
            for key, value in single.items():
                np.testing.assert_array_equal(batch[key][index], value)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_a_vector_in_one_process_equals_single_environments(env_id):
    assert_equals_single_environments(env_id, in_a_vector(env_id, "sync", (3, 4), 5), (3, 4))


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_vector_of_processes_equals_single_environments(context):
    for env_id in ONE_OF_EACH if context == "fork" else ONE_OF_EACH[:1]:
        # A fork copies this world of the parent process.
        gymnasium.make(env_id).reset(seed=0)
        seen = in_a_vector(env_id, "async", (3, 4), 5, context=context)
        assert_equals_single_environments(env_id, seen, (3, 4))


def test_a_vector_resets_its_environments():
    same = {"autoreset_mode": AutoresetMode.SAME_STEP}
    vector = gymnasium.make_vec(
        "FlatPJCube-v0", num_envs=2, vectorization_mode="sync", vector_kwargs=same
    )
    vector.reset(seed=0)
    for _ in range(50):
        obs, _, _, truncated, info = vector.step(vector.action_space.sample())
    assert truncated.all()
    assert set(info["final_info"]) >= {"is_success", "air_goal", "object_lift"}
    assert not np.array_equal(obs["observation"], info["final_obs"][0]["observation"])
    vector.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_gymnasiums_checker_accepts_the_environment(env_id):
    env = gymnasium.make(env_id).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gymnasium_checker.check_env(env, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("render_mode", [None, "rgb_array"])
def test_gymnasiums_checker_accepts_rendering_without_a_display(render_mode, monkeypatch):
    """The checker makes an environment for each render mode in `metadata`."""
    monkeypatch.delenv("DISPLAY", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("FlatPJCube-v0", render_mode=render_mode)
        gymnasium_checker.check_env(env.unwrapped, skip_render_check=False)
    env.close()


def test_the_human_mode_is_listed_if_there_is_a_display(monkeypatch):
    for display, modes in ((":0", ["human", "rgb_array"]), ("", ["rgb_array"])):
        monkeypatch.setenv("DISPLAY", display)
        env = GraspEnv("FlatPJCube-v0")
        assert env.metadata == {"render_modes": modes, "render_fps": 25}
        env.close()
    assert GraspEnv.metadata["render_modes"] == ["human", "rgb_array"]


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_stable_baselines_checker_accepts_the_environment(env_id):
    env = gymnasium.make(env_id).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stable_baselines_checker.check_env(env, warn=True, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("env_id", ONE_OF_EACH)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_is_rebuilt_from_the_arguments(env_id, copied):
    env = gymnasium.make(env_id, air_goal_share=1.0, object_size_multiplier=0.9).unwrapped
    # Before the first reset, and in an episode.
    for _ in range(2):
        twin = copied(env)
        assert twin.observation_space == env.observation_space
        assert twin.action_space == env.action_space
        with pytest.raises(ResetNeeded):
            twin.step(np.zeros(env.action_space.shape, np.float32))
        for a, b in zip(env.reset(seed=8), twin.reset(seed=8), strict=True):
            assert repr(a) == repr(b)
        twin.close()
    assert env.step(np.zeros(env.action_space.shape, np.float32))
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_spaces_can_be_copied_and_pickled(env_id):
    env = gymnasium.make(env_id)
    for space in (env.observation_space, env.action_space):
        assert copy.deepcopy(space) == space
        assert pickle.loads(pickle.dumps(space)) == space
    env.close()


def test_a_video_can_be_recorded(tmp_path):
    pytest.importorskip("moviepy")
    env = gymnasium.make(
        "FlatPJCube-v0", render_mode="rgb_array", render_width=64, render_height=48
    )
    folder = tmp_path / "videos"
    video = gymnasium.wrappers.RecordVideo(env, str(folder), episode_trigger=lambda n: n == 0)
    video.reset(seed=0)
    for _ in range(3):
        video.step(video.action_space.sample())
    video.close()
    assert [path.suffix for path in folder.iterdir()] == [".mp4"]


def test_importing_them_loads_nothing_of_the_trainer(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import gymnasium\n"
        "env = gymnasium.make('envs:FlatPJCube-v0')\n"
        "env.reset(seed=0); env.step(env.action_space.sample())\n"
        "print('loaded', *sys.modules)\n"
    )
    command = [sys.executable, "-c", code, str(ROOT)]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(output.stdout.split("loaded ")[1].split())
    assert "envs.grasp_env" in loaded
    assert not HEAVY & loaded


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_installation_works_from_elsewhere(tmp_path):
    """Without the dependencies of the trainer, such as torch and MPI."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [d for d in project["dependencies"] if re.split(r"\W", d)[0] not in TRAINERS]
    assert len(needed) == len(project["dependencies"]) - len(TRAINERS)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*install, *needed], check=True)
    subprocess.run([*install, "--no-deps", str(ROOT)], check=True)
    code = (
        "import envs, gymnasium\n"
        "for env_id in envs.ENV_IDS:\n"
        "    env = gymnasium.make(env_id)\n"
        "    env.reset(seed=0)\n"
        "    env.step(env.action_space.sample())\n"
        "    env.close()\n"
        "print(envs.__file__)\n"
    )
    done = subprocess.run(
        [python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert str(tmp_path) in done.stdout
