"""What means trouble in the memory (Amazon OpenSearch Service guide, "Recommended CloudWatch alarms").

Not watched: the number of nodes, which changes whenever AWS replaces one and shows as a yellow cluster while a copy of
something is missing; dedicated masters, of which there are none; slow logs and thread pools, because the AI core's own
alarms tell that people wait.
"""

from infra.data.watch import Watch
from infra.setting_tables import Memory

MIB_PER_GIB = 1024


def memory_watches(settings: Memory) -> list[Watch]:
    """Alarms of a domain with these settings."""
    return [
        Watch(
            name="red",
            metric="ClusterStatus.red",
            threshold=1,
            minutes=1,
            todo="A part of the memory is on no node: people's memories are missing, and snapshots are not made. See "
            "the domain's health, most often a lack of disk or of heap.",
        ),
        Watch(
            name="yellow",
            metric="ClusterStatus.yellow",
            threshold=1,
            times=6,
            todo="For half an hour a part of the memory has had no second copy: losing one more node would lose it. "
            "See whether a node is missing or full.",
        ),
        Watch(
            name="writes-blocked",
            metric="ClusterIndexWritesBlocked",
            threshold=1,
            todo="Nothing new is remembered: the domain refuses to write, for lack of disk or of heap. What is not "
            "written waits in the backend's outbox.",
        ),
        Watch(
            name="disk",
            metric="FreeStorageSpace",
            statistic="Minimum",
            threshold=settings.volume_gib * MIB_PER_GIB * 0.25,
            below=True,
            todo="A node has less than a quarter of its disk left: raise memory.volume_gib.",
        ),
        Watch(
            name="heap",
            metric="JVMMemoryPressure",
            threshold=95,
            minutes=1,
            times=3,
            todo="A node is about to run out of heap: take a larger memory.instance.",
        ),
        Watch(
            name="processor",
            metric="CPUUtilization",
            threshold=80,
            minutes=15,
            times=3,
            todo="A node has been busy for 45 minutes: take a larger memory.instance, or more memory.nodes.",
        ),
        Watch(
            name="snapshot",
            metric="AutomatedSnapshotFailure",
            threshold=1,
            minutes=1,
            todo="The hourly snapshot failed, most often because the cluster is red.",
        ),
        Watch(
            name="key-disabled",
            metric="KMSKeyError",
            threshold=1,
            minutes=1,
            todo="The memory's key is disabled, and nothing of it can be read: enable it.",
        ),
        Watch(
            name="key-unreachable",
            metric="KMSKeyInaccessible",
            threshold=1,
            minutes=1,
            todo="The memory's key is gone or was taken from the domain. Where its deletion is only scheduled, cancel "
            "it at once: without the key the memory is lost.",
        ),
    ]
