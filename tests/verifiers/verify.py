"""Reads cases from standard input and prints how many the PyPI package `standardwebhooks` accepts."""

import json
import sys

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

accepted = 0
for case in json.load(sys.stdin):
    try:
        Webhook(case["secret"]).verify(case["body"], case["headers"])
        accepted += 1
    except WebhookVerificationError as error:
        print(error, file=sys.stderr)
print(accepted)
