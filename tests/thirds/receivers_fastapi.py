"""Receivers in FastAPI: AISentinel's, over the raw bytes; and AISG's Lambda function, behind what an HTTP API does."""

import hashlib
import hmac
import socket
from typing import Any

import receivers_lambda
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from record import Record, announce, secret, when_stdin_closes

app = FastAPI()
RECORDS = {"aisentinel": Record("aisentinel"), "aisg-lambda": receivers_lambda.RECORD}
AISENTINEL_KEY = secret("aisentinel")


@app.post("/aisentinel")
async def aisentinel(request: Request) -> JSONResponse:
    raw = await request.body()
    expected = hmac.new(AISENTINEL_KEY, raw, hashlib.sha256).hexdigest()
    given = request.headers.get("x-aisentinel-signature", "")
    verified = hmac.compare_digest(given.encode(), expected.encode())
    status, body = RECORDS["aisentinel"].receive(verified, raw, request.headers.get("webhook-id"))
    return JSONResponse(body, status)


@app.post("/aisg-lambda")
async def aisg_lambda(request: Request) -> Response:
    event = {
        "version": "2.0",
        "rawPath": "/aisg-lambda",
        "headers": dict(request.headers),
        "body": (await request.body()).decode(),
        "isBase64Encoded": False,
    }
    answer = receivers_lambda.handler(event, None)
    return Response(answer["body"], answer["statusCode"], answer["headers"])


@app.get("/seen")
async def seen() -> dict[str, Any]:
    return {path: record.seen() for path, record in RECORDS.items()}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1))
    when_stdin_closes(lambda: setattr(server, "should_exit", True))
    announce(listener.getsockname()[1])
    server.run(sockets=[listener])
