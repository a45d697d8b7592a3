//! Secrets in commands, calls and statements, where an option's letter or the place of an argument
//! tells, and numbers that only their label tells from others.

use super::identity_numbers::luhn;
use super::random::is_no_word;
use super::shape::{Shape, anything, shape};
use super::vocabulary::COMMON;

/// Commands and calls, each with what shows where its secret stands.
pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // curl(1), wget(1), smbclient(1): `-u user:password`.
        shape(
            &["-u", "--user", "--proxy-user"],
            r#"(?:^|[\s'",\[(])(?:-u|--user|--proxy-user|-U)[\s'",=]+['"]?[^\s'":,/%]{1,60}[:%]([^\s'"\]]{2,200})"#,
            no_number,
        ),
        // The same without a blank: `curl -sSubob:x`.
        shape(
            &["curl"],
            r#"(?-u:\b)curl['"]?[\s,](?:[^\n|;]{0,300}?[\s'",])?-[A-Za-z]{0,8}u['"]?[^\s'":,/%-][^\s'":,/%]{0,60}:([^\s'"\],]{2,200})"#,
            no_number,
        ),
        // mysql(1), sshpass(1), mongosh, docker-login(1), 7z, zip(1), redis-cli, ldapsearch(1),
        // sqlcmd.
        shape(
            &["mysql", "mariadb", "sshpass", "mongo", "login", "7z", "rar", "mosquitto", "psexec", "plink", "pscp"],
            r#"(?-u:\b)(?:mysql\w*|mariadb[\w-]*|sshpass|mongo\w*|psexec(?:64)?(?:\.exe)?|plink|pscp|(?:docker|podman|az|helm|oc)['",\s]+(?:registry\s+)?login|7z[az]?|unrar|rar)['"]?(?:[\s,][^\n|;]{0,300}?)?[\s'",]-[pP](?:['"]?,?\s+['"]?|['"])?([^\s'",\]]{3,200})"#,
            no_number,
        ),
        shape(
            &["redis-cli", "ldap", "sqlcmd", "bcp", "zip", "kinit"],
            r#"(?-u:\b)(?:redis-cli|ldap\w+|sqlcmd|bcp|(?:un)?zip)['"]?(?:[\s,][^\n|;]{0,300}?)?[\s'",]-[awP](?:['"]?,?\s+['"]?|['"])?([^\s'",\]]{3,200})"#,
            no_number,
        ),
        // SQL of MySQL, Oracle, PostgreSQL, SQL Server, Snowflake.
        shape(
            &["identified"],
            r#"(?i)(?-u:\b)IDENTIFIED\s+(?:WITH\s+\S+\s+)?(?:BY|AS)\s+(?:PASSWORD\s+)?\\?['"]{1,2}([^'"\\]+)"#,
            anything,
        ),
        shape(&["identified"], r"(?i)(?-u:\b)IDENTIFIED\s+BY\s+([^\s'\x22;]+)", no_word),
        shape(&["password"], r#"(?-u:\b)PASSWORD\s*\(?\s*\\?['"]([^'"\\]{1,200})"#, anything),
        // RFC 959, RFC 1939, RFC 3501, RFC 4954, and Redis' AUTH.
        shape(&["pass "], r#"(?m)(?:^|[>:'"\s])PASS +:?([^\s'"]{4,200})"#, no_word),
        shape(&["auth "], r#"(?-u:\b)AUTH +(?:(?:PLAIN|LOGIN|XOAUTH2|[\w.@-]{1,40}) +)?([^\s'"]{5,400})"#, no_path),
        shape(&["login "], r#"(?-u:\b)LOGIN +"?[^\s"]{1,100}"? +"?([^\s"']{4,200})"#, no_word),
        // netrc(5).
        shape(&["machine "], r"(?-u:\b)machine\s+\S+\s+login\s+\S+\s+password\s+(\S+)", anything),
        // Oracle's thin driver and sqlplus.
        shape(
            &["oracle:", "sqlplus", "expdp", "impdp"],
            r#"(?:oracle:\w{2,5}:|(?:sqlplus|expdp|impdp)\s+(?:-\w+\s+){0,3})[\w$#]+/"?([^\s@"]{2,100})"?@"#,
            anything,
        ),
        shape(&["@//"], r#"(?:^|[\s'"=])[\w$#]{1,30}/([^\s@/'"]{2,100})@//?[\w.-]+[:/]"#, anything),
        // openssl-passphrase-options(1).
        shape(&["pass:"], r#"(?-u:\b)pass:([^\s'"]{4,200})"#, no_word),
        // rabbitmqctl(8), htpasswd(1), lftp(1), net.exe, chpasswd(8), Redis' ACL: an argument by
        // its place.
        shape(
            &["rabbitmqctl"],
            r#"(?-u:\b)rabbitmqctl['",\s]+(?:[^\s'",]+['",\s]+){0,4}?(?:add_user|change_password|authenticate_user)['",\s]+[^\s'",]{1,100}['",\s]+([^\s'",\]]{3,200})"#,
            argument,
        ),
        shape(
            &["htpasswd"],
            r#"(?-u:\b)htpasswd['",\s]+(?:-\w+['",\s]+){0,4}-\w*b\w*['",\s]+(?:-\w+['",\s]+){0,4}(?:[^\s'",-][^\s'",]*['",\s]+)?[^\s'",-][^\s'",]*['",\s]+([^\s'",\]]{3,200})"#,
            argument,
        ),
        shape(&["lftp"], r#"(?-u:\b)lftp['",\s][^\n|;]{0,200}?-u['",\s]*[^\s,'"]{1,100},([^\s'"\]]{3,200})"#, argument),
        shape(
            &["net use", "net user"],
            r"(?i)(?-u:\b)net(?:\.exe)? use [^\n]{0,200}?/user:\S{1,100} +([^\s/]\S{2,200})|net(?:\.exe)? use (?:\w: )?\\\\\S{1,200} +([^\s/]\S{2,200})|net(?:\.exe)? user \S{1,100} ([^\s/]\S{2,200})",
            argument,
        ),
        shape(&["chpasswd"], r#"echo ['"]?[A-Za-z0-9_.-]+:([^\s'"|]{3,})['"]? *\| *(?:sudo +)?chpasswd"#, argument),
        shape(&["setuser"], r"(?i)(?-u:\b)ACL SETUSER \S{1,100} [^\n]{0,200}?[><]([^\s'\x22]{3,200})", argument),
        shape(
            &["aws configure set"],
            r"aws configure set (?:\S+\.)?(?:aws_secret_access_key|aws_session_token) ([^\s'\x22]{8,})",
            argument,
        ),
        shape(
            &["composer"],
            r"composer(?:\.phar)? config (?:--\S+ )*(?:http-basic\.\S+ \S+|(?:github-oauth|gitlab-token|bearer)\.\S+) ([^\s'\x22]{3,})",
            argument,
        ),
        shape(
            &["alias", "config host"],
            r#"(?-u:\b)mc['",\s]+(?:alias['",\s]+set|config['",\s]+host['",\s]+add)(?:['",\s]+[^\s'",]+){3}['",\s]+([^\s'",\]]{8,})"#,
            argument,
        ),
        // requests, HTTPX, got: a user and a password as a pair.
        shape(
            &["auth=(", "auth = (", "auth=[", "auth: [", "auth: ("],
            r#"(?-u:\b)\w*auth ?[=:] ?[(\[]\s*["'][^"'\n]+["']\s*,\s*["']([^"'\n]{3,})["']"#,
            argument,
        ),
        // requests, .NET, Apache's HttpClient, Spring, java.net: objects that hold such a pair.
        shape(
            &[
                "basicauth(",
                "digestauth(",
                "proxyauth(",
                "credential",
                "authenticationtoken(",
                "passwordauthentication(",
            ],
            r#"(?:(?:HTTP)?(?:Basic|Digest|Proxy)Auth|NetworkCredential|UsernamePasswordCredentials?|UsernamePasswordAuthenticationToken|PasswordAuthentication)\(\s*[^,()\n]{1,100},\s*(?:\w+ ?[=:] ?)?["']([^"'\n]{3,200})["']"#,
            argument,
        ),
        // Calls that a traceback shows with their arguments, or code with literals.
        shape(
            &[
                "pdo->__construct",
                "new pdo(",
                "mysqli",
                "imap_open",
                "ldap_bind",
                "ftp_login",
                "ssh2_auth_password",
                ".getconnection(",
            ],
            r#"(?:PDO->__construct|new \\?PDO|new \\?mysqli|mysqli->__construct|mysqli->(?:real_)?connect|mysqli_(?:real_)?connect|imap_open|ldap_bind|ftp_login|ssh2_auth_password|\.getConnection)\([^,\n]{1,200}, ?['"][^'"\n]{0,200}['"], ?['"]([^'"\n]{1,200})['"]"#,
            argument,
        ),
        shape(
            &["login(", "signin(", "sign_in(", "authenticate(", "auth(", "set_credentials("],
            r#"(?i)(?:[.>:]|(?-u:\b))(?:login|sign_?in|authenticate|(?:basic_?)?auth|set_credentials)\(\s*(?:\w+ ?[=:] ?)?["'][^"'\n]{1,100}["']\s*,\s*(?:\w+ ?[=:] ?)?["']([^"'\n]{4,200})["']"#,
            argument,
        ),
        // MySQL's SET PASSWORD: https://dev.mysql.com/doc/refman/8.4/en/set-password.html
        shape(
            &["set password"],
            r#"(?i)(?-u:\b)SET\s+PASSWORD\s*(?:FOR\s+\S+\s*)?=\s*(?:PASSWORD\s*\(\s*)?\\?['"]([^'"\\]{1,200})"#,
            anything,
        ),
        // A line of libpq's file of passwords:
        // https://www.postgresql.org/docs/current/libpq-pgpass.html
        shape(
            &[":*:", ":543", ":643"],
            r"(?m)(?:^|['\x22\s])[A-Za-z0-9_.*-]+:(?:[0-9]{1,5}|\*):[A-Za-z0-9_*.-]+:[A-Za-z0-9_.*@-]+:([^\s:'\x22]{3,})(?:$|['\x22\s])",
            no_number,
        ),
        // HTTPie: https://httpie.io/docs/cli/authentication
        shape(
            &[" -a ", " --auth"],
            r#"(?-u:\b)https?\s(?:[^\n|;]{0,300}?\s)?(?:-a|--auth)[ =]['"]?[^\s'":]{1,60}:([^\s'"\]]{2,200})"#,
            no_number,
        ),
        // https://developer.hashicorp.com/vault/docs/commands/kv/put
        shape(
            &["vault kv ", "vault write "],
            r#"vault (?:kv (?:put|patch)|write)(?:\s+-\S+)*\s+[^\s=]+\s+([\w.-]+=[^\n'"@][^\n'"]*)"#,
            anything,
        ),
        // IRC's services: an account may stand before the password.
        shape(&["nickserv"], r#"(?i)nickserv +:?identify +([^\s'"]+(?: +[^\s'"]+)?)"#, argument),
        // RFC 4954's LOGIN of old: the prompt is `Password:` in base64, the next line the answer.
        shape(
            &["334 ugfzc3dvcmq6"],
            r"334 UGFzc3dvcmQ6(?:\s|\\r|\\n)+(?:[A-Za-z<>-]{1,6}:? +)?([A-Za-z0-9+/]{3,}={0,2})",
            anything,
        ),
        // PostgreSQL's detail of a constraint has all of a row and no names of its columns.
        shape(
            &["failing row contains"],
            r#"(?m)Failing row contains \((.+?)(?:\)\.?$|\)\.[\s\\"'\]]|$)"#,
            is_row_of_texts,
        ),
        // Canada's number of a person, which its name tells from others.
        shape(
            &["sin ", "sin:", "sin=", "sin#", "sin-"],
            r"(?-u:\b)SIN(?:[ :=#]|-No)[ .:=#]{0,2}(\d{3}[ -]?\d{3}[ -]?\d{3})(?-u:\b)",
            is_sin,
        ),
        // The United Kingdom's, which has no check:
        // https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
        shape(
            &["nino", "national insurance", "ni number", "ni no"],
            r"(?i)(?-u:\b)(?:NINO|national insurance(?: number| no)?|NI (?:number|no))[\s:#.=]{1,3}([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D])(?-u:\b)",
            anything,
        ),
    ]
}

/// What a call or a command is given in place of a password: no option, no word for one.
fn argument(value: &str) -> bool {
    !value.starts_with(['-', '/', '$', '{']) && !COMMON.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether a row has more than numbers, moments and nothing.
fn is_row_of_texts(row: &str) -> bool {
    let is_text = |cell: &str| cell.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80);
    row.split(", ").any(|cell| is_text(cell) && !matches!(cell, "null" | "t" | "f" | "true" | "false"))
}

/// Canada's social insurance number: Luhn's check.
fn is_sin(value: &str) -> bool {
    luhn(&value.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect::<Vec<_>>())
}

/// Not a number of a port or of a user and group.
fn no_number(value: &str) -> bool {
    !value.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// `LOGIN ok user1`, `AUTH required2`: a word that a protocol's line is told with, and a number.
fn is_told(value: &str) -> bool {
    const TOLD: &[&str] = &[
        "attempt", "client", "denied", "error", "failed", "failure", "ok", "required", "session", "state", "step",
        "success", "timeout", "user", "worker",
    ];
    let word = value.trim_end_matches(|c: char| c.is_ascii_digit());
    TOLD.iter().any(|told| word.eq_ignore_ascii_case(told))
}

/// Letters with digits or marks: no word, no count, no path.
fn no_word(value: &str) -> bool {
    !is_told(value)
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && is_no_word(value)
        && !value.contains(['/', '(', '['])
}

/// Letters with digits or marks, as base64 has them: no word, no path.
fn no_path(value: &str) -> bool {
    is_no_word(value)
        && !is_told(value)
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.starts_with('/')
        && !value.contains("://")
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Place, Rules, one, scrub_text};

    #[test]
    fn arguments_that_their_place_tells() {
        for (text, expected) in [
            ("rabbitmqctl add_user bob hunter2 failed", "rabbitmqctl add_user bob # failed"),
            (
                "['rabbitmqctl', '-n', 'x', 'change_password', 'bob', 'hunter2']",
                "['rabbitmqctl', '-n', 'x', 'change_password', 'bob', '#']",
            ),
            ("htpasswd -b /etc/x bob hunter2", "htpasswd -b /etc/x bob #"),
            ("htpasswd -nbB bob hunter2", "htpasswd -nbB bob #"),
            ("lftp -u bob,hunter2 sftp://h", "lftp -u bob,# sftp://h"),
            ("net use Z: \\\\srv\\share /user:CORP\\bob hunter2", "net use Z: \\\\srv\\share /user:CORP\\bob #"),
            ("net user bob hunter2 /add", "net user bob # /add"),
            ("echo 'bob:hunter2' | sudo chpasswd", "echo 'bob:#' | sudo chpasswd"),
            ("ACL SETUSER bob on >hunter2 ~*", "ACL SETUSER bob on ># ~*"),
            ("psexec \\\\h -u adm -p hunter2 cmd", "psexec \\\\h -u adm -p # cmd"),
            (
                "#0 a.php(1): PDO->__construct('mysql:host=db', 'app', 'hunter2', Array)",
                "#0 a.php(1): PDO->__construct('mysql:host=db', 'app', '#', Array)",
            ),
            (
                "#1 b.php(2): ldap_bind(Object(LDAP\\Connection), 'cn=a', 'hunter2')",
                "#1 b.php(2): ldap_bind(Object(LDAP\\Connection), 'cn=a', '#')",
            ),
            ("server.login('bot', 'hunter2')", "server.login('bot', '#')"),
            ("composer config http-basic.repo.test bob hunter2", "composer config http-basic.repo.test bob #"),
            ("mc alias set x https://m AKIAX hunter2hunter2", "mc alias set x https://m AKIAX #"),
            ("SET PASSWORD FOR 'bob'@'%' = 'hunter2'", "SET PASSWORD FOR 'bob'@'%' = '#'"),
            ("db.internal:5432:*:app:hunter2", "db.internal:5432:*:app:#"),
            ("app:hunter2@tcp(db:3306)/shop", "app:#@tcp(db:3306)/shop"),
            ("curl -ubob:hunter2 https://x", "curl -ubob:# https://x"),
            ("['curl', '-sSubob:hunter2', 'h']", "['curl', '-sSubob:#', 'h']"),
            ("get(u, HTTPBasicAuth('bob', 'hunter2'))", "get(u, HTTPBasicAuth('bob', '#'))"),
            ("new NetworkCredential(\"bob\", \"hunter2\")", "new NetworkCredential(\"bob\", \"#\")"),
            ("new UsernamePasswordCredentials(user, \"hunter2\")", "new UsernamePasswordCredentials(user, \"#\")"),
            ("$pdo = new PDO($dsn, 'root', 'hunter2');", "$pdo = new PDO($dsn, 'root', '#');"),
            ("new \\mysqli(\"h\", \"root\", \"hunter2\", \"x\")", "new \\mysqli(\"h\", \"root\", \"#\", \"x\")"),
            (
                "DriverManager.getConnection(url, \"sa\", \"hunter2\")",
                "DriverManager.getConnection(url, \"sa\", \"#\")",
            ),
            ("near 'IDENTIFIED BY ''hunter2'' at line 1", "near 'IDENTIFIED BY ''#'' at line 1"),
            ("dial root:hunter2@/shop: refused", "dial root:#@/shop: refused"),
            ("root:letmeinnow@tcp6([::1]:3306)/shop", "root:#@tcp6([::1]:3306)/shop"),
            ("u:letmeinnow@cloudsql(p:r:i)/shop", "u:#@cloudsql(p:r:i)/shop"),
            ("/users/reset/8f7d6e5c4b3a2910", "/users/reset/#"),
            ("/verify-email/wxq9ABCFEF0123456789xyz", "/verify-email/#"),
            ("NTLM TlRMTVNTUAABAAAAB4IIogAAAAA=", "NTLM #"),
            ("SIN 046 454 286 is taken", "SIN # is taken"),
            ("http -a bob:hunter2 POST h", "http -a bob:# POST h"),
            ("vault kv put -mount=kv x value=hunter2 b=c", "vault kv put -mount=kv x #"),
            ("PRIVMSG NickServ :IDENTIFY hunter2", "PRIVMSG NickServ :IDENTIFY #"),
            ("334 UGFzc3dvcmQ6\nC: aHVudGVyMg==\n535 no", "334 UGFzc3dvcmQ6\nC: #\n535 no"),
            ("DETAIL:  Failing row contains (1, bob, hunter2, null).", "DETAIL:  Failing row contains (#)."),
            ("NINO AB 12 34 56 C", "NINO #"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "rabbitmqctl list_users -q --silent",
            "http -a failed: no 127.0.0.1",
            "vault kv put secret/x @data.json",
            "NickServ: identify yourself",
            "334 VXNlcm5hbWU6\nYm9i",
            "Failing row contains (1, 2026-11-28 10:00:00+00, null, t).",
            "htpasswd -c /etc/x bob",
            "net use Z: /delete",
            "client.login('user', 'password')",
            "SIN 046 454 287 is taken",
            "LOGIN ok user1",
            "AUTH required2",
            "negotiate timeout1",
            "cookie: none",
            "Cookie: missing",
            "tan: 3.14",
            "curl -sSu bob 10:20",
            "new PDO($dsn, $user, $word)",
            "bob:x1@/",
            "/orders/reset/1234567890123456",
            "/token/authentication-and-more",
            "docker run -p 8080:80 nginx:1.25",
            "10.0.0.1:5432:5432",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
        let in_code = |text: &str| one(text, Rules::built_in(), Place::Code, None).replace(FILTERED, "#");
        assert_eq!(in_code("requests.get(u, auth=('bob', 'hunter2'))"), "requests.get(u, auth=('bob', '#'))");
        assert_eq!(in_code("auth = HTTPBasicAuth('bob', 'hunter2')"), "auth = HTTPBasicAuth('bob', '#')");
        assert_eq!(in_code("sql.Open(\"mysql\", \"root:hunter2@/shop\")"), "sql.Open(\"mysql\", \"root:#@/shop\")");
        assert_eq!(in_code("requests.get(u, auth=(name, word))"), "requests.get(u, auth=(name, word))");
    }
}
