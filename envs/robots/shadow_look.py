"""What the Shadow Dexterous Hand looks like, by link, in the frames of shadow.py.

The palm is one smooth body with a pad, and phalanges are tapered bones between dark hinges. Lengths
in m.
"""

from ..sim.colours import JOINT, SHELL, TIP
from ..sim.surfaces import Ball, Hull, bone, cylinder


def _on_axis(z: float, radius: float, ring: float = 0.0) -> Ball:
    return Ball(0.0, 0.0, z, radius, ring)


def _hinge(radius: float, half: float, z: float = 0.0) -> Hull:
    """A hinge about the x axis."""
    return cylinder((-half, 0.0, z), (half, 0.0, z), radius, JOINT)


def _knuckle(x: float, z: float) -> Hull:
    """The bearing of a finger, just below the joint at `z`."""
    return bone(Ball(x, 0.0, z - 0.012, 0.0092), Ball(x, 0.0, z - 0.003, 0.0085), JOINT)


_FOREARM = (
    cylinder((0.0, 0.0, -0.202), (0.0, 0.0, -0.192), 0.0548, JOINT),
    bone(_on_axis(-0.105, 0.006, 0.042), _on_axis(-0.088, 0.006, 0.036), JOINT),
    bone(_on_axis(-0.090, 0.006, 0.040), _on_axis(-0.052, 0.010, 0.016), SHELL),
    # The fork that holds the wrist.
    *(
        bone(Ball(0.0, y, -0.062, 0.010), Ball(0.0, 1.14 * y, -0.024, 0.0085), SHELL)
        for y in (-0.0145, 0.0145)
    ),
    cylinder((0.0, 0.0, -0.251), (0.0, 0.0, -0.100), 0.054, SHELL, edge=0.008),
)
_WRIST = (
    cylinder((0.0, -0.020, 0.0), (0.0, 0.020, 0.0), 0.0105, JOINT),
    bone(_on_axis(0.0, 0.0105), _on_axis(0.034, 0.009), JOINT),
    _hinge(0.0095, 0.0185, 0.034),
)
_PALM = (
    _knuckle(0.033, 0.095),
    _knuckle(0.011, 0.099),
    _knuckle(-0.011, 0.095),
    # The pad.
    Hull(
        (
            Ball(-0.012, -0.0085, 0.012, 0.0035),
            Ball(0.010, -0.0085, 0.010, 0.0035),
            Ball(-0.020, -0.0085, 0.032, 0.0035),
            Ball(-0.010, -0.0075, 0.079, 0.0035),
            Ball(0.011, -0.0075, 0.083, 0.0035),
            Ball(0.030, -0.0075, 0.079, 0.0035),
        ),
        TIP,
    ),
    # The ball of the thumb.
    Hull(
        (
            Ball(0.016, -0.002, 0.006, 0.0125),
            Ball(0.034, -0.009, 0.029, 0.0125),
            Ball(0.020, -0.004, 0.045, 0.0110),
        ),
        SHELL,
    ),
    # The body, whose back bulges.
    Hull(
        (
            Ball(-0.0175, 0.0005, 0.002, 0.0108),
            Ball(0.0175, 0.0005, 0.002, 0.0108),
            Ball(-0.0300, 0.0, 0.030, 0.0105),
            Ball(0.0345, -0.001, 0.030, 0.0105),
            Ball(-0.0115, 0.0, 0.080, 0.0098),
            Ball(0.0110, 0.0, 0.085, 0.0098),
            Ball(0.0325, 0.0, 0.080, 0.0098),
            Ball(0.0020, 0.0045, 0.025, 0.0090),
            Ball(0.0080, 0.0045, 0.055, 0.0090),
        ),
        SHELL,
    ),
)
_METACARPAL = (
    _knuckle(-0.017, 0.044),
    Hull(
        (
            Ball(-0.016, 0.0, -0.012, 0.0100),
            Ball(-0.008, 0.0, -0.010, 0.0100),
            Ball(-0.017, 0.0, 0.028, 0.0090),
            Ball(-0.010, 0.0, 0.026, 0.0090),
        ),
        SHELL,
    ),
)


def _finger(key: str) -> dict[str, tuple[Hull, ...]]:
    return {
        f"{key}J3": (_hinge(0.0102, 0.0086),),
        f"{key}J2": (
            _hinge(0.0084, 0.0089, 0.045),
            bone(_on_axis(0.034, 0.0072), _on_axis(0.045, 0.0072), JOINT),
            bone(_on_axis(0.006, 0.0102), _on_axis(0.036, 0.0088), SHELL),
        ),
        f"{key}J1": (
            _hinge(0.0074, 0.0080, 0.025),
            bone(_on_axis(0.015, 0.0064), _on_axis(0.025, 0.0064), JOINT),
            bone(_on_axis(0.006, 0.0086), _on_axis(0.0175, 0.0078), SHELL),
        ),
        f"{key}J0": (
            bone(_on_axis(0.005, 0.0076), _on_axis(0.012, 0.001, 0.0062), SHELL),
            bone(_on_axis(0.0125, 0.0005, 0.0068), _on_axis(0.0245, 0.0064), TIP),
        ),
    }


_THUMB = {
    "THJ4": (_hinge(0.0128, 0.0108),),
    "THJ3": (
        bone(_on_axis(0.028, 0.0090), _on_axis(0.038, 0.0090), JOINT),
        bone(_on_axis(0.006, 0.0128), _on_axis(0.029, 0.0112), SHELL),
    ),
    "THJ2": (_hinge(0.0104, 0.0110),),
    "THJ1": (
        cylinder((0.0, -0.0098, 0.032), (0.0, 0.0098, 0.032), 0.0084, JOINT),
        bone(_on_axis(0.022, 0.0082), _on_axis(0.032, 0.0082), JOINT),
        bone(_on_axis(0.006, 0.0112), _on_axis(0.023, 0.0100), SHELL),
    ),
    "THJ0": (
        bone(_on_axis(0.005, 0.0097), _on_axis(0.0125, 0.001, 0.0083), SHELL),
        bone(_on_axis(0.013, 0.0005, 0.0089), _on_axis(0.0265, 0.0083), TIP),
    ),
}

LOOK = {
    "forearm": _FOREARM,
    "WRJ1": _WRIST,
    "WRJ0": _PALM,
    "LFJ4": _METACARPAL,
    **_finger("FF"),
    **_finger("MF"),
    **_finger("RF"),
    **_finger("LF"),
    **_THUMB,
}
