-- The living status block of an issue, and the life of a line beyond its first alert.

ALTER TABLE lines ADD COLUMN status_total BIGINT NOT NULL DEFAULT 0;    -- the total that the issue's status block says
ALTER TABLE lines ADD COLUMN status_at_ms BIGINT NOT NULL DEFAULT 0;    -- when it was written
ALTER TABLE lines ADD COLUMN status_due_at_ms BIGINT NOT NULL DEFAULT 0; -- not tried before then
ALTER TABLE lines ADD COLUMN status_wanted BIGINT NOT NULL DEFAULT 0;   -- 1: something else than a count changed
ALTER TABLE lines ADD COLUMN status_off BIGINT NOT NULL DEFAULT 0;      -- 1: a person took the block out of the issue

-- When a value was first seen; 0: before this was kept.
ALTER TABLE line_facets ADD COLUMN first_seen_ms BIGINT NOT NULL DEFAULT 0;
