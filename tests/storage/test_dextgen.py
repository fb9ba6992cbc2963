"""Dext-Gen's normalizers: written for its own class, read back without trusting anything."""

import os
import pickle

import numpy as np
import pytest
import torch

import hostile
from dextgen_class import SIZE, made_by_the_class
from grasp_func.core import normalizer
from grasp_func.errors import SaveError
from grasp_func.storage.dextgen import dextgen_normalizer_bytes, read_dextgen_normalizer

CLIP, EXCLUDED = 1.5, (2, 3)
ATTRIBUTES = [
    *("size", "world_size", "eps2", "clip", "lsum", "lsum_sq", "lcount", "sum", "sum_sq", "count"),
    *("mean", "std", "coal_buffer", "dist", "idx"),
]


def sample(exclude=EXCLUDED, n=60):
    data = torch.randn(n, SIZE, generator=torch.Generator().manual_seed(0)) * 3 + 1
    moments = normalizer.batch_moments(data)
    return moments, normalizer.scaling(moments, CLIP, exclude)


@pytest.mark.parametrize("exclude", [EXCLUDED, ()])
def test_the_published_class_scales_alike(published, exclude):
    moments, scaling = sample(exclude)
    found = pickle.loads(dextgen_normalizer_bytes(moments, scaling))
    assert type(found) is published
    x = torch.rand(20, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    np.testing.assert_array_equal(found(x.numpy()), normalizer.normalize(x, scaling).numpy())


def test_attributes_have_the_published_names_shapes_and_types(published):
    found = vars(pickle.loads(dextgen_normalizer_bytes(*sample())))
    assert list(found) == ATTRIBUTES
    lengths = {"lcount": 1, "count": 1, "coal_buffer": 2 * SIZE + 1}
    for name in set(ATTRIBUTES) - {"size", "world_size", "clip", "dist", "idx"}:
        assert found[name].dtype == np.float32
        assert found[name].shape == (lengths.get(name, SIZE),)
        found[name] += 0  # the class updates in place
    numbers = found["size"], found["world_size"], found["clip"], found["dist"], found["idx"]
    assert numbers == (SIZE, 1, CLIP, False, [0, 1, 4])
    np.testing.assert_array_equal(found["eps2"], np.full(SIZE, 1e-4, np.float32))
    mean = found["sum"] / found["count"]
    variance = found["sum_sq"] / found["count"] - mean**2
    moments, _ = sample()
    np.testing.assert_allclose(mean, moments.mean, rtol=1e-5)
    np.testing.assert_allclose(variance, moments.m2 / moments.count, rtol=1e-5)


def test_names_of_numpy_are_those_that_old_and_new_versions_know():
    data = dextgen_normalizer_bytes(*sample())
    assert b"numpy.core.multiarray" in data and b"numpy._core" not in data
    assert b"grasp_func" not in data


@pytest.mark.parametrize("exclude", [EXCLUDED, ()])
def test_round_trip(tmp_path, exclude):
    moments, scaling = sample(exclude)
    (tmp_path / "n.pkl").write_bytes(dextgen_normalizer_bytes(moments, scaling))
    found, found_scaling = read_dextgen_normalizer(tmp_path / "n.pkl")
    assert torch.equal(found_scaling.mean, scaling.mean)
    assert torch.equal(found_scaling.std, scaling.std) and found_scaling.clip == CLIP
    assert found.count == moments.count and found.count.dtype == torch.float64
    torch.testing.assert_close(found.mean, moments.mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.m2, moments.m2, rtol=1e-6, atol=0)


def test_round_trip_without_data(tmp_path):
    moments = normalizer.init(SIZE)
    data = dextgen_normalizer_bytes(moments, normalizer.scaling(moments, CLIP))
    (tmp_path / "n.pkl").write_bytes(data)
    found, scaling = read_dextgen_normalizer(tmp_path / "n.pkl")
    assert found.count == 0 and torch.equal(found.m2, torch.zeros(SIZE).double())
    assert torch.equal(scaling.std, torch.ones(SIZE))


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("old_numpy", [False, True])
def test_pickles_of_the_class_itself_are_read(published, tmp_path, protocol, old_numpy):
    made = made_by_the_class(published)
    data = pickle.dumps(made, protocol)
    if old_numpy:  # lengths are part of protocol 4, so only the text of protocol 3 can be changed
        data = pickle.dumps(made, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "n.pkl").write_bytes(data)
    moments, scaling = read_dextgen_normalizer(tmp_path / "n.pkl")
    keep = np.array([False, True, True, True, False])
    np.testing.assert_array_equal(scaling.mean, np.where(keep, 0, made.mean))
    np.testing.assert_array_equal(scaling.std, np.where(keep, 1, made.std))
    np.testing.assert_allclose((moments.m2 / 50).sqrt(), made.std, rtol=1e-5)
    assert moments.count == 50 and np.isfinite(scaling.clip)


def test_older_versions_have_no_idx(published, tmp_path):
    made = made_by_the_class(published)
    del made.idx
    (tmp_path / "n.pkl").write_bytes(pickle.dumps(made, 4))
    _, scaling = read_dextgen_normalizer(tmp_path / "n.pkl")
    np.testing.assert_array_equal(scaling.mean, made.mean)


def refusal(path, data):
    path.write_bytes(data)
    with pytest.raises(SaveError) as caught:
        read_dextgen_normalizer(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and "\x1b" not in message
    return message


CHANGES = {
    "size": {"size": SIZE + 1},
    "size type": {"size": True},
    "huge size": {"size": 10**400},
    "clip": {"clip": 0.0},
    "clip nan": {"clip": float("nan")},
    "nan": {"mean": np.full(SIZE, np.nan, np.float32)},
    "std": {"std": np.zeros(SIZE, np.float32)},
    "count": {"count": np.array([-1], np.float32)},
    "sum_sq": {"sum_sq": -np.ones(SIZE, np.float32)},
    "shape": {"sum": np.zeros((SIZE, 1), np.float32)},
    "length": {"sum": np.zeros(SIZE + 1, np.float32)},
    "double": {"sum": np.zeros(SIZE)},
    "big endian": {"sum": np.zeros(SIZE, ">f4")},
    "objects": {"sum": np.array([None] * SIZE)},
    "list": {"sum": [0.0] * SIZE},
    "idx": {"idx": [SIZE]},
    "idx type": {"idx": np.array([0])},
}


@pytest.mark.parametrize("name", CHANGES)
def test_normalizers_that_make_no_sense_are_refused(published, tmp_path, name):
    refusal(tmp_path / "n.pkl", pickle.dumps(made_by_the_class(published, **CHANGES[name]), 4))


def test_missing_attributes_are_named(published, tmp_path):
    made = made_by_the_class(published)
    del made.std
    assert "has no std" in refusal(tmp_path / "n.pkl", pickle.dumps(made, 4))


def test_damaged_and_missing_files_are_refused(tmp_path):
    data = dextgen_normalizer_bytes(*sample())
    for damaged in hostile.damaged(data).values():
        refusal(tmp_path / "n.pkl", damaged)
    refusal(tmp_path / "n.pkl", pickle.dumps({"mean": [1.0]}))
    assert "larger than" in refusal(tmp_path / "n.pkl", bytes(2**20 + 1))
    with pytest.raises(SaveError, match="cannot be read"):
        read_dextgen_normalizer(tmp_path / "none.pkl")
    os.mkfifo(tmp_path / "pipe.pkl")
    with pytest.raises(SaveError, match="cannot be read"):
        read_dextgen_normalizer(tmp_path / "pipe.pkl")


@pytest.mark.parametrize("protocol", hostile.PROTOCOLS)
def test_pickled_code_is_not_run(published, tmp_path, protocol):
    sentinel = tmp_path / "sentinel"
    for content in (
        hostile.Payload(sentinel),
        made_by_the_class(published, mean=hostile.Payload(sentinel)),
        made_by_the_class(published, more=hostile.Payload(sentinel)),
    ):
        data = pickle.dumps(content, protocol)
        refusal(tmp_path / "n.pkl", data)
        assert not sentinel.exists()
        pickle.loads(data)
        assert sentinel.exists()  # the payload is a real one
        sentinel.unlink()


GADGETS = [  # all begin with an allowed name or end in one
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.core.multiarray", "fromfile"),
    ("numpy.core.multiarray._reconstruct", "__globals__"),
    ("numpy", "load"),
    ("numpy", "ndarray.tofile"),
    ("mp_rl.core.normalizer", "pickle.loads"),
    ("mp_rl.core.normalizer", "Normalizer.save"),
    ("mp_rl.core", "normalizer.Normalizer"),
    ("builtins", "eval"),
    ("copyreg", "_reconstructor"),
    ("", ""),
    ("numpy", "\x1b[2J"),
]


@pytest.mark.parametrize(("module", "name"), GADGETS)
def test_every_other_name_is_refused(tmp_path, module, name):
    texts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)]
    data = b"\x80\x04" + b"".join(texts) + b"\x93)R."  # STACK_GLOBAL, REDUCE without arguments
    assert "refused to import" in refusal(tmp_path / "n.pkl", data)


