//! The words by which applications name their secrets, in the languages that they are written in.

/// What goes by a name, as far as the name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Whatever it is: people choose words, and a repository names what it wants hidden.
    Password,
    /// Made by a machine; a small number is a count, a mark of punctuation is a parser's.
    Token,
    /// A PIN, a code for one use, a card's check number: few digits.
    Short,
    /// A person's or an account's number: it has digits.
    Number,
    /// Often harmless, as `key` and `session` are: secret where the value looks random.
    Often,
}

/// Passwords, wherever the word stands in a name: English, German, French, Spanish, Portuguese,
/// Italian, Dutch, the Nordic and Baltic languages, Polish, Czech, Hungarian, Croatian, Turkish,
/// Russian, Greek, Hebrew, Chinese, Japanese, Korean, Vietnamese, Indonesian.
#[rustfmt::skip]
pub(super) const PASSWORDS: &[&str] = &[
    "password", "passwords", "passwd", "passcode", "passphrase", "passwort", "pwd", "pw", "psw", "pswd",
    "passw", "kennwort", "losungswort", "geheimwort", "zugangsdaten", "mdp", "motdepasse", "contraseña",
    "contrasena", "contrasenia", "clave", "senha", "parola", "wachtwoord", "lösenord", "losenord", "passord",
    "adgangskode", "salasana", "hasło", "haslo", "heslo", "jelszó", "jelszo", "şifre", "sifre", "пароль",
    "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "κωδικός", "סיסמה", "lozinka", "zaporka", "parool",
    "slaptažodis", "slaptazodis", "matkhau", "katasandi", "mnemonic", "requirepass", "masterauth",
];

/// Secrets that machines make, wherever the word stands in a name.
#[rustfmt::skip]
pub(super) const TOKENS: &[&str] = &[
    "token", "jwt", "bearer", "secret", "secrets", "credential", "credentials", "creds", "cookie", "cookies",
    "csrf", "xsrf", "authorization", "sessid", "jsessionid", "phpsessid", "apikey", "geheimnis", "jeton",
    "secreto", "segreto", "segredo", "keypass", "storepass",
];

/// Secret as the last word only: `basic_auth`, but not `auth_backend`.
pub(super) const CARRIERS: &[&str] = &["auth", "sas", "passin", "passout"];

/// A few digits, for one use or for a card.
#[rustfmt::skip]
pub(super) const SHORT: &[&str] = &[
    "pin", "otp", "totp", "hotp", "tan", "puk", "cvv", "cvc", "csc", "mfa", "smscode", "pincode",
    "geheimzahl",
];

/// Numbers of persons and accounts.
#[rustfmt::skip]
pub(super) const IDENTITY: &[&str] = &[
    "iban", "ssn", "nino", "bsn", "dni", "nie", "nif", "cpf", "pesel", "aadhaar", "personnummer", "steuerid",
    "kontonummer", "kartennummer", "sozialversicherungsnummer", "ahv", "tckn", "curp", "cuil", "cuit", "hetu",
    "henkilötunnus", "henkilotunnus", "fødselsnummer", "fodselsnummer", "burgerservicenummer",
    "rijksregisternummer",
];

/// Secret where the value looks random, as the last word of a name.
#[rustfmt::skip]
pub(super) const OFTEN: &[&str] = &[
    "session", "sid", "key", "keys", "code", "sig", "signature", "authentication", "oauth", "tokens", "salt",
    "seed", "nonce", "hmac", "webhook", "schluessel", "schlüssel", "license", "licence", "access", "admin",
    "challenge", "verifier", "state", "credentialsid", "login", "dsn", "appid", "ticket",
];

