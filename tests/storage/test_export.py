"""Exported agents act as the original does; what cannot be exported leaves nothing behind."""

import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file
from torch import nn

import envs  # noqa: F401  registers the environments
import small_agents
from command_line import call
from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import Scaling
from grasp_func.core.numpy_policy import act
from grasp_func.core.rng import Key
from grasp_func.errors import SaveError
from grasp_func.storage.agent_files import FILES, read_agent, write_agent
from grasp_func.storage.dextgen import read_dextgen_normalizer
from grasp_func.storage.export import (
    FORMATS,
    Agent,
    dextgen_files,
    export_agent,
    safetensors_files,
    torchscript_files,
)
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.rollout import run_episode
from helpers import DEGENERATE, ENV_SPEC, TURNING

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated")
PROGRAM = Path(__file__).parents[2] / "examples" / "export.py"
ENV = "FlatPJCube-v0"
WRITTEN = {
    *("actor.safetensors", "critic.safetensors", "policy.torchscript"),
    *(f"dextgen/{name}" for name in FILES),
}
OBS = Scaling(torch.tensor([0.1, -2.0, 0.0, 5.0]), torch.tensor([1.0, 0.5, 0.01, 3.0]), 2.0)
GOAL = Scaling(torch.tensor([0.3, 0.0]), torch.tensor([0.2, 1.0]), 1.0)


def policy_pair(actor, rotation, obs=OBS, goal=GOAL, products=()):
    """Returns the policy and its exported module, which went through a file's bytes."""
    files = small_agents.agent()._replace(
        actor=actor, obs_scaling=obs, goal_scaling=goal, products=products
    )
    (data,) = torchscript_files(Agent(files, rotation)).values()
    return files.policy(rotation), torch.jit.load(io.BytesIO(data))


def inputs(n, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(0, 3, (n, size)).astype(np.float32) for size in (ENV_SPEC.obs, ENV_SPEC.goal)
    )


def assert_equal_actions(policy, module, obs, goal):
    expected = np.stack([act(policy, *pair) for pair in zip(obs, goal, strict=True)])
    found = module(torch.from_numpy(obs), torch.from_numpy(goal))
    assert found.dtype == torch.float32 and not found.requires_grad
    assert found.shape == expected.shape
    assert (np.abs(found.numpy() - expected) <= 1e-6).all()
    return expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("spec", [NetworkSpec("PosePolicyNet", 4, 64), NetworkSpec("DDP", 2, 32)])
def test_torchscript_acts_as_the_policy(spec, relative, seed):
    nets = make_networks(TURNING, spec._replace(relative_rotation=relative))
    policy, module = policy_pair(
        nets.init(Key(seed))["actor"], nets.rotation, products=nets.products
    )
    obs, goal = inputs(300, seed)
    assert_equal_actions(policy, module, obs, goal)


@pytest.mark.slow
def test_torchscript_acts_as_the_trained_agent_on_ten_thousand_observations():
    """A trained actor's rotation embeddings are short, which blows rounding up."""
    directory = PROGRAM.parents[1] / "saves" / "pretrain" / "ParallelJaw"
    files, env = read_agent(directory), GymGoalEnv(gymnasium.make(ENV))
    policy, module = policy_pair(
        files.actor, env.spec.rotation, files.obs_scaling, files.goal_scaling
    )
    episodes = [run_episode(env, policy, seed)[0] for seed in range(200)]
    obs = np.concatenate([episode.obs for episode in episodes])
    goal = np.concatenate([np.tile(episode.goal, (len(episode.obs), 1)) for episode in episodes])
    assert len(obs) > 10_000
    assert_equal_actions(policy, module, obs, goal)


def test_torchscript_falls_back_to_the_same_axes():
    """The actor passes six inputs through to the embedding: degenerate ones, ties of all axes."""
    weight = torch.cat([torch.zeros(2, 6), torch.eye(6)])
    actor = {"layers.0.weight": weight, "layers.0.bias": torch.zeros(8)}
    plain = [Scaling(torch.zeros(n), torch.ones(n), 10.0) for n in (ENV_SPEC.obs, ENV_SPEC.goal)]
    policy, module = policy_pair(actor, ENV_SPEC.rotation, *plain)
    grid = np.array(np.meshgrid(*[[-0.5, 0.0, 0.5]] * 6)).reshape(6, -1).T
    random = np.random.default_rng(0).uniform(-1, 1, (300, 6))
    embeddings = np.concatenate([list(DEGENERATE.values()), grid, random])
    x = np.arctanh(embeddings).astype(np.float32)
    actions = assert_equal_actions(policy, module, x[:, : ENV_SPEC.obs], x[:, ENV_SPEC.obs :])
    matrices = actions[:, ENV_SPEC.rotation].reshape(-1, 3, 3)
    eye = np.broadcast_to(np.eye(3), matrices.shape)
    np.testing.assert_allclose(matrices.transpose(0, 2, 1) @ matrices, eye, atol=1e-6)


