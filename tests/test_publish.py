"""Publishing and comparing: what is run, and what is not run again. The programs are replaced."""

import json
import shlex
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "docs"))

import compare as compare_script
import model_cards
import publish as publish_script

from grasp_func.config.load import load_config

# of a run from scratch that was resumed once
STATS = {
    "finished": True,
    "history": ["resumed"],
    "config": {"load_pretrained": False},
    "params_hash": "last",
    "epochs": [{"epoch": 1}, {"epoch": 2}],
}
BEST = {"epoch": 1, "params_hash": "best"}
FILES = ("actor.pt", "critic.pt", "state_norm.pkl", "goal_norm.pkl", "agent.json", "stats.json")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Returns a function that calls a script in an empty repository, and returns the programs."""
    results = tmp_path / "docs" / "results"
    monkeypatch.setattr(publish_script, "ROOT", tmp_path)
    monkeypatch.setattr(publish_script, "RESULTS", results)
    monkeypatch.setattr(compare_script, "RESULTS", results)
    monkeypatch.setattr(publish_script, "PRETRAINED", tmp_path / "saves" / "pretrain")
    commands = []

    def run(command):
        commands.append(" ".join(command))
        options = dict(pairwise(command))
        if "plot" in command:
            return
        if "--json" in options:
            Path(options["--json"]).write_text("{}")
            return
        folder = tmp_path / options["--save-dir"] / options["--env"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "best").mkdir(exist_ok=True)
        for name in FILES:
            (folder / name).write_text(json.dumps(STATS))
            (folder / "best" / name).write_text("best")
        (folder / "best" / "best.json").write_text(json.dumps(BEST))

    monkeypatch.setattr(publish_script, "run", run)
    monkeypatch.setattr(publish_script, "commit", lambda: "1a2b3c")

    def called(script, *arguments):
        commands.clear()
        monkeypatch.setattr(sys, "argv", ["script", *arguments])
        script.main()
        return list(commands)

    return called


@pytest.fixture
def publish(call):
    """Returns a function that publishes, and returns the programs."""
    return partial(call, publish_script)


def test_every_seed_is_trained_and_evaluated_once(publish, tmp_path):
    first = publish("A-v0", "--seeds", "3", "4", "--also", "B-v0", "--ship", "4", "--set", "k=1")
    assert len(first) == 7
    assert (
        "train.py --env A-v0 --save-dir runs/A-v0/seed3 --plain --set=seed=3 --set=k=1" in first[0]
    )
    assert "evaluate.py --env B-v0 --load runs/A-v0/seed3/A-v0/best --ntests 1000" in first[2]
    results = {path.name for path in (tmp_path / "docs" / "results" / "A-v0").iterdir()}
    of_seeds = {
        f"seed{seed}{suffix}.json"
        for seed in (3, 4)
        for suffix in ("", "_evaluation", "_evaluation_B")
    }
    assert results == of_seeds
    assert {path.name for path in (tmp_path / "saves/pretrain/A-v0").iterdir()} == set(FILES)
    shipped = json.loads((tmp_path / "saves/pretrain/A-v0/stats.json").read_text())
    assert shipped == {
        "commit": "1a2b3c", **STATS, "params_hash": "best", "epochs": [{"epoch": 1}],
    }  # fmt: skip
    assert (tmp_path / "saves/pretrain/A-v0/actor.pt").read_text() == "best"
    page = (tmp_path / "docs/results/A-v0.md").read_text()
    assert "configuration, from scratch. The best agent" in page
    assert "python docs/publish.py A-v0 --seeds 3 4 --also B-v0 --ship 4 --set k=1\n" in page
    (again,) = publish("A-v0", "--seeds", "3", "4", "--also", "B-v0")
    assert "plot --out" in again


def test_a_training_that_was_interrupted_is_resumed(publish, tmp_path):
    folder = tmp_path / "runs/A-v0/seed3/A-v0"
    folder.mkdir(parents=True)
    (folder / "stats.json").write_text('{"finished": false}')
    folder.with_name("commit").write_text("1a2b3c")
    training, _, _ = publish("A-v0", "--seeds", "3")
    assert training.endswith("--save-dir runs/A-v0/seed3 --plain --resume=auto")


def test_a_training_that_stopped_early_is_not_published(publish, tmp_path, monkeypatch):
    monkeypatch.setitem(STATS, "finished", False)
    with pytest.raises(SystemExit, match="the same command resumes it"):
        publish("A-v0", "--seeds", "3", "--ship", "3")
    assert not (tmp_path / "saves").exists()


def test_variants_have_the_same_seeds(call, tmp_path, monkeypatch):
    variants = {"one": ("A-v0", ("k=1",)), "two": ("B-v0", ())}
    monkeypatch.setitem(compare_script.COMPARISONS, "letters", variants)
    commands = call(compare_script, "letters", "--seeds", "3", "4")
    trainings = [command for command in commands if "train.py" in command]
    ends = [command.partition("train.py ")[2] for command in trainings]
    assert ends[0] == "--env A-v0 --save-dir runs/letters/one/seed3 --plain --set=seed=3 --set=k=1"
    assert ends[3] == "--env B-v0 --save-dir runs/letters/two/seed4 --plain --set=seed=4"
    results = tmp_path / "docs/results/letters"
    names = {f"{name}_seed{seed}" for name in ("one", "two") for seed in (3, 4)}
    assert {path.stem.removesuffix("_evaluation") for path in results.iterdir()} == names
    (again,) = call(compare_script, "letters", "--seeds", "3", "4")
    assert "plot --out" in again


def test_the_start_of_a_run_is_told_in_words():
    start_of = model_cards.start_of
    start = "saves/pretrain/A: pre-trained, networks and normalizers loaded"
    pretrained = {"load_pretrained": True}
    row = {"epoch": 0, "success": 0.5, "n": 9, "phase": "late"}
    told = "from the agent in saves/pretrain/A (success 0.500 of 9 episodes, late phase)"
    assert start_of({"history": [start], "config": pretrained, "epochs": [row]}) == told
    fitting = "saves/pretrain/A: pre-trained, loaded actor; fresh critic"
    assert start_of({"history": [fitting], "config": pretrained, "epochs": [row]}) == told
    # earlier versions noted the first evaluation there
    noted = f"{start}; success 0.500 of 9 episodes, late phase"
    stats = {"history": [noted, "resumed"], "config": pretrained, "epochs": [{"epoch": 1}]}
    assert start_of(stats) == told
    assert start_of({**stats, "config": {"load_pretrained": False}}) == "from scratch"


@pytest.mark.parametrize("folder", sorted(model_cards.AGENTS.glob("*/")), ids=lambda p: p.name)
def test_the_command_on_a_card_names_the_settings_of_the_run(folder):
    stats = json.loads((folder / "stats.json").read_text())
    _, _, after = model_cards.card(folder).partition("grasp-func train")
    options = shlex.split(after.partition("\ngrasp-func evaluate")[0])
    settings = [value for flag, value in pairwise(options) if flag == "--set"]
    config = load_config(model_cards.CONFIG, stats["env"], settings).model_dump(mode="json")
    recorded = {key: value for key, value in stats["config"].items() if key in config}
    resolved = {key: recorded[key] for key in model_cards.RESOLVED}
    assert {**config, **resolved} == {**config, **recorded}
