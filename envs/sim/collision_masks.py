"""Self-collisions of a gripper, expressed as PyBullet's collision groups and masks.

Two links collide if each one's group is contained in the other's mask. Every link gets a group of
its own. The alternative, disabling all other pairs one by one, makes a step of the ShadowHand 4%
slower.
"""

from collections.abc import Sequence

Mask = tuple[int, int]  # (the link's own group, bit set of groups it collides with)

# PyBullet's default group, to which all other bodies belong.
_WORLD = 1
EVERYTHING: Mask = (_WORLD, -1)


def link_masks(names: Sequence[str], touching: Sequence[tuple[str, str]]) -> list[Mask]:
    """Computes masks for links that collide with the world and with selected other links.

    Args:
        names: of the links, at most 30.
        touching: pairs of link names; only these pairs collide with each other.

    Returns:
        One mask per link, in the order of `names`.
    """
    groups = {name: _WORLD << index for index, name in enumerate(names, start=1)}
    masks = dict.fromkeys(names, _WORLD)
    for a, b in touching:
        masks[a] |= groups[b]
        masks[b] |= groups[a]
    return [(groups[name], masks[name]) for name in names]
