-- Where a rule came from, who changed it, and what had happened when it was made.

ALTER TABLE rules ADD COLUMN origin TEXT NOT NULL DEFAULT 'page';   -- domain::rule::Origin
ALTER TABLE rules ADD COLUMN edited_by TEXT;
ALTER TABLE rules ADD COLUMN edited_at_ms BIGINT;
UPDATE rules SET origin = 'label' WHERE label IS NOT NULL;
UPDATE rules SET origin = 'terminal' WHERE made_by = 'command line';
UPDATE rules SET origin = 'mail' WHERE made_by = 'a link out of a mail';

-- How often a line that a rule covers had happened when the rule was made: what came later, the rule silenced.
CREATE TABLE rule_baselines (
    rule_id BIGINT NOT NULL REFERENCES rules (id),
    line_id BIGINT NOT NULL REFERENCES lines (id),
    total BIGINT NOT NULL,
    PRIMARY KEY (rule_id, line_id)
);
