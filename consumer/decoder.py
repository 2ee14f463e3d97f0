"""The one decoder of the service and its commands: what reads a record otherwise than the service misleads."""

from uuid import UUID

from neon_projector.consumer.settings import EventSettings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.projection import Registry


def decoder_of(settings: EventSettings, registry: Registry, new_id: type[UUID] = UUID) -> Decoder:
    """Reads records within the settings' limits, as strictly as they say; `new_id` makes ids."""
    return Decoder(registry, settings.event_max_bytes, new_id, strict=settings.contract_strict)
