"""The flat vector and its views."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from grasp_func.core.tree import ALIGNMENT, flatten, polyak, ravel
from helpers import assert_same

shapes = st.lists(st.integers(1, 5), max_size=3).map(tuple)
names = st.sampled_from(["actor", "critic", "layers.0.bias", "layers.10.weight", "layers.2.weight"])
trees = st.dictionaries(names, st.dictionaries(names, shapes, min_size=1), min_size=1)


def fill(tree):
    rng = torch.Generator().manual_seed(0)
    return {a: {b: torch.randn(s, generator=rng) for b, s in v.items()} for a, v in tree.items()}


@hypothesis.given(trees)
def test_unravel_undoes_ravel(tree_of_shapes):
    tree = fill(tree_of_shapes)
    flat, unravel = ravel(tree)
    found = unravel(flat)
    assert set(found) == set(tree)
    for name, params in tree.items():
        assert_same(found[name], {key: params[key] for key in sorted(params)})


@hypothesis.given(trees)
def test_ravel_undoes_unravel_and_pads_with_zeros(tree_of_shapes):
    tree = fill(tree_of_shapes)
    flat, unravel = ravel(tree)
    assert_same(flatten(unravel(flat)), flat)
    n_numbers = sum(leaf.numel() for params in tree.values() for leaf in params.values())
    assert int((flat != 0).sum()) == n_numbers
    assert len(flat) % ALIGNMENT == 0


def test_leaves_are_sorted_by_name_and_aligned():
    flat, _ = ravel({"b": torch.tensor([3.0]), "a": torch.tensor([[1.0, 2.0]])})
    expected = torch.zeros(2 * ALIGNMENT)
    expected[0], expected[1], expected[ALIGNMENT] = 1.0, 2.0, 3.0
    assert_same(flat, expected)


@hypothesis.given(trees)
def test_unravelled_leaves_are_aligned_views(tree_of_shapes):
    flat, unravel = ravel(fill(tree_of_shapes))
    for params in unravel(flat).values():
        for leaf in params.values():
            before = leaf.clone()
            assert leaf.data_ptr() % (4 * ALIGNMENT) == flat.data_ptr() % (4 * ALIGNMENT)
            # A copy would not change with `flat`.
            flat += 1.0
            assert_same(leaf, before + 1.0)


def test_ravel_copies():
    tree = {"a": torch.zeros(ALIGNMENT)}
    ravel(tree)[0].add_(1.0)
    assert_same(tree["a"], torch.zeros(ALIGNMENT))


@pytest.mark.parametrize("shape", [(ALIGNMENT - 1,), (ALIGNMENT + 1,), (1, ALIGNMENT)])
def test_unravel_of_another_shape_is_an_error(shape):
    _, unravel = ravel({"a": torch.zeros(3)})
    with pytest.raises(ValueError, match=f"expected a vector of {ALIGNMENT} numbers"):
        unravel(torch.zeros(shape))


def test_polyak_by_hand():
    target, online = torch.tensor([0.0, 8.0]), torch.tensor([4.0, 0.0])
    # 0.75 * 0 + 0.25 * 4 = 1;  0.75 * 8 + 0.25 * 0 = 6
    assert_same(polyak(target, online, 0.25), torch.tensor([1.0, 6.0]))
    assert_same(polyak(target, online, 1.0), online)
