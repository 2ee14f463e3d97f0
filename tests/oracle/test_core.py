"""Thousands of histories against the pure core alone: in any order, at any moment, it is the definition."""

import random
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.packed import ENCODER, Packed, Packing, digest, newest_of_complete
from tests.oracle.arrival import ORDERS, with_repeats
from tests.oracle.definition import define
from tests.oracle.test_oracle import plain
from tests.oracle.upstream import Upstream
from tests.support.comments import WITH_COMMENTS
from tests.support.factories import a_record

HISTORIES = 300
"""For each order and registry: 2,400 in all."""
Key = tuple[str, UUID]
Row = tuple[int, dict[str, Any] | None]


@pytest.mark.parametrize("registry", [REGISTRY, WITH_COMMENTS], ids=["users and documents", "and comments"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_core_is_the_definition(order: str, registry: Registry) -> None:
    decode, entities = Decoder(registry), [projection.entity for projection in registry]
    for seed in range(HISTORIES):
        rng = random.Random(f"core {order} {seed}")
        events = ORDERS[order](Upstream(rng).live(rng.randint(10, 40), comments="comment" in entities), rng)
        arriving = with_repeats(events, rng)
        looks = {rng.randrange(len(arriving) + 1) for _ in range(4)} | {len(arriving)}
        computed, received = list[Event](), list[dict[str, Any]]()
        for number, event in enumerate([None, *arriving]):
            if event is not None:
                decoded = decode(a_record(event, topic="t"))
                assert isinstance(decoded, Event)
                computed.append(decoded)
                received.append(event)
            if number in looks:
                compare(registry, computed, received, entities, f"{order}, seed {seed}, after {number} events")


def compare(
    registry: Registry, computed: list[Event], received: list[dict[str, Any]], entities: list[str], where: str
) -> None:
    defined, found = define(received), states(registry, computed)
    for entity in entities:
        there = {key[1]: row for key, row in found.items() if key[0] == entity and present(registry, found, key)}
        shown = {i: (version, plain(dict(fields or {}))) for i, (version, fields) in there.items()}
        carried = registry[entity].carried
        expected = {
            i: (version, {c: digest(v) if c in carried else v for c, v in plain(row).items()})
            for i, (version, row) in defined.shown(entity).items()
        }
        assert shown == expected, f"{where}: {entity}s"


def states(registry: Registry, events: Iterable[Event]) -> dict[Key, Row]:
    """The newest state of each entity, by way of the form in which `verify` keeps events on disk."""
    packing = Packing(registry, [("t", 0)], pgproto.UUID)
    own: dict[tuple[int, bytes], list[Packed]] = {}
    for packed in packing.decode_many(ENCODER.encode([packing.pack(event) for event in events])):
        own.setdefault((packed.entity, packed.id), []).append(packed)
    found: dict[Key, Row] = {}
    for (number, _), some in own.items():
        projection, [one] = packing.projections[number], packing.possible(some)
        key = projection.entity, packing.new_id(some[0].id)
        if one.state is not None:
            found[key] = one.state.version, None if one.state.fields is None else dict(one.state.fields)
        if (newest := newest_of_complete(some)) is not None:
            columns = packing.columns[number]
            assert found[key] == (newest.version, dict(zip(columns, packing.values(newest), strict=True)))
    return found


def present(registry: Registry, found: dict[Key, Row], key: Key) -> bool:
    """It and all its parents exist and are not deleted."""
    if (row := found.get(key, (0, None))[1]) is None:
        return False
    return all(present(registry, found, (p.entity, row[p.column])) for p in registry[key[0]].parents)
