-- The tables, in the order in which they refer to each other. README.md beside this file has the rules.
-- Moments are Unix milliseconds in BIGINT; ids are made by the application (app/crates/store/src/ids.rs); yes and no
-- are BIGINT 1 and 0; BYTEA is a type of PostgreSQL's that SQLite takes as well.

-- Secrets of this installation, and facts such as the time of the last reconciliation.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Repositories and the keys of their DSNs.

CREATE TABLE repositories (
    id BIGINT PRIMARY KEY,              -- also the PROJECT of its DSN
    full_name TEXT NOT NULL,
    clone_url TEXT NOT NULL,
    github_id BIGINT UNIQUE,            -- null: a plain git repository
    installation BIGINT,
    html_url TEXT,
    public BIGINT NOT NULL,
    default_branch TEXT,
    head TEXT,
    code_generation BIGINT NOT NULL,    -- goes up when the head of the default branch moves
    rules_generation BIGINT NOT NULL,   -- goes up when a rule is made or ends, or the settings change
    pushed_at_ms BIGINT NOT NULL,       -- a push was announced then
    fetched_at_ms BIGINT NOT NULL,      -- the last fetch that succeeded began then; 0: never cloned
    fetch_paused_until_ms BIGINT,       -- the last fetch was refused for good: none is due by time before then; null: not so
    unmirrorable BIGINT NOT NULL DEFAULT 0, -- while paused: 1 where the source itself can't be mirrored
    fetch_error TEXT,
    settings TEXT,                      -- the last good .github/flawless.yml, as JSON
    settings_blob TEXT,                 -- git's id of the file that was read last, good or bad
    settings_error TEXT,
    labelled_at_ms BIGINT NOT NULL,     -- its labels were made then; 0: not yet
    labels_due_at_ms BIGINT NOT NULL DEFAULT 0, -- its labels are not tried to be made before then
    shadow_until_ms BIGINT,             -- nothing is sent until then; null or past: everything is
    suspended_at_ms BIGINT,
    refused_since_ms BIGINT,            -- GitHub takes no issues or comments there since then; null: it does
    refused_what TEXT,                  -- what was to be written when it was noticed
    refused_why TEXT,                   -- domain::refusal::RefusalReason
    refused_said TEXT,                  -- GitHub's words
    refused_look_at_ms BIGINT,          -- it is looked then whether that is over
    refused_labels TEXT,                -- labels of the settings that GitHub refuses, JSON; null: none
    unnamed_since_ms BIGINT,            -- GitHub does not name it any more among what is installed; null: it does
    created_at_ms BIGINT NOT NULL,
    removed_at_ms BIGINT
);
CREATE INDEX repositories_by_name ON repositories (LOWER(full_name));

-- Names that repositories had: links in mails and bookmarks name them so for ever.
CREATE TABLE former_names (
    full_name TEXT PRIMARY KEY,         -- lower case
    repository_id BIGINT NOT NULL REFERENCES repositories (id)
);

-- The keys of DSNs; a revoked one stays.
CREATE TABLE ingest_keys (
    ingest_key TEXT PRIMARY KEY,        -- 32 hexadecimal digits, as SDKs insist
    id BIGINT NOT NULL UNIQUE,          -- by which other rows name it
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    label TEXT,                         -- what a person calls it; null: nothing
    folder TEXT,                        -- of the repository, in which the files of its reports are looked for first; null: anywhere
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,             -- recorded every ten minutes at most; null: not yet
    revoked_at_ms BIGINT,
    rate BIGINT,                        -- requests a minute; null: KEY_RATE; 0: without a limit
    budget BIGINT                       -- kinds of errors never seen before at once; null: KEY_BUDGET; 0: without a limit
);
CREATE INDEX ingest_keys_by_repository ON ingest_keys (repository_id);

-- What was refused in an hour because a key brought more than it may. Kept for a week.
CREATE TABLE key_refusals (
    key_id BIGINT NOT NULL REFERENCES ingest_keys (id),
    hour_ms BIGINT NOT NULL,
    reason TEXT NOT NULL,               -- store::ingest_keys::Over: rate, budget
    refused BIGINT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    PRIMARY KEY (key_id, hour_ms, reason)
);

-- Blamed lines and what happened at them.

