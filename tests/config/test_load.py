"""Layers and values of the configuration, and its JSON schema."""

import json
from pathlib import Path

import pytest

from grasp_func.config.load import Config, expectation, load_config
from grasp_func.config.schema import config_schema
from grasp_func.config.yaml_file import parse_yaml

CONFIGS = Path(__file__).parents[2] / "configs"
ENVS = ("FlatPJCube-v0", "FlatSHMesh-v0")


def test_defaults_are_the_published_values():
    published = load_config(str(CONFIGS / "dextgen.yaml"), "FlatPJCube-v0")
    assert published == Config(confirm_episodes=0, actor_net_type="PosePolicyNet")
    assert (published.gamma, published.tau, published.k) == (0.98, 0.05, 4)


def test_shipped_default_says_why_it_departs_from_the_published_values():
    path = CONFIGS / "experiment_config.yaml"
    shipped, published = load_config(path, "none"), load_config(CONFIGS / "dextgen.yaml", "none")
    lines = [line.strip() for line in path.read_text().splitlines()]
    for key in Config.model_fields:
        if getattr(shipped, key) != getattr(published, key):
            first = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
            assert lines[first - 1].startswith("# published"), f"{key} differs without a comment"
    assert (shipped.workers, shipped.seed) == (None, None)


def test_environment_overrides_default_and_command_line_overrides_both(write):
    path = write("Default: {gamma: 0.9, tau: 0.1, k: 2}\nFlatPJCube-v0: {gamma: 0.8, tau: 0.2}")
    cfg = load_config(path, "FlatPJCube-v0", ["gamma=0.7"], ENVS)
    assert (cfg.gamma, cfg.tau, cfg.k) == (0.7, 0.2, 2)
    other = load_config(path, "FlatSHMesh-v0", known_envs=ENVS)
    assert (other.gamma, other.tau) == (0.9, 0.1)


def test_kwargs_are_merged_key_by_key(write):
    path = write("Default: {kwargs: {a: 1, b: [1]}}\nFlatPJCube-v0:\n  kwargs: {b: 2, c: x}")
    cfg = load_config(path, "FlatPJCube-v0", ["kwargs.c=3", "kwargs={d: null}"], ENVS)
    assert cfg.kwargs == {"a": 1, "b": 2, "c": 3, "d": None}
    assert load_config(path, "FlatSHMesh-v0").kwargs == {"a": 1, "b": [1]}


def test_other_mappings_and_lists_are_replaced(write):
    path = write(
        "Default: {noise_process: OrnsteinUhlenbeck, noise_process_params: {mu: 0, theta: 0.1}}\n"
        "FlatPJCube-v0: {noise_process: Gaussian, noise_process_params: {sigma: 1}}"
    )
    cfg = load_config(path, "FlatPJCube-v0", ["state_norm_exclude=[]"])
    assert cfg.noise_process_params == {"sigma": 1}
    assert cfg.state_norm_exclude == []


@pytest.mark.parametrize("text", ["FlatPJCube-v0: {k: 2}", "Default:\nFlatPJCube-v0: {k: 2}"])
def test_default_may_be_missing_or_empty(write, text):
    assert load_config(write(text), "FlatPJCube-v0").k == 2


def test_anchors_and_merge_keys_work(write):
    path = write("Default: &d {k: 2, tau: 0.5}\nFlatPJCube-v0: {<<: *d, k: 3}")
    cfg = load_config(path, "FlatPJCube-v0")
    assert (cfg.k, cfg.tau) == (3, 0.5)


def test_values_are_typed(write):
    path = write("Default: {actor_lr: 1e-3, critic_lr: 1E+1, seed: 0, workers: 3, grad_clip: null}")
    cfg = load_config(path, "FlatPJCube-v0", ["tau=.5e-2", "save=false", "seed="])
    assert (cfg.actor_lr, cfg.critic_lr, cfg.tau, cfg.workers) == (1e-3, 10.0, 5e-3, 3)
    assert cfg.save is False and cfg.seed is None and cfg.grad_clip is None
    assert load_config(path, "FlatPJCube-v0").seed == 0  # 0 is a seed


def test_config_is_frozen_and_dumps_to_json(write):
    cfg = load_config(write("Default: {kwargs: {objects: [Cube], scale: 1.5}}"), "FlatPJCube-v0")
    with pytest.raises(ValueError):
        cfg.gamma = 0.5
    assert Config.model_validate(cfg.model_dump(mode="json")) == cfg
    assert Config.model_validate_json(cfg.model_dump_json()) == cfg


# --- descriptions


def test_every_key_has_a_meaning_and_an_expectation():
    for name, field in Config.model_fields.items():
        assert field.description, name
        assert expectation(name)


def test_ddp_is_never_mistaken_for_distributed_training():
    assert "not DistributedDataParallel" in Config.model_fields["actor_net_type"].description


def test_json_schema_describes_every_key():
    section = config_schema()["$defs"]["Section"]
    assert list(section["properties"]) == list(Config.model_fields)
    assert all(key["description"] for key in section["properties"].values())
    assert section["properties"]["gamma"]["exclusiveMaximum"] == 1
    assert section["additionalProperties"] is False
    json.dumps(config_schema(), allow_nan=False)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_json_schema_knows_every_key_of_the_shipped_files(path):
    schema = config_schema()
    keys = schema["$defs"]["Section"]["properties"]
    for name, section in parse_yaml(path.read_bytes(), path.name).items():
        reference = schema["properties"].get(name, schema["additionalProperties"])["anyOf"][0]
        assert reference == {"$ref": "#/$defs/Section"}
        assert set(section or {}) <= set(keys)
