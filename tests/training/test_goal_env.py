"""The adapter for Gymnasium goal environments, with small environments of every kind."""

from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from envs.symmetry import Involution, Symmetry
from grasp_func.core.symmetry import apply
from grasp_func.core.types import EnvSpec
from grasp_func.errors import ConfigError, UserError
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from grasp_func.training import loop, setup
from grasp_func.training.goal_env import GymGoalEnv, make_env
from grasp_func.training.rollout import run_episode
from helpers import POINT_REACH, PointReach, make_point_env, tiny_config


class Line(gymnasium.Env):
    """A point on a line that moves by its action; no attribute that is not Gymnasium's."""

    action_space = spaces.Box(-1, 1, (1,), np.float32)
    keys = ("observation", "achieved_goal", "desired_goal")
    observation_space = spaces.Dict(dict.fromkeys(keys, spaces.Box(-9, 9, (1,), np.float64)))
    goal, horizon, at_goal, elsewhere = 2.0, 6, 0.0, -1.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.actions = 0.0, []
        return self.observe(), {}

    def step(self, action):
        self.actions.append(action)
        self.position += float(action[0])
        reward = self.compute_reward(np.array([self.position]), np.array([self.goal]), {})
        return self.observe(), float(reward), self.ends(), False, self.info()

    def observe(self):
        values = np.array([[self.position], [self.position], [self.goal]])
        return dict(zip(self.keys, values, strict=True))

    def compute_reward(self, achieved, desired, info):
        there = np.linalg.norm(achieved - desired, axis=-1) < 0.5
        return np.where(there, self.at_goal, self.elsewhere)

    def ends(self):
        return False

    def info(self):
        return {}


def adapt(env_class, monkeypatch, **attributes):
    """Registers a class of environments under a name of its own and adapts one of them."""
    changed = type("Changed", (env_class,), attributes)
    spec = gymnasium.envs.registration.EnvSpec(
        "Line-v0", entry_point=changed, max_episode_steps=env_class.horizon
    )
    monkeypatch.setitem(gymnasium.registry, "Line-v0", spec)
    return GymGoalEnv(gymnasium.make("Line-v0", disable_env_checker=True))


def forward(obs, goal):
    return np.ones(1, np.float32)


# --- what is read


def test_the_probe_environment_and_what_it_declares():
    blocks = {"position": slice(0, 2), "velocity": slice(2, 4)}
    env = make_point_env()
    assert env.spec == EnvSpec(4, 2, 2, None, blocks, 10, goal_position=slice(0, 2))
    assert (env.name, env.gripper_type, env.notes) == (POINT_REACH, "Point", ())
    assert env.starts == ("default", "pregrasp", "grasp") and env.true_angle_tolerance is None
    assert make_point_env(rotation=True).spec.rotation == slice(2, 11)


def test_an_environment_that_declares_nothing(monkeypatch):
    env = adapt(Line, monkeypatch)
    assert env.spec == EnvSpec(1, 1, 1, None, {}, 6, goal_position=slice(0, 1))
    assert env.object_name is None
    assert (env.name, env.gripper_type, env.starts, env.notes) == ("Line-v0", "Line-v0", (), ())
    assert env.angle_tolerance is None


def test_declared_blocks_of_goals_and_the_name_of_the_object(monkeypatch):
    box = spaces.Box(-9, 9, (9,))
    layout = (("speed", 0, "m/s"), ("object_rot", 6, "-"), ("object_pos", 3, "m"))
    whole = {"observation_space": goals(achieved_goal=box, desired_goal=box)}
    whole["observe"] = lambda self: {key: np.zeros(9 if "goal" in key else 1) for key in Line.keys}
    env = adapt(Line, monkeypatch, **whole, goal_layout=layout)
    assert (env.spec.goal_position, env.spec.goal_rotation) == (slice(6, 9), slice(0, 6))
    # nine numbers without names may be anything
    assert adapt(Line, monkeypatch, **whole).spec.goal_position is None
    named = adapt(Line, monkeypatch, object_info=lambda self: SimpleNamespace(name="Ball"))
    assert named.object_name == "Ball"
    assert run_episode(named, forward, 0)[1].object == "Ball"