CREATE TABLE lines (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    identity TEXT NOT NULL,             -- domain::identity::Identity::key
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
    author_login TEXT,                  -- as GitHub says; null: not asked yet or unknown
    owner_login TEXT,                   -- a person gave it to them
    told TEXT,                          -- domain::person::Told, JSON: who is told; null: not decided yet
    told_nobody BIGINT NOT NULL DEFAULT 0, -- 1: `told` says that nobody could be found
    handover_id BIGINT,                 -- the handover by which it was decided who is told
    total BIGINT NOT NULL,
    decided_total BIGINT NOT NULL,      -- the total at the last decision
    next_decide_at BIGINT,              -- the total at which to decide again
    error_threshold BIGINT,             -- the smallest that a report of it named; null: none did
    is_stray BIGINT NOT NULL,           -- it was found in a revision that no branch or tag reached then
    not_ours BIGINT NOT NULL,           -- vendored or generated code that nothing of ours called when it was seen last
    threshold_by_settings BIGINT NOT NULL DEFAULT 0, -- a report of it named none: the settings' counts as one of them
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    alerted_at_ms BIGINT,               -- its one alert was decided then
    storm_id BIGINT,                    -- the storm in which it was told of
    known BIGINT NOT NULL,              -- a known-error rule covers it
    known_mailed_at_ms BIGINT,          -- a mail of the known error was decided then
    plain_until_ms BIGINT,              -- deciding about it by the mirror ended the process: not done before then; null: not so
    issue_number BIGINT,
    issue_acted_on_ms BIGINT NOT NULL DEFAULT 0, -- how old the issue was, by GitHub's clock, that was acted on last
    issue_assignees TEXT,               -- whose assignment was acted on, JSON; null: nobody's
    issue_edited_ms BIGINT NOT NULL DEFAULT 0,   -- when a person edited the issue last, by GitHub's clock
    assigned_at_ms BIGINT NOT NULL DEFAULT 0,    -- when it was given to its owner, by GitHub's clock
    issue_missed_at_ms BIGINT,          -- GitHub said then that the issue is not there, for the first time; null: it is
    status_total BIGINT NOT NULL DEFAULT 0,     -- the total that the issue's status block says
    status_at_ms BIGINT NOT NULL DEFAULT 0,     -- when it was written
    status_due_at_ms BIGINT NOT NULL DEFAULT 0, -- not tried before then
    status_wanted BIGINT NOT NULL DEFAULT 0,    -- 1: something else than a count changed; 2: and is being written
    status_off BIGINT NOT NULL DEFAULT 0,       -- 1: a person took the block out of the issue
    resolved_at_ms BIGINT,              -- closed without a label then
    resolved_commit TEXT,               -- the commit that closed the issue, else head of the default branch at that time
    person_closed_ms BIGINT,            -- when a person closed the issue: what ran by then is no news; null: a commit did, or nobody knows
    regressed_at_ms BIGINT,             -- seen again in what a resolution does not forgive; null once told
    regressed_revision TEXT,
    regressed_release TEXT,
    regressions BIGINT NOT NULL,        -- how often it came back
    archived_total BIGINT,              -- the total when it was archived: it is, as long as that is its total; null: never was
    UNIQUE (repository_id, identity)
);
CREATE INDEX lines_by_path ON lines (repository_id, path);
-- Whether a new line is an old one that was edited, which may be one of a thousand of its file.
CREATE INDEX lines_with_issue_by_path ON lines (repository_id, path) WHERE issue_number IS NOT NULL;
CREATE INDEX lines_open ON lines (repository_id) WHERE known = 0 AND resolved_at_ms IS NULL;
CREATE INDEX lines_untold ON lines (repository_id, last_seen_ms) WHERE told_nobody = 1;
CREATE INDEX lines_by_plain ON lines (plain_until_ms) WHERE plain_until_ms IS NOT NULL;
CREATE INDEX lines_by_last_seen ON lines (repository_id, last_seen_ms);
CREATE INDEX lines_by_issue ON lines (repository_id, issue_number);
CREATE INDEX lines_by_alert ON lines (repository_id, alerted_at_ms);
CREATE INDEX lines_by_storm ON lines (storm_id);
CREATE INDEX lines_by_handover ON lines (handover_id);

-- What was counted of lines and is not yet added to them: a row for each batch of reports. Without an index, of which
-- each would be another page to write; there are as many rows as half a second brings.
CREATE TABLE journal (
    id BIGINT NOT NULL,
    counted TEXT NOT NULL               -- LINE COUNT LAST for each line and hour, with commas between (store/journal)
);

-- Occurrences of a line, by the hour; of long ago by the day, which begins with the row's hour.
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
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (line_id, kind, value)
);

-- The versions that reports of a repository came from, the newest thousand.
CREATE TABLE versions (
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    name TEXT NOT NULL,                 -- the revision, where reports name one, else the release as the client calls it
    first_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name)
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
    plain_until_ms BIGINT,              -- looking it up in the mirror ended the process: not done before then; null: not so
    last_seen_ms BIGINT NOT NULL,
    key_id BIGINT REFERENCES ingest_keys (id), -- the key by which all its reports came; null: several
    UNIQUE (repository_id, fingerprint)
);
CREATE INDEX fingerprints_by_line ON fingerprints (line_id);
CREATE INDEX fingerprints_by_plain ON fingerprints (plain_until_ms) WHERE plain_until_ms IS NOT NULL;
CREATE INDEX fingerprints_by_key ON fingerprints (key_id, state);

