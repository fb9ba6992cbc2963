"""GraspEnv, the environment class behind all ids.

It implements Gymnasium's interface for a row of the suite. The same seed and actions give the same
bits in every instance and process, whatever was simulated before. Departs from Dext-Gen: it uses
PyBullet, the workspace is bounded, and actions that define no orientation keep the present one.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils import EzPickle

from .initial_state import (
    STARTS,
    InitialState,
    parse_reset_options,
    sample_initial_state,
    save_initial_state,
)
from .objects.body import ObjectBody, ObjectInfo
from .observation import block_slices, bounds, observation_layout, observe
from .options import make_options
from .robots.eigengrasps import with_eigengrasps
from .robots.robot import GripperInfo, Robot
from .robots.spec import RobotSpec
from .sim.types import BodyState, Contact
from .sim.window import has_display, make_simulation
from .spaces import action_space, clip_action, observation_space
from .suite import SUITE
from .symmetry import make_symmetry
from .tasks.goal_marker import GoalMarker
from .tasks.placement import add_arena, make_ground
from .tasks.pregrasp import place_gripper, take_hold


class GraspEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray], EzPickle):
    """A gripper that moves an object to a goal.

    `reset` and `step` return an `info` with these entries:

    - `is_success` (bool): whether the goal is achieved, without any violation in this episode.
    - `air_goal` (bool): whether the goal requires lifting, because it is higher above the ground
      than the object at rest by more than the task's tolerance. Goals above the table have uniform
      heights in [0, 0.3] m, so with a tolerance of 0.05 m one in six of them is no `air_goal`.
    - `object_lift` (float32, m): how much higher above the ground below it the object is than at
      its initial position.

    Args:
        env_id: a key of the suite.
        render_mode: None, "rgb_array", or "human" for a window that shows every step in real time.
        options: see Options.

    Raises:
        ValueError: an argument is invalid; the message gives its value and the expected range.

    Attributes:
        metadata: Gymnasium's metadata; an instance lists "human" only if there is a display.
        starts: the names that `reset(options={"start": ...})` accepts.
        gripper_type: name of the gripper.
        observation_layout, goal_layout: blocks (name, size, unit) of `observation` and of a goal.
        action_layout: blocks (name, size, unit) of an action; a unit such as "0.05 m" is what 1
            stands for.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 25}  # noqa: RUF012
    starts = STARTS

    def __init__(self, env_id: str, render_mode: str | None = None, **options: Any) -> None:
        """Builds the world."""
        EzPickle.__init__(self, env_id, render_mode, **options)
        modes = self.metadata["render_modes"]
        if render_mode not in (None, *modes):
            raise ValueError(f"render_mode = {render_mode!r}, expected None or one of {modes}")
        if not has_display():
            self.metadata = {**self.metadata, "render_modes": ["rgb_array"]}
        row = SUITE[env_id]
        self._env_id, self.render_mode = env_id, render_mode
        self._options = make_options(options)
        robot = with_eigengrasps(row.robot, self._options.n_eigengrasps)
        self._arena, self._task = row.arena, row.task
        if self._options.angle_tolerance is not None:
            self.angle_tolerance = self._options.angle_tolerance
        if self._options.violation_cost is not None:
            self._task = self._task.with_violation_cost(self._options.violation_cost)
        self._objects = self._options.chosen_objects(robot.name, row.objects)

        self.gripper_type = robot.name
        self.observation_layout = observation_layout(robot)
        self.action_layout = robot.action_layout
        self.goal_layout = row.task.goal_layout
        self.symmetry = make_symmetry(
            robot, self.observation_layout, self._objects, row.arena, row.task
        )
        self.observation_space = observation_space(robot, row.task.goal_size)
        self.action_space = action_space(robot)
        self._low, self._high = bounds(robot)
        blocks = block_slices(self.observation_layout)
        self._object_pos, self._object_rot = blocks["object_pos"], blocks["object_rot"]

        self._build(robot)
        self._open = True
        self._ground = make_ground(row.arena, robot.stepping)
        # None unless an episode has started.
        self._initial: InitialState | None = None
        # States at the last observation. Actions are relative to that of the grip frame.
        self._grip: BodyState
        self._object_state: BodyState

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: starts a new random sequence; None continues the present one.
            options: {"start": "default"}, the same as None: the gripper points down above the
                table, on which the object rests. {"start": "pregrasp"}: the open gripper is above
                the object and aligned with it. {"start": "grasp"}: the gripper holds the object up
                to 15 cm higher, or has slipped off it. {"start": saved}: repeats the start that
                `save_reset` returned.

        Raises:
            ValueError: the options are invalid; the environment is unchanged.
            ResetError: no initial state satisfies the arena's constraints.
        """
        self._check_open()
        names = [spec.name for spec in self._objects]
        initial = parse_reset_options(options, self._env_id, names, self._task.goal_size)
        super().reset(seed=seed)
        if isinstance(initial, str):
            scene = self._ground, self._task, self._objects, self._options
            initial = sample_initial_state(self.np_random, *scene, initial)
        self._begin(initial)
        observation = self._observe()
        self._sim.show()
        return observation, self._info(initial, observation, self._reward(observation))

    def save_reset(self) -> dict[str, Any]:
        """Returns the initial state of the present episode as built-in types (JSON, pickle).

        `reset(options={"start": saved})` and `load_reset(saved)` repeat the start, bit for bit, in
        any instance made with the same arguments.
        """
        return save_initial_state(self._check_begun("save_reset"), self._env_id)

    def load_reset(self, saved: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Starts an episode from what `save_reset` returned; wrapped environments need `reset`."""
        return self.reset(options={"start": saved})

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Simulates one control step (0.04 s).

        Args:
            action: [A], as described by `action_layout`; values outside [-1, 1] are clipped.

        Raises:
            ValueError: the action has the wrong shape or contains a value that is not finite.
        """
        initial = self._check_begun("step")
        self._robot.command(clip_action(action, self.action_space), self._grip)
        self._sim.step()
        observation = self._observe()
        reward = self._reward(observation)
        info = self._info(initial, observation, reward)
        self._sim.show()
        return observation, reward, False, False, info

    def compute_reward(
        self,
        achieved_goal: Any,
        desired_goal: Any,
        info: Any = None,
        tolerance_share: float = 1.0,
    ) -> Any:
        """Returns 0 if the goal is achieved, else -1; a violation lowers it by `violation_cost`.

        Args:
            achieved_goal: [..., G].
            desired_goal: [..., G].
            info: unused.
            tolerance_share: share of the position's tolerance within which a goal is achieved; an
                obstacle is as much larger as the goal is smaller. Training uses less than 1, the
                task is 1.

        Returns:
            float32 [...], a NumPy scalar for single goals.
        """
        return self._task.reward(achieved_goal, desired_goal, tolerance_share)

    @property
    def angle_tolerance(self) -> float | None:
        """Greatest angle (rad) at which a goal counts as achieved; None without rotations."""
        return self._task.angle_tolerance

    @angle_tolerance.setter
    def angle_tolerance(self, angle: float) -> None:
        self._task = self._task.with_angle_tolerance(angle)

    @property
    def lowest_reward(self) -> float:
        """Least reward of a step; the greatest is 0."""
        return self._task.lowest_reward

    def render(self) -> np.ndarray | None:
        """Returns a picture, uint8 [height, width, 3], or None unless in mode "rgb_array"."""
        self._check_open()
        if self.render_mode == "human":
            self._sim.show()
            return None
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs render_mode='rgb_array' at construction")
            return None
        size = self._options.render_width, self._options.render_height
        return self._sim.picture(self._arena.camera, *size)

    def contacts(self) -> list[Contact]:
        """Returns the points where the gripper touched the object at the end of the last step."""
        self._check_begun("contacts")
        return self._robot.contacts(self._object)

    def gripper_info(self) -> GripperInfo:
        """Returns pose, velocity and joints of the gripper."""
        self._check_begun("gripper_info")
        return self._robot.info()

    def object_info(self) -> ObjectInfo:
        """Returns name, size, mass, pose and velocity of the object."""
        self._check_begun("object_info")
        return self._object_body.info()

    def close(self) -> None:
        """Frees the world; further calls do nothing."""
        if getattr(self, "_open", False):
            self._sim.close()
            self._ground.close()
            self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise ClosedEnvironmentError("this environment was closed; make a new one")

    def _check_begun(self, method: str) -> InitialState:
        """Returns the initial state of the present episode."""
        self._check_open()
        if self._initial is None:
            raise ResetNeeded(f"{method}() before the first reset()")
        return self._initial

    def _build(self, robot: RobotSpec) -> None:
        window = self._arena.camera if self.render_mode == "human" else None
        renderer = self.render_mode and self._options.renderer
        self._sim = make_simulation(robot.stepping, renderer, window)
        add_arena(self._sim, self._arena)
        self._robot = Robot(robot, self._sim, self._options.workspace or robot.workspace)
        self._marker = GoalMarker(self._sim, self._task, self._options.render_trace)
        self._object_body, self._object = ObjectBody(self._sim), -1

    def _begin(self, initial: InitialState) -> None:
        """Brings the world into an initial state."""
        if self._object_body.needs_rebuild:
            self._sim.close()
            self._build(self._robot.spec)
        self._initial = None
        spec = next(spec for spec in self._objects if spec.name == initial.object_name)
        self._object = self._object_body.set_object(spec, initial.object_size)
        self._sim.flush([self._robot.body, self._object])
        self._sim.reset_body(self._object, initial.object_position, initial.object_rotation)
        if initial.pregrasp is None:
            height = self._arena.surface + self._robot.spec.start_height
            self._robot.reset((*initial.gripper, height))
        else:
            place_gripper(self._robot, self._sim, self._object, initial.pregrasp)
        if initial.raised is not None:
            take_hold(self._robot, self._sim, initial.raised)
        self._marker.show(initial.goal, spec, initial.object_size, initial.object_position)
        self._violated = False
        self._goal = np.array(initial.goal, np.float32)
        lift = self._arena.lift(initial.goal, initial.object_position)
        self._air_goal = np.bool_(lift > self._task.tolerance)
        self._initial = initial

    def _observe(self) -> dict[str, np.ndarray]:
        self._grip, self._object_state = self._robot.state(), self._sim.state(self._object)
        joints, period = self._robot.joint_positions(), self._sim.control_period
        vector = np.array(observe(self._grip, joints, self._object_state, period), np.float32)
        np.maximum(vector, self._low, out=vector)
        np.minimum(vector, self._high, out=vector)
        position, columns = vector[self._object_pos], vector[self._object_rot]
        return {
            "observation": vector,
            "achieved_goal": self._task.achieved(position, columns, self._goal),
            "desired_goal": self._goal.copy(),
        }

    def _reward(self, observation: dict[str, np.ndarray]) -> float:
        reward = self.compute_reward(observation["achieved_goal"], observation["desired_goal"])
        return float(reward)

    def _info(
        self, initial: InitialState, observation: dict[str, np.ndarray], reward: float
    ) -> dict[str, Any]:
        goals = observation["achieved_goal"], observation["desired_goal"]
        self._violated = self._violated or bool(self._task.violation(*goals))
        lift = self._arena.lift(self._object_state.position, initial.object_position)
        success = np.bool_(reward == 0.0 and not self._violated)
        self._marker.update(bool(success), self._object_state.position)
        return {
            "is_success": success,
            "air_goal": self._air_goal,
            "object_lift": np.float32(lift),
        }
