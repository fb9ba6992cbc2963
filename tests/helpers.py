"""What several tests need: purity, a probe environment, processes that are threads, small runs."""

import copy
import dataclasses
import pickle
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from grasp_func.config.load import Config
from grasp_func.core.types import EnvSpec, Transition
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from grasp_func.training import loop, setup
from grasp_func.training.episode_result import EpisodeResult
from grasp_func.training.evaluation import EvalResult
from grasp_func.training.goal_env import GymGoalEnv

# --- equality to the bit, purity


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Asserts that two trees are equal in structure, types and every bit: 0.0 is not -0.0."""
    assert type(a) is type(b), f"{where}: {type(a)} is not {type(b)}"
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype, f"{where}: {a.dtype} is not {b.dtype}"
        assert_same(a.detach().numpy(), b.detach().numpy(), where)
    elif isinstance(a, np.ndarray | np.generic):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        assert a.tobytes() == b.tobytes(), f"{where}: {a} is not {b}"
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.random.Generator):
        assert_same(a.bit_generator.state, b.bit_generator.state, where)
    elif isinstance(a, torch.Generator):
        assert_same(a.get_state(), b.get_state(), where)
    elif dataclasses.is_dataclass(a) or type(a).__module__.startswith("grasp_func"):
        assert_same(vars(a), vars(b), where)
    else:
        assert a == b, f"{where}: {a!r} is not {b!r}"


def assert_pure(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Asserts that equal inputs give equal outputs and stay as they are; returns the output."""
    before = copy.deepcopy((args, kwargs))
    first = copy.deepcopy(function(*args, **kwargs))
    assert_same((args, kwargs), before, "input")
    second = function(*args, **kwargs)
    assert_same((args, kwargs), before, "input")
    assert_same(first, second, "output")
    return second


# --- the probe environment


class PointReach(gymnasium.Env):
    """A point that has to be at its goal after 10 steps; learned within seconds."""

    gripper_type = "Point"
    starts = ("default", "pregrasp", "grasp")

    def __init__(self, dims=2, step_size=0.2, rotation=False, angle_tolerance=None) -> None:
        """Goals lie in [-0.5, 0.5]^dims; `rotation` adds an idle matrix to the actions.

        `angle_tolerance` is the distance that counts as there, in place of 0.1, and may be changed.
        """
        self.dims, self.step_size = dims, step_size
        self.angle_tolerance = angle_tolerance
        self.observation_layout = (("position", dims, "m"), ("velocity", dims, "m/step"))
        self.action_layout = (("move", dims, "-"), *([("grip_rot_matrix", 9, "-")] * rotation))
        self.action_space = spaces.Box(-1, 1, (sum(n for _, n, _ in self.action_layout),))
        self.observation_space = spaces.Dict(
            observation=spaces.Box(-1, 1, (2 * dims,)),
            achieved_goal=spaces.Box(-1, 1, (dims,)),
            desired_goal=spaces.Box(-0.5, 0.5, (dims,)),
        )
        if dims == 3 and not rotation:
            self.symmetry = SimpleNamespace(
                center=(0.0, 0.0),
                observation=(("point", 3), ("vector", 3)),
                goal=(("point", 3),),
                action=(("vector", 3),),
                involutions=(),
            )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = self.np_random.uniform(-0.5, 0.5, self.dims).astype(np.float32)
        self.velocity = np.zeros(self.dims, np.float32)
        self.goal = self.np_random.uniform(-0.5, 0.5, self.dims).astype(np.float32)
        if (options or {}).get("start") in ("pregrasp", "grasp"):
            self.position = self.goal + np.float32(0.2)
        return self._observe()

    def step(self, action):
        self.velocity = np.float32(self.step_size) * np.clip(action[: self.dims], -1, 1)
        self.position = np.clip(self.position + self.velocity, -1, 1)
        observation, info = self._observe()
        reward = self.compute_reward(self.position, self.goal, info)
        return observation, float(reward), False, False, info

    def compute_reward(self, achieved, desired, info, tolerance_share=1.0):
        there = 0.1 if self.angle_tolerance is None else self.angle_tolerance
        distance = np.linalg.norm(achieved - desired, axis=-1)
        return np.where(distance < tolerance_share * there, 0.0, -1.0)

    def _observe(self):
        observation = {
            "observation": np.concatenate([self.position, self.velocity]),
            "achieved_goal": self.position.copy(),
            "desired_goal": self.goal.copy(),
        }
        success = self.compute_reward(self.position, self.goal, {}) == 0
        return observation, {"is_success": bool(success), "air_goal": bool(self.goal[0] > 0)}


POINT_REACH = "PointReach-v0"
gymnasium.register(POINT_REACH, PointReach, max_episode_steps=10, disable_env_checker=True)


# --- processes that are threads


