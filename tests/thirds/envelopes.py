"""What a strict user of each of the five systems expects of a body: every member of the contract, of its type.

A member that an event has nothing for (`auditId`, `agent_id`, `audit_url`, `retry.reason`) is there and null.
Members that the contract does not name are ignored, and so are types of events it does not list. Stands beside
`envelopes.mjs`, which says the same for Node.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
AUTHENSOR_BODY_BYTES_MAX = 4095


class Malformed(Exception):
    """The body is not what the contract says."""


@dataclass(frozen=True)
class Event:
    """What a receiver keeps of a body. `id` is what it deduplicates by; none where the system gives none."""

    id: str | None
    type: str


def require(holds: bool, reason: str) -> None:
    if not holds:
        raise Malformed(reason)


def member(parent: dict[str, Any], name: str) -> Any:
    require(name in parent, f"{name} is missing")
    return parent[name]


def text(parent: dict[str, Any], name: str) -> str:
    value = member(parent, name)
    require(isinstance(value, str) and value != "", f"{name} is no text")
    return value


def text_or_null(parent: dict[str, Any], name: str) -> None:
    require(member(parent, name) is None or isinstance(parent[name], str), f"{name} is neither text nor null")


def instant(parent: dict[str, Any], name: str) -> str:
    value = text(parent, name)
    require(INSTANT.fullmatch(value) is not None, f"{name} is no instant")
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise Malformed(f"{name}: {error}") from error
    return value


def count(parent: dict[str, Any], name: str) -> int:
    value = member(parent, name)
    # In Python True is an int.
    require(type(value) is int and value >= 1, f"{name} is no count")
    return value


def members(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = member(parent, name)
    require(isinstance(value, dict), f"{name} is no object")
    return value


def aisentinel(body: dict[str, Any], webhook_id: str | None) -> Event:
    for name in ["id", "tenant"]:
        text(body, name)
    instant(body, "createdAt")
    text_or_null(body, "auditId")
    data, retry, kind = members(body, "data"), members(body, "retry"), text(body, "event")
    if kind == "policy.decision.created":
        text(data, "decision")
    if kind == "proof.ready":
        text(data, "proofId")
    attempt = count(retry, "attempt")
    require(attempt <= count(retry, "maxAttempts"), "attempt is above maxAttempts")
    instant(retry, "firstAttemptAt")
    text_or_null(retry, "reason")
    return Event(text(body, "deliveryId"), kind)


def authensor(body: dict[str, Any], webhook_id: str | None) -> Event:
    instant(body, "timestamp")
    text(body, "summary")
    for name in ["agent_id", "audit_url"]:
        text_or_null(body, name)
    details = members(body, "details")
    if details.get("truncated") is True:
        count(details, "size_bytes")
        text(details, "url")
    return Event(webhook_id, text(body, "type"))


def aisg(body: dict[str, Any], webhook_id: str | None) -> Event:
    text(body, "project_id")
    members(body, "data")
    require("\n" not in text(body, "text"), "text is more than a line")
    return Event(text(body, "webhook_id"), text(body, "event"))


def secureagentics(body: dict[str, Any], webhook_id: str | None) -> Event:
    require(instant(body, "timestamp").endswith("Z"), "timestamp does not end with Z")
    members(body, "data")
    return Event(text(body, "id"), text(body, "type"))


def omegaengine(body: dict[str, Any], webhook_id: str | None) -> Event:
    instant(body, "timestamp")
    kind = text(body, "event")
    require(re.fullmatch("sha256=[0-9a-f]{64}", text(body, "signature")) is not None, "signature is no signature")
    if not kind.startswith("decision."):
        members(body, "data")
        return Event(webhook_id, kind)
    decision = members(body, "decision")
    for name in ["id", "outcome", "scenario", "auditId"]:
        text(decision, name)
    score = member(decision, "riskScore")
    require(type(score) in (int, float) and 0 <= score <= 1, "riskScore is no score")
    matches = member(decision, "policyMatches")
    require(isinstance(matches, list) and all(isinstance(one, str) for one in matches), "policyMatches is no list")
    return Event(webhook_id, kind)


READERS: dict[str, Callable[[dict[str, Any], str | None], Event]] = {
    "aisentinel": aisentinel,
    "authensor": authensor,
    "aisg": aisg,
    "secureagentics": secureagentics,
    "omegaengine": omegaengine,
}


def read(system: str, raw: bytes, webhook_id: str | None) -> Event:
    """The event in a body. Authensor and OmegaEngine name nothing to deduplicate by, so what their users have is
    `webhook-id`, which a sender of Standard Webhooks sends beside the system's own header."""
    if system == "authensor":
        require(len(raw) <= AUTHENSOR_BODY_BYTES_MAX, f"{len(raw)} bytes are above the limit")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Malformed(f"no JSON: {error}") from error
    require(isinstance(body, dict), "no object")
    return READERS[system](body, webhook_id)
