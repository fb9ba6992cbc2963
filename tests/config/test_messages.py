"""Messages about configurations that cannot be used: what is wrong, and what to write instead."""

import pytest

from grasp_func.config.load import Config, load_config, recorded_config
from grasp_func.config.schema import RENAMED
from grasp_func.errors import ConfigError

ENVS = ("FlatPJCube-v0", "FlatSHMesh-v0")

MESSAGES = {
    "Default: {gamma: 1.2}": "Default.gamma = 1.2, expected a number in [0, 1)",
    "Default: {angle_tolerance_start: 4}": "Default.angle_tolerance_start = 4, "
    "expected a number in (0, 3.14159]",
    "Default: {angle_tolerance_factor: 1}": "Default.angle_tolerance_factor = 1, "
    "expected a number > 1",
    "Default: {action_clip: 1.5}": "Default.action_clip = 1.5, expected a number in (0, 1]",
    "FlatPJCube-v0: {tau: 0}": "FlatPJCube-v0.tau = 0, expected a number in (0, 1]",
    "Default: {gamma: .nan}": "Default.gamma = NaN, expected a number in [0, 1)",
    "Default: {state_clip: .inf}": "Default.state_clip = Infinity, expected a number > 0",
    "Default: {grad_clip: -1}": "Default.grad_clip = -1, expected a number > 0 or null",
    "Default: {epochs: 0}": "Default.epochs = 0, expected an integer >= 1",
    "Default: {epochs: 1.0}": "Default.epochs = 1.0, expected an integer >= 1",
    "Default: {seed: false}": "Default.seed = false, expected an integer >= 0 or null",
    "Default: {save: 1}": "Default.save = 1, expected true or false",
    "Default: {load_pretrained: no way}": 'Default.load_pretrained = "no way", '
    "expected true or false or fitting or a folder with a / in its name",
    'Default: {gamma: "0.9"}': 'Default.gamma = "0.9", expected a number in [0, 1)',
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
def test_messages_name_file_key_value_and_range(write, message_of, text):
    assert message_of(write(text)) == f"c.yaml: {MESSAGES[text]}"


OVERRIDES = {
    "gamma=2": "gamma = 2, expected a number in [0, 1)",
    "gama=0.5": "gama is not a known key, did you mean gamma?",
    "gamma": "expected KEY=VALUE, for example --set batch_size=512",
    "=1": "expected KEY=VALUE, for example --set batch_size=512",
    "gamma.x=1": 'gamma = {"x": 1}, expected a number in [0, 1)',
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
def test_messages_about_the_command_line(write, message_of, override):
    assert message_of(write("Default: {}"), override) == f"--set {override}: {OVERRIDES[override]}"


def test_unknown_environment_is_named(write, message_of):
    message = message_of(write("Default: {}"), env="FlatPJCub-v0")
    assert message == "--env FlatPJCub-v0 is not a known environment, did you mean FlatPJCube-v0?"


def test_an_override_that_no_longer_fits_the_file_is_refused(write, message_of):
    path = write("Default: {noise_process: Gaussian, noise_process_params: {sigma: 1}}")
    assert message_of(path, "noise_process=Uniform") == (
        'c.yaml: Default.noise_process_params = {"sigma": 1}, '
        "expected parameters of noise_process Uniform (none)"
    )


def test_shares_of_easy_starts_above_one_are_refused(write, message_of):
    path = write("Default: {pregrasp_start: 0.6}")
    assert message_of(path, "grasp_start=0.5") == (
        "--set grasp_start=0.5: grasp_start = 0.5, expected pregrasp_start and grasp_start add up "
        "to at most 1"
    )


def test_negative_noise_is_refused(write, message_of):
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
    "pregrasp_until": "easy_start_until",
    "late_action_l2": "action_l2",
}


@pytest.mark.parametrize(("old", "new"), OLD_KEYS.items())
def test_old_name_of_a_key_is_an_error_that_names_the_new_one(write, message_of, old, new):
    expected = f"{old} is now called {new}"
    assert message_of(write(f"FlatPJCube-v0: {{{old}: 0}}")) == f"c.yaml: FlatPJCube-v0.{expected}"
    assert message_of(write("Default: {}"), f"{old}=0") == f"--set {old}=0: {expected}"
    with pytest.raises(ConfigError, match=f"^recorded configuration: {expected}$"):
        recorded_config({"gamma": 0.9, old: 0}, [])


def test_old_names_are_complete_and_lead_to_keys():
    assert RENAMED == OLD_KEYS
    assert set(RENAMED.values()) <= set(Config.model_fields)


def test_old_value_of_updates_names_the_new_one_everywhere(write, message_of):
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
