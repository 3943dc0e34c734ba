"""Where a rehearsal keeps its things, and by which names and ports its parts find each other."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "rehearsal"
TOOLS = ROOT / ".tools" / "ministack"
LOGS = FOLDER / "logs"
EMULATOR_PORT = 4566
EMULATOR = f"http://127.0.0.1:{EMULATOR_PORT}"
NETWORK = "sanctum-rehearsal"
SUBNET, GATEWAY = "169.254.170.0/24", "169.254.170.2"
"""This machine in the tasks' network. AWS SDKs take a task's credentials over plain HTTP from no other address."""
LABEL = "sanctum.rehearsal"
"""On all that a rehearsal has the container engine make: `rehearsal.plugin.containers`."""
