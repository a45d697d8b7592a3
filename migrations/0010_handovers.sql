-- Whose lines in a file are somebody else's now, as people said on the forge or on a page.

CREATE TABLE handovers (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    path TEXT NOT NULL,                 -- of the file, in the repository
    author_email TEXT NOT NULL,         -- who wrote the line, after .mailmap, lower case
    author_name TEXT NOT NULL,
    to_login TEXT,                      -- whose they are now; neither login nor address: not the author's, and nobody was named
    to_email TEXT,
    by_author BIGINT NOT NULL,          -- the author themselves said so
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    line_id BIGINT NOT NULL,            -- the line of which it was said
    ended_by TEXT,
    ended_at_ms BIGINT,                 -- null: in force
    given_back BIGINT NOT NULL DEFAULT 0    -- it ended because the line was given back to its author
);
-- One holds for an author in a file at a time.
CREATE UNIQUE INDEX handovers_in_force ON handovers (repository_id, path, author_email) WHERE ended_at_ms IS NULL;
CREATE INDEX handovers_by_line ON handovers (line_id);

ALTER TABLE lines ADD COLUMN handover_id BIGINT;    -- the handover by which it was decided who is told
CREATE INDEX lines_by_handover ON lines (handover_id);
