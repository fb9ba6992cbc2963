"""An agent's way to disk and back: it acts and goes on learning as before."""

import hashlib

import numpy as np
import pytest
import torch

from grasp_func.core.networks import layers_of, mlp, with_products
from grasp_func.core.normalizer import batch_moments
from grasp_func.core.numpy_policy import act
from grasp_func.errors import SaveError
from grasp_func.storage.agent import from_files, load_policy, to_files, with_more_inputs
from grasp_func.storage.agent_files import read_agent, write_agent
from grasp_func.training.evaluation import greedy_policy
from grasp_func.training.loop import train
from grasp_func.training.resume import load_pretrained
from grasp_func.training.setup import initial_state
from helpers import assert_same, make_batch, make_run, tiny_config

MATRIX = {"kwargs": {"rotation": True}, "actor_net_type": "PosePolicyNet"}


@pytest.fixture(params=[{}, MATRIX, {"actor_net_nlayers": 7}], ids=["DDP", "PosePolicyNet", "deep"])
def trained(request, eager):
    """Returns a run and a state that training has moved away from its start."""
    run = make_run(tiny_config(epochs=1, cycles=3, **request.param))
    (report,) = train(run, initial_state(run))
    return run, report.state


def test_the_hash_is_that_of_the_file_that_is_read(trained, tmp_path):
    run, state = trained
    write_agent(tmp_path / "agent", to_files(run.learner, state))
    (tmp_path / "agent" / "actor.pt").rename(tmp_path / "elsewhere")
    (tmp_path / "agent" / "actor.pt").symlink_to(tmp_path / "elsewhere")
    digest = hashlib.sha256((tmp_path / "elsewhere").read_bytes()).hexdigest()
    assert read_agent(tmp_path / "agent").actor_sha256 == digest


def actions(policy, env_spec, n=20):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, env_spec.obs + env_spec.goal)).astype(np.float32)
    return np.stack([act(policy, x[: env_spec.obs], x[env_spec.obs :]) for x in inputs])


def test_a_loaded_policy_acts_identically(trained, tmp_path):
    run, state = trained
    write_agent(tmp_path, to_files(run.learner, state))
    expected = actions(greedy_policy(run, state), run.env_spec)
    assert_same(actions(load_policy(tmp_path, run.env_spec), run.env_spec), expected)
    untrained = actions(greedy_policy(run, initial_state(run)), run.env_spec)
    assert not np.allclose(untrained, expected, atol=1e-3)


def test_the_target_networks_are_exported_where_they_act(trained, tmp_path):
    run, state = trained
    run = make_run(run.cfg.model_copy(update={"target_policy": True}))
    write_agent(tmp_path, to_files(run.learner, state))
    acting = greedy_policy(run, state.replace(params=state.target))
    loaded = load_policy(tmp_path, run.env_spec)
    assert_same(actions(loaded, run.env_spec), actions(acting, run.env_spec))


@pytest.mark.parametrize("settings", [{}, MATRIX])
def test_a_policy_is_loaded_without_knowing_its_environment(settings, eager, tmp_path):
    run = make_run(tiny_config(**{**settings, "kwargs": {"dims": 3, **settings.get("kwargs", {})}}))
    state = initial_state(run)
    write_agent(tmp_path, to_files(run.learner, state))
    policy, expected = load_policy(tmp_path), greedy_policy(run, state)
    obs, goal = np.ones(run.env_spec.obs, np.float32), np.ones(run.env_spec.goal, np.float32)
    assert_same(policy(obs, goal), act(expected, obs, goal))
    assert policy(obs, goal).shape == (run.env_spec.action,)


def test_a_loaded_state_is_the_saved_one_with_a_new_optimizer(trained, tmp_path):
    run, state = trained
    write_agent(tmp_path, to_files(run.learner, state))
    start = run.learner.init(run.key)
    loaded = from_files(run.learner, start, read_agent(tmp_path), tmp_path)
    expected = start.replace(
        params=state.params,
        target=state.params,
        obs_norm=state.obs_norm,
        goal_norm=state.goal_norm,
    )
    assert_same(loaded, expected)
    assert_same(
        run.learner.update(loaded, [make_batch(run.env_spec)]),
        run.learner.update(expected, [make_batch(run.env_spec)]),
    )