-- Reports that wait to be attributed, and no others: each is deleted with its job.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    received_at_ms BIGINT NOT NULL,
    body BYTEA NOT NULL,                -- domain::report::Report, compressed JSON, scrubbed
    key_id BIGINT REFERENCES ingest_keys (id) -- by which it came
);
CREATE INDEX reports_by_fingerprint ON reports (fingerprint_id);

-- Where deployments were seen to be in the repository, by their own reports.
CREATE TABLE deployment_roots (
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    place TEXT NOT NULL,                -- 'server NAME' or 'release NAME'
    prefix TEXT NOT NULL,               -- what deployed paths begin with
    folder TEXT NOT NULL,               -- of the repository, that stands for it; empty: its root
    seen_at_ms BIGINT NOT NULL,         -- to within a day
    PRIMARY KEY (repository_id, place, prefix, folder)
);

-- Occurrences of a fingerprint that waits to be attributed.
CREATE TABLE pending_occurrences (
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    hour_ms BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint_id, hour_ms)
);

-- The servers and environments of a fingerprint that waits to be attributed.
CREATE TABLE pending_facets (
    fingerprint_id BIGINT NOT NULL REFERENCES fingerprints (id),
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint_id, kind, value)
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
CREATE INDEX tracebacks_by_fingerprint ON tracebacks (fingerprint_id);

-- Test reports: those that are under way, and the latest of each repository. Nothing else of them stays.
CREATE TABLE test_reports (
    event_id TEXT PRIMARY KEY,          -- chosen by the server: a client can't make its report a test
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    sent_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    outcome TEXT                        -- domain::test_report::TestReport, JSON
);
CREATE INDEX test_reports_by_repository ON test_reports (repository_id, sent_at_ms);

-- What people said: rules and handovers.

-- Rules that labels and people made; the repository's file is in repositories.settings.
CREATE TABLE rules (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    kind TEXT NOT NULL,                 -- domain::rule::RuleKind
    entry TEXT NOT NULL,                -- JSON: domain::settings::KnownError, or LibraryCodeEntry of store/rules
    origin TEXT NOT NULL,               -- domain::rule::RuleSource
    line_id BIGINT REFERENCES lines (id), -- the line whose issue bears the label
    label TEXT,                         -- the label that commands it; null: made on the page or in a terminal
    issue_number BIGINT,
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    commanded_at_ms BIGINT,             -- when its label was put on or its issue closed, by GitHub's clock; null: no label made it
    edited_by TEXT,
    edited_at_ms BIGINT,
    ended_by TEXT,
    ended_at_ms BIGINT,
    overruled BIGINT NOT NULL DEFAULT 0, -- 1: it ended while its label stayed, which commands nothing from then on
    label_deleted BIGINT NOT NULL DEFAULT 0 -- 1: its label was deleted in the repository, so that it is off the issue says nothing
);
CREATE INDEX rules_in_force ON rules (repository_id, ended_at_ms);

-- How often a line that a rule covers had happened when the rule was made: what came later, the rule silenced.
CREATE TABLE rule_baselines (
    rule_id BIGINT NOT NULL REFERENCES rules (id),
    line_id BIGINT NOT NULL REFERENCES lines (id),
    total BIGINT NOT NULL,
    PRIMARY KEY (rule_id, line_id)
);

-- Whose lines in a file are somebody else's now, as people said on GitHub or on a page.
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

-- What is told: deliveries, storms, and the queue of writes to GitHub.

-- What is to be sent, and what was. The constraint is what keeps one alert one.
CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    line_id BIGINT NOT NULL REFERENCES lines (id),
    channel TEXT NOT NULL,              -- domain::delivery::Channel: mail, issue …
    purpose TEXT NOT NULL,              -- domain::delivery::Purpose: alert, count, regression …
    subject TEXT NOT NULL,              -- what the purpose is about (the count, the rule), else empty
    recipient TEXT NOT NULL,            -- address of a mail, else empty
    content TEXT NOT NULL,              -- what the channel needs beside the line, JSON
    state TEXT NOT NULL,                -- pending, gathered (by a storm), shadow, sent or given_up
    rank BIGINT NOT NULL,               -- domain::pace::Rank: what goes first
    storm_id BIGINT,                    -- the storm that it belongs to
    attempts BIGINT NOT NULL,           -- counted before each attempt: after a crash it tells that something may have been sent
    due_at_ms BIGINT NOT NULL DEFAULT 0, -- not tried before then
    failing_since_ms BIGINT,            -- the first of the attempts that failed
    lost_answers BIGINT NOT NULL DEFAULT 0, -- how often a mail server was sent the mail and did not say whether it took it
    unanswered_at_ms BIGINT,            -- GitHub was asked then to make it, and has not said whether it did
    receipt TEXT,                       -- issue number, comment id, file name
    error TEXT,
    created_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT,
    UNIQUE (line_id, channel, purpose, subject, recipient)
);
CREATE INDEX deliveries_by_state ON deliveries (state, created_at_ms);
CREATE INDEX deliveries_by_storm ON deliveries (storm_id, state);

