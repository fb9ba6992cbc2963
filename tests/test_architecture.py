"""Who may import whom, where chance may come from, and that every shipped configuration loads."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from envs import ENV_IDS
from grasp_func.config import load_config

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for name in ("grasp_func", "envs") for path in (ROOT / name).rglob("*.py"))
CORE = {
    *("types", "tree", "rng", "optim", "normalizer", "rotations", "networks", "losses"),
    *("explore", "replay", "ddpg", "jit", "policy"),
}
CORE_LIBRARIES = {"torch", "numpy", "jax", "chex"}
ONLY_IN = {
    "mpi4py": {"grasp_func/comm.py", "grasp_func/reduce.py"},
    "pybullet": {"envs/sim.py", "envs/pictures.py", "envs/geometry.py"},
    "orbax": {"grasp_func/checkpoint.py"},
}
SEEDED = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64"}
TORCH_GLOBAL = {"manual_seed", "seed", "random", "set_rng_state"}
TORCH_DRAWS = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports_of(tree):
    """Yields dotted names of everything imported anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node):
    """Returns `a.b.c` for an attribute chain, else an empty text."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def global_chance(tree):
    """Yields every use of a random generator that nobody seeded."""
    for name in imports_of(tree):
        if name.split(".")[0] == "random":
            yield name
        if name.startswith("numpy.random.") and name.split(".")[2] not in SEEDED:
            yield name
    for node in ast.walk(tree):
        parts = dotted(node).split(".")
        if parts[:2] in (["np", "random"], ["numpy", "random"]) and len(parts) == 3:
            if parts[2] not in SEEDED:
                yield ".".join(parts)
        elif parts[0] == "torch" and len(parts) == 2 and parts[1] in TORCH_GLOBAL:
            yield ".".join(parts)
        if isinstance(node, ast.Call):
            call = dotted(node.func).split(".")
            keywords = {keyword.arg for keyword in node.keywords}
            if call[0] == "torch" and call[-1] in TORCH_DRAWS and "generator" not in keywords:
                yield ".".join(call) + " without generator"


@pytest.fixture(params=SOURCES, ids=name_of)
def source(request):
    return name_of(request.param), ast.parse(request.param.read_text(encoding="utf-8"))


def test_core_imports_core_only(source):
    name, tree = source
    if Path(name).parent.name != "grasp_func" or Path(name).stem not in CORE:
        return
    for imported in imports_of(tree):
        parts = imported.split(".")
        if parts[0] == "grasp_func":
            assert parts[1] in CORE, f"{name} is core and imports {imported}"
        else:
            allowed = parts[0] in CORE_LIBRARIES or parts[0] in sys.stdlib_module_names
            assert allowed, f"{name} is core and imports {imported}"


def test_packages_do_not_import_each_other(source):
    name, tree = source
    other = {"grasp_func": "envs", "envs": "grasp_func"}[name.split("/")[0]]
    bad = [imported for imported in imports_of(tree) if imported.split(".")[0] == other]
    assert not bad, f"{name} imports {bad}: environments and trainer meet only in examples/"


def test_boundary_libraries_have_one_home(source):
    name, tree = source
    for imported in imports_of(tree):
        home = ONLY_IN.get(imported.split(".")[0])
        assert home is None or name in home, f"{name} imports {imported}, only {home} may"


def test_no_random_number_is_unseeded(source):
    name, tree = source
    assert not list(global_chance(tree)), f"{name} draws from a generator that nobody seeded"


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "from random import choice",
        "from numpy.random import rand",
        "np.random.seed(0)",
        "x = numpy.random.uniform()",
        "torch.manual_seed(0)",
        "torch.rand(3)",
    ],
)
def test_the_search_for_chance_finds_it(code):
    assert list(global_chance(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "rng: np.random.Generator = np.random.default_rng(0)",
        "torch.rand(3, generator=rng)",
        "torch.Generator().manual_seed(3)",
        "self.np_random.uniform()",
    ],
)
def test_seeded_chance_is_allowed(code):
    assert not list(global_chance(ast.parse(code)))


def test_every_core_module_exists():
    missing = [name for name in CORE if not (ROOT / "grasp_func" / f"{name}.py").is_file()]
    assert not missing


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=name_of)
def test_every_section_of_every_configuration_loads(path):
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = [*sections, "AnyEnv-v0"]
    for env_id in known:
        assert load_config(path, env_id, known_envs=known)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=name_of)
def test_every_configuration_drives_the_shadow_hand_by_7_eigengrasps(path):
    for env_id in ENV_IDS:
        kwargs = load_config(path, env_id, known_envs=ENV_IDS).kwargs
        assert kwargs.get("n_eigengrasps", 0) == (7 if "SH" in env_id else 0), env_id
