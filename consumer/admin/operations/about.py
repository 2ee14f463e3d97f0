"""What an operation was about, in few words: topics, as `--topic` takes them, kinds of entities, and how many ids."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from neon_projector.consumer.admin.reset import COMMAND as RESET
from neon_projector.consumer.offsets.intake_stops import ALL
from neon_projector.consumer.wording import counted

FEW = 4
"""So many partitions of a topic are named one by one."""
ONE_OF = {"replay": "key", "dead-letters retry": "letter", "dead-letters discard": "letter"}
"""What the ids of a command are called."""


def _length(name: str) -> str:
    return (
        f"CASE WHEN jsonb_typeof(filter -> '{name}') = 'array' THEN jsonb_array_length(filter -> '{name}') ELSE 0 END"
    )


COLUMNS = f"""
    CASE WHEN jsonb_typeof(filter) = 'object' THEN filter - CAST('{{ids,keys}}' AS text[]) END AS asked,
    before -> 'filter' AS asked_before,
    CASE WHEN command = '{RESET}' THEN ARRAY(SELECT jsonb_object_keys(before)) END AS moved,
    coalesce({_length("ids")}, 0) + coalesce({_length("keys")}, 0)
        + CASE WHEN jsonb_exists(before, 'id') OR jsonb_exists(before, 'letter') THEN 1 ELSE 0 END AS named"""
"""What `about` needs of a row of `projector.operations`: not all of it, as there may be thousands of ids."""


def about(row: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Of a row with COLUMNS, whose `asked` and `asked_before` together are `asked`. Nothing: about everything, or about
    nothing of these kinds."""
    given = [*asked.get("topics", ()), *filter(None, [asked.get("topic")])]
    topics = ["all topics" if topic == ALL else topic for topic in given]
    found = [*topics, *_by_topic(row["moved"] or ()), *asked.get("entities", ())]
    return found + ([counted(row["named"], ONE_OF.get(row["command"], "id"))] if row["named"] else [])


def _by_topic(names: Iterable[str]) -> Iterator[str]:
    """`users:0,1` of `users:0` and `users:1`; of many partitions how many."""
    numbers = defaultdict[str, list[int]](list)
    for topic, _, number in (name.rpartition(":") for name in names):
        numbers[topic].append(int(number))
    for topic, own in sorted(numbers.items()):
        few = ":" + ",".join(map(str, sorted(own)))
        yield topic + (few if len(own) <= FEW else f" ({counted(len(own), 'partition')})")
