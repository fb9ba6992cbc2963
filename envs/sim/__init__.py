"""PyBullet worlds: physics, rendering and windows. Only this package imports pybullet."""