-- Many new lines of one repository within a short time: one issue, one mail for each author.
CREATE TABLE storms (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    began_at_ms BIGINT NOT NULL,        -- when its first line was told of
    last_line_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,                 -- no new line for a while; null: it goes on
    issue_number BIGINT,
    attempts BIGINT NOT NULL,           -- to file its issue, counted before each
    unanswered_at_ms BIGINT,            -- GitHub was asked then to make its issue, and has not said whether it did
    missed_at_ms BIGINT,                -- as lines.issue_missed_at_ms
    changed_at_ms BIGINT NOT NULL,      -- its issue should say something else since then
    written_at_ms BIGINT NOT NULL,      -- its issue was brought up to date then; 0: not filed yet
    due_at_ms BIGINT NOT NULL,          -- its issue is not written to before then
    mails_sent BIGINT NOT NULL,         -- how often its mails were sent
    mails_at_ms BIGINT                  -- its mails are due then; null: none wait
);
-- A repository is in one storm at a time, whoever begins it.
CREATE UNIQUE INDEX storms_open ON storms (repository_id) WHERE ended_at_ms IS NULL;
CREATE INDEX storms_by_repository ON storms (repository_id, id);

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

-- What arrives from GitHub, and the work that follows.

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
    turn_ms BIGINT NOT NULL,            -- of those that are due, the lowest is first: run_at_ms, but later for whose key has asked for much
    locked_until_ms BIGINT NOT NULL,    -- by the database's clock, not the program's (store/jobs/lease.rs)
    holder BIGINT,                      -- the claim that works on it; null: nobody does
    attempts BIGINT NOT NULL,
    deaths BIGINT NOT NULL DEFAULT 0,   -- attempts that panicked or that the process did not outlive
    set_aside_at_ms BIGINT,             -- since when it is tried once a day only, because of its deaths; null: not so
    version BIGINT NOT NULL,            -- goes up when the job is asked for again while it runs
    created_at_ms BIGINT NOT NULL,
    error TEXT,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at_ms);
CREATE INDEX jobs_by_turn ON jobs (turn_ms);

-- People: who is signed in, and what was said of accounts and addresses.

-- Who is signed in, and what GitHub says that they may see.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,                -- SHA-256 of the cookie's value, hexadecimal: a copy of the database signs nobody in
    login TEXT,                         -- on GitHub; null: the admin, by the token
    bound_to TEXT NOT NULL,             -- of an admin: signs the token, so that another token ends the session
    tokens TEXT,                        -- the person's tokens on GitHub, sealed
    browser TEXT NOT NULL,              -- what the browser called itself, to tell sessions apart
    access TEXT NOT NULL,               -- domain::access::Access, JSON
    access_at_ms BIGINT NOT NULL,       -- when GitHub said so
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL,         -- recorded every few minutes
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at_ms);

-- Which account on GitHub an author's address belongs to, as GitHub said.
CREATE TABLE accounts (
    email TEXT PRIMARY KEY,
    login TEXT,                         -- null: GitHub knows no account
    is_bot BIGINT NOT NULL,             -- the account is a program
    asked_at_ms BIGINT NOT NULL
);

-- What GitHub said of pull requests, accounts and teams, by repository.
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

-- What was asked for on GitHub and may be there twice, because its answer was lost.

-- What is looked at again later: GitHub did not say whether it made it, and may do so late.
CREATE TABLE doubts (
    id BIGINT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    kind TEXT NOT NULL,                 -- domain::double::Doubted: delivery or storm
    subject BIGINT NOT NULL,            -- the id of that, which may be deleted
    looks BIGINT NOT NULL,              -- how often it was looked at since it was asked for last
    due_at_ms BIGINT NOT NULL,          -- it is looked at next then
    UNIQUE (kind, subject)
);
CREATE INDEX doubts_due ON doubts (due_at_ms);

-- Issues of ours that another one says already. What people do there commands nothing.
CREATE TABLE doubles (
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    issue_number BIGINT NOT NULL,
    unanswered_at_ms BIGINT,            -- GitHub was asked then for the comment that links the other one, and has not said whether it made it
    said_at_ms BIGINT,                  -- that comment is there since then
    settled_at_ms BIGINT,               -- nothing more is to be done there; it was closed then, or is left open
    not_planned BIGINT NOT NULL DEFAULT 0, -- 1: GitHub knows no duplicates, so it is closed as not planned
    PRIMARY KEY (repository_id, issue_number)
);
