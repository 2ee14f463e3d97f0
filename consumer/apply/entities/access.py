"""Everything by which one entity type's data is reached, made once for the whole process."""

from dataclasses import dataclass

from neon_projector.consumer.apply.entities.parked import ParkedEvents
from neon_projector.consumer.apply.entities.reader import EntityReader
from neon_projector.consumer.apply.entities.relations import Relations
from neon_projector.consumer.apply.entities.store import EntityStore
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.statements import statements_for


@dataclass(frozen=True, slots=True)
class Access:
    """Reads and writes of one entity type, and its relations to others."""

    projection: Projection
    reader: EntityReader
    store: EntityStore
    parked: ParkedEvents
    relations: Relations

    @property
    def entity(self) -> str:
        return self.projection.entity


def access_to(registry: Registry, projection: Projection, relations: Relations) -> Access:
    """Make the statements of one projection, and what executes them."""
    sql = statements_for(registry, projection)
    return Access(
        projection,
        EntityReader(projection, sql),
        EntityStore(projection, sql),
        ParkedEvents(projection, registry.event_types, sql),
        relations,
    )
