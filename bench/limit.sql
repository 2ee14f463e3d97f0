-- The limit: what Postgres alone needs for the same rows. They stand in it already, in publishing order, and are
-- upserted by plain SQL in the same batches, folded by key, over one connection, with foreign key, version guard and all
-- indexes. `bench/limit.py` fills `stage` and calls `upsert_range`: the batches that begin at `first` and every `step`
-- rows behind it, up to `last`.
CREATE UNLOGGED TABLE IF NOT EXISTS stage (
    n bigint PRIMARY KEY, is_user boolean, id uuid, version bigint, email varchar(320), name varchar(100),
    is_active boolean, title varchar(255), content text, user_id uuid, created_at timestamptz, updated_at timestamptz
);

CREATE OR REPLACE PROCEDURE upsert_range(batch bigint, first bigint, last bigint, step bigint) LANGUAGE plpgsql AS $$
BEGIN
    WHILE first < last LOOP
        INSERT INTO users (email, name, id, is_active, created_at, updated_at, version)
        SELECT DISTINCT ON (id) email, name, id, is_active, created_at, updated_at, version
        FROM stage WHERE n >= first AND n < least(first + batch, last) AND is_user ORDER BY id, version DESC
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_active = excluded.is_active,
            created_at = excluded.created_at, updated_at = excluded.updated_at, version = excluded.version
            WHERE users.version < excluded.version;
        INSERT INTO documents (title, content, id, user_id, created_at, updated_at, version)
        SELECT DISTINCT ON (id) title, content, id, user_id, created_at, updated_at, version
        FROM stage WHERE n >= first AND n < least(first + batch, last) AND NOT is_user ORDER BY id, version DESC
        ON CONFLICT (id) DO UPDATE SET title = excluded.title, content = excluded.content,
            user_id = excluded.user_id, created_at = excluded.created_at, updated_at = excluded.updated_at,
            version = excluded.version
            WHERE documents.version < excluded.version;
        COMMIT;
        first := first + step;
    END LOOP;
END $$;
