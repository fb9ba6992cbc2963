"""The loop learns, repeats itself, and does not care how many processes host its workers."""

import time

import numpy as np
import pytest
import torch

from grasp_func.core.ddpg import Learner
from grasp_func.errors import UserError
from grasp_func.runtime.workers import DesyncError
from grasp_func.training import collect, loop
from grasp_func.training.evaluation import evaluate, greedy_policy
from grasp_func.training.rate import Rate
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import initial_state
from helpers import PointReach, assert_same, make_run, run_training, run_twins, scored, tiny_config

LEARNS = tiny_config(
    epochs=20, cycles=5, rollouts=4, batches=40, evals=50, batch_size=64, buffer_size=100_000,
    actor_net_nlayers=3, actor_net_layer_width=32, critic_net_nlayers=3, critic_net_layer_width=32,
    gamma=0.9, actor_lr=3e-3, critic_lr=3e-3, action_norm=0.01, soft_update_every="update",
    early_stop=0.95, confirm_episodes=100,
)  # fmt: skip


EASY = {"kwargs": {"angle_tolerance": 0.5}, "angle_tolerance_start": 0.5}


def hashes(results):
    return [result.params_hash for result in results]


# --- learning


@pytest.mark.parametrize("seed", [0, 1])
def test_point_reach_is_solved_in_seconds(seed):
    run = make_run(LEARNS.model_copy(update={"seed": seed}))
    untrained = initial_state(run)
    *_, result = loop.train(run, untrained)
    fresh = [
        evaluate(run.env, greedy_policy(run, state), 12345, range(200)).success
        for state in (untrained, result.state)
    ]
    assert fresh[0] < 0.3
    assert fresh[1] > 0.9
    assert result.confirmation.success >= 0.95
    assert result.schedule.epoch < 20


@pytest.mark.parametrize("seed", [0, 1])
def test_without_hindsight_sparse_rewards_teach_nothing(seed):
    """In three dimensions random actions hardly ever reach a goal, so every reward is -1."""
    changes = {"seed": seed, "epochs": 4, "early_stop": 1.0, "kwargs": {"dims": 3}}
    success = {}
    for k in (4.0, 0.0):
        run = make_run(LEARNS.model_copy(update=changes | {"k": k}))
        *_, result = loop.train(run, initial_state(run))
        success[k] = result.eval_result.success
    assert success[4.0] > 0.9
    assert success[0.0] < 0.1


# --- reproducibility


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    cfg = tiny_config(cycles=2, evals=4)
    first, again = run_training(cfg), run_training(cfg)
    other = run_training(cfg.model_copy(update={"seed": 1}))
    assert hashes(first) == hashes(again)
    for a, b in zip(first, again, strict=True):
        assert_same(a._replace(seconds=0.0, times=None), b._replace(seconds=0.0, times=None))
    assert not set(hashes(first)) & set(hashes(other))


def test_training_does_not_depend_on_global_generators_or_earlier_episodes(eager):
    cfg = tiny_config()
    expected = hashes(run_training(cfg))
    torch.manual_seed(5)
    run = make_run(cfg)
    run.env.reset(seed=99)  # somebody else has used the environment
    assert hashes(loop.train(run, initial_state(run))) == expected


@pytest.mark.parametrize("size", [1, 2, 4])
def test_four_workers_end_in_the_same_bits_on_any_number_of_processes(size):
    counts = {"evals": 3, "confirm_episodes": 5, "epochs": 1, "cycles": 3}
    cfg = tiny_config(workers=4, early_stop=0.0, pregrasp_start=0.5, **counts)
    (alone,) = run_training(cfg)
    buffers = []
    for (result,) in run_twins(size, lambda comm: run_training(cfg, comm)):
        buffers += result.buffers
        assert_same(
            result._replace(seconds=0.0, times=None, buffers=[]),
            alone._replace(seconds=0.0, times=None, buffers=[]),
        )
    assert_same(buffers, alone.buffers)
    assert (alone.eval_result.overall.n, alone.confirmation.overall.n) == (12, 5)


def test_the_number_of_workers_matters(eager):
    assert hashes(run_training(tiny_config(workers=2))) != hashes(run_training(tiny_config()))


def test_workers_that_do_not_fit_the_processes():
    for error in run_twins(2, lambda comm: run_training(tiny_config(workers=3), comm)):
        assert isinstance(error, ValueError)
        assert "workers = 3" in str(error)


