"""The driver's connection, which does not insist on a farewell."""

import asyncpg

FAREWELL_SECONDS = 0.5
"""A pool closes its connections one after another, and a service that ends has ten seconds for everything."""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """Closes within a moment. The driver would wait for the server's answer as long as for a statement's."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  the driver's own signature
        try:
            await super().close(timeout=timeout or FAREWELL_SECONDS)
        except TimeoutError:
            self.terminate()
