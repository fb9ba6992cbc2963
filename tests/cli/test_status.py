"""What is known of a run in words: nothing at first, more with every report."""

import json
import statistics
from pathlib import Path

import pytest

from grasp_func.cli.status import (
    TYPICAL_STEPS,
    TYPICAL_SUCCESS,
    Status,
    block,
    doing,
    duration,
    epoch_lines,
    progress_line,
    status_line,
    time_left,
)
from grasp_func.training.progress import CycleResult, Progress, UpdateMetrics
from helpers import POINT_REACH, make_run, tiny_config
from statistics_rows import make_row, success

RESULTS = Path(__file__).parents[2] / "docs" / "results"
METRICS = UpdateMetrics(actor_loss=1.5, critic_loss=0.25, q_mean=-2.0)
GIB = 2**30


@pytest.fixture
def status():
    """A run of 10 epochs of 4 cycles, each of 10 steps, 2 of which took a second each."""
    run = make_run(tiny_config(epochs=10, cycles=4))
    found = Status(POINT_REACH, run=run, folder=Path("saves/backup/now"))
    for cycle in (1, 2):
        found.on_cycle(CycleResult(cycle, 10 * cycle, 2 * cycle, METRICS), now=100.0 + cycle)
    return found


def test_before_training_the_stage_is_all_there_is():
    found = Status("Env-v0")
    assert status_line(found, 3.4) == "Env-v0: loading PyTorch and JAX, 0:00:03"
    assert block(found, 3.4, 0).plain.split() == (
        ["Env-v0", "loading", "PyTorch", "and", "JAX", "time", "0:00:03"]
    )
    found.progress = Progress("environment")
    assert status_line(found, 3.4) == "Env-v0: starting the environment, 0:00:03"


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("compiling"), "compiling the updates"),
        (Progress("rollouts", 2, 4), "rollouts"),
        (Progress("updates", 2, 4), "updates"),
        (Progress("evaluation", 12, 100), "evaluating 12/100"),
        (Progress("confirmation", 340, 1000), "confirming 340/1000"),
        (Progress("saving"), "saving"),
    ],
)
def test_every_activity_has_a_name(status, progress, text):
    status.progress = progress
    assert doing(status) == text


def test_the_first_cycle_says_that_updates_are_traced():
    found = Status("Env-v0", run=make_run(tiny_config(updates="traced")))
    found.progress = Progress("rollouts", 0, 1)
    assert doing(found) == "first cycle: rollouts"
    found.progress = Progress("updates", 0, 1)
    assert doing(found) == "first cycle: tracing the updates"
    found.run = make_run(tiny_config(updates="eager"))
    assert doing(found) == "first cycle: updates"


def test_a_line_says_where_the_run_is_and_how_fast(status):
    status.progress = Progress("updates", 2, 4)
    place = f"{POINT_REACH}: epoch 1/10, cycle 2/4, updates"
    assert status_line(status, 125) == f"{place}, 10 steps/s, 2 updates/s, 0:02:05"
    # the speed is that of the last 4 cycles
    for cycle in range(3, 8):
        status.on_cycle(CycleResult(cycle, 10 * cycle, 2 * cycle, METRICS), now=100.0 + 2 * cycle)
    assert len(status.speed) == 5
    assert ", 5 steps/s, 1 updates/s, " in status_line(status, 125)


def test_after_an_epoch_there_are_results_and_costs(status):
    status.on_row(make_row(1, best=success(0.55)))
    first, second = epoch_lines(status, GIB)
    assert first == (
        "epoch    1/10     40,000 steps       10 s  success 0.500 (table 0.700, air 0.300)  "
        "Q   -3.00  early  best so far 0.550"
    )
    assert second == (
        "  all goals 0.500 [0.400, 0.600], on the table 0.700 [0.600, 0.800], "
        "in the air 0.300 [0.200, 0.400]; loss actor 3.000, critic 0.100; "
        "10 steps/s, 2 updates/s; rollouts 30%, updates 40%, evaluation 20%, saving 10%; "
        "1.00 GiB; 0:00:38 left to epoch 10"
    )


