"""What an account wrote, from the API server's audit log."""

import json
import time
from collections import Counter
from pathlib import Path

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
NOT_COUNTED = frozenset({"leases", "selfsubjectaccessreviews"})
"""The Lease is renewed all the time, and asking for one's own rights stores nothing."""


class WritesOf:
    """Follows the log from its present end."""

    def __init__(self, log: Path, user: str) -> None:
        self._log = log
        self._user = user
        self._offset = log.stat().st_size
        self.found: Counter[str] = Counter()
        self.latest = time.monotonic()
        """When the last write was met."""

    def read(self) -> Counter[str]:
        """All writes so far, by verb and resource."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                if self._user.encode() in line:
                    self._count(json.loads(line))
        return self.found

    def _count(self, entry: dict[str, object]) -> None:
        user, target = entry.get("user"), entry.get("objectRef")
        if not isinstance(user, dict) or user.get("username") != self._user or entry["verb"] not in WRITES:
            return
        resource = target.get("resource", "") if isinstance(target, dict) else ""
        if resource not in NOT_COUNTED:
            self.found[f"{entry['verb']} {resource}"] += 1
            self.latest = time.monotonic()
