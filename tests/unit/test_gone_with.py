"""What went with an entity that somebody deleted by hand is named."""

from uuid import UUID

from neon_projector.consumer.admin.explain.gone import said_children
from neon_projector.consumer.admin.explain.gone_with import Child, children_of
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import a_document_event, a_record, a_user_event

ADA, EVE, NOTES, PLANS = (UUID(int=number) for number in range(1, 5))


def test_children_are_those_that_an_event_gives_to_it_each_once() -> None:
    events = [
        a_record(a_user_event(id=ADA)),
        a_record(a_document_event(id=NOTES, owner=ADA)),
        a_record(a_document_event(id=NOTES, owner=ADA, version=2), key=None),
        a_record(a_document_event(id=PLANS, owner=EVE)),
        a_record(a_document_event("deleted", NOTES, 9)),
    ]
    decoded = [Decoder(REGISTRY)(one.at(offset)) for offset, one in enumerate(events)]
    assert children_of(REGISTRY, decoded, ADA) == [Child("document", NOTES)]
    assert children_of(REGISTRY, decoded, EVE) == [Child("document", PLANS)]
    assert children_of(REGISTRY, decoded, NOTES) == []


def test_few_children_are_named_and_many_are_counted() -> None:
    (one,) = said_children([Child("document", NOTES)])
    assert one == f"1 document of it is gone too ({NOTES})"
    (many,) = said_children([Child("document", UUID(int=n)) for n in range(50)])
    assert many.startswith("50 documents of it are gone too (")
    assert many.endswith(" and 47 more)")