def test_load_pretrained_finds_the_gripper_or_the_environment(eager, tmp_path):
    run = make_run(tiny_config())
    by_gripper, by_env = (run.learner.init(run.key._replace(seed=seed)) for seed in (7, 8))
    start = run.learner.init(run.key)

    write_agent(tmp_path / "pretrain" / "Point", to_files(run.learner, by_gripper))
    found, line = load_pretrained(run, start, tmp_path, "PointReach-v0")
    assert "pre-trained, networks and normalizers loaded" in line
    assert_same(found.params, by_gripper.params)

    write_agent(tmp_path / "pretrain" / "PointReach-v0", to_files(run.learner, by_env))
    found, line = load_pretrained(run, start, tmp_path, "PointReach-v0")
    assert "pre-trained, networks and normalizers loaded" in line
    assert_same(found.params, by_env.params)


def test_load_pretrained_takes_the_agent_of_a_folder(eager, tmp_path):
    run = make_run(tiny_config(load_pretrained=f"{tmp_path}/mine"))
    mine, other = (run.learner.init(run.key._replace(seed=seed)) for seed in (7, 8))
    write_agent(tmp_path / "pretrain" / "PointReach-v0", to_files(run.learner, other))
    start = run.learner.init(run.key)
    with pytest.raises(SaveError, match=r"mine: no actor.pt"):
        load_pretrained(run, start, tmp_path, "PointReach-v0")

    write_agent(tmp_path / "mine", to_files(run.learner, mine))
    found, line = load_pretrained(run, start, tmp_path, "PointReach-v0")
    assert line.startswith(f"{tmp_path}/mine: pre-trained")
    assert_same(found.params, mine.params)


