"""The projections of this service."""

from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.users import USERS

REGISTRY = Registry(USERS, DOCUMENTS)

CONTRACT_VERSION = "1.1"
"""The event contract's own: the second number rises with what older events and older services live with, the first one
with what they do not. docs/publishing.md, "Evolving the contract", tells which is which."""
