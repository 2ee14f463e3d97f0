"""Records as Kafka can hold them, through a real broker and the running service, from a seed.

For `FUZZ_SECONDS` (40), or until 50,000 are sent. A failure is repeated with the `FUZZ_SEED` that it names.
"""

import json
import os
import random
import time
from collections import Counter

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.registry import REGISTRY
from tests.service.test_memory import peak_megabytes
from tests.support.factories import ARecord
from tests.support.fuzz import SECRET, Fuzz
from tests.support.projector import command, running_projector
from tests.support.raw_kafka import RawRecord, a_batch, raw_producer
from tests.support.world import World

SECONDS = float(os.environ.get("FUZZ_SECONDS", "40"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
MOST = int(SECONDS * 1_250)
"""Records sent. A quick machine would otherwise send so many that to verify and retry them takes minutes."""
BOUND_MB = 300
LATER = {Reason.VERSION_CONFLICT, Reason.DELETED, Reason.ERASED, Reason.WRONG_OWNER, Reason.REFUSED_BY_DATABASE}
"""What decoding can't find out."""

Place = tuple[int, int]


@pytest.mark.timeout(SECONDS + 240)
async def test_whatever_kafka_holds_the_service_goes_on(world: World) -> None:
    print(f"FUZZ_SEED={SEED}")  # noqa: T201  pytest shows it with a failure
    await world.create_topics(partitions=2)
    fuzz, decode = Fuzz(SEED), Decoder(REGISTRY)
    expected: dict[Place, Reason] = {}
    sent = 0
    with running_projector(world.settings, afresh=True) as projector:
        async with raw_producer(world.bootstrap, users=world.users) as producer:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until and sent < MOST:
                records, partition = fuzz.batch(), fuzz.partition
                first = await producer.send("users", a_batch(records, fuzz.codec), partition)
                for offset, record in enumerate(records, first):
                    if isinstance(rejection := decode.carefully(as_read(record, world.users)), Rejection):
                        expected[partition, offset] = rejection.reason
                sent += len(records)
                assert projector.process.poll() is None, f"it has ended: FUZZ_SEED={SEED}"
        await world.until_consumed(sent, seconds=120)
        assert projector.get("/health/ready")[0] == 200
        peak = peak_megabytes(projector.process.pid)
        verified = command("verify", settings=world.settings, timeout=120)
        assert projector.terminate() == 0
        assert SECRET not in projector.logged()
    assert (verified.returncode, "all are what the topics say" in verified.stdout) == (0, True), verified.stdout
    assert peak < BOUND_MB, f"{peak} MB"
    await all_is_accounted_for(world, sent, expected)
    for table, ids in fuzz.good.items():
        assert await world.value(f"SELECT count(*)::int FROM {table} WHERE id = ANY($1)", ids) == len(ids)
    await what_is_kept_is_harmless(world)


async def all_is_accounted_for(world: World, sent: int, expected: dict[Place, Reason]) -> None:
    totals = await world.totals()
    assert sum(totals.values()) == sent == await world.end_offsets()
    letters = await world.rows('SELECT partition, "offset", reason, value FROM projector.dead_letters')
    found = {(row["partition"], row["offset"]): Reason(row["reason"]) for row in letters}
    waited = [row for row in letters if Reason(row["reason"]) in LATER and row["value"] is None]  # it counted as parked
    assert len(found) == len(letters) == totals["rejected"] + len(waited)
    assert len(waited) <= totals["parked"]
    assert {place: reason for place, reason in found.items() if reason not in LATER} == expected
    assert Reason.UNDECODABLE not in expected.values(), Counter(expected.values())


async def what_is_kept_is_harmless(world: World) -> None:
    kept = await world.rows("SELECT id, key, value, headers::text, event_id, source, type FROM projector.dead_letters")
    assert not [row["id"] for row in kept if SECRET in str(row)]
    ids = [str(row["id"]) for row in kept if "\\x1b" in str(row)][:3]
    shown = [command("dead-letters", "list", settings=world.settings)]
    shown += [command("dead-letters", "show", id_, settings=world.settings) for id_ in ids]
    assert all(one.returncode == 0 for one in shown)
    assert not [c for one in shown for c in one.stdout if ord(c) < 32 and c != "\n"]
    retried = command(
        "dead-letters", "retry", "--reason", "invalid_text", "--json", settings=world.settings, timeout=120
    )
    groups = json.loads(retried.stdout)["groups"]
    assert not {group["outcome"] for group in groups} - {"rejected"}, groups


def as_read(record: RawRecord, topic: str) -> ARecord:
    """As the service has it: bytes of a header's name that are no UTF-8 are lone surrogates."""
    headers = tuple((name.decode("utf-8", "surrogateescape"), value) for name, value in record.headers)
    return ARecord(record.value, record.key, headers, topic)