def test_torchscript_takes_any_leading_axes_and_float64():
    nets = make_networks(ENV_SPEC, NetworkSpec("PosePolicyNet", 2, 8))
    _, module = policy_pair(nets.init(Key(0))["actor"], nets.rotation)
    obs, goal = (torch.from_numpy(x) for x in inputs(6))
    batch = module(obs, goal)
    torch.testing.assert_close(module(obs[0], goal[0]), batch[0], rtol=0, atol=1e-6)
    assert module(obs.reshape(2, 3, -1), goal.reshape(2, 3, -1)).shape == (2, 3, ENV_SPEC.action)
    torch.testing.assert_close(module(obs.double(), goal), batch, rtol=0, atol=0)
    assert module(obs[:0], goal[:0]).shape == (0, ENV_SPEC.action)


def test_a_module_that_acts_otherwise_is_not_exported(monkeypatch):
    nets = make_networks(ENV_SPEC, NetworkSpec("PosePolicyNet", 2, 8))
    other = lambda policy, obs, goal: act(policy, obs, goal) + np.float32(1e-5)  # noqa: E731
    monkeypatch.setattr("grasp_func.storage.export.act", other)
    with pytest.raises(SaveError, match=r"actions differ by .* expected 1e-06"):
        policy_pair(nets.init(Key(0))["actor"], nets.rotation)


def test_torchscript_clips_large_inputs():
    nets = make_networks(ENV_SPEC, NetworkSpec("DDP", 2, 8))
    policy, module = policy_pair(nets.init(Key(0))["actor"], None)
    obs, goal = (np.sign(x) * np.float32(1e6) for x in inputs(20))
    assert_equal_actions(policy, module, obs, goal)


@pytest.fixture
def agent():
    """Returns an agent of PosePolicyNet's sizes, as Dext-Gen's environments have them."""
    return Agent(small_agents.agent(action=10, critic_action=13), slice(3, 12))


def test_safetensors_hold_networks_and_scalings(agent, tmp_path):
    export_agent(agent, tmp_path, ["safetensors"])
    files = agent.files
    for name, params in (("actor", files.actor), ("critic", files.critic)):
        found = load_file(tmp_path / f"{name}.safetensors")
        for part, scaling in (("state", files.obs_scaling), ("goal", files.goal_scaling)):
            assert torch.equal(found.pop(f"{part}_norm.mean"), scaling.mean)
            assert torch.equal(found.pop(f"{part}_norm.std"), scaling.std)
            assert float(found.pop(f"{part}_norm.clip")) == scaling.clip
        assert set(found) == set(params)
        assert all(torch.equal(found[key], params[key]) for key in params)
        data = (tmp_path / f"{name}.safetensors").read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        assert json.loads(header["__metadata__"]["grasp_func"])["rotation"] == [3, 12]


def test_safetensors_are_equal_bytes_every_time(agent):
    first, second = safetensors_files(agent), safetensors_files(agent)
    assert first == second
    assert set(load(first["actor.safetensors"])) >= set(agent.files.actor)


class Published(nn.Module):
    """Layers as Dext-Gen's networks name them."""

    def __init__(self, sizes, last):
        super().__init__()
        self.layers = nn.ModuleList()
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            self.layers.append(nn.Linear(n_in, n_out))
            self.layers.extend([nn.ReLU()] if i < len(sizes) - 2 else last)


def test_dextgen_files_fit_its_networks_and_normalizers(agent, tmp_path):
    export_agent(agent, tmp_path, ["dextgen"])
    files, joined = agent.files, small_agents.OBS + small_agents.GOAL
    width = small_agents.WIDTH
    for name, params, module in (
        ("actor.pt", files.actor, Published([joined, width, 10], [nn.Tanh()])),
        ("critic.pt", files.critic, Published([joined + 13, width, width, 1], [])),
    ):
        module.load_state_dict(torch.load(tmp_path / "dextgen" / name, weights_only=True))
        assert all(torch.equal(module.state_dict()[key], params[key]) for key in params)
    for name, scaling in (("state", files.obs_scaling), ("goal", files.goal_scaling)):
        _, found = read_dextgen_normalizer(tmp_path / "dextgen" / f"{name}_norm.pkl")
        assert torch.equal(found.mean, scaling.mean) and torch.equal(found.std, scaling.std)


