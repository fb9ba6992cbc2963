"""Evaluates agents: greedy episodes, and what they come to by kind of object and of goal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, product
from typing import NamedTuple

import numpy as np

from grasp_func.core.ddpg import AgentState
from grasp_func.core.numpy_policy import Policy, policy_of
from grasp_func.core.rng import Key, fold_in, integer_seed
from grasp_func.runtime.comm import on_each
from grasp_func.training.episode_result import GOALS, EpisodeResult
from grasp_func.training.goal_env import GoalEnv
from grasp_func.training.rate import Rate
from grasp_func.training.rollout import PolicyFn, run_episode
from grasp_func.training.setup import Run

OnEpisode = Callable[[int, int], None]  # (episodes played, of how many)


class Spread(NamedTuple):
    """Distribution of a measure over episodes."""

    mean: float
    median: float
    p90: float  # nine in ten episodes are not above it


class EvalResult(NamedTuple):
    """Results of episodes, and what they come to; a measure is None where no episode has it."""

    episodes: tuple[EpisodeResult, ...]

    @property
    def overall(self) -> Rate:
        """Successes at the last step."""
        return _rate([episode.success for episode in self.episodes])

    @property
    def table(self) -> Rate:
        """Successes where the goal required no lifting."""
        return _rate([episode.success for episode in self.episodes if episode.air is False])

    @property
    def air(self) -> Rate:
        """Successes where the goal required lifting."""
        return _rate([episode.success for episode in self.episodes if episode.air])

    @property
    def success(self) -> float:
        """Success rate over all episodes."""
        return self.overall.value or 0.0

    @property
    def distance(self) -> Spread | None:
        """Distance to the goal at the last step (m)."""
        return _spread([episode.distance for episode in self.episodes])

    @property
    def angle(self) -> Spread | None:
        """Angle to the goal's rotation at the last step (rad)."""
        return _spread([episode.angle for episode in self.episodes])

    @property
    def first_success(self) -> Spread | None:
        """Steps until the goal was first achieved, in the episodes in which it was."""
        return _spread([episode.first_success for episode in self.episodes])

    @property
    def at_goal(self) -> float | None:
        """Share of the steps after which the goal was achieved."""
        return _mean([episode.at_goal for episode in self.episodes])

    @property
    def drops(self) -> float | None:
        """Drops per episode."""
        return _mean([episode.drops for episode in self.episodes])

    @property
    def off_table(self) -> float | None:
        """Share of the episodes in which the object fell off the table."""
        return _mean([episode.off_table for episode in self.episodes])

    @property
    def reward(self) -> float | None:
        """Mean reward of a step."""
        return _mean([episode.reward for episode in self.episodes])

    def groups(self) -> dict[tuple[str | None, str | None], "EvalResult"]:
        """Returns the results by kind of object and of goal, `(object, goal)`; None stands for all.

        A goal is "table" or "air". Objects are told apart where there are several.
        """
        several = len({episode.object for episode in self.episodes}) > 1
        members: dict[tuple[str | None, str | None], list[EpisodeResult]] = {(None, None): []}
        for episode in self.episodes:
            objects = {None, episode.object if several else None}
            for key in product(objects, {None, episode.goal}):
                members.setdefault(key, []).append(episode)
        ordered = sorted(members, key=lambda key: (key[0] or "", GOALS.index(key[1])))
        return {key: EvalResult(tuple(members[key])) for key in ordered}


def evaluate(env: GoalEnv, policy: PolicyFn, seed: int, episodes: Iterable[int]) -> EvalResult:
    """Plays greedy episodes; `seed` and an episode's number define it, anywhere."""
    seeds = (integer_seed(fold_in(Key(seed), number)) for number in episodes)
    return EvalResult(tuple(run_episode(env, policy, seed)[1] for seed in seeds))


def evaluate_agent(
    run: Run, state: AgentState, seed: int, n: int, on_episode: OnEpisode
) -> EvalResult:
    """Plays episodes 0 .. n - 1 of `seed`, divided among the workers.

    Every process must call it; all get the same result. Each reports before every episode of its
    own, as if the others were as far.
    """
    policy, workers = greedy_policy(run, state), run.workers
    own = [range(worker, n, workers.total) for worker in workers.local_workers]
    n_own, n_played = sum(map(len, own)), count()

    def reported(episodes: range) -> Iterator[int]:
        for number in episodes:
            on_episode(next(n_played) * n // n_own, n)
            yield number

    results = on_each(
        workers.comm,
        lambda: [evaluate(run.env, policy, seed, reported(mine)).episodes for mine in own],
    )
    by_worker = workers.gather(results)
    return EvalResult(tuple(by_worker[i % workers.total][i // workers.total] for i in range(n)))


def greedy_policy(run: Run, state: AgentState) -> Policy:
    """Returns the policy that the state's actor and normalizers define."""
    actor = run.learner.agent(state)["actor"]
    return policy_of(run.nets, actor, run.learner.scalings(state))


def _rate(successes: list[bool]) -> Rate:
    return Rate(sum(successes), len(successes))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(float(np.mean(known)), *np.quantile(known, [0.5, 0.9]).tolist())
