"""Behind a reverse proxy that leaves its own path in front of ours (HTTP_PATH_PREFIX)."""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from fastapi.responses import RedirectResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class WithoutPrefix:
    """An ASGI application that answers below `prefix` as well as without it, so that it does not matter whether the
    proxy cuts it off. `own` are the paths of `app`: they stay what they are, below a prefix such as `/health` too."""

    def __init__(self, app: App, prefix: str, own: Collection[str]) -> None:
        self._app, self._prefix, self._own = app, prefix, own

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path in self._own:
            await self._app(scope, receive, send)
        elif path == self._prefix:  # the page's links are relative: they need the slash
            await RedirectResponse(f"{self._prefix.rpartition('/')[2]}/")(scope, receive, send)
        else:
            below = path.startswith(f"{self._prefix}/")
            await self._app({**scope, "path": path.removeprefix(self._prefix)} if below else scope, receive, send)


class HeadAsGet:
    """An ASGI application that answers HEAD (RFC 9110, 9.3.2), as load balancers ask: as GET, and the server leaves the
    body out."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        head = scope.get("method") == "HEAD"
        await self._app({**scope, "method": "GET"} if head else scope, receive, send)
