"""Who may import whom, where chance may come from, and that every shipped configuration loads."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from envs import ENV_IDS
from grasp_func.config.load import load_config

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for name in ("grasp_func", "envs") for path in (ROOT / name).rglob("*.py"))

# What each folder may import besides itself: folders of its own package, and libraries.
ARITHMETIC = {"torch", "numpy", "jax", "chex"}
MAY_IMPORT = {
    "grasp_func": {
        "errors": set(),
        "shipped": set(),
        "core": ARITHMETIC,
        "config": {"errors", "yaml", "pydantic"},
        "runtime": {"errors", "core", "mpi4py", *ARITHMETIC},
        "storage": {"errors", "shipped", "core", "orbax", "filelock", "safetensors", *ARITHMETIC},
        "training": {
            *("errors", "core", "config", "runtime", "storage"),
            *("gymnasium", "matplotlib", "PIL", "pydantic", "scipy"),
            *ARITHMETIC,
        },
        "cli": {
            *("errors", "shipped", "core", "config", "runtime", "storage", "training"),
            *("gymnasium", "imageio", "PIL", "rich", "click", "rich_click", "envs"),
            *ARITHMETIC,
        },
    },
    "envs": {
        "sim": {"numpy", "scipy", "trimesh", "pybullet"},
        "objects": {"sim", "numpy", "scipy", "trimesh", "vhacdx", "filelock", "pybullet_data"},
        "robots": {"sim", "objects", "numpy", "pybullet_data"},
        "tasks": {"sim", "objects", "robots", "numpy"},
    },
}
# The only files that may touch what lies outside of the process.
ONLY_IN = {
    "mpi4py": {"grasp_func/runtime/comm.py", "grasp_func/runtime/allreduce.py"},
    "pybullet": {"envs/sim"},
    "orbax": {"grasp_func/storage/state_files.py"},
}
SEEDED = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64"}
TORCH_GLOBAL = {"manual_seed", "seed", "random", "set_rng_state"}
TORCH_DRAWS = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports_of(name, tree):
    """Yields absolute dotted names of everything imported anywhere in a module."""
    package = Path(name).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def dotted(node):
    """Returns `a.b.c` for an attribute chain, else an empty text."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def global_chance(tree):
    """Yields every use of a random generator that nobody seeded."""
    for name in imports_of("", tree):
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


def test_folders_import_what_lies_below_them(source):
    name, tree = source
    package, *inner = Path(name).parts
    folder = inner[0].removesuffix(".py")
    allowed = MAY_IMPORT[package].get(folder)
    for imported in imports_of(name, tree):
        top, *rest = imported.split(".")
        if top in sys.stdlib_module_names or allowed is None:
            continue
        target = rest[0] if top == package and rest else top
        assert target in {folder, *allowed}, f"{name} imports {imported}"


def test_packages_meet_in_one_file_only(source):
    name, tree = source
    package = name.split("/")[0]
    other = {"grasp_func": "envs", "envs": "grasp_func"}[package]
    if name == "grasp_func/cli/environments.py":
        return
    for imported in imports_of(name, tree):
        assert imported.split(".")[0] != other, f"{name} imports {imported}"


def test_imports_within_envs_are_relative(source):
    """So that the package works under another name, too."""
    name, tree = source
    absolute = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level and node.module
    ]
    assert not (name.startswith("envs/") and [m for m in absolute if m.split(".")[0] == "envs"])


def test_outside_world_is_touched_in_named_places(source):
    name, tree = source
    for imported in imports_of(name, tree):
        homes = ONLY_IN.get(imported.split(".")[0])
        assert homes is None or any(name.startswith(home) for home in homes), (
            f"{name} imports {imported}, only {homes} may"
        )


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


def test_every_folder_has_its_rule():
    for package, rules in MAY_IMPORT.items():
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert folders <= set(rules), f"{package}: {folders - set(rules)}"


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
