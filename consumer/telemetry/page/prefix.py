"""Behind a reverse proxy that leaves its own path in front of ours (HTTP_PATH_PREFIX)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WithoutPrefix:
    """An ASGI application that answers below `prefix` as well as without it, so that it does not matter whether the
    proxy cuts it off."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]], prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path.startswith(f"{self._prefix}/"):
            scope = {**scope, "path": path.removeprefix(self._prefix)}
        await self._app(scope, receive, send)
