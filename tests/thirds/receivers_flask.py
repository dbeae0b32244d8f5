"""Receivers of the five systems, in Flask, as the users of each would write them: over the raw bytes."""

import hashlib
import hmac
import logging
import re

from flask import Flask, Response, jsonify, request
from record import Record, announce, secret, unsigned, when_stdin_closes
from werkzeug.serving import make_server

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
PATHS = ["aisentinel", "authensor", "aisg", "secureagentics", "omegaengine", "omegaengine-header"]
RECORDS = {path: Record(path.removesuffix("-header")) for path in PATHS}
KEYS = {record.system: secret(record.system) for record in RECORDS.values()}


def hexdigest(system: str, payload: bytes) -> str:
    return hmac.new(KEYS[system], payload, hashlib.sha256).hexdigest()


def header_is(name: str, expected: str) -> bool:
    # As bytes: of text, compare_digest takes ASCII only, and throws.
    return hmac.compare_digest(request.headers.get(name, "").encode(), expected.encode())


def answer(path: str, verified: bool) -> tuple[Response, int]:
    status, body = RECORDS[path].receive(verified, request.get_data(), request.headers.get("webhook-id"))
    return jsonify(body), status


@app.post("/aisentinel")
def aisentinel() -> tuple[Response, int]:
    expected = hexdigest("aisentinel", request.get_data())
    return answer("aisentinel", header_is("x-aisentinel-signature", expected))


@app.post("/authensor")
def authensor() -> tuple[Response, int]:
    expected = "sha256=" + hexdigest("authensor", request.get_data())
    return answer("authensor", unsigned("authensor") or header_is("x-authensor-signature", expected))


@app.post("/aisg")
def aisg() -> tuple[Response, int]:
    # The whole `whsec_…` text is the key.
    expected = "sha256=" + hexdigest("aisg", request.get_data())
    return answer("aisg", header_is("X-AISG-Signature", expected))


@app.post("/secureagentics")
def secureagentics() -> tuple[Response, int]:
    expected = hexdigest("secureagentics", request.get_data())
    verified = unsigned("secureagentics") or header_is("X-Secureagentics-Signature", expected)
    return answer("secureagentics", verified)


# The signature covers the body without its last member. Not parsed and written again, as in JavaScript: Python
# writes 1e21 as `1e+21` too, but 1.0 as `1.0` (not `1`), 1e16 as `1e+16` (not `10000000000000000`) and 1e-7 as `1e-07`
# (not `1e-7`), so `json.dumps(separators=(",", ":"), ensure_ascii=False)` is not always what was signed.
SIGNATURE = re.compile(rb',"signature":"([^"\\]*)"\}\Z')


def omegaengine_payload(raw: bytes) -> bytes:
    return SIGNATURE.sub(b"}", raw)


@app.post("/omegaengine")
def omegaengine() -> tuple[Response, int]:
    raw = request.get_data()
    expected = "sha256=" + hexdigest("omegaengine", omegaengine_payload(raw))
    found = SIGNATURE.search(raw)
    return answer("omegaengine", found is not None and hmac.compare_digest(found[1], expected.encode()))


def verify_webhook(payload: bytes, signature: str, key: bytes) -> bool:
    """For users who are handed these three."""
    expected = "sha256=" + hmac.new(key, payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), expected.encode())


@app.post("/omegaengine-header")
def omegaengine_header() -> tuple[Response, int]:
    payload = omegaengine_payload(request.get_data())
    signature = request.headers.get("x-omegaengine-signature", "")
    return answer("omegaengine-header", verify_webhook(payload, signature, KEYS["omegaengine"]))


@app.get("/seen")
def seen() -> Response:
    return jsonify({path: record.seen() for path, record in RECORDS.items()})


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    when_stdin_closes(server.shutdown)
    announce(server.server_port)
    server.serve_forever()
