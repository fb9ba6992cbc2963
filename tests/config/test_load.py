"""Layers, ranges and messages of the configuration, and files that try to do harm."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grasp_func.config.load import Config, expectation, load_config
from grasp_func.config.yaml_file import MAX_FILE_BYTES, parse_yaml
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
    published = load_config(CONFIGS / "dextgen.yaml", "FlatPJCube-v0")
    assert published == Config(confirm_episodes=0)
    assert (published.gamma, published.tau, published.k) == (0.98, 0.05, 4)


def test_shipped_default_says_why_it_departs_from_the_published_values():
    path = CONFIGS / "experiment_config.yaml"
    shipped, published = load_config(path, "none"), load_config(CONFIGS / "dextgen.yaml", "none")
    lines = {line.split(":")[0].strip(): line for line in path.read_text().splitlines()}
    for key in Config.model_fields:
        if getattr(shipped, key) != getattr(published, key):
            assert "# published" in lines[key], f"{key} differs without a comment"
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
    "Default: {gamma: 1.2}": "c.yaml: Default.gamma = 1.2, expected a number in [0, 1)",
    "Default: {angle_tolerance_start: 4}": "c.yaml: Default.angle_tolerance_start = 4, "
    "expected a number in (0, 3.14159]",
    "Default: {angle_tolerance_factor: 1}": "c.yaml: Default.angle_tolerance_factor = 1, "
    "expected a number > 1",
    "FlatPJCube-v0: {tau: 0}": "c.yaml: FlatPJCube-v0.tau = 0, expected a number in (0, 1]",
    "Default: {gamma: .nan}": "c.yaml: Default.gamma = NaN, expected a number in [0, 1)",
    "Default: {state_clip: .inf}": "c.yaml: Default.state_clip = Infinity, expected a number > 0",
    "Default: {epochs: 0}": "c.yaml: Default.epochs = 0, expected an integer >= 1",
    "Default: {epochs: 1.0}": "c.yaml: Default.epochs = 1.0, expected an integer >= 1",
    "Default: {seed: true}": "c.yaml: Default.seed = true, expected an integer >= 0 or null",
    "Default: {save: 1}": "c.yaml: Default.save = 1, expected true or false",
    'Default: {gamma: "0.9"}': 'c.yaml: Default.gamma = "0.9", expected a number in [0, 1)',
    "Default: {actor_net_type: DDPG}": 'c.yaml: Default.actor_net_type = "DDPG", '
    "expected one of auto, PosePolicyNet, DDP",
    "Default: {noise_process: Gaussian, noise_process_params: {theta: 1}}": "c.yaml: "
    'Default.noise_process_params = {"theta": 1}, '
    "expected parameters of noise_process Gaussian (mu, sigma)",
    "Default: {goal_norm_idx: [0, 0]}": "c.yaml: Default.goal_norm_idx = [0, 0], "
    "expected a list of different integers >= 0 or null",
    "Default: {state_norm_exclude: grip_rot}": 'c.yaml: Default.state_norm_exclude = "grip_rot", '
    "expected a list of names or auto",
    "Default: {batchsize: 1}": "c.yaml: Default.batchsize is not a known key, "
    "did you mean batch_size?",
    "FlatSHMesh-v0: {batchsize: 1}": "c.yaml: FlatSHMesh-v0.batchsize is not a known key, "
    "did you mean batch_size?",
    "Default: {xyz: 1}": "c.yaml: Default.xyz is not a known key",
    "FlatSHMseh-v0: {}": "c.yaml: FlatSHMseh-v0 is neither Default nor a known environment, "
    "did you mean FlatSHMesh-v0?",
    "defaults: {}": "c.yaml: defaults is neither Default nor a known environment, "
    "did you mean Default?",
    "gamma: 0.9": "c.yaml: gamma = 0.9, expected a section with keys, put it under Default",
    "Default: {gamma: 0.9, gamma: 0.8}": "c.yaml: line 1: gamma is given twice, remove one",
    "- 1": "c.yaml: expected sections Default and environment ids, got [1]",
    "": "c.yaml: empty, expected a section Default with keys",
    "# only a comment": "c.yaml: empty, expected a section Default with keys",
    "Default: {1: 2}": "c.yaml: line 1: names of keys must be text",
    "Default:\n  gamma: [": "c.yaml: line 2: not valid YAML (expected the node content, "
    "but found '<stream end>')",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_messages_name_file_key_value_and_range(write, text):
    assert message_of(write(text)) == MESSAGES[text]


OVERRIDES = {
    "gamma=2": "--set gamma=2: expected a number in [0, 1)",
    "gama=0.5": "--set gama=0.5: gama is not a known key, did you mean gamma?",
    "gamma": "--set gamma: expected KEY=VALUE, for example --set batch_size=512",
    "=1": "--set =1: expected KEY=VALUE, for example --set batch_size=512",
    "gamma.x=1": "--set gamma.x=1: expected gamma=VALUE",
    "kwargs.=1": "--set kwargs.=1: expected kwargs=VALUE",
    "kwargs=1": "--set kwargs=1: expected a mapping of names to values",
    "kwargs.size=.inf": "--set kwargs.size=.inf: expected finite numbers, text, true, false, null, "
    "lists or mappings of those",
    "kwargs.day=2026-01-01": "--set kwargs.day=2026-01-01: expected finite numbers, text, true, "
    "false, null, lists or mappings of those",
    "noise_process_params.sigma=x": "--set noise_process_params.sigma=x: "
    "expected a mapping of names to numbers",
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_messages_about_the_command_line(write, override):
    assert message_of(write("Default: {}"), override) == OVERRIDES[override]


def test_unknown_environment_is_named(write):
    message = message_of(write("Default: {}"), env="FlatPJCub-v0")
    assert message == ("--env FlatPJCub-v0 is not a known environment, did you mean FlatPJCube-v0?")


def test_negative_noise_is_refused(write):
    path = write("Default: {noise_process: Gaussian}")
    assert "sigma >= 0" in message_of(path, "noise_process_params={sigma: -1}")


def test_every_key_has_a_meaning_and_an_expectation():
    for name, field in Config.model_fields.items():
        assert field.description, name
        assert expectation(name)


# --- hostile and broken files


def laughs(levels):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "Default:\n  kwargs:\n" + "\n".join("    " + line for line in lines)


HOSTILE = {
    "bomb": (laughs(9), "once its aliases are written out"),
    "cycle": ("Default: &a {kwargs: {x: *a}}", "an alias contains itself"),
    "deep": ("Default: {kwargs: {a: " + "[" * 5000 + "]" * 5000 + "}}", "nested too deeply"),
    "long": ("Default: {seed: 0x" + "f" * 2000 + "}", "a value of more than 1000 characters"),
    "huge": ("#" * (MAX_FILE_BYTES + 1), "larger than"),
    "latin-1": ("Default: {}  # Gr\xf6\xdfe".encode("latin-1"), "not UTF-8 at byte"),
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
    assert "there is no such file" in message_of(tmp_path / "none.yaml")
    assert "this is not a file" in message_of(tmp_path)


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
