"""Renderers, cameras, visual shapes and pictures.

There are two renderers: PyBullet's software renderer, which gives identical bits on every machine,
and OpenGL through EGL. Neither needs a display. Departs from Dext-Gen, which renders with MuJoCo.
Lengths in m, "world" frame with z up.
"""

import contextlib
import functools
import importlib.util
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from .bullet import STDERR, STDOUT, quiet
from .bullet import pybullet as p
from .colours import BACKDROP
from .rotations import IDENTITY
from .surfaces import Surface, surface_file
from .types import Camera, Pose

RENDERERS = ("software", "egl")
# The field of view of PyBullet's window is wide and fixed, so its camera moves closer: to this
# fraction of the distance.
_WINDOW_DISTANCE = 0.35
# Positions of the lights (world, m). The first ones are close together, so that their shadows have
# soft edges. The last one brightens what they leave dark, and casts no shadow.
_LIGHTS = ((3.0, -1.05, 5.0), (2.6, -1.15, 5.0), (2.75, -1.5, 5.0), (-2.5, 4.0, 3.5))
# The software renderer takes the directions of the lights only, and this distance (m). The nearer,
# the finer its shadows, and the slower.
_LIGHT_DISTANCE = 4.0
_AMBIENT, _DIFFUSE, _SPECULAR = 0.42, 0.84, 0.08
# Where the camera is in a pixel at each light, so that lights hit different rows and columns.
_SHIFTS = ((-0.375, -0.125), (-0.125, 0.375), (0.125, -0.375), (0.375, 0.125))
# Far from all lights and cameras.
_NOWHERE = (0.0, 0.0, -100.0)
# Distances (m) from the camera between which something is seen.
_NEAR, _FAR = 0.05, 20.0
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
    background = [sum(channel) / 2.0 for channel in zip(*BACKDROP, strict=True)][:3]
    p.configureDebugVisualizer(rgbBackground=background, physicsClientId=client)
    for feature in (p.COV_ENABLE_GUI, p.COV_ENABLE_KEYBOARD_SHORTCUTS):
        p.configureDebugVisualizer(feature, 0, physicsClientId=client)
    p.configureDebugVisualizer(
        lightPosition=_LIGHTS[0], shadowMapWorldSize=4, physicsClientId=client
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


def add_visual(client: int, look: Sequence[Surface]) -> int:
    """Adds a visual shape that consists of surfaces in its body's frame and returns its id."""
    if not look:
        # Without a visual shape, PyBullet would make one from the collision shape.
        speck: int = p.createVisualShape(p.GEOM_SPHERE, radius=1e-6, physicsClientId=client)
        return speck
    visual: int = p.createVisualShapeArray(
        shapeTypes=[p.GEOM_MESH] * len(look),
        fileNames=[surface_file(surface) for surface in look],
        meshScales=[(1.0, 1.0, 1.0)] * len(look),
        rgbaColors=[surface.colour for surface in look],
        physicsClientId=client,
    )
    return visual


def picture(
    client: int, camera: Camera, width: int, height: int, opacities: Mapping[int, float]
) -> np.ndarray:
    """Renders a world: uint8 [height, width, 3].

    It is the mean of one rendering per light. Between them the camera is shifted by a part of a
    pixel, which smooths edges, and translucent bodies are missing from some of them, because
    neither renderer draws translucent bodies well.

    Args:
        client: id of the world.
        camera: the view.
        width: in pixels.
        height: in pixels.
        opacities: of the translucent bodies, by body id.
    """
    n = len(_LIGHTS)
    poses = {body: p.getBasePositionAndOrientation(body, client) for body in opacities}
    total = np.zeros((height, width, 3), np.uint16)
    for index, light in enumerate(_LIGHTS):
        for body, opacity in opacities.items():
            if index == round(n * opacity):
                p.resetBasePositionAndOrientation(body, _NOWHERE, IDENTITY, client)
        pixels, depth = p.getCameraImage(
            width,
            height,
            p.computeViewMatrix(camera.eye, camera.target, (0.0, 0.0, 1.0)),
            _projection(camera, width, height, _SHIFTS[index]),
            lightDirection=light,
            lightDistance=_LIGHT_DISTANCE,
            lightColor=(1.0, 1.0, 1.0),
            lightAmbientCoeff=_AMBIENT,
            lightDiffuseCoeff=_DIFFUSE,
            lightSpecularCoeff=_SPECULAR,
            shadow=int(index < n - 1),
            # Where the EGL plugin is loaded, it replaces this renderer.
            renderer=p.ER_TINY_RENDERER,
            flags=p.ER_NO_SEGMENTATION_MASK,
            physicsClientId=client,
        )[2:4]
        colours = np.asarray(pixels, np.uint8).reshape(height, width, 4)[:, :, :3]
        is_empty = np.asarray(depth).reshape(height, width, 1) == 1.0
        total += np.where(is_empty, _backdrop(height), colours)
    for body, pose in poses.items():
        p.resetBasePositionAndOrientation(body, *pose, client)
    return (total // n).astype(np.uint8)


def _projection(
    camera: Camera, width: int, height: int, shift: tuple[float, float]
) -> tuple[float, ...]:
    """Returns the projection matrix of a picture that is shifted by parts of a pixel."""
    y = _NEAR * math.tan(math.radians(camera.fov) / 2.0)
    x = y * width / height
    u, v = 2.0 * x * shift[0] / width, 2.0 * y * shift[1] / height
    matrix: tuple[float, ...] = p.computeProjectionMatrix(u - x, u + x, v - y, v + y, _NEAR, _FAR)
    return matrix


def _backdrop(height: int) -> np.ndarray:
    """Returns a gradient from top to bottom: uint8 [height, 1, 3]."""
    top, bottom = 255.0 * np.array(BACKDROP)[:, :3]
    return np.linspace(top, bottom, height).astype(np.uint8)[:, None]


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
