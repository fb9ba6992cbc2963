"""Renderers, cameras, visual shapes and pictures.

There are two renderers: PyBullet's software renderer, which gives identical bits on every machine,
and OpenGL through EGL. Neither needs a display. Departs from Dext-Gen, which renders with MuJoCo.
Lengths in m, "world" frame with z up.
"""

import contextlib
import functools
import importlib.util
import math
import os
import subprocess
import sys

import numpy as np
import pybullet_data

from .bullet import STDERR, STDOUT, quiet
from .bullet import pybullet as p
from .geometry import geometry
from .types import Camera, Mesh, Pose, Shape

RENDERERS = ("software", "egl")
_WINDOW_LIGHT = (-1.0, 2.0, 6.0)
# The field of view of PyBullet's window is wide and fixed, so its camera moves closer: to this
# fraction of the distance.
_WINDOW_DISTANCE = 0.35
# A sphere of radius 1.
_SMOOTH_SPHERE = os.path.join(pybullet_data.getDataPath(), "sphere_smooth.obj")
_EGL = "import pybullet as p; assert p.loadPlugin({!r}, '_eglRendererPlugin', p.connect(2)) >= 0"


def connect(renderer: str | None) -> int:
    """Opens a world and returns its client id.

    Args:
        renderer: one of RENDERERS, "window" for PyBullet's viewer, or None for a world without
            pictures.

    Raises:
        ValueError: EGL does not work on this machine.
    """
    plugin = _egl_plugin() if renderer == "egl" else None
    client: int = p.connect(p.GUI if renderer == "window" else p.DIRECT)
    if plugin is not None:
        # The plugin prints what hardware it found.
        with quiet(STDOUT, STDERR):
            p.loadPlugin(plugin, "_eglRendererPlugin", physicsClientId=client)
            p.getCameraImage(16, 16, physicsClientId=client)
    return client


def disconnect(client: int, renderer: str | None) -> None:
    """Frees a world."""
    with quiet(STDOUT) if renderer == "egl" else contextlib.nullcontext():
        p.disconnect(client)


def set_view(client: int, camera: Camera) -> None:
    """Sets the view of a window."""
    for feature in (p.COV_ENABLE_GUI, p.COV_ENABLE_KEYBOARD_SHORTCUTS):
        p.configureDebugVisualizer(feature, 0, physicsClientId=client)
    p.configureDebugVisualizer(
        lightPosition=_WINDOW_LIGHT, shadowMapWorldSize=4, physicsClientId=client
    )
    x, y, z = (eye - target for eye, target in zip(camera.eye, camera.target, strict=True))
    p.resetDebugVisualizerCamera(
        _WINDOW_DISTANCE * math.hypot(x, y, z),
        math.degrees(math.atan2(x, -y)),
        -math.degrees(math.atan2(z, math.hypot(x, y))),
        camera.target,
        physicsClientId=client,
    )


def enable_drawing(client: int, enabled: bool) -> None:
    """Switches drawing in a window on or off; adding bodies is slow while it is on."""
    p.configureDebugVisualizer(p.COV_ENABLE_RENDERING, int(enabled), physicsClientId=client)


def get_poses(client: int) -> dict[int, Pose]:
    """Returns the poses of all bodies by body id."""
    poses = {}
    for index in range(p.getNumBodies(client)):
        body = p.getBodyUniqueId(index, client)
        position, rotation = p.getBasePositionAndOrientation(body, client)
        joints = range(p.getNumJoints(body, client))
        states = p.getJointStates(body, joints, client) if joints else ()
        poses[body] = Pose(position, rotation, tuple(state[0] for state in states))
    return poses


def set_poses(client: int, poses: dict[int, Pose]) -> None:
    """Moves bodies to the given poses."""
    for body, pose in poses.items():
        p.resetBasePositionAndOrientation(body, pose.position, pose.rotation, client)
        if pose.joints:
            joints = range(len(pose.joints))
            angles = [[angle] for angle in pose.joints]
            p.resetJointStatesMultiDof(body, joints, angles, physicsClientId=client)


def add_visual(client: int, shape: Shape | Mesh) -> int:
    """Adds a visual shape, placed in its body's frame, and returns its id."""
    with geometry(shape, "length") as keywords:
        # PyBullet's own sphere has few facets.
        if isinstance(shape, Shape) and shape.kind == "sphere":
            scale = 3 * shape.size
            keywords = {"shapeType": p.GEOM_MESH, "fileName": _SMOOTH_SPHERE, "meshScale": scale}
        visual: int = p.createVisualShape(
            rgbaColor=shape.colour,
            visualFramePosition=shape.position,
            visualFrameOrientation=shape.rotation,
            **keywords,
            physicsClientId=client,
        )
    return visual


def picture(client: int, camera: Camera, width: int, height: int) -> np.ndarray:
    """Renders a world: uint8 [height, width, 3]."""
    view = p.computeViewMatrix(camera.eye, camera.target, (0.0, 0.0, 1.0))
    projection = p.computeProjectionMatrixFOV(camera.fov, width / height, 0.05, 20.0)
    pixels = p.getCameraImage(
        width,
        height,
        view,
        projection,
        lightDirection=(0.3, 0.1, 1.0),
        lightDistance=12.0,
        shadow=1,
        # Where the EGL plugin is loaded, it replaces this renderer.
        renderer=p.ER_TINY_RENDERER,
        flags=p.ER_NO_SEGMENTATION_MASK,
        physicsClientId=client,
    )[2]
    return np.array(pixels, dtype=np.uint8).reshape(height, width, 4)[:, :, :3].copy()


@functools.cache
def _egl_plugin() -> str:
    """Returns the path of the EGL plugin.

    A failing plugin terminates its process, so another process tries it first.
    """
    found = importlib.util.find_spec("eglRenderer")
    if found is not None and found.origin is not None:
        trial = [sys.executable, "-c", _EGL.format(found.origin)]
        if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
            return found.origin
    raise ValueError("renderer = 'egl', expected 'software': EGL does not work on this machine")
