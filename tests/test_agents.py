"""Every shipped agent still reaches what was published of it."""

import hashlib
import json
from pathlib import Path

import pytest

import envs  # noqa: F401
from grasp_func import PRETRAINED, evaluate

ROOT = Path(__file__).parents[1]
AGENTS = sorted(path.parent.name for path in PRETRAINED.glob("*/stats.json"))
EPISODES = 1000  # those of docs/publish.py


def published(name):
    """Returns the evaluations of a shipped agent that cards and tables show, its own first."""
    stats = json.loads((PRETRAINED / name / "stats.json").read_text())
    folder = ROOT / "docs" / "results" / stats["env"]
    paths = sorted(folder.glob(f"seed{stats['seed']}_evaluation*.json"))
    return [json.loads(path.read_text()) for path in paths]


@pytest.mark.parametrize("name", AGENTS)
def test_what_was_published_is_of_this_agent(name):
    actor = (PRETRAINED / name / "actor.pt").read_bytes()
    hashes = {result["actor_sha256"] for result in published(name)}
    assert hashes == {hashlib.sha256(actor).hexdigest()}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGENTS)
def test_success_is_within_the_published_interval(name):
    expected = published(name)[0]
    result = evaluate(PRETRAINED / name, f"envs:{expected['env']}", n=EPISODES, seed=1000)
    assert expected["success_low"] <= result.success <= expected["success_high"]