class Board:
    """Where the threads of one job meet; only the holder of the baton runs."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.slots: list[Any] = [None] * size
        self.baton = threading.Condition()
        self.arrived = self.meetings = self.gone = 0

    def exchange(self, rank: int, value: Any) -> list[Any]:
        """Returns the values of all ranks, copied as if they were sent; every rank must call it."""
        self.slots[rank] = pickle.dumps(value)
        self._meet()
        values = [pickle.loads(slot) for slot in self.slots]
        self._meet()  # nobody overwrites a slot before all have read it
        return values

    def leave(self) -> None:
        """Tells the others not to wait for this rank any more."""
        self.gone += 1
        self.baton.notify_all()

    def _meet(self) -> None:
        self.arrived += 1
        meeting = self.meetings
        if self.arrived == self.size:
            self.arrived, self.meetings = 0, meeting + 1
            self.baton.notify_all()
        self.baton.wait_for(lambda: self.meetings > meeting or self.gone, timeout=60)
        if self.meetings == meeting:
            raise RuntimeError("another process has left")


class TwinComm:
    """One rank's end of a fake communicator with the interface of `comm.Comm`."""

    def __init__(self, board: Board, rank: int) -> None:
        self.board, self.rank = board, rank

    def Get_rank(self) -> int:
        return self.rank

    def Get_size(self) -> int:
        return self.board.size

    def bcast(self, obj: Any, root: int = 0) -> Any:
        received = self.board.exchange(self.rank, obj if self.rank == root else None)[root]
        return obj if self.rank == root else received

    def allgather(self, sendobj: Any) -> list[Any]:
        return self.board.exchange(self.rank, sendobj)

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        parts = self.board.exchange(self.rank, sendbuf)
        recvbuf[...] = np.concatenate([part.reshape(-1) for part in parts]).reshape(recvbuf.shape)

    def Alltoall(self, sendbuf: Any, recvbuf: Any) -> None:
        sent = self.board.exchange(self.rank, sendbuf.reshape(self.Get_size(), -1))
        recvbuf[...] = np.concatenate([rows[self.rank] for rows in sent]).reshape(recvbuf.shape)


def run_twins(size: int, program: Callable[[TwinComm], Any]) -> list[Any]:
    """Runs `program(comm)` on `size` fake processes; returns what each returned or raised."""
    board = Board(size)
    results: list[Any] = [None] * size

    def process(rank: int) -> None:
        with board.baton:
            try:
                results[rank] = program(TwinComm(board, rank))
            except Exception as error:  # the test decides what it means
                results[rank] = error
            finally:
                board.leave()

    threads = [threading.Thread(target=process, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# --- small data and small runs


DEGENERATE = {  # rotation embeddings that name no rotation
    "zero": [0, 0, 0, 0, 0, 0],
    "first zero": [0, 0, 0, 0.5, 0.5, 0],
    "second zero": [0.1, 0.2, 0.3, 0, 0, 0],
    "parallel to x": [0.5, 0, 0, 0.5, 0, 0],
    "antiparallel to y": [0, 0.5, 0, 0, -0.5, 0],
    "parallel to the diagonal": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    "parallel to a tie of two": [0.5, 0.5, 0, 0.5, 0.5, 0],
    "below the threshold": [1e-7, 0, 0, 0, 1e-7, 0],
}

ENV_SPEC = EnvSpec(obs=4, goal=2, action=11, rotation=slice(2, 11), obs_blocks={}, horizon=10)
# Any entries do: networks see numbers.
TURNING = ENV_SPEC._replace(achieved_rotation=slice(1, 4), goal_rotation=slice(0, 2))


def make_batch(env_spec: EnvSpec = ENV_SPEC, size: int = 8, seed: int = 0) -> Transition:
    """Draws a batch of transitions with rewards of -1 and 0."""
    rng = torch.Generator().manual_seed(seed)

    def draw(n: int) -> torch.Tensor:
        return torch.rand(size, n, generator=rng) * 2 - 1

    return Transition(
        obs=draw(env_spec.obs),
        goal=draw(env_spec.goal),
        action=draw(env_spec.action),
        reward=-(draw(1) > 0).float(),
        next_obs=draw(env_spec.obs),
    )


def vectors(workers, length, dtype=torch.float32):
    """Vectors of very different magnitude, whose sum depends on the order."""
    rng = torch.Generator().manual_seed(length)
    scale = 10.0 ** torch.arange(workers)[:, None].double().remainder(5)
    return list((torch.randn(workers, length, generator=rng) * scale).to(dtype))


def tiny_config(**changes: Any) -> Config:
    """Returns a configuration whose runs last milliseconds."""
    values = dict(
        epochs=2, cycles=1, rollouts=1, batches=2, evals=2, batch_size=8, buffer_size=1000,
        actor_net_type="DDP", actor_net_nlayers=2, actor_net_layer_width=8,
        critic_net_nlayers=2, critic_net_layer_width=8, state_norm_exclude=[],
        early_stop=1.0, confirm_episodes=0, save=False, seed=0,
    )  # fmt: skip
    return Config.model_validate(values | changes)


def make_point_env(**kwargs: Any) -> GymGoalEnv:
    """Returns PointReach as the trainer sees it."""
    return GymGoalEnv(gymnasium.make(POINT_REACH, **kwargs))


def make_run(cfg: Config, comm: Any = None) -> setup.Run:
    """Binds a configuration to PointReach."""
    workers = make_workers(comm or SoloComm(), cfg.workers)
    return setup.make_run(cfg, make_point_env(**cfg.kwargs), workers)


def run_training(cfg: Config, comm: Any = None) -> list[loop.EpochResult]:
    """Trains from the start on PointReach and returns the results of all epochs."""
    run = make_run(cfg, comm)
    return list(loop.train(run, setup.initial_state(run)))


def scored(successes: int, n: int) -> EvalResult:
    """Returns an evaluation of `n` episodes of which the first ones succeeded."""
    return EvalResult(tuple(EpisodeResult(i, i < successes, -1.0, 0.0, None) for i in range(n)))
