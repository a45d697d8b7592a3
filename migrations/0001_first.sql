-- One set of migrations for SQLite and PostgreSQL, forward only.
-- Moments are Unix milliseconds in BIGINT; ids are made by the application (store/ids.rs); yes and no are BIGINT 1 and 0;
-- BYTEA is a type of PostgreSQL's that SQLite takes as well.

-- Secrets of this installation, and facts such as the time of the last reconciliation.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE repositories (
    id BIGINT PRIMARY KEY,              -- also the PROJECT of its DSN
    full_name TEXT NOT NULL,
    clone_url TEXT NOT NULL,
    forge_id BIGINT UNIQUE,             -- null: a plain git repository
    installation BIGINT,
    html_url TEXT,
    public BIGINT NOT NULL,
    default_branch TEXT,
    head TEXT,
    code_generation BIGINT NOT NULL,    -- goes up when the head of the default branch moves
    rules_generation BIGINT NOT NULL,   -- goes up when a rule is made or ends
    pushed_at_ms BIGINT NOT NULL,       -- a push was announced then
    fetched_at_ms BIGINT NOT NULL,      -- the last fetch that succeeded began then; 0: never cloned
    fetch_error TEXT,
    settings TEXT,                      -- the last good .github/flawless.yml, as JSON
    settings_blob TEXT,                 -- git's id of the file that was read last, good or bad
    settings_error TEXT,
    labelled_at_ms BIGINT NOT NULL,     -- its labels were made then; 0: not yet
    suspended_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT
);
CREATE INDEX repositories_by_name ON repositories (full_name);

CREATE TABLE ingest_keys (
    ingest_key TEXT PRIMARY KEY,        -- 32 hexadecimal digits, as SDKs insist
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);
CREATE INDEX ingest_keys_by_repository ON ingest_keys (repository_id);

CREATE TABLE lines (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    identity TEXT NOT NULL,             -- domain::line::Identity::key
    path TEXT NOT NULL,                 -- where it was last seen
    function_name TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    code TEXT NOT NULL,
    exception TEXT NOT NULL,
    headline TEXT NOT NULL,
    commit_id TEXT,
    written_at_ms BIGINT,
    author_name TEXT,
    author_email TEXT,
    author_login TEXT,                  -- as the forge says; null: not asked yet or unknown
    owner_login TEXT,                   -- a person assigned it to them
    total BIGINT NOT NULL,
    decided_total BIGINT NOT NULL,      -- the total at the last decision
    next_decide_at BIGINT,              -- the total at which to decide again
    error_threshold BIGINT,             -- the newest report's own
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    alerted_at_ms BIGINT,               -- its one alert was decided then
    known BIGINT NOT NULL,              -- a known-error rule covers it
    known_mailed_at_ms BIGINT,          -- a mail of the known error was decided then
    issue_number BIGINT,
    resolved_at_ms BIGINT,              -- closed without a label then
    resolved_commit TEXT,               -- head of the default branch at that time
    regressed_at_ms BIGINT,             -- seen again in a revision that contains resolved_commit; null once told
    regressed_revision TEXT,
    regressed_release TEXT,
    regressions BIGINT NOT NULL,        -- how often it came back
    UNIQUE (repository_id, identity)
);
CREATE INDEX lines_by_last_seen ON lines (repository_id, last_seen_ms);
CREATE INDEX lines_by_issue ON lines (repository_id, issue_number);

-- Occurrences of a line, by the hour.
CREATE TABLE line_hours (
    line_id BIGINT NOT NULL REFERENCES lines (id),
    hour_ms BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    PRIMARY KEY (line_id, hour_ms)
);
CREATE INDEX line_hours_by_hour ON line_hours (hour_ms);

-- The releases, servers, environments and exception types of a line.
CREATE TABLE line_facets (
    line_id BIGINT NOT NULL REFERENCES lines (id),
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (line_id, kind, value)
);

