"""Third parties against third parties, none of our code: what each signs, in either language, each verifier and
receiver accepts, and refuses with a letter changed. Run with the tools' Python, and NODE_PATH set to the tools'
`node_modules`: `python test_thirds.py`. Stops at the first check that fails, and says how many held."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EVENTS = HERE.parent.parent / "infra" / "events"
PROGRAMS = {"py": sys.executable, "mjs": "node"}
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
# RFC 8032, section 7.1, tests 1 and 2: a seed and its public key, and another's public key.
ED25519_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
ED25519_PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
ED25519_OTHER = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SECRETS = {
    "aisentinel": "a secret of AISentinel",
    "authensor": "a secret of Authensor",
    "aisg": STANDARD_SECRET,
    "secureagentics": "ein Schlüssel für Adrian",
    "omegaengine": OTHER_SECRET,
}
HEADERS = {
    "aisentinel": "x-aisentinel-signature",
    "authensor": "x-authensor-signature",
    "aisg": "X-AISG-Signature",
    "secureagentics": "X-Secureagentics-Signature",
    "omegaengine": "x-omegaengine-signature",
}
Sent = dict[str, Any]
checks: Counter[str] = Counter()


def check(topic: str, holds: bool, found: object) -> None:
    if not holds:
        sys.exit(f"not so: {topic}: {found}")
    checks[topic] += 1


def run(script: str, cases: list[dict[str, Any]]) -> list[Any]:
    command = [PROGRAMS[script.split(".")[1]], str(HERE / script)]
    done = subprocess.run(command, input=json.dumps(cases).encode(), capture_output=True, timeout=60)
    check("a script ends well", done.returncode == 0, done.stderr.decode())
    answers = json.loads(done.stdout)
    check("a script answers each case", len(answers) == len(cases), answers)
    return answers


def changed(body: str) -> str:
    """With one letter changed inside a text, so that it stays the JSON that it was."""
    return body.replace("e", "f", 1)


# Libraries


def ed25519(prefix: str, key: str) -> str:
    return prefix + base64.b64encode(bytes.fromhex(key)).decode()


def both(library: str) -> list[tuple[str, str]]:
    return [("py", library), ("mjs", library)]


ASYMMETRIC = [("py", "cryptography"), ("mjs", "node:crypto")]
OCTOKIT = [("mjs", "@octokit/webhooks-methods")]
# Signers, their secret; verifiers, their secret, a secret that is another's.
SCHEMES = [
    (both("standardwebhooks"), STANDARD_SECRET, both("standardwebhooks") + both("svix"), STANDARD_SECRET, OTHER_SECRET),
    (both("svix"), STANDARD_SECRET, both("svix"), STANDARD_SECRET, OTHER_SECRET),
    (
        ASYMMETRIC,
        ed25519("whsk_", ED25519_SEED),
        ASYMMETRIC,
        ed25519("whpk_", ED25519_PUBLIC),
        ed25519("whpk_", ED25519_OTHER),
    ),
    (both("stripe"), "whsec_stripe", both("stripe"), "whsec_stripe", "whsec_other"),
    ([("py", "slack_sdk")], "of Slack", [("py", "slack_sdk")], "of Slack", "of another"),
    (OCTOKIT, "of GitHub", OCTOKIT, "of GitHub", "of another"),
]
BODIES = ['{"type":"a.type","data":{"text":"Müller & Söhne – 発 \\u2028","number":0.85}}', '{"type":"a.type"}']


def message(library: str, secret: str, body: str) -> dict[str, Any]:
    now = int(time.time())
    return {"library": library, "secret": secret, "id": "msg_1", "timestamp": now, "type": "a.type", "body": body}


def case(library: str, secret: str, headers: dict[str, str], body: str) -> dict[str, Any]:
    encoded = base64.b64encode(body.encode()).decode()
    return {"library": library, "secret": secret, "headers": headers, "body_base64": encoded}


def libraries() -> None:
    for signers, secret, verifiers, public, other in SCHEMES:
        for language, signer in signers:
            signed = run(f"sign.{language}", [message(signer, secret, body) for body in BODIES])
            for language, verifier in verifiers:
                cases = []
                for one in signed:
                    cases.append(case(verifier, public, one["headers"], one["body"]))
                    cases.append(case(verifier, public, one["headers"], changed(one["body"])))
                    cases.append(case(verifier, other, one["headers"], one["body"]))
                    cases.append(case(verifier, public, {}, one["body"]))
                answers = run(f"verify.{language}", cases)
                wrong = [answer is True or not isinstance(answer, str) for at, answer in enumerate(answers) if at % 4]
                check(f"{verifier} accepts {signer}", all(answer is True for answer in answers[::4]), answers)
                check(f"{verifier} refuses what is not {signer}'s", not any(wrong), answers)


def cloudevents() -> None:
    for signing in ["py", "mjs"]:
        modes = ["cloudevents-structured", "cloudevents-binary"]
        for mode, one in zip(modes, run(f"sign.{signing}", [message(mode, "", BODIES[0]) for mode in modes])):
            for verifying in ["py", "mjs"]:
                headers = {name: value for name, value in one["headers"].items() if name.lower() != "ce-type"}
                typeless = case("cloudevents", "", headers, one["body"].replace('"type"', '"tipe"'))
                answers = run(f"verify.{verifying}", [case("cloudevents", "", one["headers"], one["body"]), typeless])
                check(f"cloudevents reads {mode}", answers[0] is True, answers)
                check("cloudevents refuses an event without a type", isinstance(answers[1], str), answers)


# Receivers


def ecmascript(value: Any) -> Any:
    """So that Python writes numbers as JSON.stringify does; the samples hold none below 1e-4 or above 1e15."""
    if isinstance(value, dict):
        return {name: ecmascript(one) for name, one in value.items()}
    if isinstance(value, list):
        return [ecmascript(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def envelope(system: str, event: dict[str, Any], delivery: str) -> dict[str, Any]:
    """As each system's contract says."""
    kind, at, data = event["type"], event["time"], event["data"]
    if system == "aisentinel":
        retry = {"attempt": 1, "maxAttempts": 8, "firstAttemptAt": at, "reason": None}
        return {
            "id": event["id"],
            "event": kind,
            "tenant": "acme",
            "createdAt": at,
            "auditId": event.get("auditid"),
            "data": data,
            "deliveryId": delivery,
            "retry": retry,
        }
    if system == "authensor":
        if len(json.dumps(data)) > 3500:
            url = "https://waxseal.example/events/evt_1"
            data = {"truncated": True, "size_bytes": len(json.dumps(data)), "url": url}
        return {
            "type": kind,
            "timestamp": at,
            "agent_id": event.get("agentid"),
            "summary": event.get("summary", kind),
            "details": data,
            "audit_url": event.get("auditurl"),
        }
    if system == "aisg":
        return {"event": kind, "project_id": "acme", "webhook_id": delivery, "data": data, "text": f"{kind} in acme"}
    if system == "secureagentics":
        return {"id": delivery, "type": kind, "timestamp": at, "data": data}
    return {"event": kind, "timestamp": at, "decision" if kind.startswith("decision.") else "data": data}


