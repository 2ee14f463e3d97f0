"""Positions that went back anywhere: whatever then differs is ahead of them, and nothing that the topics prove is."""

import random
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.oracle.arrival import ORDERS, batches, said_twice, with_repeats
from tests.oracle.comparing import Found, compared
from tests.oracle.test_oracle import CLEAN
from tests.oracle.upstream import Upstream
from tests.races.stepping import Writer
from tests.service.test_meaning import ADA
from tests.support.comments import TABLE, WITH_COMMENTS
from tests.support.factories import a_user_event

PARTITIONS = 3


@pytest.mark.parametrize("order", ORDERS)
async def test_whatever_differs_where_positions_went_back_is_ahead(database: str, order: str, tmp_path: Path) -> None:
    connection, rng = await asyncpg.connect(database), random.Random(f"ahead {order}")
    await connection.execute(TABLE)
    await connection.execute(CLEAN)
    writer, upstream = Writer(database, 0, WITH_COMMENTS), Upstream(rng)
    upstream.create_user()
    events = ORDERS[order](upstream.live(80, comments=True), rng)
    received = [a_user_event(id=ADA), *with_repeats(said_twice(events, rng), rng)]
    for batch in batches(received, rng):
        await writer.write(await writer.batch(batch))
    ahead = 0
    for share in (0.0, 0.3, 0.6, 0.9):
        read, later = set_back(received, [rng.choice((0.0, share, 1.0)) if share else 0.0 for _ in range(PARTITIONS)])
        found, report = await compared(writer.engine, WITH_COMMENTS, read, tmp_path, later=later)
        assert {one.kind for one in found} <= {"ahead"}, (share, found)
        assert {str(one.id) for one in found} <= {event["data"]["id"] for event in later}, share
        assert (report.differing, report.verdict) == (0, "ahead" if found else "equal")
        ahead += len(found)
    assert ahead > 40
    await connection.execute("UPDATE users SET name = 'forged' WHERE id = $1", ADA)
    found, _ = await compared(writer.engine, WITH_COMMENTS, received, tmp_path, later=received)
    assert found == {Found("users", ADA, "different", "user")}, "old events that are published again are no excuse"
    await writer.engine.dispose()
    await connection.close()


def set_back(received: list[dict[str, Any]], shares: list[float]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is before the positions and what is behind, where each partition stands at a share of its records."""
    partitions: list[list[int]] = [[] for _ in shares]
    for number, event in enumerate(received):
        partitions[int(event["data"]["id"][-2:], 16) % len(shares)].append(number)
    before = {number for own, share in zip(partitions, shares, strict=True) for number in own[: int(len(own) * share)]}
    read = [event for number, event in enumerate(received) if number in before]
    return read, [event for number, event in enumerate(received) if number not in before]
