"""GraspEnv, the only environment class: a row of the suite behind Gymnasium's interface.

It begins episodes, turns actions into commands and states into observations. The same (seed,
actions) give the same bits in every instance and process, whatever was simulated before. Departs
from Dext-Gen: PyBullet, a bounded workspace, and an orientation that is kept where an action's
matrix names none.
"""

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle

from .initial_state import STARTS, InitialState, sample_start, save_start, wanted_start
from .introspection import GripperInfo, ObjectInfo, gripper_info
from .objects.body import ObjectBody
from .objects.spec import ObjectSpec
from .observation import POSITION_BOUND, bounds, layout, observe
from .options import Options
from .robots.eigengrasps import with_eigengrasps
from .robots.robot import Robot
from .robots.spec import ObservationLayout, RobotSpec
from .sim.types import BodyState, Contact
from .sim.window import make_simulation
from .suite import SUITE
from .symmetry import make_symmetry
from .tasks.goal_marker import GoalMarker
from .tasks.placement import build, make_ground
from .tasks.pregrasp import place_hand


class GraspEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray], EzPickle):
    """A gripper that brings an object to a goal.

    Args:
        env_id: a key of the suite.
        render_mode: None, "rgb_array", or "human": a window that shows every step in real time.
        options: see Options.

    Raises:
        ValueError: an argument is out of its range; the message names value and range.

    `reset` and `step` return an `info` with `is_success` and `air_goal`: whether the goal is more
    than the task's tolerance higher above the ground than the object at rest, so that only lifting
    achieves it.
    Heights of goals drawn above the table are uniform in [0, 0.3] m, so with a tolerance of 0.05 m
    one in six of those is no `air_goal`.

    Attributes:
        gripper_type: name of the gripper.
        observation_layout: blocks (name, size, unit) of `observation`.
        action_layout: blocks (name, size, unit) of an action; a unit with a number says what 1
            stands for.
        starts: what `reset(options={"start": ...})` takes, besides saved starts.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 25}  # noqa: RUF012
    starts = STARTS

    def __init__(self, env_id: str, render_mode: str | None = None, **options: Any) -> None:
        """Builds the world."""
        EzPickle.__init__(self, env_id, render_mode, **options)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f"render_mode = {render_mode!r}, expected None or one of "
                f"{self.metadata['render_modes']}"
            )
        row = SUITE[env_id]
        self._env_id = env_id
        self.render_mode = render_mode
        self._options = Options(**options)
        robot = with_eigengrasps(row.robot, self._options.n_eigengrasps)
        self._arena, self._task = row.arena, row.task
        if self._options.angle_tolerance is not None:
            self.angle_tolerance = self._options.angle_tolerance
        self._objects = self._options.chosen_objects(robot.name, row.objects)

        self.gripper_type = robot.name
        self.observation_layout: ObservationLayout = layout(robot)
        self.action_layout: ObservationLayout = robot.action_layout
        self.symmetry = make_symmetry(
            robot, self.observation_layout, self._objects, row.arena, row.task
        )
        self._low, self._high = bounds(robot)
        goal = Box(-POSITION_BOUND, POSITION_BOUND, (row.task.goal_size,), np.float32)
        observation = Box(self._low, self._high, dtype=np.float32)
        self.observation_space: Any = gymnasium.spaces.Dict(
            observation=observation, achieved_goal=goal, desired_goal=goal
        )
        n_actions = sum(size for _, size, _ in self.action_layout)
        self.action_space = Box(-1.0, 1.0, (n_actions,), np.float32)
        names = [name for name, size, _ in self.observation_layout for _ in range(size)]
        position, rotation = names.index("object_pos"), names.index("object_rot")
        self._object_pos = slice(position, position + 3)
        self._object_rot = slice(rotation, rotation + 6)

        self._build(robot)
        self._open = True
        self._ground = make_ground(row.arena, robot.stepping)
        self._start: InitialState | None = None
        self._grip: BodyState | None = None  # state that an action starts from; set by reset

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: begins a new sequence of starts; None: goes on with the present one.
            options: {"start": "default"} (as None): gripper pointing down above the table, object
                at rest on it; {"start": "pregrasp"}: open hand above the object, facing it;
                {"start": what save_reset returned}: that start again.

        Raises:
            ValueError: the options are none of these; nothing was changed.
            ResetError: no start fulfils the arena's distances.
        """
        self._check_open()
        names = [spec.name for spec in self._objects]
        start = wanted_start(options, self._env_id, names, self._task.goal_size)
        super().reset(seed=seed)
        if isinstance(start, str):
            scene = self._ground, self._task, self._objects, self._options
            start = sample_start(self.np_random, *scene, start)
        self._begin(start)
        observation = self._observe()
        self._sim.show()
        return observation, self._info(observation)

    def save_reset(self) -> dict[str, Any]:
        """How the present episode began, as a value of built-in types (JSON, pickle).

        With it, any instance that was made with the same arguments begins the same episode, bit for
        bit: `reset(options={"start": saved})` or `load_reset(saved)`.
        """
        return save_start(self._check_begun("save_reset"), self._env_id)

    def load_reset(self, saved: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins an episode as `save_reset` wrote it down; wrappers want `reset` instead."""
        return self.reset(options={"start": saved})

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Acts for one control step (0.04 s).

        Args:
            action: [A], laid out as `action_layout`; finite values outside [-1, 1] are clipped.

        Raises:
            ValueError: the action has another shape, or an entry that is not a finite number.
        """
        self._check_open()
        if self._grip is None:
            raise ResetNeeded("step() before the first reset()")
        self._robot.command(self._checked(action), self._grip)
        self._sim.step()
        observation = self._observe()
        info = self._info(observation)
        self._sim.show()
        return observation, self._reward, False, False, info

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any = None) -> Any:
        """0 where the object is at the goal, else -1; a violation costs another -1.

        Args:
            achieved_goal: [..., G].
            desired_goal: [..., G].
            info: not used.

        Returns:
            float32 [...], a NumPy scalar for single goals.
        """
        return self._task.reward(achieved_goal, desired_goal)

    @property
    def angle_tolerance(self) -> float | None:
        """Greatest angle (rad) that counts as turned; None where goals name no rotation."""
        return self._task.angle_tolerance

    @angle_tolerance.setter
    def angle_tolerance(self, angle: float) -> None:
        self._task = self._task.with_angle_tolerance(angle)

    @property
    def lowest_reward(self) -> float:
        """Least reward of a step; the greatest is 0."""
        return self._task.lowest_reward

    def render(self) -> np.ndarray | None:
        """A picture, uint8 [height, width, 3]; None with "human" or (and a warning) no mode."""
        self._check_open()
        if self.render_mode == "human":
            self._sim.show()
            return None
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs render_mode='rgb_array' at construction")
            return None
        options = self._options
        return self._sim.picture(self._arena.camera, options.render_width, options.render_height)

    def contacts(self) -> list[Contact]:
        """The points where the gripper touches the object, from the end of the last step."""
        self._check_begun("contacts")
        return self._robot.contacts(self._object)

    def gripper_info(self) -> GripperInfo:
        """Pose, velocity and joints of the gripper."""
        self._check_begun("gripper_info")
        return gripper_info(self._robot)

    def object_info(self) -> ObjectInfo:
        """Name, size, mass, pose and velocity of the object."""
        start = self._check_begun("object_info")
        spec = self._object_spec(start.object_name)
        state = self._sim.state(self._object)
        return ObjectInfo(spec.name, start.object_size, spec.mass, *state)

    def close(self) -> None:
        """Frees the world; a second call does nothing."""
        if getattr(self, "_open", False):
            self._sim.close()
            self._ground.close()
            self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise ClosedEnvironmentError("this environment was closed; make a new one")

    def _check_begun(self, name: str) -> InitialState:
        """The start of the present episode."""
        self._check_open()
        if self._start is None:
            raise ResetNeeded(f"{name}() before the first reset()")
        return self._start

    def _checked(self, action: np.ndarray) -> list[float]:
        array = np.asarray(action)
        if array.shape != self.action_space.shape:
            raise ValueError(
                f"action has shape {array.shape}, expected {self.action_space.shape} in [-1, 1]"
            )
        values: list[float] = array.tolist()
        if not math.isfinite(sum(values)):
            raise ValueError(f"action = {values}, expected finite values in [-1, 1]")
        return [-1.0 if v < -1.0 else 1.0 if v > 1.0 else v for v in values]

    def _build(self, robot: RobotSpec) -> None:
        window = self._arena.camera if self.render_mode == "human" else None
        renderer = self.render_mode and self._options.renderer
        self._sim = make_simulation(robot.stepping, renderer, window)
        build(self._sim, self._arena)
        self._robot = Robot(robot, self._sim, self._options.workspace or robot.workspace)
        self._marker = GoalMarker(self._sim, self._task)
        self._object_body, self._object = ObjectBody(self._sim), -1

    def _begin(self, start: InitialState) -> None:
        """Puts everything where the start says."""
        if self._object_body.needs_rebuild:
            self._sim.close()
            self._build(self._robot.spec)
        self._start = start
        spec = self._object_spec(start.object_name)
        self._object = self._object_body.set_object(spec, start.object_size)
        self._sim.flush([self._robot.body, self._object])
        self._sim.reset_body(self._object, start.object_position, start.object_rotation)
        if start.pregrasp is None:
            height = self._arena.surface + self._robot.spec.start_height
            self._robot.reset((*start.gripper, height))
        else:
            place_hand(self._robot, self._sim, self._object, start.pregrasp)
        self._marker.show(start.goal)
        self._violated = False
        self._goal = np.array(start.goal, np.float32)
        lift = self._arena.lift(start.goal, start.object_position)
        self._air_goal = lift > self._task.tolerance

    def _object_spec(self, name: str) -> ObjectSpec:
        return next(spec for spec in self._objects if spec.name == name)

    def _observe(self) -> dict[str, np.ndarray]:
        self._grip = grip = self._robot.state()
        thing = self._sim.state(self._object)
        numbers = observe(grip, self._robot.joint_positions(), thing, self._sim.control_period)
        vector = np.array(numbers, np.float32)
        np.maximum(vector, self._low, out=vector)
        np.minimum(vector, self._high, out=vector)
        position, columns = vector[self._object_pos], vector[self._object_rot]
        return {
            "observation": vector,
            "achieved_goal": self._task.achieved(position, columns, self._goal),
            "desired_goal": self._goal.copy(),
        }

    def _info(self, observation: dict[str, np.ndarray]) -> dict[str, Any]:
        goals = observation["achieved_goal"], observation["desired_goal"]
        success, violation = bool(self._task.success(*goals)), bool(self._task.violation(*goals))
        self._violated = self._violated or violation
        self._reward = float(success) - 1.0 - float(violation)
        return {"is_success": success and not self._violated, "air_goal": self._air_goal}