def test_a_replica_that_goes_astray_is_noticed_at_the_end_of_the_epoch(eager):
    def program(comm):
        run = make_run(tiny_config(workers=2), comm)
        state = initial_state(run)
        if comm.Get_rank() == 1:
            state = state.replace(target=state.target + 1e-6)
        return next(loop.train(run, state))

    for error in run_twins(2, program):
        assert isinstance(error, DesyncError)
        assert "rank [1]" in str(error)


def test_the_first_process_decides_where_training_starts(eager):
    def program(comm):
        run = make_run(tiny_config(workers=2, seed=comm.Get_rank()), comm)
        return initial_state(run).params

    first, second = run_twins(2, program)
    assert_same(first, second)
    assert_same(first, initial_state(make_run(tiny_config())).params)


# --- the course of an epoch


def test_counts_of_an_epoch(eager):
    cfg = tiny_config(cycles=3, rollouts=2, batches=4, workers=2, epochs=2)
    for epoch, result in enumerate(run_training(cfg), start=1):
        assert result.schedule.epoch == epoch
        assert int(result.state.step) == epoch * 3 * 4
        # every observation of every episode of both workers is counted once: 11 a piece
        assert float(result.state.obs_norm.count) == epoch * 3 * 2 * 2 * 11
        assert float(result.state.goal_norm.count) == epoch * 3 * 2 * 2


def test_workers_play_different_episodes(eager, monkeypatch):
    seeds = []
    play = collect.play_episode
    monkeypatch.setattr(collect, "play_episode", lambda *a: seeds.append(a[2]) or play(*a))
    run_training(tiny_config(cycles=2, rollouts=3, workers=2, epochs=2))
    assert len(seeds) == len(set(seeds)) == 2 * 3 * 2 * 2


@pytest.mark.parametrize(
    ("module", "function", "position"), [(loop, "draw_batches", 1), (collect, "draw_noise", 0)]
)
def test_every_draw_has_a_key_of_its_own(eager, monkeypatch, module, function, position):
    keys = []
    draw = getattr(module, function)
    monkeypatch.setattr(module, function, lambda *a, **k: keys.append(a[position]) or draw(*a, **k))
    run_training(tiny_config(cycles=2, workers=2, epochs=2))
    assert len(keys) == len(set(keys)) == 2 * 2 * 2


@pytest.mark.parametrize(("every", "n"), [("cycle", 2), ("update", 6)])
def test_targets_are_updated_as_often_as_asked_for(eager, every, n):
    run = make_run(tiny_config(cycles=2, batches=3, epochs=1, soft_update_every=every))
    calls = []

    def counted(state):
        calls.append(int(state.step))
        return run.learner.soft_update_targets(state)

    learner = Learner(**run.learner._asdict() | {"soft_update_targets": counted})
    list(loop.train(run._replace(learner=learner), initial_state(run)))
    assert len(calls) == n


def test_evaluation_is_greedy_fresh_each_epoch_and_apart_from_confirmation(eager):
    results = run_training(tiny_config(epochs=3, early_stop=0.0, confirm_episodes=3))
    assert len(results) == 1  # confirmed at once
    results = run_training(tiny_config(epochs=3))
    seeds = [seed for result in results for seed in (result.eval_seed, result.confirm_seed)]
    assert len(set(seeds)) == 6
    run = make_run(tiny_config(epochs=3))
    policy = greedy_policy(run, results[1].state)
    again = evaluate(run.env, policy, results[1].eval_seed, range(2))
    assert again == results[1].eval_result


@pytest.mark.parametrize(
    ("rates", "cfg", "ends"),
    [
        ((0.9, None), {}, False),
        ((0.96, None), {}, False),  # not confirmed
        ((0.96, 0.94), {}, False),
        ((0.96, 0.95), {}, True),
        ((0.96, None), {"confirm_episodes": 0}, True),
        ((0.94, None), {"confirm_episodes": 0}, False),
        ((0.0, None), {"epochs": 1}, True),
    ],
)
def test_when_training_ends(rates, cfg, ends):
    first, second = (rate if rate is None else success_of(rate) for rate in rates)
    result = loop.EpochResult(
        state=None,
        schedule=ScheduleState(epoch=1),
        eval_result=first,
        confirmation=second,
        best=None,
        eval_seed=0,
        confirm_seed=0,
        best_seed=0,
        env_steps=0,
        metrics=None,
        params_hash="",
        seconds=0.0,
        times=None,
        buffers=[],
        angle_tolerance=None,
        curriculum_active=False,
    )
    settings = {"epochs": 5, "early_stop": 0.95, "confirm_episodes": 100} | cfg
    assert result.is_last(tiny_config(**settings)) == ends


