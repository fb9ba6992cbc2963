"""Writes a page for every environment, and a gallery of them, from the code itself.

The site's build calls `write`. Pictures are cut out of `images/environments.png`.
"""

import json
from pathlib import Path

import env_tables
from contact_sheet import COLUMNS, HEIGHT, LABEL, WIDTH
from env_tables import number
from model_cards import agent_of, evaluations, film_of
from PIL import Image

from envs.objects.catalogue import MESH_SIZES, MESHES
from envs.objects.spec import OBJECTS, ObjectSpec
from envs.observation import observation_layout
from envs.robots.spec import RobotSpec
from envs.suite import SUITE, EnvRow
from envs.tasks.goals import Avoid, Orient

ROOT = Path(__file__).parents[1]
GRIPPERS = {
    "ParallelJaw": "parallel jaw",
    "BarrettHand": "BarrettHand",
    "ShadowHand": "ShadowHand",
}
SECTIONS = (
    ("Parallel jaw, flat table", "FlatPJ"),
    ("BarrettHand, flat table", "FlatBarrett"),
    ("ShadowHand, flat table", "FlatSH"),
    ("Uneven ground", "Uneven"),
    ("Obstacle", "Obstacle"),
)


def write(folder: Path) -> None:
    """Writes `gallery.md`, and a page and a picture for each environment."""
    folder.mkdir(exist_ok=True)
    sheet = Image.open(ROOT / "docs" / "images" / "environments.png").convert("RGB")
    for index, (env_id, row) in enumerate(SUITE.items()):
        _picture(sheet, index).save(folder / f"{env_id}.png", optimize=True)
        _replace(folder / f"{env_id}.md", page(row))
    _replace(folder / "gallery.md", gallery())


def gallery() -> str:
    """Returns a grid of cards that lead to the pages."""
    lines = []
    for title, prefix in SECTIONS:
        lines += [f"### {title}", "", "::::{grid} 2 2 3 3", ":gutter: 2", ""]
        for row in SUITE.values():
            if row.env_id.startswith(prefix):
                lines += [
                    f":::{{grid-item-card}} {row.env_id}",
                    f":link: environments/{row.env_id}",
                    ":link-type: doc",
                    f":img-top: environments/{row.env_id}.png",
                    f":img-alt: {row.env_id} as an episode begins, and with a grasp at hand",
                    _card(row),
                    ":::",
                    "",
                ]
        lines += ["::::", ""]
    return "\n".join(lines)


def page(row: EnvRow) -> str:
    """Returns the page of an environment."""
    robot, task = row.robot, row.task
    size = sum(n for _, n, _ in robot.action_layout)
    n_obs = sum(n for _, n, _ in observation_layout(robot))
    parts = [
        f"# {row.env_id}",
        _film(row),
        _summary(row),
        f"![{row.env_id} as an episode begins, and with a grasp at hand]({row.env_id}.png)",
        env_tables.table(
            ("", ""),
            [
                ("Make", f'`gymnasium.make("{row.env_id}")` after `import envs`'),
                ("Action", f"`Box(-1, 1, ({size},), float32)`"),
                (
                    "Observation",
                    f"`Dict` of `observation` ({n_obs},), `achieved_goal` and `desired_goal` "
                    f"({task.goal_size},), float32",
                ),
                ("Episode", "50 steps of 0.04 s; never terminates early"),
                ("Source", "`envs/suite.py`"),
            ],
        ),
        "## Actions",
        env_tables.table(("Index", "Meaning", "1 stands for", "Range"), env_tables.actions(robot)),
        _action_notes(robot),
        "## Observations",
        "World frame: z up, the table's centre at (0.5, 0), its top at 0.4 m. A step is 0.04 s.",
        env_tables.table(
            ("Index", "Block", "Content", "Unit", "Range"), env_tables.observations(robot)
        ),
        "### Joints",
        env_tables.table(
            ("Joint", "Observation", "Limits", "Driven by", "Control range"),
            env_tables.joints(robot),
        ),
        "## Goal and reward",
        _goal(row),
        "## Start of an episode",
        _start(row),
        "## Arguments",
        env_tables.arguments(row),
        "## Results",
        _results(row),
        "## Version history",
        "v0: first version.",
    ]
    return "\n\n".join(parts) + "\n"


def _picture(sheet: Image.Image, index: int) -> Image.Image:
    """Returns the cell of an environment without its name."""
    left, top = index % COLUMNS * (2 * WIDTH + 6), index // COLUMNS * (HEIGHT + LABEL + 6) + LABEL
    return sheet.crop((left, top, left + 2 * WIDTH, top + HEIGHT))


