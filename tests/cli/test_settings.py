"""Each key of the settings model is an option of `train`, which is the same as --set."""

import pytest

from command_line import ENV
from grasp_func.cli import settings, train
from grasp_func.cli.main import main
from grasp_func.config.load import load_config
from grasp_func.config.schema import Config
from grasp_func.shipped import DEFAULT_CONFIG


def config_of(*words):
    """Returns the configuration that `train` makes of some options."""
    context = train.command.make_context("train", ["--env", ENV, *words])
    return load_config(DEFAULT_CONFIG, ENV, settings.changes(context.params))


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("--batch-size 64 --seed 3", {"batch_size": 64, "seed": 3}),
        ("--gamma=0.5 --actor-lr 1e-4", {"gamma": 0.5, "actor_lr": 1e-4}),
        ("--no-save", {"save": False}),
        ("--save", {"save": True}),
        ("--grad-clip null --late-success null", {"grad_clip": None, "late_success": None}),
        ("--goal-norm-idx [0,1]", {"goal_norm_idx": [0, 1]}),
        ("--state-norm-exclude [grip_pos]", {"state_norm_exclude": ["grip_pos"]}),
        ("--load-pretrained fitting", {"load_pretrained": "fitting"}),
        ("--load-pretrained true", {"load_pretrained": True}),
        ("--load-pretrained ./agent", {"load_pretrained": "./agent"}),
        (
            "--noise-process Gaussian --noise-process-params {sigma:\\ 0.1}",
            {"noise_process": "Gaussian", "noise_process_params": {"sigma": 0.1}},
        ),
        ("--eager", {"updates": "eager"}),
        ("--compile", {"updates": "compiled"}),
        ("--updates compiled", {"updates": "compiled"}),
        ("", {"updates": "auto", "save": True, "seed": None}),
    ],
)
def test_options_change_settings(words, values):
    words = [word.replace("\0", " ") for word in words.replace("\\ ", "\0").split()]
    found = config_of(*words)
    assert {key: getattr(found, key) for key in values} == values


def test_every_key_but_the_constructors_arguments_has_an_option():
    names = {option.name for option in settings.options()}
    assert names == set(Config.model_fields) - {"kwargs"}


def test_help_has_the_main_options_first_and_then_a_panel_for_each_part(capsys):
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    panels = [line.split()[1:-1] for line in text.splitlines() if line.startswith("╭─ ")]
    titles = [" ".join(words).strip("─ ") for words in panels]
    assert titles[:4] == ["Options", "Budget", "Learning", "Network sizes"]
    assert len(titles) == 1 + len(Config.__bases__)
    main_options = text[: text.index("Budget")]
    for name in ("--env", "--import", "--config", "--set", "-n", "--resume", "--save-dir"):
        assert f" {name} " in main_options
    plain = " ".join(text.replace("│", " ").split())
    assert "discount factor per step; a number in [0, 1) [default: 0.95]" in plain
    assert "--save/--no-save" in plain and "true or false [default: true]" in plain
