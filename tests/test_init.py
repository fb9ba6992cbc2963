"""The package's front door."""

import pkgutil
from types import ModuleType

import grasp_func


def test_public_names_exist_and_are_sorted():
    assert list(grasp_func.__all__) == sorted(grasp_func.__all__)
    assert all(hasattr(grasp_func, name) for name in grasp_func.__all__)


def test_no_public_name_hides_a_module():
    """`from grasp_func import train` gave the function `train.train`, which broke the examples."""
    names = [module.name for module in pkgutil.iter_modules(grasp_func.__path__)]
    hidden = [n for n in names if not isinstance(getattr(grasp_func, n, grasp_func), ModuleType)]
    assert not hidden