-- The fingerprints that were seen: one that has its line costs nothing but a count.
CREATE TABLE fingerprints (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,                -- pending, line, dropped or stale
    line_id BIGINT REFERENCES lines (id),
    pinned BIGINT NOT NULL,             -- the report names its revision: pushes do not concern it
    code_generation BIGINT NOT NULL,
    rules_generation BIGINT NOT NULL,
    recheck_at_ms BIGINT,               -- attribute again from then on
    attribution BYTEA,                  -- domain::attribution::Attribution, compressed JSON
    last_seen_ms BIGINT NOT NULL,
    UNIQUE (repository_id, fingerprint)
);
CREATE INDEX fingerprints_by_line ON fingerprints (line_id);

-- Reports that wait to be attributed, and no others: each is deleted with its job.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    received_at_ms BIGINT NOT NULL,
    body BYTEA NOT NULL                 -- domain::report::Report, compressed JSON, scrubbed
);

-- Occurrences of a fingerprint that waits to be attributed.
CREATE TABLE pending_occurrences (
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    hour_ms BIGINT NOT NULL,
    server TEXT NOT NULL,
    environment TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint_id, hour_ms, server, environment)
);

-- The latest traceback of a line in each week.
CREATE TABLE tracebacks (
    line_id BIGINT NOT NULL REFERENCES lines (id),
    week_ms BIGINT NOT NULL,
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    received_at_ms BIGINT NOT NULL,
    body BYTEA NOT NULL,                -- as reports.body
    PRIMARY KEY (line_id, week_ms)
);

-- Rules that labels and people made; the repository's file is in repositories.settings.
CREATE TABLE rules (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    kind TEXT NOT NULL,                 -- domain::rule::RuleKind
    entry TEXT NOT NULL,                -- domain::settings::KnownError, JSON
    line_id BIGINT REFERENCES lines (id), -- the line whose issue bears the label
    label TEXT,                         -- the label that commands it; null: made on the page or in a terminal
    issue_number BIGINT,
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    ended_by TEXT,
    ended_at_ms BIGINT
);
CREATE INDEX rules_in_force ON rules (repository_id, ended_at_ms);

-- What is to be sent, and what was. The constraint is what keeps one alert one.
CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    line_id BIGINT NOT NULL REFERENCES lines (id),
    channel TEXT NOT NULL,              -- mail, issue or comment
    purpose TEXT NOT NULL,              -- alert, count:100, regression:1 …
    recipient TEXT NOT NULL,            -- address of a mail, else empty
    content TEXT NOT NULL,              -- what the channel needs beside the line, JSON
    state TEXT NOT NULL,                -- pending, sent or given_up
    attempts BIGINT NOT NULL,           -- counted before each attempt: after a crash it tells that something may have been sent
    receipt TEXT,                       -- issue number, comment id, file name
    error TEXT,
    created_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    UNIQUE (line_id, channel, purpose, recipient)
);
CREATE INDEX deliveries_by_state ON deliveries (state, created_at_ms);

-- Webhook deliveries: stored before they are answered, worked on later, remembered so that a second one changes nothing.
CREATE TABLE hooks (
    id BIGINT PRIMARY KEY,
    delivery TEXT NOT NULL UNIQUE,      -- X-GitHub-Delivery
    event TEXT NOT NULL,                -- X-GitHub-Event
    parsed TEXT NOT NULL,               -- domain::event::Event, JSON
    received_at_ms BIGINT NOT NULL,
    processed_at_ms BIGINT
);

CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject BIGINT NOT NULL,
    run_at_ms BIGINT NOT NULL,
    locked_until_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    version BIGINT NOT NULL,            -- goes up when the job is asked for again while it runs
    created_at_ms BIGINT NOT NULL,
    error TEXT,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at_ms);

-- Which account of the forge an author's address belongs to, as the forge said.
CREATE TABLE accounts (
    email TEXT PRIMARY KEY,
    login TEXT,                         -- null: the forge knows no account
    asked_at_ms BIGINT NOT NULL
);
