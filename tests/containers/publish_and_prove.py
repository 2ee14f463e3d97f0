"""Run inside the image: publishes so many records of the demo's stream, waits until they are consumed, and compares.

What it prints are JSON lines: `half` when half of them are published, and at the end the figures and what differs.
"""

import asyncio
import json
import os
import sys
import time

import asyncpg

from neon_projector.consumer.demo.proof import prove
from neon_projector.consumer.demo.publish import Publisher
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth

SEED = 6
CONSUMED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM projector.offsets"
DRAIN_SECONDS = 90


async def main(records: int) -> None:
    truth = Truth()
    async with Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"], truth) as publisher:
        publishing = asyncio.create_task(publisher.publish(Stream(truth, SEED), asyncio.Event(), records))
        while not publishing.done() and truth.published < records / 2:
            await asyncio.wait({publishing}, timeout=0.05)
        tell({"half": truth.published})
        await publishing
    seconds = await drained(truth.published)
    checks = await prove(os.environ["NEON_DATABASE_URL"], truth)
    differences = [f"{check.name}: {difference}" for check in checks for difference in check.differences[:5]]
    figures = {
        "published": truth.published,
        "users": len(truth.users.by_id()),
        "documents": len(truth.documents.by_id()),
        "dead_letters": len(truth.dead_letters),
        "drained_seconds": round(seconds, 2),
    }
    tell({**figures, "checks": len(checks), "differences": differences})


async def drained(records: int) -> float:
    """The seconds until the positions have moved past `records`."""
    start = time.monotonic()
    connection = await asyncpg.connect(os.environ["NEON_DATABASE_URL"])
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while await connection.fetchval(CONSUMED) < records:
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
    return time.monotonic() - start


def tell(line: object) -> None:
    print(json.dumps(line), flush=True)


asyncio.run(main(int(sys.argv[1])))
