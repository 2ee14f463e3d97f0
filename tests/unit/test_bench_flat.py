"""What Debezium's sink gets in `make bench-peers`."""

import orjson

from bench.events import Mix
from bench.flat import flat, schema
from neon_projector.models import Document, User


def test_a_flat_event_and_its_schema_have_the_columns_of_the_table() -> None:
    columns = {model.__tablename__: {*model.model_fields} for model in (User, Document)}
    for table, names in columns.items():
        assert {field["field"] for field in schema(table)["fields"]} == names
    for topic, _, value in flat(Mix(3, 5, 7).events()):
        assert orjson.loads(value).keys() == columns[topic]


def test_flat_events_keep_topic_key_and_order() -> None:
    mix = Mix(3, 5, 7)
    assert [event[:2] for event in flat(mix.events())] == [event[:2] for event in Mix(3, 5, 7).events()]
