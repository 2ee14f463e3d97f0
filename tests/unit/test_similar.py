"""Which type of the contract an unknown one resembles; and one that is somebody else's resembles none."""

import pytest

from neon_projector.projections.contract.similar import similar_type
from neon_projector.projections.registry import REGISTRY


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("UserCreated", "user.created"),
        ("user.created.v1", "user.created"),
        ("user.created.v2", "user.created"),
        ("com.acme.user.created", "user.created"),
        ("com.acme.UserCreated.v1", "user.created"),
        ("user.create", "user.created"),
        ("users.created", "user.created"),
        ("USER_UPDATED", "user.updated"),
        ("user/deleted", "user.deleted"),
        ('"user.created"', "user.created"),
        ("document.ownershipTransferred", "document.ownership_transferred"),
        ("document.ownership-transferred", "document.ownership_transferred"),
        ("DocumentDeletedEvent", "document.deleted"),
        ("user.renamed", None),
        ("order.created", None),
        ("order.placed", None),
        ("user", None),
        ("invoice.updated", None),
        ("", None),
        ("x" * 100_000, None),
        ("\ud800", None),
    ],
)
def test_a_type_resembles_what_was_meant(name: str, meant: str | None) -> None:
    assert similar_type(name, REGISTRY.event_types) == meant