def test_load_pretrained_without_an_agent(eager, tmp_path):
    run = make_run(tiny_config())
    with pytest.raises(SaveError, match="PointReach-v0"):
        load_pretrained(run, run.learner.init(run.key), tmp_path, "PointReach-v0")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"actor_net_layer_width": 9}, ("actor layers", "(9,", "(8,")),
        ({"critic_net_layer_width": 9}, ("critic layers", "(9,", "(8,")),
        ({"actor_net_nlayers": 3}, ("actor has 3 layers", "needs 2")),
        ({"critic_net_nlayers": 3}, ("critic has 3 layers", "needs 2")),
        ({"kwargs": {"dims": 1}}, ("layers",)),
        ({"kwargs": {"rotation": True}}, ("layers",)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_pretrained_agents_of_other_sizes_are_refused_and_change_nothing(
    other, words, eager, tmp_path
):
    run, other_run = make_run(tiny_config()), make_run(tiny_config(**other))
    write_agent(
        tmp_path / "pretrain" / "Point", to_files(other_run.learner, initial_state(other_run))
    )
    files = {path: path.read_bytes() for path in (tmp_path / "pretrain" / "Point").glob("*.p*")}
    state, before = initial_state(run), initial_state(run)
    with pytest.raises(SaveError) as caught:
        load_pretrained(run, state, tmp_path, "PointReach-v0")
    assert all(word in str(caught.value) for word in (*words, "pretrain/Point"))
    assert_same(state, before)
    assert all(path.read_bytes() == data for path, data in files.items())


FITTING = {  # what the pre-trained agent had -> parts that begin fresh
    "equal": ({}, []),
    "goal and observation": (
        {"kwargs": {"dims": 1}},
        [
            *("obs_norm", "goal_norm", "actor layers.0", "actor layers.2", "critic layers.0"),
        ],
    ),
    "action": ({"kwargs": {"rotation": True}}, ["actor layers.2", "critic layers.0"]),
    "width": ({"actor_net_layer_width": 9}, ["actor layers.0", "actor layers.2"]),
    "depth": ({"critic_net_nlayers": 3}, ["critic layers.2"]),
}


@pytest.mark.parametrize("name", FITTING)
def test_layers_that_fit_are_loaded_on_request(name, eager, tmp_path):
    other, fresh = FITTING[name]
    run, theirs = (
        make_run(tiny_config(load_pretrained="fitting")),
        make_run(tiny_config(epochs=1, **other)),
    )
    (report,) = train(theirs, initial_state(theirs))
    write_agent(tmp_path / "pretrain" / "Point", to_files(theirs.learner, report.state))
    state = initial_state(run)
    loaded, line = load_pretrained(run, state, tmp_path, "PointReach-v0")
    parts = ["obs_norm", "goal_norm"]
    own, new, trained = (
        learner.unravel(x.params)
        for learner, x in (
            (run.learner, state),
            (run.learner, loaded),
            (theirs.learner, report.state),
        )
    )
    for network in own:
        for key in own[network]:
            source = own if f"{network} {key.rpartition('.')[0]}" in fresh else trained
            assert torch.equal(new[network][key], source[network][key]), (network, key)
        parts += [f"{network} layers.{i}" for i in range(0, len(own[network]), 2)]
    for norm in parts[:2]:
        assert_same(getattr(loaded, norm), getattr(state if norm in fresh else report.state, norm))
    assert torch.equal(loaded.target, loaded.params)
    told = ", ".join(part for part in parts if part not in fresh)
    assert line.endswith(f"loaded {told}; fresh {', '.join(fresh) or 'nothing'}")


@pytest.mark.parametrize("products", [(), (0, 2, 4, 6)])
@pytest.mark.parametrize("more", [0, 4])
def test_an_agent_without_some_inputs_acts_as_before(eager, more, products):
    short = make_run(tiny_config(epochs=1))
    (report,) = train(short, initial_state(short))
    files = to_files(short.learner, report.state)
    needed = short.env_spec._replace(goal=short.env_spec.goal + more)
    rng = np.random.default_rng(0)
    goals = batch_moments(torch.from_numpy(rng.normal(3.0, 0.1, size=(50, needed.goal))))
    assert with_more_inputs(files, short.env_spec, None) is files
    assert with_more_inputs(files, needed._replace(obs=needed.obs + 1), None, products) is files
    long = with_more_inputs(files, needed, lambda: goals, products)
    obs, goal, action, new = (
        torch.from_numpy(rng.normal(size=size)).float()
        for size in (short.env_spec.obs, short.env_spec.goal, short.env_spec.action, more)
    )
    x = torch.cat([obs, goal, new])
    for network, rest in (("actor", []), ("critic", [action])):
        before, after = (
            mlp(layers_of(getattr(agent, network)), torch.cat([x, *rest]))
            for agent, x in ((files, x[: files.inputs]), (long, with_products(x, list(products))))
        )
        torch.testing.assert_close(before, after)
    assert (long.entries, long.actions) == (files.inputs + more, files.actions)
    assert long.products == products
    known, extended = files.goal_moments, long.goal_moments
    n = short.env_spec.goal
    assert_same(extended.mean, torch.cat([known.mean, goals.mean[n:]]))
    variance = extended.m2 / extended.count
    torch.testing.assert_close(variance[n:], goals.m2[n:] / goals.count)
    assert_same(variance[:n], known.m2 / known.count)
    # a goal of the environment is normalised to about 1, whatever its unit
    torch.testing.assert_close(long.goal_scaling.std[n:], variance[n:].sqrt().float())


def test_an_agent_of_which_nothing_fits_is_refused(eager, tmp_path):
    sizes = {"actor_net_layer_width": 9, "critic_net_layer_width": 9, "kwargs": {"dims": 1}}
    other = make_run(tiny_config(**sizes))
    write_agent(tmp_path / "pretrain" / "Point", to_files(other.learner, initial_state(other)))
    run = make_run(tiny_config(load_pretrained="fitting"))
    with pytest.raises(SaveError, match=r"pretrain/Point: no layer or normalizer fits"):
        load_pretrained(run, initial_state(run), tmp_path, "PointReach-v0")


def test_goal_and_observation_of_equal_joint_size_are_told_apart(eager, tmp_path):
    """Networks see observation and goal joined: 4 + 2 inputs fit an agent of 3 + 3 as well."""
    run = make_run(tiny_config())
    state = initial_state(run)
    files = to_files(run.learner, state)
    shifted = files._replace(
        obs_scaling=first(files.obs_scaling, 3),
        obs_moments=state.obs_norm.replace(mean=torch.zeros(3).double(), m2=torch.ones(3).double()),
        goal_scaling=files.obs_scaling._replace(mean=torch.zeros(3), std=torch.ones(3)),
        goal_moments=state.obs_norm.replace(
            mean=torch.zeros(3).double(), m2=torch.ones(3).double()
        ),
    )
    write_agent(tmp_path, shifted)
    with pytest.raises(SaveError, match=r"obs_norm is \(3,\), this run needs \(4,\).*=fitting"):
        from_files(run.learner, state, read_agent(tmp_path), tmp_path)
    with pytest.raises(SaveError, match="observation 3, goal 3"):
        load_policy(tmp_path, run.env_spec)


def first(scale, n):
    return scale._replace(mean=scale.mean[:n], std=scale.std[:n])


def test_load_policy_refuses_another_environment(trained, tmp_path):
    run, state = trained
    write_agent(tmp_path, to_files(run.learner, state))
    other = run.env_spec._replace(action=run.env_spec.action + 1)
    with pytest.raises(SaveError, match=f"action {other.action}: name an agent"):
        load_policy(tmp_path, other)
