"""One sentence about why an entity is (not) there, the next commands, and whether something waits or was rejected."""

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any, NamedTuple

from neon_projector.consumer.admin.explain.gone import applied, brings_back, said_children, said_gone
from neon_projector.consumer.admin.explain.gone_with import Child
from neon_projector.consumer.admin.explain.ignored import said_ignored
from neon_projector.consumer.admin.explain.of_topics import Part, left_open, nothing, perhaps, records
from neon_projector.consumer.admin.explain.publisher import asks, versions
from neon_projector.consumer.admin.explain.rejected import beside, may_be_missing, new, next_of
from neon_projector.consumer.admin.explain.search import Searched
from neon_projector.consumer.admin.explain.waits_on import parents_of
from neon_projector.consumer.wording import counted, verb
from neon_projector.models.control.waiting import FORGOTTEN
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

WAITS = ("no_parent", "contested", "refused")
"""A state kept aside for one of these waits; the others are where the events put them."""


class Conclusion(NamedTuple):
    """`ask`: sentences for the publisher. `next`: commands, none of which changes anything without `--execute`.
    `waits`: something waits, was rejected, or is gone without an event."""

    conclusion: str
    ask: list[str]
    next: list[str]
    waits: bool


def conclude(story: Row, found: Searched, registry: Registry) -> Conclusion:
    """What follows from a story and what the topics have."""
    parts = [*_states(story, registry), *_links(story["waits_on"], found, registry), *_parked(story)]
    gone = list(_gone(story, found, registry))
    parts += gone
    parts += [Part(says, waits=odd) for says, odd in said_ignored(found.ignored.get(story["id"], ()), registry)]
    parts = (parts or [nothing(story, found)]) + list(records(story))
    parts += list(left_open(story, found, parts))
    letters = new(story["dead_letters"])
    commands = dict.fromkeys(part.next for part in parts if part.next)
    there = not story["parked"] and bool(story["rows"] or story["aside"])
    if letters and there:
        parts.append(Part(beside(letters)))
    if letters:
        commands |= dict.fromkeys(next_of(letters, misses=not there))
    waits = bool(letters) or any(part.waits for part in parts)
    ask = [] if gone else asks(story)
    return Conclusion("; ".join(part.says for part in parts), ask, list(commands), waits)


def _states(story: Row, registry: Registry) -> Iterator[Part]:
    for row in story["rows"]:
        yield Part(f"it is there, as {row['entity']} of version {row['version']}")
    linked = {link["id"] for link in story["waits_on"] if link["reason"] != "shown"}
    for state in story["aside"]:
        waiting_for = state["waiting_for"]
        command = {
            "refused": f"projector parked retry {story['id']}",
            "contested": f"projector explain {waiting_for}",
            "no_parent": None if waiting_for in linked else f"projector explain {waiting_for}",
        }.get(state["reason"])
        yield Part(_said_state(state, registry), command, state["reason"] in WAITS)


def _said_state(state: Row, registry: Registry) -> str:
    """A state kept aside, in words."""
    version, waiting_for = state["version"], state["waiting_for"]
    ready = f"its own version {version} is ready"
    match state["reason"]:
        case "no_parent":
            return f"it waits for {'/'.join(parents_of(registry, state['entity']))} {waiting_for}; {ready}"
        case "contested":
            column = " or ".join(registry[state["entity"]].unique)
            ask = f"its publisher can have either of the two take another {column}"
            return f"it waits for the {column} that {waiting_for} holds; {ready}; {ask}"
        case "refused":
            return f"the database refused its version {version} when its turn came ({state['error']})"
        case "parent_deleted":
            return f"it is hidden because {waiting_for} is deleted (version {version})"
        case "erased":
            why = (
                "by projector forget" if state.get("error") == FORGOTTEN else "with its deleted owner, after the grace"
            )
            return f"it was erased {why} (version {version})"
    return f"it is deleted (version {version}), and numbering goes on: what creates it again needs a higher version"


def _links(chain: Iterable[Row], found: Searched, registry: Registry) -> Iterator[Part]:
    """What to know of those it waits for."""
    for link in chain:
        first_parked, letters = link.get("parked_from", inf), link["dead_letters"]
        places = applied(found.places.get(link["id"], ()), letters, found.kept)
        places = [place for place in places if place.version < first_parked]
        rejected = f" ({may_be_missing(letters)})" if letters else ""
        look = next_of(letters)[0] if letters else f"projector explain {link['id']}"
        if link["reason"] in ("unknown", "no_base") and any(place.whole for place in places):
            yield Part(f"of {link['id']}: {said_gone(places, registry)}", brings_back(link["id"]))
        elif link["reason"] == "unknown":
            says = perhaps(f"no event of {link['entity']} {link['id']} has come", found)
            yield Part(f"{says}{rejected}", look)
        elif link["reason"] == "no_base":
            yield Part(f"of {link['entity']} {link['id']} only later changes have come{rejected}", look)
        elif link["reason"] != "shown":
            yield Part(f"{link['entity']} {link['id']}: {_said_link(link)}", look)


def _said_link(link: Row) -> str:
    reasons = {
        "contested": f"it waits for a unique value that {link['waiting_for']} holds",
        "no_parent": f"it waits for {link['waiting_for']}",
        "refused": f"the database refused it when its turn came ({link['error']})",
        "parent_deleted": f"it is hidden because {link['waiting_for']} is deleted",
    }
    return reasons.get(link["reason"], f"it is {link['reason']}")


def _parked(story: Row) -> Iterator[Part]:
    if not story["parked"]:
        return
    missing, waiting = story["missing_versions"], len(story["parked"])
    changes = f"{counted(waiting, 'later change')} {verb(waiting, 'waits', 'wait')}"
    letters = new(story["dead_letters"])
    hint = f"; {may_be_missing(letters)}" if letters else ""
    look = None if letters or "records" in story else f"projector explain {story['id']} --from-topic"
    yield Part(f"{changes} for {versions(missing)}, or for a complete event{hint}", look, waits=True)


def _gone(story: Row, found: Searched, registry: Registry) -> Iterator[Part]:
    if story["rows"] or story["aside"]:
        return
    gone = applied(found.places.get(story["id"], ()), story["dead_letters"], found.kept)
    if story["parked"]:
        gone = [place for place in gone if place.version in story["missing_versions"]]
    if gone:
        children = [Child(**child) for child in story.get("gone_with_it", ())]
        yield Part(said_gone(gone, registry), brings_back(story["id"]), waits=True)
        yield from (Part(says, waits=True) for says in said_children(children))
