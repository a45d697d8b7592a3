-- Connecting an application: keys have names and say when they were last used, and a test report says what it came to.

ALTER TABLE ingest_keys ADD COLUMN label TEXT;              -- what a person calls it; null: nothing
ALTER TABLE ingest_keys ADD COLUMN last_used_at_ms BIGINT;  -- noted every ten minutes at most; null: not yet

-- The latest test report of a repository: nothing else of it stays.
CREATE TABLE rehearsals (
    repository_id BIGINT PRIMARY KEY REFERENCES repositories (id),
    event_id TEXT NOT NULL,             -- chosen by the server: a client can't make its report a test
    sent_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    outcome TEXT                        -- domain::rehearsal::Rehearsal, as text
);
