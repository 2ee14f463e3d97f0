"""Checks one record by itself."""

from functools import cache

from neon_projector.projections.checking.given import Headers, given
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.reading import Reading
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY


def check(
    value: bytes | str | None, headers: Headers | None = (), key: bytes | str | None = None, *, strict: bool = False
) -> list[Problem]:
    """What is wrong with one record, in the words of `projector publish --check`. Empty: the service reads it.

    A problem with `warning` is no dead letter: the service ignores the record (`unknown_type`, `no_event`) or reads it
    without a field (`misnamed_field`; with `strict`, as CONTRACT_STRICT=true does, that is a rejection). Without a key,
    nothing is said of the key. TypeError: the value, a header or the key is neither bytes nor text, so no record.
    """
    return reading(REGISTRY, strict)(1, given(value, headers, key))[1]


def reading(registry: Registry, strict: bool) -> Reading:
    """By the service's decoder."""
    return Reading(registry, decoder(registry, strict))


@cache
def decoder(registry: Registry, strict: bool = False) -> Decoder:
    """The service's, within the limits that it has if nobody changes them. It takes a while to make."""
    return Decoder(registry, strict=strict)
