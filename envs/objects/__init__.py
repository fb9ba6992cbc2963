"""Objects to grasp: primitives and meshes, and the rotations in which they rest."""
