"""Films shipped agents: `python docs/films.py FlatSHCube-v0`; without an id, all that lack a film.

A film shows the first episodes of seed 1000 with goals in the air: none was chosen.
"""

import argparse
import json

from model_cards import agent_of, film_of

from envs.suite import SUITE
from grasp_func.cli.main import main as grasp_func

SEED = 1000


def film(env_id: str, n_episodes: int) -> None:
    """Plays and films episodes."""
    agent, n = agent_of(SUITE[env_id]), str(n_episodes)
    episodes = ["--ntests", n, "--filmed", n, "--seed", str(SEED)]
    goals = ["--set", "kwargs.air_goal_share=1"]
    files = ["--load", str(agent), "--record", str(film_of(env_id))]
    if grasp_func(["evaluate", "--env", env_id, *episodes, *goals, *files]):
        raise SystemExit(1)


def main() -> None:
    """Films the agents that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env_ids", nargs="*", metavar="ID")
    parser.add_argument("--episodes", type=int, default=1)
    arguments = parser.parse_args()
    unknown = set(arguments.env_ids) - set(SUITE)
    if unknown:
        parser.error(f"no such environment: {', '.join(sorted(unknown))}")
    for env_id in arguments.env_ids or filter(_lacks_film, SUITE):
        film(env_id, arguments.episodes)


def _lacks_film(env_id: str) -> bool:
    """Whether an agent was trained on this environment, and never filmed."""
    stats = json.loads((agent_of(SUITE[env_id]) / "stats.json").read_text(encoding="utf-8"))
    return stats["env"] == env_id and not film_of(env_id).exists()


if __name__ == "__main__":
    main()
