"""What the BarrettHand looks like, by link, in the frames of barrett.py.

A round housing carries a palm plate, two fingers on bases that turn around it, and a fixed third
finger. Lengths in m.
"""

from ..sim.colours import JOINT, SHELL, TIP
from ..sim.surfaces import Ball, Hull, bone, cylinder

# Corners of the palm plate, which leaves room for the two bases.
_HALF_PLATE = ((0.009, -0.031), (0.033, 0.019), (0.014, 0.026))
_PLATE = tuple((side * x, y) for x, y in _HALF_PLATE for side in (-1.0, 1.0))

_PALM = (
    cylinder((0.0, 0.0, -0.018), (0.0, 0.0, 0.002), 0.033, JOINT),
    cylinder((0.0, 0.0, 0.007), (0.0, 0.0, 0.013), 0.0451, JOINT),
    bone(Ball(0.0, 0.0, 0.038, 0.003, 0.034), Ball(0.0, 0.0, 0.066, 0.003, 0.026), JOINT),
    Hull(tuple(Ball(0.86 * x, 0.86 * y, 0.0775, 0.0022) for x, y in _PLATE), TIP),
    Hull(tuple(Ball(x, y, z, 0.005) for x, y in _PLATE for z in (0.071, 0.0735)), SHELL),
    # The base of the third finger.
    Hull(
        (
            *(Ball(x, 0.030, 0.050, 0.006) for x in (-0.0065, 0.0065)),
            *(Ball(x, 0.036, 0.066, 0.006) for x in (-0.0065, 0.0065)),
            *(Ball(x, 0.052, 0.075, 0.0105) for x in (-0.002, 0.002)),
            *(Ball(x, 0.054, 0.054, 0.008) for x in (-0.0045, 0.0045)),
        ),
        SHELL,
    ),
    bone(Ball(0.0, 0.0, 0.003, 0.003, 0.0415), Ball(0.0, 0.0, 0.034, 0.006, 0.0385), SHELL),
)
_SPREAD = (
    cylinder((0.0, 0.0, 0.001), (0.0, 0.0, 0.048), 0.0138, JOINT),
    cylinder((0.050, -0.0135, 0.0339), (0.050, 0.0135, 0.0339), 0.0095, JOINT),
    Hull(
        (
            *(Ball(0.004, y, z, 0.006) for y in (-0.0058, 0.0058) for z in (0.008, 0.040)),
            *(Ball(0.050, y, 0.0345, 0.0108) for y in (-0.0012, 0.0012)),
            *(Ball(0.050, y, 0.018, 0.006) for y in (-0.0055, 0.0055)),
        ),
        SHELL,
    ),
)
_MEDIAL = (
    cylinder((0.0, 0.0, -0.0105), (0.0, 0.0, 0.0105), 0.0110, JOINT),
    cylinder((0.06994, 0.003, -0.0108), (0.06994, 0.003, 0.0108), 0.0088, JOINT),
    bone(Ball(0.055, 0.002, 0.0, 0.0072), Ball(0.070, 0.003, 0.0, 0.0075), JOINT),
    Hull(
        (
            *(Ball(0.006, 0.0, z, 0.0092) for z in (-0.002, 0.002)),
            *(Ball(0.060, 0.002, z, 0.0078) for z in (-0.002, 0.002)),
        ),
        SHELL,
        axis=(1.0, 0.0, 0.0),
    ),
)
_DISTAL = (
    bone(Ball(0.003, 0.001, 0.0, 0.0086), Ball(0.019, 0.0108, 0.0, 0.001, 0.0074), SHELL),
    bone(Ball(0.0194, 0.0111, 0.0, 0.0005, 0.0078), Ball(0.0387, 0.0240, 0.0, 0.0076), TIP),
)

LOOK = {
    "palm": _PALM,
    **dict.fromkeys(("spread1", "spread2"), _SPREAD),
    **dict.fromkeys(("medial1", "medial2", "medial3"), _MEDIAL),
    **dict.fromkeys(("distal1", "distal2", "distal3"), _DISTAL),
}
