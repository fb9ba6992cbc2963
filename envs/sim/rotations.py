"""Rotations on plain Python floats.

Converts between quaternions (PyBullet's order x, y, z, w), rotation matrices (9 floats, row-major)
and their first two columns. A step handles only three rotations, for which NumPy's overhead per
call would cost more than the arithmetic. Departs from Dext-Gen, which uses MuJoCo's quaternions
(w first) and SciPy.
"""

import math
from collections.abc import Sequence

import numpy as np

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float, float, float, float]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)
# A vector with a smaller squared length has no meaningful direction.
DEGENERATE = 1e-12


def matrix(quaternion: Quaternion) -> Matrix:
    """Returns the rotation matrix, row-major, of a unit quaternion xyzw."""
    x, y, z, w = quaternion
    x2, y2, z2 = x + x, y + y, z + z
    xx, xy, xz = x * x2, x * y2, x * z2
    yy, yz, zz = y * y2, y * z2, z * z2
    wx, wy, wz = w * x2, w * y2, w * z2
    return (
        1.0 - (yy + zz), xy - wz, xz + wy,
        xy + wz, 1.0 - (xx + zz), yz - wx,
        xz - wy, yz + wx, 1.0 - (xx + yy),
    )  # fmt: skip


def quaternion(rotation: Sequence[float]) -> Quaternion:
    """Returns the unit quaternion xyzw of a rotation matrix (9 floats, row-major).

    Source: Shepperd 1978, which divides by the largest of the four components.
    """
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = rotation
    trace = m00 + m11 + m22
    if trace >= max(m00, m11, m22):
        s = 2.0 * math.sqrt(1.0 + trace)
        return (m21 - m12) / s, (m02 - m20) / s, (m10 - m01) / s, 0.25 * s
    if m00 >= m11 and m00 >= m22:
        s = 2.0 * math.sqrt(1.0 + m00 - m11 - m22)
        return 0.25 * s, (m01 + m10) / s, (m02 + m20) / s, (m21 - m12) / s
    if m11 >= m22:
        s = 2.0 * math.sqrt(1.0 + m11 - m00 - m22)
        return (m01 + m10) / s, 0.25 * s, (m12 + m21) / s, (m02 - m20) / s
    s = 2.0 * math.sqrt(1.0 + m22 - m00 - m11)
    return (m02 + m20) / s, (m12 + m21) / s, 0.25 * s, (m10 - m01) / s


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """Returns the quaternion xyzw of the rotation `b` followed by `a`."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(a: Quaternion) -> Quaternion:
    """Returns the inverse of a unit quaternion xyzw."""
    return -a[0], -a[1], -a[2], a[3]


def rotate(rotation: Quaternion, vector: Sequence[float]) -> Vector:
    """Returns a vector rotated by a unit quaternion xyzw."""
    m = matrix(rotation)
    x, y, z = vector
    return (
        m[0] * x + m[1] * y + m[2] * z,
        m[3] * x + m[4] * y + m[5] * z,
        m[6] * x + m[7] * y + m[8] * z,
    )


def uniform(rng: np.random.Generator) -> Quaternion:
    """Samples a unit quaternion xyzw from the uniform distribution over all rotations."""
    x, y, z, w = rng.standard_normal(4).tolist()
    s = 1.0 / math.sqrt(x * x + y * y + z * z + w * w)
    return x * s, y * s, z * s, w * s


def about_x(angle: float) -> Quaternion:
    """Returns the rotation about the x axis by an angle (rad)."""
    return math.sin(0.5 * angle), 0.0, 0.0, math.cos(0.5 * angle)


def about_y(angle: float) -> Quaternion:
    """Returns the rotation about the y axis by an angle (rad)."""
    return 0.0, math.sin(0.5 * angle), 0.0, math.cos(0.5 * angle)


def about_z(angle: float) -> Quaternion:
    """Returns the rotation about the z axis by an angle (rad)."""
    return 0.0, 0.0, math.sin(0.5 * angle), math.cos(0.5 * angle)


def orthonormalise(entries: Sequence[float]) -> Matrix | None:
    """Returns a rotation matrix from the first two columns of a 3x3 matrix, by Gram-Schmidt.

    Args:
        entries: 9 finite floats, row-major; the third column is ignored.

    Returns:
        A right-handed rotation matrix whose first column is the normalised first column given; None
        if the two columns define no orientation, because one is (nearly) zero or both are parallel.

    Source: Zhou et al. 2019, arXiv:1812.07035, eq. 15.
    """
    ax, ay, az = entries[0], entries[3], entries[6]
    bx, by, bz = entries[1], entries[4], entries[7]
    length = ax * ax + ay * ay + az * az
    if length < DEGENERATE:
        return None
    s = 1.0 / math.sqrt(length)
    ax, ay, az = ax * s, ay * s, az * s
    dot = ax * bx + ay * by + az * bz
    bx, by, bz = bx - dot * ax, by - dot * ay, bz - dot * az
    length = bx * bx + by * by + bz * bz
    if length < DEGENERATE:
        return None
    s = 1.0 / math.sqrt(length)
    bx, by, bz = bx * s, by * s, bz * s
    return (
        ax, bx, ay * bz - az * by,
        ay, by, az * bx - ax * bz,
        az, bz, ax * by - ay * bx,
    )  # fmt: skip


def nlerp(start: Quaternion, target: Quaternion, fraction: float) -> Quaternion:
    """Interpolates linearly along the shorter arc and normalises the result.

    Args:
        start: unit quaternion xyzw.
        target: unit quaternion xyzw; its sign does not matter.
        fraction: 0 gives `start`, 1 gives `target`.

    Returns:
        A unit quaternion xyzw. If the two rotations are exactly pi apart, the sign of `target`
        selects the arc.
    """
    x, y, z, w = start
    tx, ty, tz, tw = target
    keep = 1.0 - fraction
    go = fraction if x * tx + y * ty + z * tz + w * tw >= 0.0 else -fraction
    x, y, z, w = keep * x + go * tx, keep * y + go * ty, keep * z + go * tz, keep * w + go * tw
    s = 1.0 / math.sqrt(x * x + y * y + z * z + w * w)
    return x * s, y * s, z * s, w * s


def rotation_6d(m: Matrix) -> tuple[float, float, float, float, float, float]:
    """Returns the first, then the second column of a rotation matrix, as observations hold them."""
    return m[0], m[3], m[6], m[1], m[4], m[7]


def relative_rotation_6d(
    frame: Matrix, m: Matrix
) -> tuple[float, float, float, float, float, float]:
    """Returns the first two columns of transpose(frame) @ m, the rotation relative to `frame`."""
    f00, f01, f02, f10, f11, f12, f20, f21, f22 = frame
    m00, m01, _, m10, m11, _, m20, m21, _ = m
    return (
        f00 * m00 + f10 * m10 + f20 * m20,
        f01 * m00 + f11 * m10 + f21 * m20,
        f02 * m00 + f12 * m10 + f22 * m20,
        f00 * m01 + f10 * m11 + f20 * m21,
        f01 * m01 + f11 * m11 + f21 * m21,
        f02 * m01 + f12 * m11 + f22 * m21,
    )


def roll_pitch_yaw(rotation: Quaternion) -> Vector:
    """Returns URDF's angles (rad): rotation = Rz(yaw) Ry(pitch) Rx(roll).

    At a pitch of +-pi/2 the yaw is 0.
    """
    m = matrix(rotation)
    sine = max(-1.0, min(1.0, -m[6]))
    if abs(sine) > 1.0 - 1e-9:
        roll = math.atan2(sine * m[1], m[4])
        return roll, math.copysign(0.5 * math.pi, sine), 0.0
    return math.atan2(m[7], m[8]), math.asin(sine), math.atan2(m[3], m[0])
