"""Draws all environments in one picture: `python docs/contact_sheet.py`.

Each environment is shown at its default start and at its pregrasp start.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from envs import ENV_IDS
from envs.sim import colours

COLUMNS = 3
# In pixels.
WIDTH, HEIGHT, LABEL = 300, 225, 22
# Pictures are rendered this much larger and scaled down, for smooth edges.
OVERSAMPLING = 2
STARTS = ("default", "pregrasp")
SEEDS = range(16)
COLOURS = (colours.OBJECT, colours.GOAL)


def render_starts(env_id: str, seeds: Iterable[int], scale: float) -> Iterator[list[np.ndarray]]:
    """Yields the pictures of both starts for each seed."""
    size: dict[str, Any] = {
        "render_width": int(scale * WIDTH),
        "render_height": int(scale * HEIGHT),
    }
    env = gymnasium.make(env_id, render_mode="rgb_array", air_goal_share=1.0, **size)
    for seed in seeds:
        pictures = []
        for start in STARTS:
            env.reset(seed=seed, options={"start": start})
            pictures.append(np.asarray(env.render()))
        yield pictures
    env.close()


def clarity(picture: np.ndarray) -> int:
    """Returns the number of pixels of the less visible of COLOURS."""
    hues, pixels = (chroma(np.array(c, float)[..., :3]) for c in (COLOURS, picture))
    strong = np.linalg.norm(pixels, axis=-1) > 20.0
    cosines = unit(pixels) @ unit(hues).T
    return int(np.sum((cosines > 0.95) & strong[..., None], axis=(0, 1)).min())


def chroma(rgb: np.ndarray) -> np.ndarray:
    """Returns colours [..., 3] without their grey; mixing with grey does not turn them."""
    return rgb - rgb.mean(axis=-1, keepdims=True)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Returns vectors [..., 3] at length 1, except for zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def tile_of(env_id: str) -> Image.Image:
    """Returns the starts of the clearest seed side by side, below the name of the environment."""
    scores = [min(map(clarity, pair)) for pair in render_starts(env_id, SEEDS, scale=0.5)]
    (pair,) = render_starts(env_id, [SEEDS[int(np.argmax(scores))]], scale=OVERSAMPLING)
    tile = Image.new("RGB", (2 * WIDTH, HEIGHT + LABEL), "white")
    for column, picture in enumerate(pair):
        smooth = Image.fromarray(picture).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        tile.paste(smooth, (column * WIDTH, LABEL))
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(tile).text((4, 1), env_id, fill="black", font=font)
    return tile


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parent / "images" / "environments.png"
    parser.add_argument("--out", type=Path, default=default, metavar="FILE")
    parser.add_argument("ids", nargs="*", default=ENV_IDS, metavar="ID", help="default: all")
    args = parser.parse_args()
    tiles = [tile_of(env_id) for env_id in args.ids]
    width, height = (edge + 6 for edge in tiles[0].size)
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (min(COLUMNS, len(tiles)) * width, rows * height), "white")
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % COLUMNS * width, index // COLUMNS * height))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256, dither=Image.Dither.NONE).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