def test_a_declared_lowest_reward_is_read_and_enforced(monkeypatch):
    env = adapt(Line, monkeypatch, lowest_reward=-3.0, elsewhere=-3.0)
    assert env.spec.lowest_reward == -3.0
    env = adapt(Line, monkeypatch)
    env._env.unwrapped.elsewhere = -2.0
    with pytest.raises(ConfigError, match=r"gave -2 to 0, expected -1 to 0; .* lowest_reward"):
        env.compute_reward(np.zeros((2, 1)), np.array([[0.0], [2.0]]), {})


def test_numbers_of_boxes_from_minus_one_to_one_are_passed_on_untouched(monkeypatch):
    env, action = adapt(Line, monkeypatch), np.float32([0.1])
    env.reset(0)
    env.step(action)
    assert env._env.unwrapped.actions[0] is action


# --- episodes


@pytest.mark.parametrize("success", [True, np.True_, 1.0, np.float32(1), np.array([True])])
def test_episodes_that_end_on_success_are_played_on(success, monkeypatch):
    def info(self):
        return {"is_success": success if abs(self.position - self.goal) < 0.5 else success * 0}

    def stay(obs, goal):
        return np.clip(goal - obs, -1, 1)

    env = adapt(
        Line, monkeypatch, ends=lambda self: abs(self.position - self.goal) < 0.5, info=info
    )
    episode, result = run_episode(env, stay, 0)
    assert episode.achieved.ravel().tolist() == [0, 1, 2, 2, 2, 2, 2]
    assert result.success is True and result.air is None
    # what counts is the last step: this one leaves the goal again
    episode, result = run_episode(env, forward, 0)
    assert episode.achieved.ravel().tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert result.success is False


def test_an_environment_that_cannot_go_on_after_its_end(monkeypatch):
    def step(self, action):
        if self.position >= 2:
            raise AssertionError("call reset first")
        return Line.step(self, action)

    env = adapt(Line, monkeypatch, step=step, ends=lambda self: self.position >= 2)
    words = r"Line-v0: step\(\) fails after .* at step 2 of 6 .*call reset first.* full length"
    with pytest.raises(UserError, match=words):
        run_episode(env, forward, 0)
    broken = adapt(Line, monkeypatch, step=step)
    with pytest.raises(AssertionError, match="call reset first"):
        run_episode(broken, forward, 0)  # not the fault of a termination


def test_early_truncation_is_refused(monkeypatch):
    def step(self, action):
        return (*Line.step(self, action)[:3], len(self.actions) == 3, {})

    env = adapt(Line, monkeypatch, step=step)
    with pytest.raises(UserError, match=r"truncated an episode at step 3, expected only .* = 6"):
        run_episode(env, forward, 0)


def test_success_is_that_of_the_reward_where_the_environment_does_not_say(monkeypatch):
    env = adapt(Line, monkeypatch, goal=6.0)
    assert run_episode(env, forward, 0)[1].success is True
    assert not run_episode(env, lambda obs, goal: np.zeros(1), 0)[1].success


def test_success_that_is_not_one_bool(monkeypatch):
    env = adapt(Line, monkeypatch, info=lambda self: {"is_success": [True, False]})
    with pytest.raises(UserError, match=r"is_success.* = \[True, False\], expected one bool"):
        run_episode(env, forward, 0)


# --- actions


def test_actions_are_scaled_to_the_box(monkeypatch):
    box = spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 10.0]), dtype=np.float64)
    env = adapt(Line, monkeypatch, action_space=box)
    env.reset(0)
    for action in ([-1, -1], [1, 1], [0, 0.5], [3, -3]):
        env.step(np.float32(action))
    taken = env._env.unwrapped.actions
    # low + (action + 1) / 2 * (high - low); what lies outside goes to the bound
    assert np.array(taken).tolist() == [[-2, 0], [2, 10], [0, 7.5], [2, 0]]
    assert taken[0].dtype == np.float64


