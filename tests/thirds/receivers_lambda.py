"""AISG's receiver as a Lambda function behind an HTTP API or a function URL: header names in lower case, the body
as text. As on the system's page, nothing else: a REST API's header names and a base64-encoded body fail here."""

import hashlib
import hmac
import json
from typing import Any

from record import Record, secret

KEY = secret("aisg")
RECORD = Record("aisg")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    body = event["body"]
    given = event["headers"].get("x-aisg-signature", "")
    expected = "sha256=" + hmac.new(KEY, body.encode(), hashlib.sha256).hexdigest()
    verified = hmac.compare_digest(given.encode(), expected.encode())
    # What was there before, by `webhook_id`, is answered as received, and not handled again.
    status, answer = RECORD.receive(verified, body.encode(), event["headers"].get("webhook-id"))
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
