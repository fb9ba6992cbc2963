"""The robot hands, one table each: adding a hand means adding a table."""

from envs.hands.barrett import BARRETT
from envs.hands.parallel_jaw import PARALLEL_JAW
from envs.hands.shadow import SHADOW_HAND

ROBOTS = {"PJ": PARALLEL_JAW, "Barrett": BARRETT, "SH": SHADOW_HAND}
