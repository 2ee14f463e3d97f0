"""One dead letter tried with another value than the one that came: what an operator has mended by hand.

The record's key, headers and place stay. The letter keeps the value that came; `operations` keeps both, masked as a
letter is. From there `verify` and `rebuild` read the mended one (`edits.py`).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters import edits
from neon_projector.consumer.admin.letters.attempt import Attempt, Candidate, write_down
from neon_projector.consumer.admin.letters.originals import LETTER_COLUMNS, KeptRecord, frame
from neon_projector.consumer.admin.letters.redrive import COMMAND
from neon_projector.consumer.admin.letters.tally import CHANGED, LOST, REJECTED, Tried
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.event import Event, Rejection
from neon_projector.projections.contract.mask import mask
from neon_projector.projections.contract.projection import Registry

_LOAD = text(f"""
    SELECT {LETTER_COLUMNS}, attempts, entity_id FROM {DEAD_LETTERS} WHERE id = :id AND status = 'new'""")

Row = dict[str, Any]


async def retry_edited(
    engine: AsyncEngine, settings: Settings, registry: Registry, number: int, value: bytes, *, execute: bool
) -> Tried:
    """Apply letter `number` with `value`; a value that is still bad changes nothing. Refused where there is no such new
    letter, or the value is no event of the letter's entity.

    Without `execute` the transaction is rolled back. TransientError where a server does not answer.
    """
    letter, settings = await _letter(engine, number), await as_the_service(engine, settings)
    decode = decoder_of(settings, registry)
    async with Records(settings) as records:
        kept = await frame(letter, records, decode)
    if kept is None:
        return Tried(number, LOST)
    record = KeptRecord(letter["topic"], letter["partition"], letter["offset"], kept.key, value, tuple(kept.headers))
    secrets = tuple(registry.secrets)
    decoded = decode(record)
    if isinstance(decoded, Rejection):
        return Tried(number, REJECTED, decoded.reason.value, decoded.error)
    if not isinstance(decoded, Event):
        raise Refused("the edited value is no event that this service reads")
    if letter["entity_id"] not in (None, decoded.id):
        raise Refused(f"the edited value is about {decoded.id}, the letter about {letter['entity_id']}")

    async def settle(connection: AsyncConnection, done: Sequence[Tried]) -> bool:
        if not execute or done[0].outcome in (REJECTED, CHANGED):
            return False
        await write_down(connection, done)
        trace = {"letter": number, "entity_id": str(decoded.id)}
        before, after = letter["value"] or b"", mask(value, registry.secrets)
        await operations.record(
            connection,
            COMMAND,
            before=trace | {"value": printed(before)},
            after=trace
            | {"value": printed(after), "outcome": done[0].outcome}
            | {"record": edits.kept(record, secrets)},
        )
        return True

    page = [Candidate(number, letter["attempts"], decoded)]
    (tried,) = [one async for done in Attempt(engine, registry).each(page, settle) for one in done]
    return tried


async def _letter(engine: AsyncEngine, number: int) -> Row:
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(_LOAD, {"id": number})).mappings().first()
    if row is None:
        raise Refused(f"no new dead letter: {number}")
    return dict(row)


def printed(value: bytes) -> str:
    """As JSON in the database can hold it: no NUL, bytes that are no text as `\\xff`."""
    return value.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
