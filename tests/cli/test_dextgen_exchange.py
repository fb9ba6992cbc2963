"""Agents go to Dext-Gen and come back, on the command line."""

import hashlib
import json
import pickle
import shutil

import pytest

import hostile
from command_line import ENV, ROOT, call
from grasp_func import load_policy
from grasp_func.storage.agent_files import FILES, read_agent

AGENT = ROOT / "saves" / "pretrain" / "ParallelJaw"


@pytest.fixture(scope="module")
def exchanged(tmp_path_factory):
    """Returns a folder with `out/dextgen`, the shipped agent for Dext-Gen, and `back`, imported."""
    cwd = tmp_path_factory.mktemp("exchange")
    arguments = ["--env", ENV, "--load", str(AGENT), "--out", "out", "--format", "dextgen"]
    done = call("grasp-func", "export", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    done = call("grasp-func", "import", "--from", "out/dextgen", "--out", "back", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"back/{name}" for name in FILES]
    return cwd


def result_of(folder, cwd):
    """Returns what `evaluate` writes of three episodes, without what names the agent."""
    arguments = ["--env", ENV, "--load", str(folder), "--ntests", "3", "--json", "result.json"]
    done = call("grasp-func", "evaluate", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    result = json.loads((cwd / "result.json").read_text())
    assert result.pop("load") == str(folder)
    actor = (cwd / folder / "actor.pt").read_bytes()
    assert result.pop("actor_sha256") == hashlib.sha256(actor).hexdigest()
    return result


def test_agents_of_both_formats_are_evaluated_to_the_same_results(exchanged):
    theirs = exchanged / "out" / "dextgen"
    assert b"mp_rl.core.normalizer" in (theirs / "state_norm.pkl").read_bytes()
    assert b"mp_rl" not in (exchanged / "back" / "state_norm.pkl").read_bytes()
    expected = result_of(AGENT, exchanged)
    assert expected["n"] == 3 and expected["success"] > 0
    assert result_of("back", exchanged) == result_of("out/dextgen", exchanged) == expected


def test_policies_of_both_formats_act_the_same(exchanged):
    folders = (AGENT, exchanged / "out" / "dextgen", exchanged / "back")
    first, *others = (load_policy(folder) for folder in folders)
    files = read_agent(AGENT)
    obs, goal = files.obs_scaling.mean.numpy(), files.goal_scaling.mean.numpy()
    for other in others:
        assert (other(obs + 1, goal) == first(obs + 1, goal)).all()


@pytest.mark.parametrize("program", ["import", "evaluate"])
def test_a_hostile_agent_is_refused_and_nothing_is_written(program, exchanged, tmp_path):
    shutil.copytree(exchanged / "out" / "dextgen", tmp_path / "theirs")
    sentinel = tmp_path / "sentinel"
    data = pickle.dumps(hostile.Payload(sentinel))
    (tmp_path / "theirs" / "state_norm.pkl").write_bytes(data)
    words = {
        "import": ["import", "--from", "theirs", "--out", "ours"],
        "evaluate": ["evaluate", "--env", ENV, "--load", "theirs"],
    }[program]
    done = call("grasp-func", *words, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert "theirs/state_norm.pkl: refused" in err
    assert "another folder" in err
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_a_missing_file_is_named_once(exchanged, tmp_path):
    shutil.copytree(exchanged / "out" / "dextgen", tmp_path / "theirs")
    (tmp_path / "theirs" / "goal_norm.pkl").unlink()
    words = ["import", "--from", "theirs", "--out", "ours"]
    done = call("grasp-func", *words, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert err.count("goal_norm.pkl") == 1 and "another folder" in err
    assert not (tmp_path / "ours").exists()


def test_a_folder_that_cannot_be_written_is_named(exchanged, tmp_path):
    words = ["import", "--from", str(exchanged / "back"), "--out", "/proc/ours"]
    done = call("grasp-func", *words, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert "/proc/ours" in err and "another place" in err