def _replace(path: Path, text: str) -> None:
    """Writes a file that has changed; Sphinx then reads only those again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _object(gripper: str, name: str) -> str:
    """Returns a description of an object: shape, size and mass."""
    mass = f"{number(OBJECTS[gripper]['Cube'].mass)} kg"
    if name == "Mesh":
        edge = 100.0 * MESH_SIZES[gripper]
        return f"one of {len(MESHES)} concave meshes, longest edge {number(edge)} cm, {mass}"
    spec: ObjectSpec = OBJECTS[gripper][name]
    size = [100.0 * value for value in spec.shape.size]  # type: ignore[union-attr]
    shapes = {
        "Cube": f"cube, {number(2 * size[0])} cm",
        "Sphere": f"sphere, radius {number(size[0])} cm",
        "Cylinder": f"cylinder, radius {number(size[0])} cm, length {number(2 * size[-1])} cm",
    }
    return f"{shapes[name]}, {mass}"


def _card(row: EnvRow) -> str:
    extra = {Orient: "goals with a rotation", Avoid: "a region to avoid"}.get(type(row.task))
    if len(row.objects) > 1:
        what = "cube, sphere, cylinder or mesh"
    else:
        what = _object(row.robot.name, row.objects[0])
    return "; ".join(filter(None, (what, extra)))


def _film(row: EnvRow) -> str:
    player = "scripted policy" if agent_of(row.env_id) is None else "shipped agent"
    return f"![The {player} plays](../images/{film_of(row.env_id).name})"


def _summary(row: EnvRow) -> str:
    gripper = GRIPPERS[row.robot.name]
    goals = {Orient: "a position and a rotation", Avoid: "a position, around an obstacle"}
    ground = "a bed of tilted blocks" if row.arena.bed else "a table"
    goal = goals.get(type(row.task), "a position on or above it")
    lines = [f"A free-floating {gripper} picks up an object from {ground} and moves it to {goal}."]
    kinds = [_object(row.robot.name, name) for name in row.objects]
    if len(kinds) == 1:
        lines.append(f"The object: {kinds[0]}.")
    else:
        lines.append("The object is one of these, each in a quarter of the episodes:")
        lines.append("\n- " + "\n- ".join(kinds))
    return " ".join(lines[:2]) + "".join(lines[2:])


def _action_notes(robot: RobotSpec) -> str:
    notes = ["Values outside [-1, 1] are clipped."]
    if robot.rotation_action.size:
        rate = f"{100 * robot.rotation_rate:.0f}%"
        notes.append(f"A step makes {rate} of the rotation that remains to the target.")
    else:
        notes.append("The gripper always points down.")
    if len(robot.basis) > 1:
        notes.append(
            f"With [`n_eigengrasps=k`](../environments.md#eigengrasps), k entries replace the "
            f"{len(robot.basis)} of the joints."
        )
    return " ".join(notes)


def _goal(row: EnvRow) -> str:
    arena, task = row.arena, row.task
    x, y = arena.goal_region
    above = "the ground below it" if arena.bed else "the table"
    lines = [
        f"Goals are positions of the object's centre within {x} m in x and {y} m in y of the "
        f"table's centre, at least {arena.clearance} m from the object. With probability 1/2 "
        f"(`air_goal_share`) a goal lies up to {arena.lift_height} m higher than the object at "
        f"rest on {above}, else at that height.",
    ]
    reward = f"The reward is 0 while the object is within {task.tolerance} m of the goal"
    if isinstance(task, Orient):
        tilt = f", and in the air by up to {task.tilt} rad about a horizontal axis"
        lines.append(
            "Entries 3 to 8 of a goal are the first two columns of a rotation matrix: the object's "
            f"initial rotation, turned by up to {task.yaw} rad about the vertical"
            f"{tilt if task.tilt else ''}. The symmetry of the cube is ignored."
        )
        reward += f" and {task.angle_tolerance} rad of its rotation (`angle_tolerance`)"
    lines.append(f"{reward}, else -1.")
    if isinstance(task, Avoid):
        lines.append(
            "Entries 3 to 5 of a goal are the centre of the obstacle. While the object's centre is "
            f"within {task.forbidden} m of it, the reward is lower by {task.violation_cost:g} "
            "(`violation_cost`), and the episode cannot succeed any more. The region does not "
            "collide."
        )
    lines.append('`info["is_success"]` says whether the goal is achieved now.')
    return " ".join(lines)


def _start(row: EnvRow) -> str:
    arena, robot = row.arena, row.robot
    (gx, gy), (ox, oy) = arena.gripper_region, arena.object_region
    gripper = (
        f"The open gripper points down, {robot.start_height} m above the table, within {gx} m in x "
        f"and {gy} m in y of its centre."
    )
    if arena.bed:
        lies = "is dropped in a random orientation and has come to rest"
    else:
        kinds = set(row.objects)
        poses = ["any yaw"]
        if "Cylinder" in kinds:
            poses.append("cylinders standing or lying")
        if "Mesh" in kinds:
            poses.append("meshes on one of up to four stable faces")
        lies = "rests on the table (" + ", ".join(poses) + ")"
    return (
        f"{gripper} The object {lies}, within {ox} m in x and {oy} m in y of the centre and at "
        f"least {arena.clearance} m from the gripper. All of these are uniform. "
        "An episode may also start [above a grasp, or with the object in the "
        "gripper](../environments.md#starts)."
    )


def _results(row: EnvRow) -> str:
    agent = agent_of(row.env_id)
    if agent is None:
        return (
            "No agent has been trained here yet. To train one: "
            f"`grasp-func train -n 2 --env {row.env_id}`"
        )
    here = evaluations(json.loads((agent / "stats.json").read_text(encoding="utf-8")))[0]
    head = ("Goals", "Success", "95% interval", "Episodes")
    return "\n\n".join(
        [
            f"The shipped agent `saves/pretrain/{agent.name}` in {here['n']} episodes:",
            env_tables.table(head, env_tables.rates(here)),
            f"[How it was trained](../results/{row.env_id}.md)",
        ]
    )
