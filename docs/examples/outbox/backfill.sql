-- What was there before the outbox, as complete events of the version that it has. Beside live changes, in any order,
-- and twice if need be. A large table in portions: AND id > … ORDER BY id LIMIT 10000.
INSERT INTO outbox (aggregatetype, aggregateid, type, payload)
SELECT 'users', id, 'user.created', to_jsonb(users) FROM users;

INSERT INTO outbox (aggregatetype, aggregateid, type, payload)
SELECT 'documents', id, 'document.created', to_jsonb(documents) FROM documents;
