"""Films the environments: `python docs/films.py FlatSHCube-v0`; without an id, all without a film.

A film shows the first episodes of seed 1000 with goals in the air, none of them chosen. The shipped
agent plays; where there is none, the scripted policy of the tests.
"""

import argparse
import sys
from contextlib import closing

import gymnasium
from model_cards import ROOT, agent_of, film_of

from envs.suite import SUITE
from grasp_func.cli.film import Filmed
from grasp_func.cli.main import main as grasp_func

sys.path.append(str(ROOT / "tests" / "envs"))
from scripted import LiftPolicy

SEED = 1000


def film_agent(env_id: str, n_episodes: int) -> None:
    """Films the shipped agent."""
    agent, n = agent_of(env_id), str(n_episodes)
    episodes = ["--ntests", n, "--filmed", n, "--seed", str(SEED)]
    goals = ["--set", "kwargs.air_goal_share=1"]
    files = ["--load", str(agent), "--record", str(film_of(env_id))]
    if grasp_func(["evaluate", "--env", env_id, *episodes, *goals, *files]):
        raise SystemExit(1)


def film_scripted(env_id: str, n_episodes: int) -> None:
    """Films the scripted policy."""
    env = gymnasium.make(env_id, render_mode="rgb_array", air_goal_share=1.0)
    with closing(Filmed(env, film_of(env_id), n_episodes)) as filmed:
        for episode in range(n_episodes):
            observation, _ = filmed.reset(seed=SEED + episode)
            policy, done = LiftPolicy(env.unwrapped), False
            while not done:
                observation, _, _, done, _ = filmed.step(policy(observation))


def main() -> None:
    """Films the environments that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env_ids", nargs="*", metavar="ID")
    parser.add_argument("--episodes", type=int, default=1)
    arguments = parser.parse_args()
    unknown = set(arguments.env_ids) - set(SUITE)
    if unknown:
        parser.error(f"no such environment: {', '.join(sorted(unknown))}")
    for env_id in arguments.env_ids or [id_ for id_ in SUITE if not film_of(id_).exists()]:
        film = film_scripted if agent_of(env_id) is None else film_agent
        film(env_id, arguments.episodes)


if __name__ == "__main__":
    main()
