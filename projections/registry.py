"""The projections of this service."""

from projections.documents import DOCUMENTS
from projections.projection import Registry
from projections.users import USERS

REGISTRY = Registry(USERS, DOCUMENTS)
