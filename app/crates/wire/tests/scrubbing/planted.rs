//! What applications in six languages log, raise and keep in variables, with secrets in it: each
//! form with each of its names or kinds, at places where it is seen. Written from their own
//! documentation and from what they print, not from what scrubbing looks for.

use crate::Planted;
use crate::kinds::{Draw, filled};

/// Names under which people keep passwords, with their languages' habits of writing.
const PASSWORD_NAMES: &[&str] = &[
    "password",
    "Password",
    "PASSWORD",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "db_pass",
    "dbPassword",
    "DB_PASSWORD",
    "userPassword",
    "user_password",
    "PGPASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "spring.datasource.password",
    "smtp-password",
    "admin_pw",
    "passphrase",
    "passwort",
    "Kennwort",
    "mot_de_passe",
    "motDePasse",
    "mdp",
    "contrasena",
    "contraseña",
    "clave",
    "senha",
    "wachtwoord",
    "passord",
    "parola",
    "heslo",
    "haslo",
    "newPassword",
    "password_confirmation",
    "old_password",
    "ldapBindPw",
    "keystorePassword",
    "redis_password",
    "ftp_pass",
    "root_pwd",
];

/// Names of what machines make.
const TOKEN_NAMES: &[&str] = &[
    "token",
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "auth_token",
    "api_key",
    "apiKey",
    "API_KEY",
    "apikey",
    "X-Api-Key",
    "x-auth-token",
    "client_secret",
    "clientSecret",
    "secret",
    "secret_key",
    "SECRET_KEY",
    "private_key",
    "session_id",
    "sessionid",
    "csrf_token",
    "csrfmiddlewaretoken",
    "jwt",
    "bearer_token",
    "webhook_secret",
    "signing_key",
    "encryption_key",
    "STRIPE_API_KEY",
    "GITHUB_TOKEN",
    "aws_secret_access_key",
    "accountKey",
    "SharedAccessKey",
    "connect.sid.secret",
    "oauth_token",
    "oauth_token_secret",
    "consumer_secret",
    "app_secret",
    "master_key",
    "deploy_token",
    "bot_token",
];

/// How a name and its value are written, in the languages and formats that do so.
const WRITTEN: &[&str] = &[
    // Shell, .env, properties, query strings.
    "NAME=VALUE",
    "export NAME=VALUE",
    "NAME = VALUE",
    "a=1&NAME=VALUE&b=2",
    "https://x.test/p?NAME=VALUE&x=1",
    // Python, JSON, JavaScript.
    "{'NAME': 'VALUE', 'x': 1}",
    "{\"NAME\":\"VALUE\",\"x\":1}",
    "call(x=1, NAME='VALUE')",
    "<Config NAME='VALUE'>",
    "{ NAME: 'VALUE' }",
    "{\\\"NAME\\\":\\\"VALUE\\\"}",
    "[('NAME', 'VALUE')]",
    "dict(NAME=\"VALUE\")",
    // Ruby, PHP, Go, Rust, Java.
    "{:NAME=>\"VALUE\"}",
    "{\"NAME\"=>\"VALUE\"}",
    "['NAME' => 'VALUE']",
    "map[NAME:VALUE x:1]",
    "Config { NAME: \"VALUE\" }",
    "Config { NAME: Some(\"VALUE\") }",
    "Config(NAME=VALUE, x=1)",
    "{NAME=VALUE, x=1}",
    // YAML, XML, HTML, headers, logs.
    "NAME: VALUE",
    "NAME: \"VALUE\"",
    "<NAME>VALUE</NAME>",
    "<input name=\"NAME\" value=\"VALUE\">",
    "{\"name\": \"NAME\", \"value\": \"VALUE\"}",
    "level=error msg=\"no\" NAME=VALUE",
    "--NAME VALUE --verbose",
    "--NAME=VALUE",
    "[\"--NAME\", \"VALUE\"]",
    "x%3D1%26NAME%3DVALUE",
    "{&quot;NAME&quot;: &quot;VALUE&quot;}",
];

/// What carries a token of a maker by itself.
const CARRIES: &[&str] = &[
    "SECRET is not valid",
    "invalid credentials (SECRET)",
    "got 401 with SECRET,",
    "'SECRET'",
    "[\"SECRET\"]",
    "key=SECRET",
    "https://x.test/?k=SECRET",
    "client(SECRET)",
    "<Client SECRET>",
    "a:SECRET:b",
];

/// Tokens of makers, numbers and blocks.
const KINDS: &[&str] = &[
    "github",
    "github_fine",
    "gitlab",
    "slack",
    "discordbot",
    "stripe",
    "stripe_restricted",
    "google",
    "google_oauth",
    "aws",
    "sendgrid",
    "twilio",
    "pypi",
    "npm",
    "anthropic",
    "openai",
    "hf",
    "digitalocean",
    "telegram",
    "shopify",
    "square",
    "mailgun",
    "vault",
    "age",
    "databricks",
    "atlassian",
    "linear",
    "newrelic",
    "grafana",
    "sentry",
    "doppler",
    "rubygems",
    "tailscale",
    "docker",
    "jwt",
    "card",
    "card_spaced",
    "card_dashed",
    "iban",
    "iban_spaced",
];

/// Of those, the ones that are known in any text, the name of a file too.
pub(crate) const DRAWN: &[&str] = &[
    "github",
    "github_fine",
    "gitlab",
    "slack",
    "stripe",
    "google",
    "aws",
    "sendgrid",
    "pypi",
    "npm",
    "anthropic",
    "openai",
    "hf",
    "digitalocean",
    "shopify",
    "vault",
    "databricks",
    "jwt",
];

