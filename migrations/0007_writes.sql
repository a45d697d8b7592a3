-- One queue of writes for each installation, within GitHub's limits; storms.

ALTER TABLE deliveries ADD COLUMN rank BIGINT NOT NULL DEFAULT 30;      -- domain::pace::Rank: what goes first
ALTER TABLE deliveries ADD COLUMN due_at_ms BIGINT NOT NULL DEFAULT 0;  -- not tried before then
ALTER TABLE deliveries ADD COLUMN storm_id BIGINT;                      -- the storm that it belongs to

ALTER TABLE repositories ADD COLUMN labels_due_at_ms BIGINT NOT NULL DEFAULT 0; -- its labels are not tried to be made before then

-- Every write to GitHub of the last hour.
CREATE TABLE writes (
    id BIGINT PRIMARY KEY,
    installation BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX writes_by_installation ON writes (installation, at_ms);

-- Until when GitHub asked not to be written to.
CREATE TABLE write_pauses (
    installation BIGINT PRIMARY KEY,
    until_ms BIGINT NOT NULL,
    why TEXT NOT NULL
);

-- Many new lines of one repository within a short time: one issue, one mail for each author.
CREATE TABLE storms (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    began_at_ms BIGINT NOT NULL,        -- when its first line was told of
    last_line_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,                 -- no new line for a while; null: it goes on
    issue_number BIGINT,
    attempts BIGINT NOT NULL,           -- to file its issue, counted before each: it may have been filed
    changed_at_ms BIGINT NOT NULL,      -- its issue should say something else since then
    written_at_ms BIGINT NOT NULL,      -- its issue was brought up to date then; 0: not filed yet
    due_at_ms BIGINT NOT NULL,          -- its issue is not written to before then
    mails_sent BIGINT NOT NULL,         -- how often its mails were sent
    mails_at_ms BIGINT                  -- its mails are due then; null: none wait
);
-- A repository is in one storm at a time, whoever begins it.
CREATE UNIQUE INDEX storms_open ON storms (repository_id) WHERE ended_at_ms IS NULL;
CREATE INDEX storms_by_repository ON storms (repository_id, id);
CREATE INDEX lines_by_alert ON lines (repository_id, alerted_at_ms);

ALTER TABLE lines ADD COLUMN storm_id BIGINT;                           -- the storm in which it was told of
CREATE INDEX lines_by_storm ON lines (storm_id);
CREATE INDEX deliveries_by_storm ON deliveries (storm_id, state);