# --- rewards


def test_rewards_of_zero_and_one_are_shifted(monkeypatch):
    env = adapt(Line, monkeypatch, at_goal=1.0, elsewhere=0.0, goal=6.0)
    assert env.notes == ("Line-v0: rewards of 0 and 1 are shifted to -1 and 0",)
    achieved = np.array([[0.0], [6.0]])
    assert env.compute_reward(achieved, np.full((2, 1), 6.0), {}).tolist() == [-1, 0]
    assert env.spec.lowest_reward == -1.0
    assert run_episode(env, forward, 0)[1].success


def test_a_share_of_the_tolerance_counts_where_the_environment_has_one(monkeypatch):
    achieved, goal = np.array([[0.0], [0.3]]), np.zeros((2, 1))

    def within(self, achieved, desired, info, tolerance_share=1.0):
        there = np.linalg.norm(achieved - desired, axis=-1) < 0.5 * tolerance_share
        return np.where(there, 0.0, -1.0)

    rewards = {}
    for name, attributes in {"without": {}, "with": {"compute_reward": within}}.items():
        env = adapt(Line, monkeypatch, **attributes)
        rewards[name] = [env.compute_reward(achieved, goal, {}, share) for share in (1.0, 0.5)]
    assert np.array_equal(rewards["without"], [[0, 0], [0, 0]])
    assert np.array_equal(rewards["with"], [[0, 0], [0, -1]])


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"at_goal": 10.0}, "reward 10 at the goal and -1 at the start .* expected 0 at the goal"),
        ({"elsewhere": -5.0}, "reward 0 at the goal and -5 at .* -1 to 0 elsewhere, or 1 at the"),
        ({"elsewhere": 0.5}, "0.5 at the start"),
        ({"at_goal": np.nan}, "reward nan at the goal"),
        ({"compute_reward": lambda self, a, b, info: -1.0}, r"has shape \(\), expected \(2,\)"),
        ({"compute_reward": lambda self, a, b, info: info["x"]}, r"fails .*KeyError\('x'\)"),
    ],
)
def test_other_rewards_are_refused(attributes, words, monkeypatch):
    with pytest.raises(ConfigError, match=words):
        adapt(Line, monkeypatch, **attributes, step=None)


# --- symmetries


# A symmetry of Line-v0: nothing turns, but it is the same to go the other way.
OTHER_WAY = Involution(*[((0,), (-1.0,))] * 3)
MIRRORED = Symmetry((0.0, 0.0), *[(("invariant", 1),)] * 3, (OTHER_WAY,))


def test_a_declared_symmetry(monkeypatch):
    found = adapt(Line, monkeypatch, symmetry=MIRRORED).spec.symmetry
    for part in (found.obs, found.goal, found.action):
        assert apply(torch.ones(1, 1), np.zeros((1, 1)), np.ones((1, 1, 1), bool), part) == -1


@pytest.mark.parametrize(
    "symmetry, words",
    [
        ("turned", "symmetry of observation: 'str' object has no attribute 'observation'"),
        (
            MIRRORED._replace(center=0.0, observation=(("point", 3),)),
            "symmetry of observation: .*; expected what envs.symmetry.Symmetry holds",
        ),
        (MIRRORED._replace(goal=(("place", 1),)), "symmetry of goal: a block of kind 'place'"),
        (MIRRORED._replace(action=(("vector", 3),)), "symmetry of action: an involution of 1"),
        (
            MIRRORED._replace(action=(("vector", 3),), involutions=()),
            "symmetry of action has blocks of 3 entries in all, expected 1",
        ),
    ],
)
def test_what_is_no_symmetry_is_refused(symmetry, words, monkeypatch):
    with pytest.raises(ConfigError, match=f"^Line-v0: {words}"):
        adapt(Line, monkeypatch, symmetry=symmetry)


# --- rotations


