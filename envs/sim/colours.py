"""The colours of all visible parts of a scene: one colour has one meaning.

The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with colour
vision deficiencies can tell apart: the object is vermilion, a goal sky blue until it is achieved
and bluish green then, and the region to avoid reddish purple. All else is grey. Departs from
Dext-Gen, which uses one colour per material.
"""

from .types import Colour

OBJECT: Colour = (0.835, 0.369, 0.0, 1.0)
# Two faces of a cube, by which its rotation is seen.
MARKS: tuple[Colour, Colour] = ((0.95, 0.95, 0.95, 1.0), (0.13, 0.14, 0.16, 1.0))
GOAL: Colour = (0.337, 0.706, 0.914, 1.0)
REACHED: Colour = (0.0, 0.620, 0.451, 1.0)
OBSTACLE: Colour = (0.800, 0.475, 0.655, 1.0)
# Covers, joints and fingertips of the grippers.
SHELL: Colour = (0.90, 0.91, 0.93, 1.0)
JOINT: Colour = (0.17, 0.19, 0.22, 1.0)
TIP: Colour = (0.28, 0.31, 0.35, 1.0)
TABLE: Colour = (0.58, 0.62, 0.66, 1.0)
BLOCKS: tuple[Colour, Colour] = ((0.50, 0.55, 0.60, 1.0), (0.66, 0.70, 0.74, 1.0))
# Top and bottom of the backdrop, in place of a floor.
BACKDROP: tuple[Colour, Colour] = ((0.93, 0.945, 0.96, 1.0), (0.78, 0.81, 0.84, 1.0))
UNSEEN: Colour = (0.0, 0.0, 0.0, 0.0)
