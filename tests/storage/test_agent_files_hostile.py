"""Missing, damaged and hostile agent files are refused in one line, and nothing in them is run."""

import io
import os
import pickle
import zipfile

import pytest
import torch

import hostile
from grasp_func.errors import SaveError
from grasp_func.storage.agent_files import read_agent, write_agent
from small_agents import ACTION, FILES, GOAL, OBS, WIDTH, agent, mlp


@pytest.fixture
def saved(tmp_path):
    """Returns the files of an agent without a manifest, which are read unchecked."""
    write_agent(tmp_path, agent())
    (tmp_path / "agent.json").unlink()
    return tmp_path


def refusal(directory):
    with pytest.raises(SaveError) as caught:
        read_agent(directory)
    message = str(caught.value)
    assert "\n" not in message
    assert "another folder" in message
    return message


def test_missing_files_are_named(saved):
    (saved / "critic.pt").unlink()
    message = refusal(saved)
    assert message.startswith(f"{saved}: no critic.pt: train first")
    assert refusal(saved / "none").startswith(f"{saved / 'none'}: no actor.pt, critic.pt")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", hostile.damaged(b""))
def test_damaged_files_are_refused(saved, name, damage):
    path = saved / name
    path.write_bytes(hostile.damaged(path.read_bytes())[damage])
    assert refusal(saved).startswith(f"{path}: ")


@pytest.mark.parametrize("protocol", hostile.PROTOCOLS)
@pytest.mark.parametrize("name", FILES)
def test_pickled_code_is_not_run(saved, name, protocol):
    sentinel = saved / "sentinel"
    data = pickle.dumps({"format": 1, "mean": hostile.Payload(sentinel)}, protocol=protocol)
    (saved / name).write_bytes(data)
    assert refusal(saved).startswith(f"{saved / name}: ")
    assert not sentinel.exists()
    pickle.loads(data)
    assert sentinel.exists()  # the payload is a real one


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [2, 4])
def test_code_in_a_torch_file_is_not_run(saved, protocol):
    sentinel = saved / "sentinel"
    torch.save(
        {"layers.0.weight": hostile.Payload(sentinel)}, saved / "actor.pt", pickle_protocol=protocol
    )
    assert refusal(saved).startswith(f"{saved / 'actor.pt'}: ")
    assert not sentinel.exists()


@pytest.mark.parametrize("opcodes", hostile.OPCODES)
def test_dangerous_opcodes_are_refused(saved, opcodes):
    (saved / "state_norm.pkl").write_bytes(hostile.OPCODES[opcodes])
    refusal(saved)


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_is_not_opened(saved, name):
    (saved / name).unlink()
    os.mkfifo(saved / name)
    assert f"no {name}" in refusal(saved)
    (saved / name).unlink()
    (saved / name).symlink_to("/dev/zero")
    assert f"no {name}" in refusal(saved)
    (saved / name).unlink()
    (saved / name).symlink_to(saved / name)
    assert f"no {name}" in refusal(saved)


def test_compressed_networks_are_refused(saved):
    with zipfile.ZipFile(saved / "actor.pt") as old:
        parts = {name: old.read(name) for name in old.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
        new.writestr("archive/data/99", bytes(10_000_000))
    (saved / "actor.pt").write_bytes(buffer.getvalue())
    assert "compressed" in refusal(saved)


def test_huge_files_are_not_read(saved):
    with (saved / "goal_norm.pkl").open("ab") as file:
        file.truncate(10 * 2**30)  # sparse
    with pytest.raises(SaveError, match=r"goal_norm\.pkl: larger than 1048576 bytes, restore"):
        read_agent(saved)


NETWORKS = {
    "nan": {"layers.0.bias": torch.full((WIDTH,), torch.nan)},
    "wide": {"layers.0.weight": torch.zeros(WIDTH, OBS + GOAL + 1)},
    "chain": {"layers.2.weight": torch.zeros(ACTION, WIDTH + 1)},
    "bias": {"layers.2.bias": torch.zeros(ACTION + 1)},
    "rank": {"layers.2.weight": torch.zeros(ACTION, WIDTH, 1)},
    "float64": {"layers.0.bias": torch.zeros(WIDTH, dtype=torch.float64)},
    "name": {"layers.1.weight": torch.zeros(WIDTH, WIDTH)},
    "text": {"layers.0.bias": "zero"},
    "sparse": {"layers.0.weight": torch.zeros(WIDTH, OBS + GOAL).to_sparse()},
    "repeated view": {"layers.0.weight": torch.zeros(1).expand(10**6, 10**6)},
    "none": None,
    "list": [torch.zeros(3)],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_do_not_fit_are_refused(saved, name):
    change = NETWORKS[name]
    content = {**agent().actor, **change} if isinstance(change, dict) else change
    torch.save(content, saved / "actor.pt")
    assert "actor.pt" in refusal(saved)


def test_critic_of_another_agent_is_refused(saved):
    torch.save(mlp([OBS + GOAL + ACTION + 1, WIDTH, 1], 0), saved / "critic.pt")
    assert "critic.pt has 13 inputs" in refusal(saved)


NORMALIZERS = {
    "nan": {"mean": [0.0, float("nan"), 0.0]},
    "std": {"scale_std": [1.0, 0.0, 1.0]},
    "tiny std": {"scale_std": [1.0, 1e-60, 1.0]},  # 0 in float32
    "huge mean": {"scale_mean": [0.0, 1e60, 1.0]},  # infinite in float32
    "count": {"count": -1.0},
    "count type": {"count": True},
    "huge count": {"count": 10**400},
    "m2": {"m2": [1.0, -1.0, 1.0]},
    "length": {"m2": [1.0, 1.0]},
    "size": {key: [1.0] * 4 for key in ("mean", "m2", "scale_mean", "scale_std")},
    "text": {"mean": "abc"},
    "format": {"format": 2},
    "extra": {"more": 1},
    "clip": {"clip": 0.0},
}


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers_that_do_not_fit_are_refused(saved, name):
    path = saved / "goal_norm.pkl"
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), **NORMALIZERS[name]}, 4))
    refusal(saved)
