"""What one path of a receiver has seen, and what it answers: the part that no system's page prescribes."""

import json
import os
import secrets
import sys
import threading
from collections.abc import Callable
from typing import Any

from envelopes import Event, Malformed, read

SECRETS: dict[str, str] = json.loads(os.environ.get("SECRETS", "{}"))


def secret(system: str) -> bytes:
    """A system's secret. Without one nothing verifies: not even what was signed with the empty key."""
    return (SECRETS.get(system) or secrets.token_hex()).encode()


def unsigned(system: str) -> bool:
    """Whether what is unsigned is accepted too; only where the contract has the secret optional."""
    return system in ("authensor", "secureagentics") and not SECRETS.get(system)


class Record:
    """Accepted events, and how many requests were repeated, refused or malformed."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.accepted: list[Event] = []
        self.ids: set[str] = set()
        self.duplicates = 0
        self.refused = 0
        self.malformed: list[str] = []
        self.lock = threading.Lock()

    def receive(self, verified: bool, raw: bytes, webhook_id: str | None) -> tuple[int, dict[str, Any]]:
        """The status and JSON body to answer."""
        with self.lock:
            if not verified:
                self.refused += 1
                return 401, {"error": "invalid_signature"}
            try:
                event = read(self.system, raw, webhook_id)
            except Malformed as error:
                self.malformed.append(str(error))
                return 400, {"error": "invalid_body", "reason": str(error)}
            if event.id in self.ids:
                self.duplicates += 1
                return 200, {"received": True, "duplicate": True}
            if event.id is not None:
                self.ids.add(event.id)
            self.accepted.append(event)
            return 200, {"received": True, "duplicate": False}

    def seen(self) -> dict[str, Any]:
        """For `GET /seen`."""
        with self.lock:
            return {
                "accepted": [{"id": one.id, "type": one.type} for one in self.accepted],
                "duplicates": self.duplicates,
                "refused": self.refused,
                "malformed": list(self.malformed),
            }


def announce(port: int) -> None:
    """Tells whoever started this server where it listens."""
    print(json.dumps({"port": port}), flush=True)


def when_stdin_closes(end: Callable[[], object]) -> None:
    """Ends with whoever started this server, however that ends."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()