/// Whole sentences and statements, each as some application prints it.
const SENTENCES: &[&str] = &[
    "psycopg2.OperationalError: connection to postgresql://app:{pw}@db:5432/shop failed",
    "Can't connect to mysql://root:{pw}@127.0.0.1:3306",
    "mongodb://u:{pwslash}@m1:27017,m2:27017/db",
    "redis://default:{pw}@r:6379",
    "amqp://svc:{pw}@mq//",
    "ldap://cn=admin:{pw}@ldap:389",
    "https://u:{pwslash}@git.example.com/a.git",
    "smtp://mailer:{pw}@smtp.example.com:587",
    "mysql -h db -uapp -p{pwsafe} -e 'select 1'",
    "['mysqldump', '-uroot', '-p{pwsafe}', 'shop']",
    "curl -u admin:{pwsafe} http://h/",
    "['curl', '-u', 'admin:{pwsafe}', 'http://h/']",
    "sshpass -p {pwsafe} scp a b",
    "redis-cli -h r -a {pwsafe} ping",
    "docker login -u u -p {url43} r.example.com",
    "INSERT INTO users (name, email, password) VALUES ('a', 'b', '{pw}')",
    "INSERT INTO `t` (`id`, `api_token`) VALUES (1, '{url43}')",
    "UPDATE t SET token='{url43}' WHERE id=1",
    "CREATE ROLE r LOGIN PASSWORD '{pw}'",
    "GRANT ALL ON *.* TO 'a'@'%' IDENTIFIED BY '{pw}'",
    "Key (email, token)=(a@b.c, {url43}) already exists.",
    "[SQL: INSERT INTO u (a, password) VALUES (?, ?)]\\n[parameters: ('x', '{pw}')]",
    "Authorization: Bearer {url43}",
    "Authorization: Basic {b64userpw}",
    "Authorization: Token {hex40}",
    "authorization: {jwt}",
    "Cookie: a=1; session={url43}",
    "Set-Cookie: sid={hex32}; Path=/",
    "Proxy-Authorization: Basic {b64userpw}",
    "X-Amz-Security-Token: {b64_88}",
    "https://s3.amazonaws.com/b/k?X-Amz-Signature={hex64}&X-Amz-Expires=60",
    "https://a.blob.core.windows.net/c?sv=2024-01-01&sig={b64_40}%3D",
    "AccountName=a;AccountKey={b64_88};EndpointSuffix=core.windows.net",
    "Server=s;Database=d;User Id=u;Password={pwsafe};",
    "jdbc:postgresql://h/d?user=u&password={pwsafe}",
    "jdbc:oracle:thin:scott/{pwsafe}@h:1521:x",
    "https://hooks.slack.com/services/{slackhook}",
    "https://discord.com/api/webhooks/{discordhook}",
    "-----BEGIN PRIVATE KEY-----\\n{pem}\\n-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\\n{pem}",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\\n{pem}\\n-----END PGP PRIVATE KEY BLOCK-----",
    "the password {pwmix} is too weak",
    "Password is {pwmix}",
    "logged in with password: {pwsafe}",
    "PIN: {pin4}",
    "otp={otp6}",
    "cvv: '{pin3}'",
    "Passwort lautet {pwmix}",
    "tax id CPF {cpf}",
    "NIR {nir}",
    "DNI {dni}",
    "ssn={ssn}",
];

/// Places of a text that may be anything.
const PLACES: &[&str] = &[
    "message",
    "repr",
    "var:x",
    "extra:note",
    "context:app_state",
    "tag:detail",
    "header:X-Debug",
    "data:note",
    "body",
    "transaction",
];

/// Places of a name that has a value of its own.
const NAMED: &[&str] = &["var", "extra", "data", "header", "user", "context"];

/// All of it.
pub(crate) fn all() -> Vec<Planted> {
    let mut draw = Draw(20_261_128);
    let mut all = Vec::new();
    let mut plant = |place: &str, template: &str, draw: &mut Draw| {
        let (text, secrets) = filled(template, draw);
        all.push(Planted { place: place.to_owned(), text, secrets });
    };
    for (names, kinds) in
        [(PASSWORD_NAMES, ["{pwsafe}", "{pw}", "'{pw}'"]), (TOKEN_NAMES, ["{url43}", "{hex40}", "'{url43}'"])]
    {
        for (index, name) in names.iter().enumerate() {
            // Each name in seven ways of writing, each way with a share of the names.
            for step in 0..7 {
                let written = WRITTEN[(index * 7 + step) % WRITTEN.len()];
                let text = written.replace("NAME", name).replace("VALUE", kinds[0]);
                let place = draw.one(PLACES);
                plant(place, &text, &mut draw);
            }
            let place = format!("{}:{name}", draw.one(NAMED));
            plant(&place, kinds[draw.below(3)], &mut draw);
        }
    }
    for (index, kind) in KINDS.iter().enumerate() {
        for step in 0..3 {
            let text = CARRIES[(index * 3 + step) % CARRIES.len()].replace("SECRET", &format!("{{{kind}}}"));
            let place = draw.one(PLACES);
            plant(place, &text, &mut draw);
        }
        if !matches!(*kind, "card" | "card_spaced" | "card_dashed" | "iban" | "iban_spaced" | "twilio") {
            let place = draw.one(&[
                "function",
                "type",
                "server",
                "release",
                "environment",
                "logger",
                "key",
                "file",
                "code",
                "module",
            ]);
            let text =
                if place == "code" { format!("client = Client(\"{{{kind}}}\")") } else { format!("a {{{kind}}}") };
            plant(place, &text, &mut draw);
        }
    }
    for sentence in SENTENCES {
        for place in ["message", "var:x"] {
            plant(place, sentence, &mut draw);
        }
    }
    all
}