@pytest.fixture
def played(monkeypatch):
    """Makes evaluations return scripted success rates; returns a list of their (seed, n)."""
    calls, script = [], [0.0, 0.5, 0.4, 0.3, 0.4, 0.4, 0.96, 0.8, 0.7, 0.9, 0.9]

    def evaluate_agent(run, state, seed, n, on_episode):
        calls.append((seed, n))
        return success_of(script[len(calls) - 1])

    monkeypatch.setattr(loop, "evaluate_agent", evaluate_agent)
    return calls


def test_the_best_agent_is_the_one_with_the_highest_confirmed_lower_bound(eager, played):
    cfg = tiny_config(epochs=7, early_stop=0.95, confirm_episodes=1000, evals=50, workers=2)
    results = run_training(cfg)
    evaluated = [(result.eval_result.success, result.best) for result in results]
    assert evaluated == [
        # no success, so no second evaluation
        (0.0, None),
        (0.5, success_of(0.4)),
        # worse than the lower bound of 0.45, so no second evaluation
        (0.3, None),
        # both together are not better
        (0.4, None),
        # the second evaluation is that of early_stop
        (0.96, success_of(0.8)),
        (0.7, None),
        (0.9, success_of(0.9)),
    ]
    # of both evaluations together
    low = {successes: Rate(successes, 200).interval[0] for successes in (90, 176, 180)}
    course = [result.schedule.best_confirmed for result in results]
    assert course == [0.0, *[low[90]] * 3, *[low[176]] * 2, low[180]]
    # success_of counts 100 episodes
    assert [n for _, n in played] == [100] * 7 + [1000] + [100] * 3
    assert len({seed for seed, _ in played}) == len(played)
    confirmed = [result.best_seed for result in results if result.best]
    assert confirmed == [played[2][0], results[4].confirm_seed, played[10][0]]


def test_many_confirming_episodes_count_more_than_a_few(eager, monkeypatch):
    """0.98 of 100 episodes may be luck and is not yet better than 0.97 of 1000."""
    script = iter([(96, 100), (970, 1000), (97, 100), (98, 100)])
    monkeypatch.setattr(loop, "evaluate_agent", lambda *arguments: scored(*next(script)))
    cfg = tiny_config(epochs=2, early_stop=0.96, confirm_episodes=1000)
    run = make_run(cfg)
    results = loop.train(run, initial_state(run))
    assert next(results).best == scored(970, 1000)
    run = run._replace(cfg=cfg.model_copy(update={"early_stop": 0.99}))
    schedule = ScheduleState(epoch=1, best_confirmed=Rate(1066, 1100).interval[0])
    assert next(loop.train(run, initial_state(run), schedule)).best is None


def test_a_pretrained_agent_is_the_first_best(eager, played):
    del played[:]
    results = run_training(tiny_config(epochs=4, load_pretrained=True, evals=100))
    epochs = [(result.schedule.epoch, result.eval_result.success) for result in results]
    assert epochs == [(0, 0.0), (1, 0.5), (2, 0.3), (3, 0.4), (4, 0.96)]
    assert len({seed for seed, _ in played}) == len(played)


def test_a_pretrained_agent_may_be_good_enough(eager, monkeypatch):
    script = iter([(96, 100), (970, 1000)])
    monkeypatch.setattr(loop, "evaluate_agent", lambda *arguments: scored(*next(script)))
    cfg = tiny_config(load_pretrained=True, early_stop=0.96, confirm_episodes=1000)
    (result,) = run_training(cfg)
    assert result.best == result.confirmation == scored(970, 1000)
    assert result.schedule.best_confirmed == Rate(1066, 1100).interval[0]


def test_easy_success_makes_no_best_agent(eager, played):
    eased = {"kwargs": {"angle_tolerance": 0.05}, "angle_tolerance_success": 1.0}
    results = run_training(tiny_config(epochs=5, **eased))
    assert all(result.curriculum_active and result.best is None for result in results)
    assert len(played) == 5


def test_looking_for_the_best_agent_does_not_change_training(eager, monkeypatch):
    cfg = tiny_config(epochs=4, evals=10, **EASY)
    results = run_training(cfg)
    assert any(result.best for result in results)
    monkeypatch.setattr(loop, "_confirm", lambda *arguments: None)
    assert hashes(run_training(cfg)) == hashes(results)


def success_of(share):
    return scored(round(share * 100), 100)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.25, 0.5), (0.0, 1.0)])
