//! All SQL, one dialect for SQLite and PostgreSQL, by sqlx.
