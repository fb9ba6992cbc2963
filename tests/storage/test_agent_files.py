"""Agent files survive the way through the disk, whatever happens while they are written."""

import os
import pickle
import pickletools
import threading

import pytest
import torch

from grasp_func.errors import SaveError
from grasp_func.storage import atomic
from grasp_func.storage.agent_files import read_agent, write_agent
from grasp_func.storage.atomic import atomic_write_bytes, atomic_write_text, write_folder
from small_agents import ACTION, FILES, GOAL, OBS, WIDTH, agent, assert_same


@pytest.fixture
def saved(tmp_path):
    write_agent(tmp_path, agent())
    return tmp_path


# --- good files


@pytest.mark.parametrize("critic_action", [ACTION, ACTION + 3])  # plain; a rotation head adds 3
def test_what_is_written_is_read_to_the_bit(tmp_path, critic_action):
    files = agent(critic_action=critic_action)
    write_agent(tmp_path / "new" / "folder", files)
    assert_same(read_agent(tmp_path / "new" / "folder"), files)


def with_products(products=(1, 3, 5, 8)):
    files = agent()
    more = (products[1] - products[0]) * (products[3] - products[2])

    def widened(params):
        weight = params["layers.0.weight"]
        return {**params, "layers.0.weight": torch.cat([weight, weight[:, :more]], dim=1)}

    return files._replace(
        actor=widened(files.actor), critic=widened(files.critic), products=products
    )


def test_products_of_inputs_are_read_as_written(tmp_path):
    files = with_products()
    write_agent(tmp_path, files)
    found = read_agent(tmp_path)
    assert_same(found, files)
    assert (found.products, found.inputs, found.actions) == ((1, 3, 5, 8), OBS + GOAL + 6, ACTION)


@pytest.mark.parametrize(
    ("products", "message"),
    [
        (
            (1, 3, 5, 9),
            r"actor.pt has products .*\(1, 3, 5, 9\), the normalizers 8 entries",
        ),
        ((3, 1, 5, 8), "products is not four increasing indices"),
        ((-1, 1, 5, 8), "products is not four increasing indices"),
        ((1, 3, 2, 5), "products is not four increasing indices"),
    ],
)
def test_products_that_cannot_be_are_refused(tmp_path, products, message):
    write_agent(tmp_path, with_products()._replace(products=products))
    with pytest.raises(SaveError, match=message):
        read_agent(tmp_path)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(4),
        torch.ones(2, 2, dtype=torch.int64),
        torch.tensor([1, 3, 5, 8]).to_sparse(),
        "1 3 5 8",
    ],
)
def test_products_that_are_no_four_integers_are_refused(tmp_path, tensor):
    write_agent(tmp_path, agent())
    loaded = torch.load(tmp_path / "actor.pt", weights_only=True)
    torch.save({**loaded, "products": tensor}, tmp_path / "actor.pt")
    (tmp_path / "agent.json").unlink()
    with pytest.raises(SaveError, match="products is not four increasing indices"):
        read_agent(tmp_path)


def test_both_networks_must_have_the_same_products(tmp_path):
    write_agent(tmp_path / "a", with_products())
    write_agent(tmp_path / "b", with_products((2, 4, 5, 8)))
    (tmp_path / "a" / "critic.pt").write_bytes((tmp_path / "b" / "critic.pt").read_bytes())
    (tmp_path / "a" / "agent.json").unlink()
    with pytest.raises(SaveError, match=r"actor.pt has products \(1, 3, 5, 8\), critic.pt has \(2"):
        read_agent(tmp_path / "a")


def test_networks_are_plain_tensors_that_torch_reads_without_code(saved):
    loaded = torch.load(saved / "actor.pt", weights_only=True)
    assert type(loaded) is dict
    assert list(loaded) == [
        *("layers.0.weight", "layers.0.bias"),
        *("layers.2.weight", "layers.2.bias"),
    ]
    module = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 4))
    module.load_state_dict({name.removeprefix("layers."): x for name, x in loaded.items()})