/// Two words that are one secret, written apart (`card_number`) or as one.
pub(super) const PAIRS: &[(&str, &str, Class)] = &[
    ("de", "passe", Class::Password),
    ("palavra", "passe", Class::Password),
    ("kata", "sandi", Class::Password),
    ("mat", "khau", Class::Password),
    ("security", "answer", Class::Password),
    ("challenge", "answer", Class::Password),
    ("recovery", "answer", Class::Password),
    ("saml", "response", Class::Token),
    ("saml", "assertion", Class::Token),
    ("pass", "word", Class::Password),
    ("pass", "phrase", Class::Password),
    ("seed", "phrase", Class::Password),
    ("seed", "words", Class::Password),
    ("recovery", "phrase", Class::Password),
    ("recovery", "code", Class::Token),
    ("recovery", "codes", Class::Token),
    ("backup", "code", Class::Token),
    ("backup", "codes", Class::Token),
    ("basic", "auth", Class::Token),
    ("session", "id", Class::Token),
    ("sess", "id", Class::Token),
    ("access", "key", Class::Token),
    ("security", "code", Class::Short),
    ("verification", "code", Class::Short),
    ("confirmation", "code", Class::Short),
    ("auth", "code", Class::Short),
    ("sms", "code", Class::Short),
    ("reset", "code", Class::Short),
    ("access", "code", Class::Short),
    ("login", "code", Class::Short),
    ("time", "code", Class::Short),
    ("fa", "code", Class::Short),
    ("mfa", "code", Class::Short),
    ("otp", "code", Class::Short),
    ("otp", "attempt", Class::Short),
    ("pin", "code", Class::Short),
    ("card", "code", Class::Short),
    ("account", "number", Class::Number),
    ("bank", "account", Class::Number),
    ("card", "no", Class::Number),
    ("card", "num", Class::Number),
    ("card", "number", Class::Number),
    ("card", "pan", Class::Number),
    ("cc", "no", Class::Number),
    ("cc", "num", Class::Number),
    ("cc", "number", Class::Number),
    ("credit", "card", Class::Number),
    ("debit", "card", Class::Number),
    ("routing", "number", Class::Number),
    ("social", "security", Class::Number),
    ("national", "id", Class::Number),
    ("tax", "id", Class::Number),
    ("passport", "no", Class::Number),
    ("passport", "number", Class::Number),
    ("steuer", "id", Class::Number),
    ("codice", "fiscale", Class::Number),
    ("insurance", "number", Class::Number),
    ("nhs", "number", Class::Number),
];

/// Whose key is a secret: `api_key`, but not `sort_key`.
#[rustfmt::skip]
pub(super) const STRONG_KEYS: &[&str] = &[
    "access", "account", "admin", "aes", "api", "app", "application", "auth", "client", "consumer", "crypt",
    "crypto", "decryption", "deploy", "enc", "encrypt", "encryption", "fernet", "hmac", "integration",
    "license", "licence", "master", "priv", "private", "rsa", "sas", "secret", "server", "service", "shared",
    "sharedaccess", "sign", "signing", "ssh", "ssl", "storage", "subscription", "tls", "vapid", "webhook",
    "wg", "write",
];

/// Parts that no ordinary word holds, so that `userpassword` and `csrfmiddlewaretoken` are found as
/// well.
pub(super) const COMPOUNDS: &[(&str, Class)] = &[
    ("password", Class::Password),
    ("passwd", Class::Password),
    ("passwort", Class::Password),
    ("passphrase", Class::Password),
    ("kennwort", Class::Password),
    ("motdepasse", Class::Password),
    ("contrase", Class::Password),
    ("apikey", Class::Token),
    ("authtoken", Class::Token),
    ("accesstoken", Class::Token),
    ("csrf", Class::Token),
    ("secretkey", Class::Token),
    ("privatekey", Class::Token),
    ("clientsecret", Class::Token),
    ("sessionid", Class::Token),
    ("cardnumber", Class::Number),
    ("creditcard", Class::Number),
];

/// Who has a `pass` or `pw` written as one word: `compass` and `bypass` are no passwords.
#[rustfmt::skip]
pub(super) const PASS_OWNERS: &[&str] = &[
    "account", "admin", "app", "auth", "backup", "become", "bind", "cert", "client", "db", "database",
    "elastic", "email", "ftp", "git", "http", "imap", "jdbc", "kafka", "key", "keystore", "ldap", "login",
    "mail", "master", "mongo", "mssql", "my", "mysql", "new", "old", "oracle", "pg", "pgsql", "pop",
    "postgres", "proxy", "rabbit", "redis", "repo", "root", "sasl", "server", "service", "site", "smtp",
    "sql", "ssh", "sudo", "svc", "svn", "truststore", "user", "usr", "vpn", "wifi", "wlan", "wp",
];

/// Of what a `pass` is a passage or a permit, before it.
#[rustfmt::skip]
pub(super) const PASS_PASSAGES: &[&str] = &[
    "first", "second", "third", "last", "final", "one", "two", "single", "multi", "next", "prev", "each",
    "render", "boarding", "bus", "day", "season", "ski", "low", "high", "band", "by", "forward", "backward",
    "did", "can", "test", "tests", "rendering", "shader", "compiler", "optimization", "pre", "post",
];

