"""The colours of all visible parts of a scene.

The hues follow Okabe and Ito (https://jfly.uni-koeln.de/color/), so that people with colour vision
deficiencies can tell them apart. The gripper is blue and yellow, the object vermilion, the goal
green, and the surroundings are grey. Departs from Dext-Gen, which uses one colour per material.
"""

from .types import Colour

FOREARM: Colour = (0.62, 0.64, 0.68, 1.0)
PALM: Colour = (0.30, 0.32, 0.36, 1.0)
FINGER: Colour = (0.05, 0.50, 0.85, 1.0)
# The thumb, or the finger that opposes the others.
THUMB: Colour = (0.95, 0.80, 0.10, 1.0)
OBJECT: Colour = (0.84, 0.25, 0.05, 1.0)
GOAL: Colour = (0.00, 0.72, 0.38, 1.0)
OBSTACLE: Colour = (0.80, 0.47, 0.65, 1.0)
TABLE: Colour = (0.84, 0.82, 0.78, 1.0)
FLOOR: Colour = (0.55, 0.57, 0.60, 1.0)
BLOCKS: tuple[Colour, Colour] = ((0.70, 0.67, 0.62, 1.0), (0.77, 0.74, 0.69, 1.0))
# x, y and z, in the customary colours.
AXES: tuple[Colour, Colour, Colour] = (
    (0.90, 0.10, 0.10, 1.0),
    (0.10, 0.70, 0.10, 1.0),
    (0.10, 0.20, 0.90, 1.0),
)
