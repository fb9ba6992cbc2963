"""The commands on an environment of somebody else, with the shipped configuration."""

import json
import shutil
import sys
from pathlib import Path

import pytest

import small_agents
from command_line import call, launch, settings
from grasp_func.cli.main import main
from grasp_func.storage.agent_files import FILES, read_agent, write_agent

MODULE = Path(__file__).with_name("foreign_reach.py")
FOREIGN = ["--env", "ForeignReach-v3", "--import", "foreign_reach"]
# what the shipped configuration chooses by itself
AUTO = settings("actor_net_type=auto", "state_norm_exclude=auto")


@pytest.fixture
def cwd(tmp_path):
    shutil.copy(MODULE, tmp_path)
    return tmp_path


def test_train_resume_evaluate_and_export(cwd):
    done = call("train.py", *FOREIGN, *AUTO, cwd=cwd)
    assert done.returncode == 0, done.stderr
    shift = "ForeignReach-v3: rewards of 0 and 1 are shifted to -1 and 0"
    assert done.stdout.splitlines().count(shift) == 1
    folder = cwd / "saves" / "ForeignReach-v3"
    assert {*FILES, "stats.json"} <= {path.name for path in folder.iterdir()}
    assert read_agent(folder).actor["layers.0.weight"].shape[1] == 4 + 2
    resumed = call("train.py", *FOREIGN, "--resume", "--set", "epochs=2", cwd=cwd)
    assert resumed.returncode == 0, resumed.stderr
    assert len(json.loads((folder / "stats.json").read_text())["epochs"]) == 2
    evaluated = call("evaluate.py", *FOREIGN, "--ntests", "3", cwd=cwd)
    assert evaluated.returncode == 0, evaluated.stderr
    assert "\noverall         3 " in evaluated.stdout
    # the environment does not tell goals that require lifting
    assert "table" not in evaluated.stdout and "air" not in evaluated.stdout
    exported = call("export.py", *FOREIGN, "--format", "torchscript", "--out", "out", cwd=cwd)
    assert exported.returncode == 0, exported.stderr
    assert [path.name for path in (cwd / "out").iterdir()] == ["policy.torchscript"]


def test_a_section_of_the_configuration_may_have_its_name(cwd):
    (cwd / "my.yaml").write_text("Default:\n  gamma: 0.5\nForeignReach-v3:\n  gamma: 0.7\n")
    done = call("train.py", *FOREIGN, "--config", "my.yaml", *AUTO, cwd=cwd)
    assert done.returncode == 0, done.stderr
    stats = json.loads((cwd / "saves" / "ForeignReach-v3" / "stats.json").read_text())
    assert stats["config"]["gamma"] == 0.7


def test_typos_name_the_closest_registered_environment(cwd):
    words = ["--env", "ForeignReach-v4", "--import", "foreign_reach"]
    done = call("train.py", *words, cwd=cwd)
    assert done.returncode == 2
    assert "did you mean ForeignReach-v3, " in done.stderr and done.stderr.count("\n") == 1


def test_a_window_that_needs_a_missing_library_is_an_error_in_one_line(cwd, monkeypatch, capsys):
    monkeypatch.chdir(cwd)
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setitem(sys.modules, "pygame", None)
    write_agent(cwd / "saves" / "ForeignReach-v3", small_agents.agent(action=2, sizes=(4, 2)))
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *FOREIGN, "--render"])
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ForeignReach-v3: cannot be rendered: pygame is not installed")


@pytest.mark.mpi
@pytest.mark.parametrize("rank", [0, 1])
def test_an_environment_that_fails_on_one_process_ends_all_in_one_line(rank, cwd):
    broken = ["--set", f"kwargs.broken_rank={rank}"]
    done = launch("train.py", *FOREIGN, *AUTO, *broken, cwd=cwd, processes=2)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "broken on this process" in errors[0]
    assert "Traceback" not in done.stderr and not (cwd / "saves").exists()
