"""Every shipped agent still reaches what was published of it."""

import json
from pathlib import Path

import pytest

import envs  # noqa: F401
from grasp_func import PRETRAINED, evaluate

ROOT = Path(__file__).parents[1]
AGENTS = sorted(path.parent.name for path in PRETRAINED.glob("*/stats.json"))
EPISODES = 1000  # those of docs/publish.py


@pytest.mark.slow
@pytest.mark.parametrize("name", AGENTS)
def test_success_is_within_the_published_interval(name):
    stats = json.loads((PRETRAINED / name / "stats.json").read_text())
    path = ROOT / "docs" / "results" / stats["env"] / f"seed{stats['seed']}_evaluation.json"
    published = json.loads(path.read_text())
    result = evaluate(PRETRAINED / name, f"envs:{stats['env']}", n=EPISODES, seed=1000)
    assert published["success_low"] <= result.success <= published["success_high"]