def compact(value: Any) -> str:
    return json.dumps(ecmascript(value), separators=(",", ":"), ensure_ascii=False)


def envelopes(system: str, label: str) -> list[dict[str, Any]]:
    events = json.loads((EVENTS / f"{system}.json").read_text())
    if system == "secureagentics":
        events.append({"type": "webhook.ping", "time": "2026-06-15T08:34:00Z", "data": {}})
    return [envelope(system, event, f"dlv_{label}_{at}") for at, event in enumerate(events)]


class Receiver:
    """A running receiver."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def call(self, path: str, sent: Sent | None = None, webhook_id: str | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.base}/{path}")
        if sent is not None:
            ids = {"webhook-id": webhook_id} if webhook_id else {}
            headers = sent["headers"] | ids
            request = urllib.request.Request(f"{self.base}/{path}", sent["body"].encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def receiver(script: str, secrets: dict[str, str]) -> Iterator[Receiver]:
    command = [PROGRAMS[script.split(".")[1]], str(HERE / script)]
    environment = os.environ | {"SECRETS": json.dumps(secrets)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdin and process.stdout
    try:
        yield Receiver(json.loads(process.stdout.readline())["port"])
        process.stdin.close()
        check("a receiver ends when its standard input closes", process.wait(10) == 0, process.returncode)
    finally:
        process.kill()


def sign(language: str, system: str, bodies: list[str], secret: str | None = None) -> list[Sent]:
    secret = SECRETS[system] if secret is None else secret
    return run(f"sign.{language}", [message(system, secret, body) for body in bodies])


def accepts(at: Receiver, path: str, system: str) -> None:
    """Every sample, signed in both languages; each again as a repetition; each refused when changed."""
    expected = []
    for language in ["py", "mjs"]:
        sample = envelopes(system, language)
        for number, one in enumerate(sign(language, system, [compact(body) for body in sample])):
            webhook_id = f"dlv_{language}_{number}"
            first, again = at.call(path, one, webhook_id), at.call(path, one, webhook_id)
            check(f"/{path} accepts", first == (200, {"received": True, "duplicate": False}), first)
            check(f"/{path} knows a duplicate", again == (200, {"received": True, "duplicate": True}), again)
            expected.append({"id": webhook_id, "type": sample[number].get("event") or sample[number]["type"]})
            status, answer = at.call(path, one | {"body": changed(one["body"])}, "dlv_changed")
            check(
                f"/{path} refuses a changed letter", (status, answer) == (401, {"error": "invalid_signature"}), answer
            )
    seen = at.call("seen")[1][path]
    check("/seen lists what was accepted", seen["accepted"] == expected, seen)
    counts = (seen["duplicates"], seen["refused"], seen["malformed"])
    check("/seen counts", counts == (len(expected), len(expected), []), seen)


def refuses(at: Receiver, path: str, system: str) -> None:
    """No signature, another's; and, well signed, a body that lacks a member."""
    body = envelopes(system, "malformed")[0]
    unsigned = {"headers": {"content-type": "application/json"}, "body": compact(body)}
    # What compares unequal lengths with timingSafeEqual throws.
    throws = (401, 500) if system == "omegaengine" else (401,)
    check(f"/{path} refuses what is unsigned", at.call(path, unsigned)[0] in throws, path)
    [other] = sign("py", system, [compact(body)], "another's")
    check(f"/{path} refuses another's signature", at.call(path, other)[0] == 401, path)
    lacking = [{name: value for name, value in body.items() if name != lack} for lack in body]
    for lack, one in zip(body, sign("py", system, [compact(one) for one in lacking])):
        status, answer = at.call(path, one)
        check(f"/{path} wants every member", status == 400 and lack in answer["reason"], (lack, answer))
    mistyped = [{name: 7 if name == wrong else value for name, value in body.items()} for wrong in body]
    for wrong, one in zip(body, sign("mjs", system, [compact(one) for one in mistyped])):
        status, answer = at.call(path, one)
        check(f"/{path} wants every type", status == 400 and wrong in answer["reason"], (wrong, answer))


