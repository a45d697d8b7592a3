-- Whom a line is told to, and what was said when that was looked for.

ALTER TABLE lines ADD COLUMN told TEXT;                             -- domain::person::Told, as text; null: not decided yet
ALTER TABLE accounts ADD COLUMN is_bot BIGINT NOT NULL DEFAULT 0;   -- the account is a program

-- What the forge said of pull requests, accounts and teams, by repository.
CREATE TABLE look_ups (
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    question TEXT NOT NULL,             -- pull of COMMIT, members of ORG/TEAM …
    answer TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    PRIMARY KEY (repository_id, question)
);
CREATE INDEX look_ups_by_age ON look_ups (asked_at_ms);

-- Addresses that the mail server refused, lower case.
CREATE TABLE refused_addresses (
    address TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    refused_at_ms BIGINT NOT NULL
);