def test_only_training_episodes_have_easy_starts(shares, eager, monkeypatch):
    begun = []
    reset = PointReach.reset

    def watched(self, *, seed=None, options=None):
        begun.append(options)
        return reset(self, seed=seed, options=options)

    monkeypatch.setattr(PointReach, "reset", watched)
    starts = dict(zip(("pregrasp_start", "grasp_start"), shares, strict=True))
    run = make_run(tiny_config(epochs=1, rollouts=100, evals=20, **starts))
    begun.clear()
    next(loop.train(run, initial_state(run)))
    training, evaluation = begun[:100], begun[100:]
    assert evaluation == [None] * 20
    counts = [training.count({"start": "pregrasp"}), training.count({"start": "grasp"})]
    assert counts == pytest.approx([100 * share for share in shares], abs=12)
    assert sum(counts) + training.count(None) == 100


def test_an_environment_without_easy_starts_is_trained_from_its_own(eager, monkeypatch):
    monkeypatch.setattr(PointReach, "starts", ("default",))
    usual = hashes(run_training(tiny_config(epochs=1)))
    assert hashes(run_training(tiny_config(epochs=1, pregrasp_start=0.5, grasp_start=0.5))) == usual


def test_divergence_is_reported(eager):
    run = make_run(tiny_config(critic_lr=1e30))
    with pytest.raises(FloatingPointError, match="training diverged in cycle 1, update 2 of 2"):
        list(loop.train(run, initial_state(run)))


@pytest.mark.parametrize("bad", [1, 2, 4])
def test_every_update_of_a_cycle_is_checked(bad, eager):
    run, calls = make_run(tiny_config(batches=4)), []
    learner = run.learner

    def update(state, batches):
        calls.append(1)
        state, metrics = learner.update(state, batches)
        return state, {**metrics, "q_mean": torch.tensor(np.nan if len(calls) == bad else 0.0)}

    run = run._replace(learner=learner._replace(update=update))
    with pytest.raises(FloatingPointError, match=f"cycle 1, update {bad} of 4: .*nan.*lower"):
        list(loop.train(run, initial_state(run)))


def test_a_callback_sees_every_cycle(eager):
    run, seen = make_run(tiny_config(cycles=2)), []
    results = list(loop.train(run, initial_state(run), on_cycle=seen.append))
    assert [cycle.cycle for cycle in seen] == [1, 2, 3, 4]
    assert seen[1].metrics == results[0].metrics and seen[3].metrics == results[1].metrics
    # one worker, one rollout of 10 steps and two updates a cycle
    assert [(cycle.env_steps, cycle.updates) for cycle in seen][::3] == [(10, 2), (40, 8)]
    assert [result.env_steps for result in results] == [20, 40]


def test_progress_is_reported_and_timed(eager):
    cfg = tiny_config(epochs=2, cycles=2, evals=3, early_stop=0.0, confirm_episodes=2, workers=2)
    run, reports = make_run(cfg), []
    results = loop.train(run, initial_state(run), on_progress=reports.append)
    (result,) = results
    cycle = [("rollouts", 0, 2), ("updates", 0, 2), ("rollouts", 1, 2), ("updates", 1, 2)]
    evaluation = [("evaluation", n, 6) for n in range(6)]
    confirmation = [("confirmation", n, 2) for n in range(2)]
    assert reports == [*cycle, *evaluation, *confirmation, ("saving", 0, 0)]
    assert all(seconds > 0 for seconds in result.times)
    assert sum(result.times) == pytest.approx(result.seconds, abs=0.01)


def test_each_process_reports_as_if_the_others_were_as_far(eager):
    def process(comm):
        run, reports = make_run(tiny_config(epochs=1, evals=3, workers=2), comm), []
        list(loop.train(run, initial_state(run), on_progress=reports.append))
        return [report for report in reports if report.activity == "evaluation"]

    for reports in run_twins(2, process):
        assert reports == [("evaluation", n, 6) for n in (0, 2, 4)]


def test_time_between_epochs_is_saving(eager):
    run = make_run(tiny_config(epochs=2))
    results = loop.train(run, initial_state(run))
    next(results)
    time.sleep(0.2)
    assert next(results).times.saving == pytest.approx(0.2, abs=0.1)


def test_an_unusable_environment_is_reported_by_all_processes(eager, monkeypatch):
    """... also where only one of them meets the problem."""

    def program(comm):
        run = make_run(tiny_config(workers=2), comm)
        if comm.Get_rank() == 1:
            run = run._replace(env=Broken(run.env))
        return list(loop.train(run, initial_state(run)))

    class Broken:
        def __init__(self, env):
            self.env = env

        def __getattr__(self, name):
            return getattr(self.env, name)

        def step(self, action):
            raise UserError("it is broken")

    for error in run_twins(2, program):
        assert isinstance(error, UserError) and str(error) == "it is broken"