def test_views_of_a_flat_vector_are_saved_alone(tmp_path):
    flat = torch.zeros(100_000)
    files = agent()
    view = flat[: ACTION * WIDTH].view(ACTION, WIDTH)
    write_agent(tmp_path, files._replace(actor={**files.actor, "layers.2.weight": view}))
    assert (tmp_path / "actor.pt").stat().st_size < 10_000


def test_normalizer_pickles_hold_no_code(saved):
    for name in FILES[2:]:
        data = (saved / name).read_bytes()
        opcodes = {opcode.name for opcode, _, _ in pickletools.genops(data)}
        assert not [
            name
            for name in opcodes
            if any(word in name for word in ("GLOBAL", "REDUCE", "EXT", "PERSID", "OBJ", "INST"))
        ]
        assert set(pickle.loads(data)) == {
            *("format", "count", "mean", "m2", "scale_mean", "scale_std", "clip")
        }


def test_ordered_dictionaries_of_modules_are_read(saved):
    (saved / "agent.json").unlink()
    module = torch.nn.Module()
    module.layers = torch.nn.Sequential(
        torch.nn.Linear(OBS + GOAL, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, ACTION)
    )
    torch.save(module.state_dict(), saved / "actor.pt")
    assert torch.equal(read_agent(saved).actor["layers.2.bias"], module.layers[2].bias)


# --- atomic writing


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "x"
    atomic_write_text(path, "old \u00b5")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(SaveError, match=r"x: cannot be written .No space left on device."):
        atomic_write_bytes(path, b"new")
    assert path.read_text(encoding="utf-8") == "old \u00b5"
    assert os.listdir(tmp_path) == ["x"]


def test_full_disk_in_the_middle_keeps_all_four_old_files(saved, monkeypatch):
    before = {name: (saved / name).read_bytes() for name in FILES}
    calls = []

    def full_at_the_third(_):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full_at_the_third)
    with pytest.raises(SaveError):
        write_agent(saved, agent(seed=9))
    assert {name: (saved / name).read_bytes() for name in FILES} == before


def test_what_killed_writers_left_is_swept_up_and_nothing_else(tmp_path):
    theirs = [tmp_path / name for name in (".x.7.aaaaaaaa.tmp", ".y.7.aaaaaaaa.tmp", "x.tmp")]
    for path in theirs:
        path.write_text("half")
    write_folder(tmp_path, {"x": b"whole"})
    assert [path.exists() for path in theirs] == [False, True, True]
    assert (tmp_path / "x").read_bytes() == b"whole"


def test_writing_below_a_file_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="choose another place"):
        write_agent(tmp_path / "file" / "agent", agent())


def test_concurrent_writers_and_readers_see_whole_agents(tmp_path):
    agents = [agent(seed) for seed in range(3)]
    write_agent(tmp_path, agents[0])
    threads = [
        threading.Thread(target=lambda a=a: [write_agent(tmp_path, a) for _ in range(5)])
        for a in agents
    ]
    for thread in threads:
        thread.start()
    seen = [read_agent(tmp_path) for _ in range(10)]
    for thread in threads:
        thread.join()
    for files in [*seen, read_agent(tmp_path)]:
        match = [a for a in agents if torch.equal(a.goal_moments.mean, files.goal_moments.mean)]
        assert_same(files, match[0])
    assert sorted(os.listdir(tmp_path)) == sorted([".lock", "agent.json", *FILES])


def test_held_lock_ends_in_an_error(saved, monkeypatch):
    monkeypatch.setattr(atomic, "LOCK_SECONDS", 0.05)
    with atomic.locked(saved), pytest.raises(SaveError, match="another process"):
        write_agent(saved, agent())


def test_files_are_readable_as_the_umask_says(tmp_path):
    old = os.umask(0o022)
    try:
        atomic_write_text(tmp_path / "x", "")
    finally:
        os.umask(old)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644