/// Last words of names that describe a secret without holding it: `token_type`,
/// `AuthenticationError`.
#[rustfmt::skip]
pub(super) const HARMLESS_LAST: &[&str] = &[
    "age", "algorithm", "arn", "at", "attempts", "backend", "backends", "bytes", "cache", "changed", "check",
    "class", "classes", "count", "counts", "created", "date", "dir", "directory", "domain", "enabled",
    "endpoint", "error", "errors", "exception", "exists", "expired", "expires", "expiration", "expiry",
    "field", "fields", "file", "filename", "form", "format", "hint", "host", "id", "index", "input",
    "interval", "issuer", "kind", "label", "len", "length", "lifetime", "limit", "location", "max", "message",
    "method", "middleware", "min", "mode", "model", "name", "names", "needed", "number", "parser", "path",
    "placeholder", "plugin", "policy", "position", "prefix", "processor", "provider", "providers", "ref",
    "required", "rotated", "rule", "rules", "scheme", "scope", "scopes", "service", "size", "source",
    "status", "store", "strategy", "strength", "suffix", "time", "timeout", "title", "ttl", "type", "types",
    "updated", "uri", "url", "usage", "used", "user", "username", "valid", "validator", "validators",
    "validity", "version", "view",
];

/// First words of names that count or ask rather than hold: `max_tokens`, `has_password`.
#[rustfmt::skip]
pub(super) const HARMLESS_FIRST: &[&str] = &[
    "allow", "can", "completion", "count", "disable", "enable", "forgot", "has", "hide", "is", "max", "min",
    "needs", "no", "num", "number", "prompt", "require", "requires", "should", "show", "total", "use", "uses",
    "with", "without",
];

/// Every name that announces a secret has one of these in it: what has none is not looked at.
#[rustfmt::skip]
pub(super) const HINTS: &[&str] = &[
    "pass", "pw", "psw", "wort", "mdp", "contrase", "clave", "senha", "parola", "wachtwoord", "senord",
    "passord", "kode", "salasana", "has\u{142}o", "haslo", "heslo", "jelsz", "ifre", "пароль", "Пароль",
    "ПАРОЛЬ", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "mnemonic", "token", "jwt", "bearer", "secret", "cred",
    "cookie", "csrf", "xsrf", "auth", "sess", "key", "geheim", "jeton", "segret", "segredo", "sas", "pin",
    "otp", "tan", "puk", "cvv", "cvc", "csc", "mfa", "code", "iban", "ssn", "nino", "bsn", "dni", "nie",
    "nif", "cpf", "pesel", "aadhaar", "nummer", "steuer", "ahv", "sid", "sig", "salt", "seed", "nonce",
    "hmac", "webhook", "schl", "licen", "access", "admin", "challenge", "verifier", "state", "login", "dsn",
    "zugang", "phrase", "card", "account", "routing", "social", "national", "tax", "fiscale", "2fa", "cc_n",
    "cc-n", "ccn", "κωδικ", "Κωδικ", "סיסמה", "lozink", "zapork", "parool", "slapta", "khau", "sandi", "answer", "saml",
    "tckn", "curp", "cuil", "cuit", "hetu", "henkil", "insurance", "nhs", "appid", "ticket",
];

/// Words that stand behind secret names without being secret: they are better seen.
#[rustfmt::skip]
pub(super) const COMMON: &[&str] = &[
    "abstract", "admin", "anonymous", "any", "authorization", "authorized", "basic", "bearer", "blank",
    "bool", "boolean", "bytes", "changed", "char", "cookie", "correct", "credentials", "default", "denied",
    "deprecated", "digest", "disabled", "empty", "enabled", "error", "exists", "expired", "external",
    "failed", "filtered", "float", "found", "hidden", "incorrect", "int", "integer", "internal", "invalid",
    "json", "local", "mandatory", "masked", "mismatch", "missing", "negotiate", "none", "not", "null",
    "number", "object", "oauth2", "optional", "password", "peer", "plain", "passwd", "private", "public", "redacted",
    "refused", "rejected", "required", "reset", "revoked", "secret", "session", "set", "str", "string",
    "test", "testing", "text", "token", "trust", "undefined", "unknown", "unset", "user", "username", "valid",
    "varchar", "wrong",
];