def test_a_pretrained_agent_is_evaluated_in_epoch_0():
    found = Status(POINT_REACH, run=make_run(tiny_config(epochs=1, cycles=4, load_pretrained=True)))
    found.progress = Progress("evaluation", 12, 100)
    place = f"{POINT_REACH}: epoch 0/1, cycle 0/4, evaluating 12/100"
    assert status_line(found, 3.4) == f"{place}, 0:00:03"
    assert f"epoch         {'─' * 24}  0/1\n" in block(found, 3.4, 0).plain
    nothing = dict.fromkeys(("actor_loss", "critic_loss", "q_mean"))
    found.on_row(make_row(0, **nothing))
    first, second = epoch_lines(found, GIB)
    assert "(table 0.700, air 0.300)  Q       -  early" in first
    assert "[0.200, 0.400]; rollouts" in second
    found.progress = Progress("rollouts", 1, 4)
    assert status_line(found, 3.4).startswith(f"{POINT_REACH}: epoch 1/1, cycle 1/4")


def test_environments_without_kinds_of_goals_name_none(status):
    none = {name: None for kind in ("table", "air") for name in (f"success_{kind}",)}
    status.on_row(make_row(1, **none, n_table=0, n_air=0))
    first, second = epoch_lines(status, GIB)
    assert "(table   -  , air   -  )" in first
    assert "table" not in second and "air" not in second
    assert "on the table  ────────────────────────  -\n" in block(status, 0, 0).plain


def test_a_line_of_an_epoch_names_tolerance_and_confirmations():
    row = make_row(7, angle_tolerance=3.1416, confirmation=success(0.97, 1000), best=success(0.97))
    line = progress_line(row, 9)
    assert line.endswith("early  within 3.142 rad  confirmed 0.970  best so far 0.970")


def test_the_block_shows_everything(status):
    status.on_row(make_row(1, best=success(0.55)))
    status.on_row(make_row(2, phase="late"))
    status.progress = Progress("rollouts", 3, 4)
    lines = block(status, 3661, 2 * GIB).plain.splitlines()
    assert [line.rstrip() for line in lines] == [
        "PointReach-v0  rollouts",
        "epoch         ━━━━━───────────────────  3/10",
        "cycle         ━━━━━━━━━━━━━━━━━━──────  3/4",
        "all goals     ━━━━━━━━━━━━────────────  0.500 [0.400, 0.600]",
        "on the table  ━━━━━━━━━━━━━━━━━───────  0.700 [0.600, 0.800]",
        "in the air    ━━━━━━━─────────────────  0.300 [0.200, 0.400]",
        "best agent    0.550 [0.540, 0.560], epoch 1",
        "losses        actor 1.500, critic 0.250, Q -2.00, late phase",
        "speed         10 steps/s, 2 updates/s",
        "last epoch    rollouts 30%  updates 40%  evaluation 20%  saving 10%",
        "memory        2.00 GiB a process",
        "files         saves/backup/now",
        "time          1:01:01, 0:00:38 left to epoch 10",
        "",
    ]
    status.stop_requested = True
    assert "stopping after this epoch; Ctrl-C ends at once" in block(status, 0, 0).plain


def test_the_time_to_success_is_typical_of_the_environment(status):
    assert time_left(status) == ["0:00:38 left to epoch 10"]
    status.env = "FlatPJCube-v0"
    # (400,000 - 20) steps at 10 a second
    assert time_left(status)[1] == "typically 11:06:38 to success .95"
    status.on_row(make_row(1, success=0.96))
    status.on_row(make_row(2, success=0.90))
    assert len(time_left(status)) == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00:00"), (59.6, "0:01:00"), (90_061, "25:01:01")]
)
def test_times_are_hours_minutes_and_seconds(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("env_id", TYPICAL_STEPS)
def test_typical_times_are_those_of_the_results(env_id):
    reached = []
    for path in (RESULTS / env_id).glob("seed*[0-9].json"):
        stats = json.loads(path.read_text())
        if stats["config"].get("load_pretrained"):
            continue
        rows = stats["epochs"]
        reached.append(next(row["env_steps"] for row in rows if row["success"] >= TYPICAL_SUCCESS))
    assert TYPICAL_STEPS[env_id] == statistics.median(reached)
