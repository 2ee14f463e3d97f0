"""Thousands of histories against the pure core alone: in any order, at any moment, it is the definition."""

import random
from typing import Any

import pytest

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.recompute import Recomputation
from tests.oracle.arrival import ORDERS, with_repeats
from tests.oracle.comments import WITH_COMMENTS
from tests.oracle.definition import define
from tests.oracle.test_oracle import plain
from tests.oracle.upstream import Upstream
from tests.support.factories import a_record

HISTORIES = 300
"""For each order and registry: 2,400 in all."""


@pytest.mark.parametrize("registry", [REGISTRY, WITH_COMMENTS], ids=["users and documents", "and comments"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_core_is_the_definition(order: str, registry: Registry) -> None:
    decode, entities = Decoder(registry), [projection.entity for projection in registry]
    for seed in range(HISTORIES):
        rng = random.Random(f"core {order} {seed}")
        events = ORDERS[order](Upstream(rng).live(rng.randint(10, 40), comments="comment" in entities), rng)
        arriving = with_repeats(events, rng)
        looks = {rng.randrange(len(arriving) + 1) for _ in range(4)} | {len(arriving)}
        computed, received = Recomputation(registry), list[dict[str, Any]]()
        for number, event in enumerate([None, *arriving]):
            if event is not None:
                computed.add(decode(a_record(event)))
                received.append(event)
            if number in looks:
                compare(computed, received, entities, f"{order}, seed {seed}, after {number} events")


def compare(computed: Recomputation, received: list[dict[str, Any]], entities: list[str], where: str) -> None:
    defined = define(received)
    for entity in entities:
        shown = {s.id: (s.version, plain(dict(s.fields))) for s in computed.shown(entity)}
        expected = {i: (version, plain(row)) for i, (version, row) in defined.shown(entity).items()}
        assert shown == expected, f"{where}: {entity}s"
