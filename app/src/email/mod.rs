//! E-mail by lettre: SMTP, or files in the outbox directory.
