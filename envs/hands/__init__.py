"""The robot hands, one table each: adding a hand means adding a table."""

from envs.hands.barrett import BARRETT
from envs.hands.parallel_jaw import PARALLEL_JAW

ROBOTS = {"PJ": PARALLEL_JAW, "Barrett": BARRETT}
