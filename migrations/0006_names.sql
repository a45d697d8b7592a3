-- Names that repositories had: links in mails and bookmarks name them so for ever.
CREATE TABLE former_names (
    full_name TEXT PRIMARY KEY,         -- lower case
    repository_id BIGINT NOT NULL REFERENCES repositories (id)
);
