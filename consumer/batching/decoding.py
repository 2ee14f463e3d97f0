"""Decodes a batch, in short stretches: others (heartbeats) have their turn between them."""

import asyncio
from collections.abc import Mapping

from neon_projector.consumer.batch import Batch
from neon_projector.consumer.batching.divide import Portion
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded

STRETCH_RECORDS, STRETCH_BYTES = 250, 2 * 1024 * 1024
"""So many records, or bytes, are decoded at a stretch before others have their turn."""


async def decode(portion: Portion, decoder: Decoder, parent_depths: Mapping[str, int]) -> Batch:
    """The batch of these records; `parent_depths` is by topic."""
    depths = [parent_depths.get(part.partition.topic, 0) for part in portion]
    batch = Batch(min_depth=min(depths, default=0), max_depth=max(depths, default=0))
    stretch = 0.0
    for part in portion:
        decoded: list[Decoded] = []
        step = max(1, min(STRETCH_RECORDS, STRETCH_BYTES * len(part.records) // (part.size or 1)))
        for start in range(0, len(part.records), step):
            if stretch >= 1:
                await asyncio.sleep(0)
                stretch = 0
            records = part.records[start : start + step]
            decoded += decoder.all(records)
            stretch += len(records) / step
        batch.add(part, decoded)
    return batch
