-- Shadow mode: everything is worked out and shown, nothing is sent.

ALTER TABLE repositories ADD COLUMN shadow_until_ms BIGINT;     -- null or past: everything is sent
