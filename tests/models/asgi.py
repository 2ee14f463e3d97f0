"""Asks an ASGI application without a server."""

import json
from typing import Any

from fastapi import FastAPI


async def got(app: FastAPI, path: str) -> tuple[int, Any]:
    """The status and the body of a GET."""
    path, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
