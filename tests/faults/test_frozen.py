"""A process that is frozen in the middle of a transaction holds nobody up for long, wherever it is frozen."""

import json

import asyncpg
import pytest

from consumer.gate import CLAIM_KEY, GATE_KEY
from tests.support.projector import eventually, running_projector
from tests.support.world import World

SOON = 40
"""Seconds: 15 until it counts as frozen, 5 until somebody looks, and a slow machine."""
HOLDING = {
    "a batch": f"BEGIN; SELECT pg_advisory_xact_lock({GATE_KEY})",
    "a claim": f"BEGIN; SELECT pg_advisory_xact_lock_shared({CLAIM_KEY}); SELECT 1 FROM projector.offsets FOR UPDATE",
}


@pytest.mark.parametrize("holding", HOLDING)
async def test_promise_5_1_one_frozen_between_preparing_a_statement_and_executing_it_is_ended(
    backlog: World, holding: str
) -> None:
    settings = backlog.settings | {"LOG_FORMAT": "json"}
    with running_projector(settings) as before:
        eventually("there are positions", lambda: before.status().get("batches", 0) > 0)
        assert before.terminate() == 0
    frozen = await asyncpg.connect(backlog.database_url)
    await frozen.execute(HOLDING[holding])
    await frozen.prepare("SELECT $1::int")  # and nothing more: the server waits for the rest
    with running_projector(settings) as heir:
        eventually("a batch is written", lambda: heir.status().get("batches", 0) > 0, SOON)
        said = [json.loads(line)["message"] for line in heir.logged().splitlines()]
        assert heir.terminate() == 0
    assert "another process holds us up and is frozen; its transactions are ended: 1" in said
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await frozen.execute("COMMIT")
