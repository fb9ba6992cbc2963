"""Meshes: the default ones, the user's files, invalid files, and the cached decomposition."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import gymnasium
import numpy as np
import pytest
import trimesh

from envs.grasp_env import GraspEnv
from envs.objects import decomposition
from envs.objects.catalogue import MESH_SIZES, MESHES, find_objects
from envs.objects.decomposition import decompose
from envs.objects.spec import OBJECTS, rest_height
from envs.sim import rotations
from envs.sim.types import Mesh

ROOT = Path(__file__).parents[3]
BOX = trimesh.creation.box([0.1, 0.2, 0.3])


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Ten times faster.
    monkeypatch.setitem(decomposition._SETTINGS, "resolution", 10_000)


@pytest.fixture
def ring(tmp_path):
    """A file of a ring, which is not convex: 6 cm wide and 3 cm high with a hole of 3 cm."""
    path = tmp_path / "ring.stl"
    trimesh.creation.annulus(15.0, 30.0, 30.0, sections=16).export(path)
    return str(path)


def load(path):
    return find_objects("ParallelJaw", [str(path)])[0]


# The default meshes


@pytest.mark.parametrize("gripper", OBJECTS)
def test_the_default_meshes_have_the_documented_size_and_mass(gripper):
    specs = find_objects(gripper, ["Mesh"])
    assert [spec.name for spec in specs] == list(MESHES) and len(specs) >= 10
    for spec in specs:
        assert isinstance(spec.shape, Mesh)
        assert 2 <= len(spec.shape.pieces) <= 16
        size = spec.shape.scale * np.ptp(spec.shape.outline, axis=0)
        assert size.max() == pytest.approx(MESH_SIZES[gripper], rel=0.02)
        assert spec.mass == OBJECTS[gripper]["Cube"].mass


def test_the_default_meshes_are_concave():
    for spec in find_objects("ParallelJaw", ["Mesh"]):
        parts = sum(trimesh.PointCloud(p.points).convex_hull.volume for p in spec.shape.pieces)
        assert parts < 0.9 * trimesh.PointCloud(spec.shape.outline).convex_hull.volume


def test_all_kinds_of_objects_are_equally_likely():
    env = gymnasium.make("FlatPJAll-v0")
    names = []
    for seed in range(400):
        env.reset(seed=seed)
        names.append(env.unwrapped.save_reset()["object_name"])
    for kind in ("Cube", "Sphere", "Cylinder"):
        assert names.count(kind) == pytest.approx(100, abs=30)
    assert {name for name in names if name in MESHES} == set(MESHES)
    env.close()


@pytest.mark.parametrize("size", [0.5, 1.0, 1.5])
def test_untouched_meshes_do_not_move(size):
    for gripper in ("PJ", "Barrett", "SH"):
        env = gymnasium.make(f"Flat{gripper}Mesh-v0", object_size_multiplier=size)
        for seed in range(12):
            env.reset(seed=seed)
            before = env.unwrapped.object_info()
            for _ in range(50):
                env.step(np.zeros(env.action_space.shape, np.float32))
            after = env.unwrapped.object_info()
            np.testing.assert_allclose(after.position, before.position, atol=1e-3)
            change = rotations.multiply(after.rotation, rotations.inverse(before.rotation))
            assert 2.0 * np.linalg.norm(change[:3]) < np.radians(3.0)
        env.close()


# The user's files


@pytest.mark.parametrize("suffix", [".obj", ".off", ".ply", ".stl"])
def test_a_box_can_be_read_in_all_formats(tmp_path, suffix):
    path = tmp_path / f"box{suffix}"
    moved = BOX.copy()
    moved.apply_translation([5.0, -3.0, 2.0])
    moved.export(path)
    spec = load(path)
    # The longest edge becomes 6 cm.
    half = np.array([0.01, 0.02, 0.03])
    assert len(spec.shape.pieces) == 1
    corners = spec.shape.scale * spec.shape.outline
    np.testing.assert_allclose(np.abs(corners), np.tile(half, (8, 1)), atol=1e-7)
    flat = (0.0, 0.0, 0.0, 1.0)
    # PyBullet adds a margin of 1 mm.
    assert rest_height(spec.shape, flat) == pytest.approx(0.03 + 0.001)
    assert rest_height(spec.shape.scaled(0.5), flat) == pytest.approx(0.015 + 0.001)


def test_a_box_rests_on_its_faces(tmp_path):
    BOX.export(tmp_path / "box.obj")
    spec = load(tmp_path / "box.obj")
    rng = np.random.default_rng(0)
    draws = [rest_height(spec.shape, spec.sample_rotation(rng)) for _ in range(200)]
    # Standing upright is left out, because the box falls over easily.
    assert set(np.round(draws, 4)) == {0.011, 0.021}


def test_inverted_and_enormous_surfaces_are_normalised(tmp_path):
    inverted, large = BOX.copy(), BOX.copy()
    inverted.invert()
    large.apply_scale(1e90)
    for name, box in (("inverted", inverted), ("large", large)):
        box.export(tmp_path / f"{name}.obj")
        size = np.ptp(load(tmp_path / f"{name}.obj").shape.outline, axis=0)
        np.testing.assert_allclose(size, [1 / 3, 2 / 3, 1.0], atol=1e-6)


def test_convex_parts_are_used_without_decomposition(tmp_path):
    second = trimesh.creation.box([0.1, 0.1, 0.1])
    second.apply_translation([0.1, 0.05, 0.1])
    trimesh.util.concatenate([BOX, second]).export(tmp_path / "two.obj")
    assert sorted(len(p.points) for p in load(tmp_path / "two.obj").shape.pieces) == [8, 8]
    assert not (tmp_path / "cache").exists()


def test_a_ring_keeps_its_hole(ring):
    shape = load(ring).shape
    assert 4 <= len(shape.pieces) <= 16
    for piece in shape.pieces:
        hull = trimesh.Trimesh(piece.points, piece.triangles)
        assert hull.is_convex and not hull.contains([[0.0, 0.0, 0.0]])[0]


def test_an_environment_accepts_a_users_mesh(ring):
    env = gymnasium.make("FlatPJCube-v0", objects=[ring, "Cube"], object_size_range=(0.9, 1.1))
    seen = set()
    for seed in range(8):
        env.reset(seed=seed)
        seen.add(env.unwrapped.save_reset()["object_name"])
        for _ in range(5):
            env.step(env.action_space.sample())
    assert seen == {ring, "Cube"}
    env.close()


def broken(kind, path):
    """Writes an invalid mesh file."""
    if kind in ("open", "flat", "many"):
        mesh = BOX.copy()
        if kind == "open":
            mesh.update_faces(np.arange(12) > 0)
        elif kind == "flat":
            mesh = trimesh.creation.box([1.0, 1.0, 0.0])
        else:
            mesh = trimesh.creation.icosphere(7)
        mesh.export(path)
        return
    path.write_bytes(
        {
            "empty": b"",
            "noise": np.random.default_rng(0).bytes(5000),
            "triangle": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
            "nan": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n",
            "index": b"v 0 0 0\nv 1 0 0\nv 0 1 0\n" + b"f 1 2 99\n" * 4,
            "words": b"this is no mesh\n",
        }[kind]
    )


@pytest.mark.parametrize(
    ("kind", "suffix", "words"),
    [
        ("open", ".stl", "3 of 18 edges do not belong to exactly 2 triangles"),
        ("flat", ".stl", "flat, expected a solid"),
        ("many", ".ply", "327680 triangles, expected 4 to 200000"),
        ("empty", ".obj", "0 triangles"),
        ("empty", ".stl", "not a readable mesh|triangles"),
        ("noise", ".obj", "not a readable mesh"),
        ("noise", ".stl", "not a readable mesh"),
        ("noise", ".ply", "not a readable mesh"),
        ("noise", ".off", "not a readable mesh"),
        ("triangle", ".obj", "1 triangles, expected 4 to"),
        ("nan", ".obj", "a coordinate is not a number"),
        ("index", ".obj", "not a readable mesh"),
        ("words", ".off", "not a readable mesh"),
        ("words", ".xyz", "format '.xyz', expected one of"),
    ],
)
def test_invalid_files_are_refused(tmp_path, kind, suffix, words):
    path = tmp_path / f"{kind}{suffix}"
    broken(kind, path)
    with pytest.raises(ValueError, match=words) as caught:
        GraspEnv("FlatPJMesh-v0", objects=[str(path)])
    assert str(path) in str(caught.value)


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.obj").mkdir()
    with pytest.raises(ValueError, match=r"folder\.obj: no such file"):
        load(tmp_path / "folder.obj")


# Decomposition


def digest(pieces):
    return hashlib.sha256(b"".join(piece.tobytes() for piece in pieces)).hexdigest()


def surface(path):
    mesh = trimesh.load_mesh(path)
    return np.array(mesh.vertices), np.array(mesh.faces)


def test_a_decomposition_is_cached(ring, monkeypatch):
    first = decompose(*surface(ring))
    monkeypatch.setattr(decomposition.vhacdx, "compute_vhacd", None)
    assert digest(decompose(*surface(ring))) == digest(first)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_cache_is_replaced(ring, tmp_path, damage):
    first = decompose(*surface(ring))
    (file,) = (tmp_path / "cache").rglob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert digest(decompose(*surface(ring))) == digest(first)
    assert file.read_bytes() == whole


def test_without_a_cache_directory_there_is_a_warning(ring, tmp_path, monkeypatch):
    first = decompose(*surface(ring))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot be cached"):
        assert digest(decompose(*surface(ring))) == digest(first)


def test_without_a_home_directory_there_is_a_warning(ring, monkeypatch):
    first = decompose(*surface(ring))
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", mock.Mock(side_effect=RuntimeError("no home")))
    with pytest.warns(UserWarning, match="cannot be cached: no home"):
        assert digest(decompose(*surface(ring))) == digest(first)


@pytest.mark.slow
def test_concurrent_processes_agree(ring, tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from test_meshes import decompose, digest, surface\n"
        "print('digest', digest(decompose(*surface(sys.argv[3]))))\n"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(Path(__file__).parent), ring]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(4)
    ]
    outputs = [run.communicate()[0].split("digest ")[-1] for run in runs]
    assert len(set(outputs)) == 1 and len(outputs[0]) == 65
    assert [path.suffix for path in (tmp_path / "cache").rglob("*.*")] == [".npz"]