PATHS = {
    "receivers_flask.py": ["aisentinel", "authensor", "aisg", "secureagentics", "omegaengine", "omegaengine-header"],
    "receivers_fastapi.py": ["aisentinel", "aisg-lambda"],
    "receivers_node.mjs": ["aisentinel", "authensor", "secureagentics", "omegaengine", "omegaengine-header"],
}


def receivers() -> None:
    for script, paths in PATHS.items():
        with receiver(script, SECRETS) as at:
            for path in paths:
                system = path.split("-")[0]
                accepts(at, path, system)
                refuses(at, path, system)


def without_secrets() -> None:
    for script, paths in PATHS.items():
        with receiver(script, {"authensor": ""}) as at:
            for path in paths:
                system = path.split("-")[0]
                body = compact(envelopes(system, "unsigned")[0] | ({"signature": ""} if "omega" in system else {}))
                status = at.call(path, {"headers": {HEADERS[system]: ""}, "body": body})[0]
                optional = system in ("authensor", "secureagentics")
                check(f"/{path} without a secret", (status == 200) == optional, status)


def differences() -> None:
    """Where receivers of one system differ: what a sender must get right for all."""
    decision = compact(envelopes("omegaengine", "number")[0]).replace("0.85", "1.0")
    audit = compact(envelopes("aisentinel", "number")[0]).replace("125000.5", "125000.0")
    [omegaengine], [aisentinel] = sign("py", "omegaengine", [decision]), sign("py", "aisentinel", [audit])
    long = compact(envelopes("authensor", "long")[0] | {"summary": "x" * 4096})
    [authensor] = sign("py", "authensor", [long])
    short = omegaengine | {"body": decision[:-1] + ',"signature":"sha256="}'}
    with receiver("receivers_flask.py", SECRETS) as flask, receiver("receivers_node.mjs", SECRETS) as node:
        for path, sent, raw, parsed in [
            ("aisentinel", aisentinel, 200, 401),
            ("omegaengine", omegaengine, 200, 401),
            ("omegaengine", short, 401, 500),
            ("authensor", authensor, 400, 400),
        ]:
            statuses = (flask.call(path, sent)[0], node.call(path, sent)[0])
            check("receivers differ where they should", statuses == (raw, parsed), (path, statuses))


if __name__ == "__main__":
    for part in [libraries, cloudevents, receivers, without_secrets, differences]:
        part()
    for topic, held in sorted(checks.items()):
        print(f"{held:5} {topic}")
