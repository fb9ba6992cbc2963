"""Layers, ranges and messages of the configuration, and malicious files."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grasp_func.config.load import Config, expectation, load_config, recorded_config
from grasp_func.config.schema import RENAMED, config_schema
from grasp_func.config.yaml_file import MAX_BYTES, parse_yaml
from grasp_func.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
ENVS = ("FlatPJCube-v0", "FlatSHMesh-v0")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes text to c.yaml in the working folder and returns its relative path."""
    monkeypatch.chdir(tmp_path)

    def write_file(text):
        Path("c.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return "c.yaml"

    return write_file


def message_of(path, *overrides, env="FlatPJCube-v0"):
    with pytest.raises(ConfigError) as caught:
        load_config(path, env, overrides, ENVS)
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    return message


# --- layers


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


# --- messages

MESSAGES = {
    "Default: {gamma: 1.2}": "Default.gamma = 1.2, expected a number >= 0 and < 1",
    "Default: {angle_tolerance_start: 4}": "Default.angle_tolerance_start = 4, "
    "expected a number > 0 and <= 3.14159",
    "Default: {angle_tolerance_factor: 1}": "Default.angle_tolerance_factor = 1, "
    "expected a number > 1",
    "Default: {action_clip: 1.5}": "Default.action_clip = 1.5, expected a number > 0 and <= 1",
    "FlatPJCube-v0: {tau: 0}": "FlatPJCube-v0.tau = 0, expected a number > 0 and <= 1",
    "Default: {gamma: .nan}": "Default.gamma = NaN, expected a number >= 0 and < 1",
    "Default: {state_clip: .inf}": "Default.state_clip = Infinity, expected a number > 0",
    "Default: {grad_clip: -1}": "Default.grad_clip = -1, expected a number > 0 or null",
    "Default: {epochs: 0}": "Default.epochs = 0, expected an integer >= 1",
    "Default: {epochs: 1.0}": "Default.epochs = 1.0, expected an integer >= 1",
    "Default: {seed: false}": "Default.seed = false, expected an integer >= 0 or null",
    "Default: {save: 1}": "Default.save = 1, expected true or false",
    "Default: {load_pretrained: no way}": 'Default.load_pretrained = "no way", '
    "expected true or false or fitting",
    'Default: {gamma: "0.9"}': 'Default.gamma = "0.9", expected a number >= 0 and < 1',
    "Default: {actor_net_type: DDPG}": 'Default.actor_net_type = "DDPG", '
    "expected auto or PosePolicyNet or DDP",
    "Default: {noise_process: Gaussian, noise_process_params: {theta: 1}}": ""
    'Default.noise_process_params = {"theta": 1}, '
    "expected parameters of noise_process Gaussian (mu, sigma)",
    "Default: {noise_process: Gaussian, noise_process_params: [1]}": ""
    "Default.noise_process_params = [1], expected [mu, sigma]",
    "Default: {noise_process: OrnsteinUhlenbeck, noise_process_params: [0, 0.2]}": ""
    "Default.noise_process_params = [0, 0.2], "
    "expected {theta: a, sigma: b, dt: 1} for Dext-Gen's [a, b], without clipping",
    "Default: {goal_norm_idx: [0, 0]}": "Default.goal_norm_idx = [0, 0], "
    "expected a list of different integers >= 0 or null",
    "Default: {state_norm_exclude: grip_rot}": 'Default.state_norm_exclude = "grip_rot", '
    "expected a list of strings or auto",
    "Default: {batchsize: 1}": "Default.batchsize is not a known key, did you mean batch_size?",
    "FlatSHMesh-v0: {batchsize: 1}": "FlatSHMesh-v0.batchsize is not a known key, "
    "did you mean batch_size?",
    "Default: {xyz: 1}": "Default.xyz is not a known key",
    "Default: {updates: captured}": 'Default.updates = "captured", '
    "expected traced, the new name of captured",
    "FlatSHMseh-v0: {}": "FlatSHMseh-v0 is neither Default nor a known environment, "
    "did you mean FlatSHMesh-v0?",
    "Oven: {}": "Oven is neither Default nor a known environment, remove it",
    "gamma: 0.9": "gamma = 0.9, expected a section with keys, put it under Default",
    "Default: {gamma: 0.9, gamma: 0.8}": "line 1: not valid YAML (gamma is given twice)",
    "- 1": "[1], expected sections named Default or as environments",
    "# only a comment": "empty, expected sections named Default or as environments",
    "Default: {1: 2}": "line 1: not valid YAML (a key is not text)",
    "Default:\n  gamma: [": "line 2: not valid YAML (expected the node content, "
    "but found '<stream end>')",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_messages_name_file_key_value_and_range(write, text):
    assert message_of(write(text)) == f"c.yaml: {MESSAGES[text]}"


OVERRIDES = {
    "gamma=2": "gamma = 2, expected a number >= 0 and < 1",
    "gama=0.5": "gama is not a known key, did you mean gamma?",
    "gamma": "expected KEY=VALUE, for example --set batch_size=512",
    "=1": "expected KEY=VALUE, for example --set batch_size=512",
    "gamma.x=1": 'gamma = {"x": 1}, expected a number >= 0 and < 1',
    "kwargs.=1": "expected KEY=VALUE, for example --set batch_size=512",
    "kwargs=1": "kwargs = 1, expected a mapping",
    "kwargs.size=.inf": 'kwargs = {"size": Infinity}, expected finite numbers, text, true, false, '
    "null, lists or mappings of those",
    "kwargs.day=2026-01-01": 'kwargs = {"day": "2026-01-01"}, expected finite numbers, text, true, '
    "false, null, lists or mappings of those",
    "noise_process_params.sigma=x": 'noise_process_params = {"sigma": "x"}, '
    "expected a mapping or a list of numbers",
    "gamma=[": "line 1: not valid YAML (expected the node content, but found '<stream end>')",
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_messages_about_the_command_line(write, override):
    assert message_of(write("Default: {}"), override) == f"--set {override}: {OVERRIDES[override]}"


def test_unknown_environment_is_named(write):
    message = message_of(write("Default: {}"), env="FlatPJCub-v0")
    assert message == "--env FlatPJCub-v0 is not a known environment, did you mean FlatPJCube-v0?"


def test_an_override_that_no_longer_fits_the_file_is_refused(write):
    path = write("Default: {noise_process: Gaussian, noise_process_params: {sigma: 1}}")
    assert message_of(path, "noise_process=Uniform") == (
        'c.yaml: Default.noise_process_params = {"sigma": 1}, '
        "expected parameters of noise_process Uniform (none)"
    )


def test_negative_noise_is_refused(write):
    path = write("Default: {noise_process: Gaussian}")
    assert "sigma >= 0" in message_of(path, "noise_process_params={sigma: -1}")


OLD_KEYS = {
    "sync_targets_every": "soft_update_every",
    "quiet_share": "p_low_noise",
    "quiet_eps": "low_noise_eps",
    "quiet_action_noise": "low_noise_action_noise",
    "late_quiet_eps": "late_low_noise_eps",
    "late_quiet_action_noise": "late_low_noise_action_noise",
    "moved_share": "p_moved",
    "lifted_share": "p_lifted",
}


@pytest.mark.parametrize(("old", "new"), OLD_KEYS.items())
def test_old_name_of_a_key_is_an_error_that_names_the_new_one(write, old, new):
    expected = f"{old} is now called {new}"
    assert message_of(write(f"FlatPJCube-v0: {{{old}: 0}}")) == f"c.yaml: FlatPJCube-v0.{expected}"
    assert message_of(write("Default: {}"), f"{old}=0") == f"--set {old}=0: {expected}"
    with pytest.raises(ConfigError, match=f"^recorded configuration: {expected}$"):
        recorded_config({"gamma": 0.9, old: 0}, [])


def test_old_names_are_complete_and_lead_to_keys():
    assert RENAMED == OLD_KEYS
    assert set(RENAMED.values()) <= set(Config.model_fields)


def test_old_value_of_updates_names_the_new_one_everywhere(write):
    expected = 'updates = "captured", expected traced, the new name of captured'
    message = message_of(write("Default: {}"), "updates=captured")
    assert message == f"--set updates=captured: {expected}"
    with pytest.raises(ConfigError, match=f"^recorded configuration: {expected}$"):
        recorded_config({"updates": "captured"}, [])


def test_recorded_configuration_is_overridden():
    recorded = Config(seed=3, gamma=0.9).model_dump(mode="json")
    assert recorded_config(recorded, ["epochs=9"]) == Config(seed=3, gamma=0.9, epochs=9)


# --- Dext-Gen's own file

DEXTGEN_FILE = """
Default:
  noise_process: "Uniform"
  noise_process_params: [0., 0.2]
  action_clip: 1.
  actor_net_type: "PosePolicyNet"
  save: True
  seed: {seed}
FlatSHMesh-v0:
  state_norm_idx: [0, 1, 2, 9]
  kwargs:
    n_eigengrasps: 7
"""
OTHER_ENVIRONMENTS = """
SeaClear-v0:
  actor_net_type: "DDP"
  kwargs: {fancy_world: True}
FetchPickAndPlace-v1: {actor_net_type: "DDP"}
"""


def test_all_problems_of_dextgens_file_are_reported_together(write):
    path = write(DEXTGEN_FILE.format(seed="False") + OTHER_ENVIRONMENTS)
    with pytest.raises(ConfigError) as caught:
        load_config(path, "FlatPJCube-v0", (), ENVS)
    assert str(caught.value).splitlines() == [
        "3 problems:",
        "  c.yaml: SeaClear-v0 is neither Default nor a known environment, remove it",
        "  c.yaml: FetchPickAndPlace-v1 is neither Default nor a known environment, remove it",
        "  c.yaml: Default.seed = false, expected an integer >= 0 or null",
    ]


def test_the_rest_of_dextgens_file_is_understood(write):
    cfg = load_config(write(DEXTGEN_FILE.format(seed="null")), "FlatSHMesh-v0", (), ENVS)
    assert (cfg.noise_process_params, cfg.state_norm_idx) == ({}, [0, 1, 2, 9])
    assert cfg.kwargs == {"n_eigengrasps": 7}


def test_gaussian_parameters_may_be_a_list(write):
    path = write("Default: {noise_process: Gaussian, noise_process_params: [0, 0.2]}")
    cfg = load_config(path, "FlatPJCube-v0")
    assert cfg.noise_process_params == {"mu": 0, "sigma": 0.2}
    assert Config.model_validate(cfg.model_dump(mode="json")) == cfg


def test_problems_of_all_sections_are_reported_together(write):
    path = write("Default: {gamma: 2, k: -1}\nFlatSHMesh-v0: {tau: 2, gama: 1}")
    with pytest.raises(ConfigError) as caught:
        load_config(path, "FlatPJCube-v0", ["epochs=0"], ENVS)
    lines = str(caught.value).splitlines()
    assert lines[0] == "4 problems:"
    starts = [line.split(" = ")[0].split(" is ")[0] for line in lines[1:]]
    names = ("Default.gamma", "Default.k", "FlatSHMesh-v0.tau", "FlatSHMesh-v0.gama")
    assert starts == [f"  c.yaml: {name}" for name in names]


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


# --- hostile and broken files


def laughs(levels):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "Default:\n  kwargs:\n" + "\n".join("    " + line for line in lines)


def merges(levels):
    lines = ["a0: &a0 {k0: 0, k1: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, levels)]
    return "Default:\n  kwargs:\n" + "\n".join("    " + line for line in lines)


HOSTILE = {
    "bomb": (laughs(9), "with aliases written out"),
    "merge bomb": (merges(9), "with aliases written out"),
    "wrong tag": ("Default: {seed: !!bool x}", "not valid YAML"),
    "no such tag": ("Default: {seed: !seed 1}", "not valid YAML"),
    "cycle": ("Default: &a {kwargs: {x: *a}}", "with aliases written out"),
    "deep": ("Default: {kwargs: {a: " + "[" * 5000 + "]" * 5000 + "}}", "recursion"),
    "long": ("Default: {seed: 0x" + "f" * 2000 + "}", "a value is too long"),
    "huge": ("#" * (MAX_BYTES + 1), "larger than"),
    "latin-1": ("Default: {}  # Gr\xf6\xdfe".encode("latin-1"), "not valid YAML"),
    "binary": (b"\x00\x01\x02", "not valid YAML"),
    "two documents": ("Default: {}\n---\nDefault: {}", "not valid YAML"),
    "bad date": ("Default: {seed: 2026-13-45}", "not valid YAML"),
    "escape": ('Default: {"a\\e[31m\\n": 1}', "is not a known key"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_one_line(write, name):
    text, expected = HOSTILE[name]
    message = message_of(write(text))
    assert message.startswith("c.yaml: ")
    assert expected in message


@pytest.mark.parametrize(
    "tag", ["object/apply:os.system", "object/new:os.system", "name:os.system"]
)
def test_yaml_cannot_run_code(write, tag, tmp_path):
    path = write(f'Default: {{kwargs: {{x: !!python/{tag} ["touch {tmp_path}/sentinel"]}}}}')
    assert "not valid YAML" in message_of(path)
    assert not (tmp_path / "sentinel").exists()


def test_missing_file_and_folder(tmp_path):
    assert "none.yaml: cannot be read (No such file" in message_of(tmp_path / "none.yaml")
    assert "cannot be read (Is a directory)" in message_of(tmp_path)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        parse_yaml(text, "x")
    except ConfigError as error:
        assert "\n" not in str(error)


@given(st.floats(1e-9, 1e9))
def test_numbers_survive_the_way_through_yaml(number):
    assert parse_yaml(repr(number), "x") == number
    assert parse_yaml(yaml.safe_dump(number), "x") == number
