"""The robot hands, one table each: adding a hand means adding a table."""

from .barrett import BARRETT
from .parallel_jaw import PARALLEL_JAW
from .shadow import SHADOW_HAND

ROBOTS = {"PJ": PARALLEL_JAW, "Barrett": BARRETT, "SH": SHADOW_HAND}