def test_a_format_that_does_not_fit_leaves_nothing_behind(agent, tmp_path, monkeypatch):
    elsewhere = agent._replace(rotation=slice(1, 10))
    with pytest.raises(SaveError, match=r"begins at 1, .* expect 3: choose another --format"):
        export_agent(elsewhere, tmp_path / "out", ["safetensors", "dextgen"])
    assert dextgen_files(agent._replace(rotation=None))
    with_products = agent._replace(files=agent.files._replace(products=(0, 2, 5, 8)))
    with pytest.raises(SaveError, match=r"no products of inputs .*: choose another --format"):
        export_agent(with_products, tmp_path / "out", ["safetensors", "dextgen"])
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(SaveError, match=r'pip install "grasp_func\[export\]"'):
        export_agent(agent, tmp_path / "out", list(FORMATS))
    assert not (tmp_path / "out").exists()


def test_an_export_that_cannot_be_written_leaves_the_old_one(agent, tmp_path, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    export_agent(agent, tmp_path, ["safetensors"])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SaveError, match=r"No space left on device.*another place"):
        export_agent(agent._replace(rotation=None), tmp_path, ["safetensors"])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns a folder with an untrained agent for the cube, and the environment's env_spec."""
    env_spec = GymGoalEnv(gymnasium.make(ENV)).spec
    nets = make_networks(env_spec, NetworkSpec("PosePolicyNet", 2, 8, 2, 8))
    networks = nets.init(Key(0))
    scales = [Scaling(torch.zeros(n), torch.ones(n), 200.0) for n in (env_spec.obs, env_spec.goal)]
    moments = [
        small_agents.agent().obs_moments.replace(mean=s.mean.double(), m2=s.std.double())
        for s in scales
    ]
    files = small_agents.AgentFiles(
        networks["actor"], networks["critic"], scales[0], moments[0], scales[1], moments[1]
    )
    directory = tmp_path_factory.mktemp("agent")
    write_agent(directory, files)
    return directory, env_spec, files


def test_the_program_writes_all_formats_or_one(saved, tmp_path):
    directory, env_spec, files = saved
    arguments = ["--env", ENV, "--load", str(directory), "--out"]
    done = call(PROGRAM, *arguments, "all", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "all"
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == WRITTEN
    module = torch.jit.load(out / "policy.torchscript")
    policy = files.policy(env_spec.rotation)
    rng = np.random.default_rng(0)
    obs, goal = (rng.normal(size=(50, n)).astype(np.float32) for n in (env_spec.obs, env_spec.goal))
    assert_equal_actions(policy, module, obs, goal)
    one = [*arguments, "one", "--format", "torchscript"]
    assert call(PROGRAM, *one, cwd=tmp_path).returncode == 0
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["policy.torchscript"]


def test_a_format_that_cannot_hold_the_agent_is_left_out_of_all(tmp_path):
    shipped = PROGRAM.parents[1] / "saves" / "pretrain" / "FlatPJOrient-v0"
    arguments = ["--env", "FlatPJOrient-v0", "--load", str(shipped), "--out", "all"]
    done = call(PROGRAM, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.name for path in (tmp_path / "all").iterdir()}
    assert written == {"actor.safetensors", "critic.safetensors", "policy.torchscript"}
    done = call(PROGRAM, *arguments, "--format", "dextgen", cwd=tmp_path)
    assert done.returncode == 2 and "take no products of inputs" in done.stderr


def test_exporting_into_the_agents_own_folder_leaves_it_usable(saved, tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes((saved[0] / name).read_bytes())
    arguments = ["--env", ENV, "--load", str(tmp_path), "--out", str(tmp_path)]
    assert call(PROGRAM, *arguments, cwd=tmp_path).returncode == 0
    assert all((tmp_path / n).read_bytes() == (saved[0] / n).read_bytes() for n in FILES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--env": "FlatPJCub-v0"}, ["did you mean FlatPJCube-v0"]),
        ({"--load": "none"}, ["none: no actor.pt", "train first"]),
        ({"--load": "other"}, ["other: for observation 5, goal 3", "name an agent"]),
        ({"--load": "damaged"}, ["damaged/actor.pt", "another folder"]),
        ({"--out": "file"}, ["--out", "'file' is a file"]),
        ({"--out": "/proc/out"}, ["/proc/out: cannot be written", "another place"]),
        ({"--set": "gamma=2"}, ["gamma", "[0, 1)"]),
    ],
)
def test_mistakes_of_users_are_one_line(changes, words, saved, tmp_path):
    write_agent(tmp_path / "other", small_agents.agent())
    write_agent(tmp_path / "damaged", saved[2])
    (tmp_path / "damaged" / "actor.pt").write_bytes(b"hello")
    (tmp_path / "file").write_text("mine")
    settings = {"--env": ENV, "--load": str(saved[0]), "--out": "out", **changes}
    arguments = [word for pair in settings.items() for word in pair]
    done = call(PROGRAM, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("error: ")
    assert all(word in done.stderr for word in words)
    assert not (tmp_path / "out").exists() and (tmp_path / "file").read_text() == "mine"
