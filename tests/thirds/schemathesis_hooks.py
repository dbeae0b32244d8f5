"""What JSON Schema cannot say: refusals that schemathesis may meet of requests that fit the document.

Each is known by its operation, pointer and words, so that any other refusal is a finding.
"""

import re

import schemathesis

ENDPOINT = {"createEndpoint", "changeEndpoint", "matchEndpoint", "matchDraft"}
# Operations, pointers, words.
REFUSALS = [
    # A URL is more than its pattern: its host, its port, where it leads.
    (ENDPOINT, r"/(url|auth/token_url)", r"is not an absolute URL|must (not|have port)|is (not )?(an ARN|the ARN)"),
    # Event patterns are a language of their own.
    (ENDPOINT, r"/filter.*", r".*"),
    # The deployment may add profiles.
    (ENDPOINT | {"putSource", "verify"}, "/profile", r"is not known"),
    # A profile says which headers are its own, and what its secrets look like.
    (ENDPOINT, r"/headers/.*", r"is not a header name that may be set"),
    (ENDPOINT | {"rotateSecret"}, "/secret", r".*"),
    (ENDPOINT | {"rotateSecret"}, "/algorithm", r"is not one of the profile's"),
    ({"putSource"}, r"/secrets/\d+", r".*"),
    # Sums, and one member beside another.
    (ENDPOINT, "/retry/delays_s", r"sums to over \d+ seconds"),
    (ENDPOINT, "/auth", r"is for URLs"),
    ({"verify"}, "/secrets", r"must be 1 to 5 in all"),
    ({"verify"}, "/body", r"must be given, or else body_base64"),
    ({"verify"}, "/body_base64", r"is not base 64"),
    ({"recoverDeliveries"}, "/cursor", r"must be one that an earlier call was answered with"),
    ({"recoverDeliveries"}, "/since", r"must not be after until, nor in the future"),
    # An event's tenant is the path's; a catalogue's schema is the tenant's own.
    ({"sendEvents"}, "/tenant", r"is not the tenant that the request is for"),
    ({"sendEvents"}, "/data.*", r".*"),
    ({"putEventType"}, r"/(schema|example).*", r".*"),
    # A profile's file is told by shared/verify/profiles/README.md.
    ({"putProfile"}, r".*", r".*"),
    # How much there may be of something.
    (ENDPOINT | {"createKey", "putSource", "putEventType"}, r"", r".*, its limit"),
    # The same key, another body.
    ({"createEndpoint"}, r"", r"this Idempotency-Key was sent with another body before"),
]


def is_known(operation, fault):
    return any(
        operation in operations and re.fullmatch(pointer, fault["pointer"], re.DOTALL) and re.match(words, fault["detail"])
        for operations, pointer, words in REFUSALS
    )


@schemathesis.hook
def filter_failure(context, failure, case, response):
    name = case.operation.definition.raw.get("operationId")
    kind = type(failure).__name__
    if kind == "RejectedPositiveData" and response.status_code == 422:
        return not all(is_known(name, fault) for fault in response.json()["errors"])
    if kind == "RejectedPositiveData" and response.status_code == 400:
        # Each list has cursors of its own, known to nobody else.
        return response.json()["detail"] != "cursor must be one that a page of this list was answered with"
    if kind == "AcceptedNegativeData" and name == "sendEvents" and isinstance(case.body, list):
        # An array is answered event by event: what is wrong with one is its own result.
        results = response.json().get("results", [])
        return all(result.get("status") != 422 for result in results)
    return True