@pytest.mark.parametrize(
    "layout, words",
    [
        ({"goal_layout": [("object_rot", 1, "-")]}, "block object_rot has 1 entries, expected 6"),
        ({"action_layout": [("grip_rot_matrix", 1, "-")]}, "grip_rot_matrix .*, expected 9"),
    ],
)
def test_rotations_in_another_form_are_refused(layout, words, monkeypatch):
    with pytest.raises(ConfigError, match=f"^Line-v0: .*{words}"):
        adapt(Line, monkeypatch, **layout)


def test_a_rotation_that_is_no_goal_may_have_any_form(monkeypatch):
    layout = [("object_rot", 1, "-")]
    assert adapt(Line, monkeypatch, observation_layout=layout).spec.achieved_rotation is None


# --- spaces


def goals(**changes):
    return spaces.Dict({**Line.observation_space.spaces, **changes})


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"observation_space": spaces.Box(-1, 1, (2,))}, "has no goals: .* achieved_goal, desired"),
        ({"observation_space": spaces.Dict()}, "observation is None, expected a Box with one axis"),
        (
            {"observation_space": goals(observation=spaces.Box(0, 1, (4, 4)))},
            "observation is Box.* expected a Box with one axis",
        ),
        ({"observation_space": goals(achieved_goal=spaces.Discrete(3))}, "achieved_goal is Disc"),
        (
            {"observation_space": goals(achieved_goal=spaces.Box(0, 1, (2,)))},
            r"achieved_goal has \(2,\), desired_goal \(1,\)",
        ),
        ({"action_space": spaces.Discrete(3)}, "actions are Discrete.* expected a Box of floats"),
        ({"action_space": spaces.Box(-1, 1, (2, 2))}, "actions are Box.* with one axis"),
        ({"action_space": spaces.Box(-np.inf, 1, (1,))}, "expected finite bounds"),
    ],
)
def test_spaces_that_cannot_be_used(attributes, words, monkeypatch):
    with pytest.raises(UserError, match=words):
        adapt(Line, monkeypatch, **attributes)


def test_goals_and_a_fixed_length_are_needed():
    with pytest.raises(UserError, match="CartPole-v1 has no goals"):
        GymGoalEnv(gymnasium.make("CartPole-v1"))
    with pytest.raises(UserError, match=r"no max_episode_steps: .* register the environment"):
        GymGoalEnv(PointReach())


def test_environments_that_cannot_be_made():
    with pytest.raises(ConfigError, match=r"PointReach-v0: kwargs {'size': 3} not accepted"):
        make_env(POINT_REACH, {"size": 3})
    with pytest.raises(ConfigError, match=r"^CartPole-v1: has no render mode ansi, .* --record"):
        make_env("CartPole-v1", {}, "ansi")
    with pytest.raises(ConfigError, match="Nowhere-v0: cannot be made"):
        make_env("Nowhere-v0", {})
    with pytest.raises(ConfigError, match="no_such_module:Some-v0: cannot be made"):
        make_env("no_such_module:Some-v0", {})


# --- all of it


def test_training_learns_on_a_foreign_environment(monkeypatch):
    """Ends on success, another box, rewards 0 and 1, no success in info, no blocks."""
    env = adapt(
        Line,
        monkeypatch,
        at_goal=1.0,
        elsewhere=0.0,
        action_space=spaces.Box(-2, 2, (1,), np.float32),
        ends=lambda self: abs(self.position - self.goal) < 0.5,
    )
    cfg = tiny_config(
        epochs=30, cycles=5, rollouts=4, batches=20, evals=5, batch_size=64, gamma=0.9,
        actor_lr=3e-3, critic_lr=3e-3, action_norm=0.01, soft_update_every="update",
        actor_net_type="auto", state_norm_exclude="auto", early_stop=0.9,
        actor_net_layer_width=32, critic_net_layer_width=32,
    )  # fmt: skip
    run = setup.make_run(cfg, env, make_workers(SoloComm(), 1))
    *_, result = loop.train(run, setup.initial_state(run))
    assert result.eval_result.success >= 0.9
