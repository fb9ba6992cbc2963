"""Hindsight replay: arithmetic by hand on two episodes, sampling by its properties."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from grasp_func.core.replay import (
    Indices,
    ReplayBuffer,
    ReplaySampling,
    buffer_bytes,
    draw_batches,
    draw_indices,
    gather,
    progress,
)
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec, Episode
from helpers import assert_same

ENV_SPEC = EnvSpec(obs=2, goal=3, action=1, rotation=None, obs_blocks={}, horizon=2)
N = 20_000


def equal_reward(achieved, desired, info):
    """0 where the goal is reached exactly, else -1."""
    return -(achieved != desired).any(-1).astype(np.float64)


def episode(number, horizon=2):
    """Returns an episode whose entries are 100 number + 10 t + position."""
    base, t = 100.0 * number, 10.0 * np.arange(horizon + 1)[:, None]
    return Episode(
        obs=np.float32(base + t + [1, 2]),
        achieved=np.float32(base + t + [3, 4, 5]),
        goal=np.float32(base + np.array([6, 7, 8])),
        action=np.float32(base + t[:-1] + [9]),
        flags=np.float32([number % 2, number % 3 == 0]),
    )


def flags(*held):
    return np.array(held, bool)


# --- gather


def test_gather_by_hand():
    episodes = Episode(*map(np.stack, zip(episode(0), episode(1), strict=True)))
    idx = Indices(
        episode=np.array([1, 0, 0, 1]),
        t=np.array([0, 1, 0, 1]),
        future=np.array([1, 2, 2, 2]),
        relabel=np.array([False, True, True, False]),
    )
    batch = gather(episodes, idx, equal_reward)
    assert batch.obs.tolist() == [[101, 102], [11, 12], [1, 2], [111, 112]]
    assert batch.next_obs.tolist() == [[111, 112], [21, 22], [11, 12], [121, 122]]
    assert batch.action.tolist() == [[109], [19], [9], [119]]
    # rows 1 and 2 take what episode 0 achieves at t = 2: 20 + (3, 4, 5)
    assert batch.goal.tolist() == [[106, 107, 108], [23, 24, 25], [23, 24, 25], [106, 107, 108]]
    # the reward is of step t + 1: only row 1 (t + 1 = 2 = future) has reached its goal then
    assert batch.reward.tolist() == [[-1], [0], [-1], [-1]]
    assert {str(field.dtype) for field in batch} == {"torch.float32"}


def test_gather_copies():
    episodes = Episode(*map(np.stack, zip(episode(0), episode(1), strict=True)))
    idx = Indices(np.array([0]), np.array([0]), np.array([1]), np.array([False]))
    batch = gather(episodes, idx, equal_reward)
    for field in batch:
        field.fill_(-7.0)
    assert not any((field == -7.0).any() for field in episodes)


# --- draw_indices


@hypothesis.given(
    st.integers(0, 99),
    st.integers(1, 60),
    st.integers(1, 300),
    st.builds(ReplaySampling, *[st.floats(0, 1)] * 3),
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=9),
)
def test_indices_are_valid_for_all_arguments(seed, horizon, n, sampling, held):
    moved, lifted = np.array(held, bool).T
    idx = draw_indices(Key(seed), horizon, n, sampling, moved, lifted)
    assert {len(field) for field in idx} == {n}
    assert ((idx.episode >= 0) & (idx.episode < len(held))).all()
    assert ((idx.t >= 0) & (idx.t < idx.future) & (idx.future <= horizon)).all()
    assert idx.relabel.dtype == bool


@pytest.mark.parametrize("k", [0, 1, 4])
def test_relabelled_fraction(k):
    fraction = k / (k + 1)
    idx = draw_indices(Key(k), 10, N, ReplaySampling(k), flags(0), flags(0))
    assert idx.relabel.mean() == pytest.approx(
        fraction, abs=4 * (fraction * (1 - fraction) / N) ** 0.5
    )


def test_times_and_futures_are_uniform():
    idx = draw_indices(Key(0), 4, N, ReplaySampling(4.0), flags(0), flags(0))
    np.testing.assert_allclose(np.bincount(idx.t) / N, 0.25, atol=0.013)
    for t in range(4):
        counts = np.bincount(idx.future[idx.t == t], minlength=5)
        expected = np.where(np.arange(5) > t, 1 / (4 - t), 0)
        np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.03)


def test_relabelling_is_independent_of_the_transition():
    idx = draw_indices(Key(0), 4, N, ReplaySampling(1.0), flags(0, 0), flags(0, 0))
    for field in (idx.episode, idx.t, idx.future):
        assert abs(np.corrcoef(field, idx.relabel)[0, 1]) < 0.03


def test_favoured_episodes_have_their_probabilities():
    # of five episodes two moved, one of which was lifted
    moved, lifted = flags(0, 1, 0, 1, 0), flags(0, 0, 0, 1, 0)
    sampling = ReplaySampling(4.0, p_moved=0.5, p_lifted=0.3)
    idx = draw_indices(Key(0), 10, N, sampling, moved, lifted)
    found = np.bincount(idx.episode) / N
    # all: 0.5 * 0.2 = 0.1 each; moved: + 0.5 / 2; then 30% of all draws go to the lifted one
    expected = np.array([0.1, 0.35, 0.1, 0.35, 0.1]) * 0.7 + np.array([0, 0, 0, 0.3, 0])
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_nothing_to_favour_changes_nothing():
    """If no object moved or was lifted, the probabilities do not matter."""
    plain = draw_indices(Key(0), 10, 100, ReplaySampling(4.0), flags(0, 0), flags(0, 0))
    greedy = ReplaySampling(4.0, p_moved=1.0, p_lifted=1.0)
    assert_same(draw_indices(Key(0), 10, 100, greedy, flags(0, 0), flags(0, 0)), plain)


def test_empty_buffer():
    with pytest.raises(ValueError, match="empty replay buffer"):
        draw_indices(Key(0), 10, 1, ReplaySampling(4.0), flags(), flags())


# --- the buffer


@hypothesis.given(st.integers(0, 12), st.integers(0, 30))
def test_buffer_keeps_the_newest_episodes(n_transitions, n_appended):
    buffer = ReplayBuffer(ENV_SPEC, n_transitions)
    capacity = max(1, n_transitions // 2)
    for number in range(n_appended):
        buffer.append(episode(number))
        assert len(buffer) == min(number + 1, capacity)
    held = {int(goal[0]) // 100 for goal in buffer.episodes.goal[: len(buffer)]}
    assert held == set(range(max(0, n_appended - capacity), n_appended))
    for slot in range(len(buffer)):
        stored = Episode(*(field[slot] for field in buffer.episodes))
        assert_same(stored, episode(int(stored.goal[0]) // 100))


def test_flags_follow_their_episode_around_the_ring():
    buffer = ReplayBuffer(ENV_SPEC, 4)
    assert buffer.moved.tolist() == buffer.lifted.tolist() == [False, False]
    for held in ([1, 1], [0, 0], [0, 1], [1, 0]):
        buffer.append(episode(0)._replace(flags=np.float32(held)))
    assert buffer.moved.tolist() == [False, True] and buffer.lifted.tolist() == [True, False]


def test_draw_batches_splits_one_draw():
    buffer = ReplayBuffer(ENV_SPEC, 100)
    for number in range(3):
        buffer.append(episode(number))
    batches = draw_batches(buffer, Key(5), 4, 8, ReplaySampling(4.0), equal_reward)
    assert [len(batch.obs) for batch in batches] == [8] * 4
    unused = flags(1, 1, 1)
    idx = draw_indices(Key(5), 2, 32, ReplaySampling(4.0), unused, unused)
    whole = gather(buffer.episodes, idx, equal_reward)
    for i, batch in enumerate(batches):
        assert all(
            part.tolist() == field[8 * i : 8 * i + 8].tolist()
            for part, field in zip(batch, whole, strict=True)
        )


def test_draw_batches_reads_only_stored_episodes():
    buffer = ReplayBuffer(ENV_SPEC, 1000)
    buffer.append(episode(1))
    (batch,) = draw_batches(buffer, Key(0), 1, 500, ReplaySampling(0.0), equal_reward)
    assert (batch.obs >= 100).all()


# --- progress


def path(*positions):
    return np.float32([[0.5, 0.5, 0.4], *positions])


@pytest.mark.parametrize(
    ("achieved", "expected"),
    [
        (path([0.5, 0.5, 0.4]), (False, False)),
        # sqrt(3) * 5.5 mm = 9.5 mm and sqrt(3) * 6 mm = 10.4 mm
        (path([0.5055, 0.5055, 0.4055]), (False, False)),
        (path([0.506, 0.506, 0.406]), (True, False)),
        (path([0.5, 0.5, 0.444]), (True, False)),
        (path([0.5, 0.5, 0.446]), (True, True)),
        # An object that was lifted and put down again counts, one that fell does not.
        (path([0.5, 0.5, 0.446], [0.5, 0.5, 0.4]), (True, True)),
        (path([0.5, 0.5, 0.3]), (True, False)),
    ],
)
def test_progress(achieved, expected):
    assert_same(progress(achieved), np.float32(expected))


def test_progress_depends_only_on_the_position():
    achieved = np.hstack([path([0.5, 0.5, 0.4]), np.float32([[0, 0], [1, 1]])])
    assert progress(achieved).tolist() == [0, 0]


def test_progress_of_a_goal_without_height():
    """Goals of two entries, which used to raise an IndexError, have no height."""
    assert progress(np.float32([[0, 0], [1, 1]])).tolist() == [1, 0]


@pytest.mark.parametrize(("highest", "lifted"), [(0.044, 0), (0.046, 1)])
def test_the_lift_decides_where_it_is_known(highest, lifted):
    """The object climbs by 0.1 m, of which `highest` is above the ground below it."""
    climbing = path([0.6, 0.5, 0.5], [0.6, 0.5, 0.5])
    assert progress(climbing, np.float32([0, highest, 0])).tolist() == [1, lifted]


@pytest.mark.parametrize("n_transitions", [1, 10, 47, 1000])
def test_buffer_bytes_are_those_of_the_arrays(n_transitions):
    held = ReplayBuffer(ENV_SPEC, n_transitions).episodes
    assert all(field.dtype == np.float32 for field in held)
    assert buffer_bytes(ENV_SPEC, n_transitions) == sum(field.nbytes for field in held)
