"""Third parties' libraries, and the five systems' pages, as signers. Reads from standard input, as JSON:

    [{"library": "stripe", "secret": "whsec_…", "id": "msg_1", "timestamp": 1771000000, "type": "a.b", "body": "{}"}]

and prints for each, in order, what to send: `[{"headers": {"stripe-signature": "…"}, "body": "{}"}]`. The timestamp
is in Unix seconds; what a library has no place for, it leaves. OmegaEngine's body must be compact JSON with at least
one member. CloudEvents are not signed: `body` is their data, `secret` is not read.
"""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe
from cloudevents.core.bindings.http import (
    HTTPMessage,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

JSON_TYPE = {"content-type": "application/json"}


@dataclass(frozen=True)
class Message:
    """What is to be signed."""

    secret: str
    id: str
    timestamp: int
    type: str
    body: str

    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp, UTC)

    def hexdigest(self) -> str:
        return hmac.new(self.secret.encode(), self.body.encode(), hashlib.sha256).hexdigest()


def with_headers(message: Message, headers: dict[str, str]) -> dict[str, Any]:
    return {"headers": JSON_TYPE | headers, "body": message.body}


def standard_headers(message: Message, prefix: str, signature: str) -> dict[str, Any]:
    names = {"id": message.id, "timestamp": str(message.timestamp), "signature": signature}
    return with_headers(message, {f"{prefix}-{name}": value for name, value in names.items()})


def standardwebhooks(message: Message) -> dict[str, Any]:
    signature = Webhook(message.secret).sign(message.id, message.instant(), message.body)
    return standard_headers(message, "webhook", signature)


def svix(message: Message) -> dict[str, Any]:
    signature = SvixWebhook(message.secret).sign(message.id, message.instant(), message.body)
    return standard_headers(message, "svix", signature)


def cryptography(message: Message) -> dict[str, Any]:
    """Standard Webhooks' asymmetric scheme: the secret is `whsk_` and base64 of the seed, or of seed and public key."""
    seed = base64.b64decode(message.secret.removeprefix("whsk_"), validate=True)[:32]
    signed = f"{message.id}.{message.timestamp}.{message.body}".encode()
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(signed)
    return standard_headers(message, "webhook", f"v1a,{base64.b64encode(signature).decode()}")


def stripe_(message: Message) -> dict[str, Any]:
    header = stripe.WebhookSignature.generate_signature_header(message.body, message.secret, message.timestamp)
    return with_headers(message, {"stripe-signature": header})


def slack_sdk(message: Message) -> dict[str, Any]:
    timestamp = str(message.timestamp)
    signature = SignatureVerifier(message.secret).generate_signature(timestamp=timestamp, body=message.body)
    return with_headers(message, {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature or ""})


def cloudevent(message: Message, write: Callable[[CloudEvent], HTTPMessage]) -> dict[str, Any]:
    attributes = {
        "id": message.id,
        "type": message.type,
        "source": "/thirds/python",
        "time": message.instant(),
        "datacontenttype": "application/json",
    }
    written = write(CloudEvent(attributes, json.loads(message.body)))
    return {"headers": written.headers, "body": written.body.decode()}


def of_system(header: str, prefix: str) -> Callable[[Message], dict[str, Any]]:
    """Hex over the raw body, in a header. Without a secret nothing is signed."""

    def sign(message: Message) -> dict[str, Any]:
        return with_headers(message, {header: prefix + message.hexdigest()} if message.secret else {})

    return sign


def omegaengine(message: Message) -> dict[str, Any]:
    signature = f"sha256={message.hexdigest()}"
    body = f'{message.body[:-1]},"signature":"{signature}"}}'
    return {"headers": JSON_TYPE | {"x-omegaengine-signature": signature}, "body": body}


LIBRARIES: dict[str, Callable[[Message], dict[str, Any]]] = {
    "standardwebhooks": standardwebhooks,
    "svix": svix,
    "cryptography": cryptography,
    "stripe": stripe_,
    "slack_sdk": slack_sdk,
    "cloudevents-structured": lambda message: cloudevent(message, to_structured_event),
    "cloudevents-binary": lambda message: cloudevent(message, to_binary_event),
    "aisentinel": of_system("x-aisentinel-signature", ""),
    "authensor": of_system("x-authensor-signature", "sha256="),
    "aisg": of_system("X-AISG-Signature", "sha256="),
    "secureagentics": of_system("X-Secureagentics-Signature", ""),
    "omegaengine": omegaengine,
}


if __name__ == "__main__":
    messages = json.load(sys.stdin)
    json.dump([LIBRARIES[one.pop("library")](Message(**one)) for one in messages], sys.stdout)
