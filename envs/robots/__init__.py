"""The grippers, one RobotSpec each: adding a gripper means adding a RobotSpec."""

from .barrett import BARRETT
from .parallel_jaw import PARALLEL_JAW
from .shadow import SHADOW_HAND

ROBOTS = {"PJ": PARALLEL_JAW, "Barrett": BARRETT, "SH": SHADOW_HAND}
