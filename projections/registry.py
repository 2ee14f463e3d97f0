"""The projections of this service."""

from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.users import USERS

REGISTRY = Registry(USERS, DOCUMENTS)
