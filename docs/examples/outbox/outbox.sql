-- The outbox. The transaction that changes a user or a document writes one row for each change.
-- The columns have the names that Debezium's outbox router looks for.
CREATE TABLE outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- the event's `id`
    aggregatetype text NOT NULL, -- the topic: users or documents
    aggregateid uuid NOT NULL, -- the record's key: the id of the user or the document
    type text NOT NULL, -- as in the contract: user.created
    payload jsonb NOT NULL, -- the event's `data`
    created_at timestamptz NOT NULL DEFAULT now(), -- the event's `time`
    specversion text NOT NULL DEFAULT '1.0', -- only for debezium-binary.properties
    sent_at timestamptz -- the mark that poller.py sets; NULL: to be sent
);
CREATE INDEX outbox_to_send ON outbox (created_at) WHERE sent_at IS NULL;

-- The last version of what was deleted. Only where an id can come back after its deletion.
CREATE TABLE deleted_versions (
    id uuid PRIMARY KEY,
    version bigint NOT NULL
);

-- Only for Debezium: only insertions are published, so nobody reads the updates and deletions of the outbox.
CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert');
