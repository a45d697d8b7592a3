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
    used_at_ms BIGINT NOT NULL,         -- noted every few minutes
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at_ms);
