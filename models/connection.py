"""The driver's connection, which does not insist on a farewell."""

import asyncpg

FAREWELL_SECONDS = 2.0


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """Closes within a moment. The driver would wait for the server's answer as long as for a statement's."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  the driver's own signature
        try:
            await super().close(timeout=timeout or FAREWELL_SECONDS)
        except TimeoutError:
            self.terminate()
