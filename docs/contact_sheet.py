"""Draws all environments in one picture: `python docs/contact_sheet.py`.

Each as an episode begins, and with the hand facing the object.
"""

import argparse
from pathlib import Path

import gymnasium
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from envs import ENV_IDS

COLUMNS, WIDTH, HEIGHT, LABEL = 3, 300, 225, 22  # pixels
FINER = 2  # times more pixels are drawn than shown, for smooth edges
SEEDS = {"ParallelJaw": 18, "BarrettHand": 18, "ShadowHand": 6}  # that hide nothing


def scenes(env_id: str) -> Image.Image:
    """Two moments of an environment, side by side under its name."""
    size = {"render_width": FINER * WIDTH, "render_height": FINER * HEIGHT}
    env = gymnasium.make(env_id, render_mode="rgb_array", air_goal_share=1.0, **size)
    tile = Image.new("RGB", (2 * WIDTH, HEIGHT + LABEL), "white")
    seed = SEEDS[env.get_wrapper_attr("gripper_type")]
    for place, start in enumerate(("default", "pregrasp")):
        env.reset(seed=seed, options={"start": start})
        picture = Image.fromarray(np.asarray(env.render()))
        smooth = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        tile.paste(smooth, (place * WIDTH, LABEL))
    env.close()
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(tile).text((4, 1), env_id, fill="black", font=font)
    return tile


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parent / "images" / "environments.png"
    parser.add_argument("--out", type=Path, default=default, metavar="FILE")
    parser.add_argument("ids", nargs="*", default=ENV_IDS, metavar="ID", help="default: all")
    args = parser.parse_args()
    tiles = [scenes(env_id) for env_id in args.ids]
    width, height = (edge + 6 for edge in tiles[0].size)
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (min(COLUMNS, len(tiles)) * width, rows * height), "white")
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % COLUMNS * width, index // COLUMNS * height))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256, dither=Image.Dither.NONE).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
