"""Collision masks of a gripper's links."""

from itertools import combinations

from envs.robots import ROBOTS
from envs.sim.collision_masks import EVERYTHING, link_masks


def collide(a, b):
    return bool(a[0] & b[1] and b[0] & a[1])


def test_links_collide_with_the_world_and_in_the_listed_pairs_only():
    for spec in ROBOTS.values():
        names = [link.name for link in spec.links]
        masks = link_masks(names, spec.touching)
        hits = {
            frozenset(pair)
            for pair in combinations(names, 2)
            if collide(masks[names.index(pair[0])], masks[names.index(pair[1])])
        }
        assert hits == {frozenset(pair) for pair in spec.touching}
        assert all(collide(mask, EVERYTHING) for mask in masks)
        assert all(0 < group < 2**31 and 0 < mask < 2**31 for group, mask in masks)
