"""The command lines as a user meets them: files left behind, one-line errors, exact evaluation."""

import csv
import json
import signal
import subprocess

import gymnasium
import pytest

from command_line import ENV, ROOT, call, launch, settings, train_tiny, wait_for_epochs
from grasp_func.storage.agent_files import FILES, read_agent

PRETRAINED = ("--load", "pretrained")
EAGER = ("--updates", "eager")  # compiled ones take half a minute
JAW = str(ROOT / "saves" / "pretrain" / "ParallelJaw")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Returns a folder in which a tiny agent was trained under two processes."""
    cwd = tmp_path_factory.mktemp("run")
    done = train_tiny(cwd, processes=2)
    assert done.returncode == 0, done.stderr
    return cwd, done


def test_training_leaves_every_promised_file(trained):
    cwd, done = trained
    folder = cwd / "saves" / ENV
    (backup,) = (folder / "backup").iterdir()
    for directory in (folder, backup):
        assert {*FILES, "stats.json", "stats.png"} <= {path.name for path in directory.iterdir()}
        read_agent(directory)
    assert list((folder / "checkpoints" / backup.name).iterdir())
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["finished"] and stats["seed"] == 5 and stats["processes"] == stats["workers"] == 2
    assert stats["config"]["cycles"] == 1 and stats["versions"]["torch"]
    assert len(stats["epochs"]) == 1 and stats["epochs"][0]["env_steps"] == 100
    assert "2 process(es)" in done.stdout and "seed 5" in done.stdout
    assert "replay: float32, grows to 0.04 GiB a process, 0.08 GiB in all" in done.stdout
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        ("null", "WARNING: this is ONE process: slower than several, and another number of"),
        ("2", "WARNING: one process computes all 2 workers; 2 get the same result sooner"),
    ],
)
def test_one_process_says_so_loudly(workers, words, tmp_path):
    done = train_tiny(tmp_path, "--set", "save=false", "--set", f"workers={workers}")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout and done.stdout.count("WARNING") == 1
    (warning,) = [line for line in done.stdout.splitlines() if "WARNING" in line]
    assert f"train.py -n {16 if workers == 'null' else workers} ..., or " in warning
    assert workers == "2" or "mpirun -n 16 --oversubscribe python " in warning
    assert not (tmp_path / "saves").exists()


def test_evaluation_equals_the_trainings_own(trained, tmp_path):
    cwd, _ = trained
    row = json.loads((cwd / "saves" / ENV / "stats.json").read_text())["epochs"][-1]
    path = tmp_path / "result.json"
    numbers = ["--ntests", str(row["n"]), "--seed", str(row["eval_seed"]), "--json", str(path)]
    rows = tmp_path / "episodes.csv"
    done = call("evaluate.py", "--env", ENV, *numbers, "--csv", str(rows), cwd=cwd)
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text())
    for key in ("success", "success_table", "success_air", "n", "n_table", "n_air"):
        assert result[key] == row[key], key
    assert result["seed"] == row["eval_seed"] and result["n"] == 6
    assert "overall" in done.stdout and "air" in done.stdout
    episodes = list(csv.DictReader(rows.open()))
    assert sum(int(episode["success"]) for episode in episodes) == round(6 * row["success"])
    assert {episode["object"] for episode in episodes} == {"Cube"}


def test_evaluation_uses_the_arguments_of_the_runs_environment(trained, tmp_path):
    cwd, _ = trained
    stats = json.loads((cwd / "saves" / ENV / "stats.json").read_text())
    stats["config"]["kwargs"] = {"air_goal_share": 1.0}
    for name in FILES:
        (tmp_path / name).write_bytes((cwd / "saves" / ENV / name).read_bytes())
    (tmp_path / "stats.json").write_text(json.dumps(stats))
    arguments = ["--env", ENV, "--load", str(tmp_path), "--ntests", "4", "--json", "result.json"]
    done = call("evaluate.py", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "result.json").read_text())["n_air"] >= 1
    call("evaluate.py", *arguments, "--set", "kwargs.air_goal_share=0", cwd=tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["n_air"] == 0


def test_the_best_agent_is_evaluated_and_exported(trained, tmp_path):
    cwd, _ = trained
    latest = tmp_path / "saves" / ENV
    (latest / "best").mkdir(parents=True)
    for name in FILES:
        (latest / name).write_bytes((cwd / "saves" / ENV / name).read_bytes())
    for program, arguments in (
        ("evaluate.py", ["--ntests", "1"]),
        ("export.py", ["--format", "dextgen", "--out", "exported"]),
    ):
        done = call(program, "--env", ENV, *arguments, cwd=tmp_path)
        assert done.returncode == 0 and f"agent saves/{ENV}" in done.stdout
        assert "best" not in done.stdout
    for name in FILES:
        (latest / name).rename(latest / "best" / name)
    facts = {"env": ENV, "config": {"kwargs": {"air_goal_share": 1.0}}}
    (latest / "best" / "best.json").write_text(json.dumps(facts))
    for program, arguments in (
        ("evaluate.py", ["--ntests", "4", "--json", "result.json"]),
        ("export.py", ["--format", "dextgen", "--out", "exported"]),
    ):
        done = call(program, "--env", ENV, *arguments, cwd=tmp_path)
        assert done.returncode == 0 and f"agent saves/{ENV}/best" in done.stdout, done.stderr
    # its environment has the arguments of best.json
    assert json.loads((tmp_path / "result.json").read_text())["n_air"] >= 1


def test_filmed_episodes_are_the_evaluated_ones(trained, tmp_path):
    iio = pytest.importorskip("imageio.v3")
    cwd, _ = trained
    small = ["--set", "kwargs.render_width=64", "--set", "kwargs.render_height=48"]
    for name, film in (("plain", []), ("filmed", ["--record", str(tmp_path / "a.mp4"), *small])):
        written = ["--json", str(tmp_path / name)]
        numbers = ["--ntests", "3", "--filmed", "2"]
        done = call("evaluate.py", "--env", ENV, *numbers, *film, *written, cwd=cwd)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "plain").read_text() == (tmp_path / "filmed").read_text()
    assert iio.imread(tmp_path / "a.mp4").shape == (2 * 51, 48, 64, 3)


def test_pretrained_agent_is_the_start(trained, tmp_path):
    cwd, _ = trained
    pretrain = tmp_path / "saves" / "pretrain" / "ParallelJaw"
    pretrain.mkdir(parents=True)
    for name in FILES:
        (pretrain / name).write_bytes((cwd / "saves" / ENV / name).read_bytes())
    almost_still = ["--set", "actor_lr=1e-9", "--set", "critic_lr=1e-9"]
    done = train_tiny(tmp_path, "--set", "load_pretrained=true", *almost_still)
    assert done.returncode == 0, done.stderr
    before, after = read_agent(pretrain), read_agent(tmp_path / "saves" / ENV)
    for name, tensor in before.actor.items():
        assert (tensor - after.actor[name]).abs().max() < 1e-6
    assert after.obs_moments.count > before.obs_moments.count
    stats = json.loads((tmp_path / "saves" / ENV / "stats.json").read_text())
    loaded = "saves/pretrain/ParallelJaw: pre-trained, networks and normalizers loaded"
    assert stats["history"] == [loaded] and loaded in done.stdout
    first = stats["epochs"][0]
    assert first["epoch"] == first["env_steps"] == first["success"] == 0


@pytest.mark.parametrize(
    ("program", "arguments", "words"),
    [
        ("train.py", ["--env", "FlatPJCub-v0"], ["FlatPJCub-v0", "did you mean FlatPJCube-v0"]),
        ("train.py", ["--env", "flatpjcube-v0"], ["did you mean FlatPJCube-v0?"]),
        (
            "train.py",
            ["--env", "FlatShadowCub-v0"],
            ["mean FlatSHCube-v0, FlatSHAll-v0, FlatSHOrient-v0? `grasp-func envs` lists ours"],
        ),
        ("train.py", ["--env", "zzz"], ["`grasp-func envs` lists ours"]),
        ("train.py", ["--env", ENV, "--set", "batchsize=3"], ["batchsize", "batch_size"]),
        ("train.py", ["--env", ENV, "--set", "gamma=high"], ["gamma", "[0, 1)"]),
        ("train.py", ["--env", ENV, "--set", "gamma"], ["KEY=VALUE"]),
        ("train.py", ["--env", ENV, "--set", "kwargs.size=3"], ["no argument size", "renderer"]),
        (
            "train.py",
            ["--env", ENV, "--set", "kwargs.air_goal_share=3"],
            ["air_goal_share", "[0.0, 1.0]"],
        ),
        ("train.py", ["--env", ENV, "--set", "state_norm_exclude=[grip]"], ["grip", "grip_pos"]),
        ("train.py", ["--env", ENV, "--config", "none.yaml"], ["none.yaml"]),
        (
            "train.py",
            ["--env", ENV, *EAGER, "--save-dir", "/proc/saves"],
            ["/proc/saves", "--save-dir"],
        ),
        (
            "train.py",
            ["--env", "FlatPJOrientEuler-v0", *EAGER, "--load-pretrained", JAW],
            ["pretrain/ParallelJaw", "load_pretrained=fitting"],
        ),
        ("train.py", ["--env", ENV, "--resume"], ["no run to resume", "checkpoints"]),
        ("train.py", ["--env", ENV, "--resume", "there"], ["there: not a run"]),
        ("train.py", ["--env", ENV, "--resume", "checkpoints/a"], ["a: no checkpoint there"]),
        ("train.py", ["--env", ENV, "--without-replay"], ["only with --resume"]),
        (
            "train.py",
            ["--env", ENV, "--resume", "--config", "a.yaml"],
            ["a resumed run keeps its configuration", "--config"],
        ),
        ("train.py", ["--env", ENV, "--buffer-size", "10000000000"], ["buffer_size", "GiB"]),
        ("train.py", ["--env", ENV, "--batch-size", "1000000000"], ["batch_size", "fits"]),
        ("train.py", ["--env", ENV, "--critic-net-layer-width", "1000000"], ["critic_net_layer"]),
        ("train.py", ["--env", ENV, "--import", "no_such_module"], ["no_such_module"]),
        ("train.py", ["--env", "CartPole-v1", "--import", "json"], ["CartPole-v1 has no goals"]),
        ("train.py", ["--env", ENV, "--epoch", "3"], ["No such option '--epoch'", "'--epochs'"]),
        ("train.py", ["--env", ENV, "--gamma", "1"], ["--gamma=1: gamma = 1, expected", "[0, 1)"]),
        ("train.py", ["--env", ENV, "--n", "2"], ["No such option '--n'"]),
        ("train.py", ["--env", ENV, "-n", "0"], ["'-n': 0"]),
        ("train.py", [], ["--env"]),
        ("evaluate.py", ["--env", ENV], [f"saves/{ENV}", "train first", "--load pretrained"]),
        ("evaluate.py", ["--env", "FlatPJOrient-v0", "--load", JAW], ["goal 9"]),
        ("evaluate.py", ["--env", "FlatPJCub-v0"], ["did you mean FlatPJCube-v0"]),
        ("evaluate.py", ["--env", ENV, "--ntests", "0"], ["'--ntests': 0"]),
        ("evaluate.py", ["--env", ENV, "--filmed", "0"], ["'--filmed': 0"]),
        (
            "evaluate.py",
            ["--env", ENV, *PRETRAINED, "--record", "a.avi"],
            ["a.avi", ".mp4 or .gif"],
        ),
        (
            "evaluate.py",
            ["--env", ENV, *PRETRAINED, "--record", "no/a.gif"],
            ["no/a.gif", "cannot be written"],
        ),
        ("evaluate.py", ["--env", ENV, "--record", "a.gif", "--render"], ["expected one of them"]),
        ("evaluate.py", ["--env", ENV, "--json", "no/a.json"], ["--json no/a.json", "no folder"]),
        ("evaluate.py", ["--env", ENV, "--import", "./mine.py"], ["name of a module, not a file"]),
        (
            "train.py",
            ["--env", ENV, "--load-pretrained", "./no/"],
            ["no actor.pt", "name another folder"],
        ),
        (
            "train.py",
            ["--env", ENV, *("--actor-net-layer-width=200000", "--critic-net-layer-width=200000")],
            ["lower it, and other sizes as well"],
        ),
    ],
)
def test_mistakes_of_users_are_one_line(program, arguments, words, tmp_path):
    done = call(program, *arguments, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2
    assert len(err.splitlines()) == 1 and err.startswith("error: ")
    for word in words:
        assert word in err
    assert not (tmp_path / "saves").exists()


@pytest.mark.mpi
@pytest.mark.parametrize(
    "arguments",
    [
        ["--env", ENV, "--set", "gamma=2"],
        ["--env", ENV, "--set", "kwargs.size=3"],
        ["--env", "FlatPJCub-v0"],
        ["--env"],
        ["--env", ENV, "-n", "2"],
    ],
)
def test_mistakes_are_reported_by_the_first_process_only(arguments, tmp_path):
    done = launch("train.py", *arguments, cwd=tmp_path, processes=2)
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 1 and "Traceback" not in done.stderr


@pytest.mark.mpi
def test_interrupt_leaves_valid_saves(tmp_path):
    arguments = ["train.py", "--env", ENV, *settings("epochs=1000")]
    process = launch(*arguments, cwd=tmp_path, processes=2, wait=False)
    stats = tmp_path / "saves" / ENV / "stats.json"
    wait_for_epochs(stats, 2, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    read_agent(stats.parent)
    assert not json.loads(stats.read_text())["finished"]


@pytest.mark.mpi
def test_killed_run_resumes_to_the_same_bits_on_fewer_processes(tmp_path):
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    arguments = ["train.py", "--env", ENV, *settings("epochs=1000", "workers=2")]
    process = launch(*arguments, "--save-dir", str(killed), cwd=tmp_path, processes=2, wait=False)
    wait_for_epochs(killed / ENV / "stats.json", 2, process)
    subprocess.run(["pkill", "-KILL", "-f", str(killed)], check=True)
    process.communicate(timeout=30)
    done_epochs = len(json.loads((killed / ENV / "stats.json").read_text())["epochs"])
    last = f"epochs={done_epochs + 2}"
    again = ["--resume", "--save-dir", str(killed), "--set", last]
    resumed = call("train.py", "--env", ENV, *again, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = settings(last, "workers=2")
    done = call("train.py", "--env", ENV, *whole, "--save-dir", str(straight), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    a, b = (json.loads((folder / ENV / "stats.json").read_text()) for folder in (killed, straight))
    assert a["params_hash"] == b["params_hash"]
    assert len(a["epochs"]) == len(b["epochs"]) == done_epochs + 2
    assert len(list((killed / ENV / "backup").iterdir())) == 1


def test_two_runs_at_once_do_not_mix(tmp_path):
    runs = [
        launch("train.py", "--env", ENV, *settings("epochs=4", seed), cwd=tmp_path, wait=False)
        for seed in ("seed=5", "seed=6")
    ]
    for run in runs:
        _, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
    folder = tmp_path / "saves" / ENV
    backups = {
        json.loads((path / "stats.json").read_text())["seed"]: path
        for path in (folder / "backup").iterdir()
    }
    assert set(backups) == {5, 6}
    for directory in (folder, *backups.values()):
        read_agent(directory)
        assert len(json.loads((directory / "stats.json").read_text())["epochs"]) == 4
    last = backups[json.loads((folder / "stats.json").read_text())["seed"]]
    for name in FILES:  # all of one run
        assert (folder / name).read_bytes() == (last / name).read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_stable_baselines_trains_on_an_environment(tmp_path):
    DDPG = pytest.importorskip("stable_baselines3").DDPG
    arguments = ["--env", ENV, "--steps", "1100", "--seed", "3", "--tests", "2"]
    process = launch("train_sb3.py", *arguments, "--out", "agent.zip", cwd=tmp_path, wait=False)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert f"{ENV}, 1100 steps: success" in out
    agent = DDPG.load(tmp_path / "agent.zip", env=gymnasium.make(f"envs:{ENV}"), device="cpu")
    assert agent.num_timesteps == 1100


@pytest.mark.slow
@pytest.mark.parametrize(
    "env_id",
    [
        *("UnevenPJFixedCube-v0", "UnevenBarrettCube-v0", "ObstacleSHCube-v0", "FlatSHOrient-v0"),
        *(f"FlatPJOrient{name}-v0" for name in ("", "Euler", "Quat", "AxisAngle")),
    ],
)
def test_every_kind_of_task_trains_as_configured(env_id, tmp_path):
    short = settings("epochs=3", "cycles=2", "evals=2")
    done = call("train.py", "--env", env_id, *short, "--set", "rollouts=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "saves" / env_id / "stats.json").read_text())["epochs"]
    assert len(rows) == 3
    if "Orient" in env_id:
        assert rows[0]["angle_tolerance"] > 3.1 and "within 3.142 rad" in done.stdout
    evaluated = call("evaluate.py", "--env", env_id, "--ntests", "2", cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr
