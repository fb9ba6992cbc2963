"""Evaluates agents: greedy episodes and success rates by the kind of goal."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from grasp_func.core.ddpg import AgentState
from grasp_func.core.numpy_policy import Policy, policy_of
from grasp_func.core.rng import Key, fold_in, integer_seed
from grasp_func.runtime.comm import on_each
from grasp_func.training.goal_env import GoalEnv
from grasp_func.training.rollout import EpisodeResult, PolicyFn, run_episode
from grasp_func.training.setup import Run


class Rate(NamedTuple):
    """Successes in `n` episodes."""

    successes: int
    n: int

    @property
    def value(self) -> float | None:
        """Success rate; None where no episode was played."""
        return self.successes / self.n if self.n else None


class EvalResult(NamedTuple):
    """Success over all episodes, and by the kind of goal where the environment says it."""

    overall: Rate
    table: Rate  # goals that require no lifting
    air: Rate  # goals that do

    @property
    def success(self) -> float:
        """Success rate over all episodes."""
        return self.overall.value or 0.0


def evaluate(
    env: GoalEnv, policy: PolicyFn, seed: int, episodes: Sequence[int]
) -> list[EpisodeResult]:
    """Plays greedy episodes; `seed` and an episode's number define it, anywhere."""
    seeds = (integer_seed(fold_in(Key(seed), number)) for number in episodes)
    return [run_episode(env, policy, episode_seed)[1] for episode_seed in seeds]


def count_successes(episode_results: Sequence[EpisodeResult]) -> EvalResult:
    """Counts successes over all episodes, table goals and air goals."""

    def rate(chosen: list[EpisodeResult]) -> Rate:
        return Rate(sum(result.success for result in chosen), len(chosen))

    return EvalResult(
        overall=rate(list(episode_results)),
        table=rate([result for result in episode_results if result.air is False]),
        air=rate([result for result in episode_results if result.air]),
    )


def evaluate_agent(run: Run, state: AgentState, seed: int, n: int) -> EvalResult:
    """Plays episodes 0 .. n - 1 of `seed`, divided among the workers.

    Every process must call it; all get the same result.
    """
    policy, workers = greedy_policy(run, state), run.workers
    results = on_each(
        workers.comm,
        lambda: [
            evaluate(run.env, policy, seed, range(worker, n, workers.total))
            for worker in workers.local_workers
        ],
    )
    return count_successes(list(chain.from_iterable(workers.gather(results))))


def greedy_policy(run: Run, state: AgentState) -> Policy:
    """Returns the policy that the state's actor and normalizers define."""
    actor = run.learner.unravel(state.params)["actor"]
    return policy_of(run.nets, actor, run.learner.scalings(state))