NORMALIZER = b"cmp_rl.core.normalizer\nNormalizer\n"
DTYPE = b"cnumpy\ndtype\n"


@pytest.mark.parametrize(
    "data",
    [
        b"(imp_rl.core.normalizer\nNormalizer\n.",  # INST
        *(data[2:] for data in hostile.OPCODES.values()),
        NORMALIZER + b".",  # the class itself
        NORMALIZER + b"N}\x8c\x03std\x8c\x01xs\x86b.",  # BUILD on the class: attributes for all
        NORMALIZER + b"}\x8c\x03std\x8c\x01xsb.",
        NORMALIZER + b")\x81N}\x8c\x09__class__" + DTYPE + b"s\x86b.",  # BUILD with slots
        NORMALIZER + b")\x81}K\x01K\x02sb.",  # an attribute that is no text
        DTYPE + b"\x8c\x02f4\x89\x88\x87R.",  # another object
        b"cnumpy\nndarray\n)R.",
    ],
)
def test_hostile_opcodes_are_refused_and_leave_nothing_behind(tmp_path, data):
    refusal(tmp_path / "n.pkl", b"\x80\x04" + data)
    refusal(tmp_path / "n.pkl", b"\x80\x04" + NORMALIZER + b")\x81.")  # still has no attributes
    moments, scaling = sample()
    (tmp_path / "n.pkl").write_bytes(dextgen_normalizer_bytes(moments, scaling))
    assert torch.equal(read_dextgen_normalizer(tmp_path / "n.pkl")[1].std, scaling.std)
