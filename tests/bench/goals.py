# SPDX-License-Identifier: LGPL-2.1-or-later
"""The goals: ratios of medians of berth to those of another tool, in one run."""

import dataclasses


@dataclasses.dataclass
class Goal:
    work: str
    measure: str  # "durable" and "wall" in seconds, "memory" in MiB, "bytes"
    peer: str
    most: float
    ours: str = "berth"
    peer_work: str = ""  # the work of the peer, if it differs

    def judge(self, results):
        """(median of berth, median of the peer, ratio); None if one was not measured"""
        ours = results.median(self.work, self.ours, self.measure)
        theirs = results.median(self.peer_work or self.work, self.peer, self.measure)
        return (ours, theirs, ours / theirs) if ours is not None and theirs else None


GOALS = [
    Goal("pull, small", "durable", "podman", 0.45),
    Goal("pull, medium", "durable", "podman", 0.25),
    Goal("pull, large", "durable", "podman", 0.22),
    Goal("pull, large", "durable", "skopeo + ostree", 0.30),
    Goal("pull, large in zstd", "durable", "podman", 0.25),
    Goal("pull a present image, small", "wall", "podman", 0.35),
    Goal("pull a present image, medium", "wall", "podman", 0.35),
    Goal("pull a present image, large", "wall", "podman", 0.35),
    Goal("pull an update, medium", "durable", "podman", 0.35),
    Goal("pull an update, large", "durable", "podman", 0.35),
    Goal("pull, large", "memory", "podman", 1.6),
    Goal("pull, medium", "memory", "podman", 1.6),
    Goal("disk, small", "bytes", "podman", 1.0),
    Goal("disk, medium", "bytes", "podman", 1.0),
    Goal("disk, large", "bytes", "podman", 1.0),
    Goal("disk, five of one base", "bytes", "podman", 0.6),
    Goal("checkout, medium", "wall", "ostree checkout -H", 0.45),
    Goal("checkout, large", "wall", "ostree checkout -H", 0.45),
    Goal("install, medium", "durable", "ostree checkout -H", 1.0),
    Goal("install, large", "durable", "ostree checkout -H", 1.0),
    Goal("second install, medium", "durable", "berth", 1.0, peer_work="install, medium"),
    Goal("second install, large", "durable", "berth", 1.0, peer_work="install, large"),
    Goal("start", "wall", "plain unit with runc", 1.3),
    Goal("start", "wall", "podman", 0.35),
    Goal("list containers", "wall", "podman", 0.25),
    Goal("list images", "wall", "podman", 0.25),
    Goal("delete, medium", "durable", "podman", 1.0),
    Goal("delete, large", "durable", "podman", 1.0),
]

MEMORY_LIMIT = 128  # MiB, at any size of the image
