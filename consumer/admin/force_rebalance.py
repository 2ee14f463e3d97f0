"""Makes a running service read its positions again, also where nothing comes in.

A service that writes is fenced by a new position at once. One that idles asks the database nothing, so it would go on
waiting at the old place. Kafka reaches it: somebody who joins the group and leaves makes every member give its
partitions up and claim them again, and a claim reads the position.
"""

import asyncio

from neon_projector.consumer.admin.group import group_of
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.force_rebalance import join_and_leave
from neon_projector.consumer.settings import Settings

JOIN_SECONDS = 60.0
"""A member that is frozen is given up after its session; one that writes finishes first."""


async def force_rebalance(settings: Settings) -> int:
    """Let the group's members claim their partitions again; returns how many members there were: 0, nothing is done.

    TransientError where the group does not come to an agreement within a minute: the positions are set nevertheless.
    """
    members = len((await group_of(settings)).members)
    if members:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await join_and_leave(settings)
        except TimeoutError:
            raise TransientError("the group does not settle; restart its members", "kafka") from None
    return members
