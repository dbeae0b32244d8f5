"""Third parties' libraries as verifiers. Reads cases from standard input, as JSON:

    [{"library": "svix", "secret": "whsec_…", "headers": {"svix-id": "…"}, "body_base64": "…"}]

and prints for each, in order, true or the library's own words: `[true, "No matching signature found"]`. A case of
`cloudevents` has no secret; what was parsed goes to standard error, a JSON line an event.
"""

import base64
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import stripe
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

TOLERANCE_SECONDS = 5 * 60
Headers = dict[str, str]


def standardwebhooks(secret: str, headers: Headers, body: bytes) -> None:
    Webhook(secret).verify(body, headers)


def svix(secret: str, headers: Headers, body: bytes) -> None:
    SvixWebhook(secret).verify(body, headers)


def stripe_(secret: str, headers: Headers, body: bytes) -> None:
    stripe.Webhook.construct_event(body, headers.get("stripe-signature"), secret)


def slack_sdk(secret: str, headers: Headers, body: bytes) -> None:
    if not SignatureVerifier(secret).is_valid_request(body, headers):
        raise ValueError("is_valid_request is False")


def cloudevents(secret: str, headers: Headers, body: bytes) -> None:
    event = from_http_event(HTTPMessage(headers, body))
    found = {"type": event.get_type(), "source": event.get_source(), "id": event.get_id()}
    print(json.dumps(found), file=sys.stderr)


def cryptography(secret: str, headers: Headers, body: bytes) -> None:
    """Standard Webhooks' asymmetric scheme, which its own package does not verify."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.removeprefix("whpk_"), validate=True))
    id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        raise ValueError("timestamp outside the tolerance")
    signed = f"{id}.{timestamp}.".encode() + body
    # Several while a key rotates.
    for one in headers["webhook-signature"].split(" "):
        if one.startswith("v1a,"):
            with suppress(InvalidSignature):
                return public.verify(base64.b64decode(one[4:], validate=True), signed)
    raise ValueError("no matching v1a signature")


LIBRARIES: dict[str, Callable[[str, Headers, bytes], None]] = {
    "standardwebhooks": standardwebhooks,
    "svix": svix,
    "stripe": stripe_,
    "slack_sdk": slack_sdk,
    "cloudevents": cloudevents,
    "cryptography": cryptography,
}


def verify(case: dict) -> bool | str:
    library = LIBRARIES[case["library"]]
    headers = {name.lower(): value for name, value in case["headers"].items()}
    body = base64.b64decode(case["body_base64"])
    try:
        library(case.get("secret", ""), headers, body)
    # Each library refuses with errors of its own, and some with whatever parsing threw.
    except Exception as error:
        return str(error) or type(error).__name__
    return True


if __name__ == "__main__":
    json.dump([verify(case) for case in json.load(sys.stdin)], sys.stdout)
