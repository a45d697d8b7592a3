-- Connecting an application: keys have names and say when they were last used, and a test report says what it came to.

ALTER TABLE ingest_keys ADD COLUMN label TEXT;              -- what a person calls it; null: nothing
ALTER TABLE ingest_keys ADD COLUMN last_used_at_ms BIGINT;  -- noted every ten minutes at most; null: not yet

-- Test reports: those that are under way, and the latest of each repository. Nothing else of them stays.
CREATE TABLE test_reports (
    event_id TEXT PRIMARY KEY,          -- chosen by the server: a client can't make its report a test
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    sent_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    outcome TEXT                        -- domain::test_report::TestReport, as text
);
CREATE INDEX test_reports_by_repository ON test_reports (repository_id, sent_at_ms);
