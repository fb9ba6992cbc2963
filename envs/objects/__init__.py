"""What is grasped: primitives, meshes, and how they lie on a surface."""
