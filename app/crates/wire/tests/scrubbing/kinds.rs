//! Values as makers, banks, states and people make them, drawn from a seed: no token that looks
//! real stands in this repository, and each is put together from parts.

/// A generator of numbers that gives the same ones each time (SplitMix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// Characters of this set.
    fn of(&mut self, set: &str, length: usize) -> String {
        let set: Vec<char> = set.chars().collect();
        (0..length).map(|_| set[self.below(set.len())]).collect()
    }

    fn digits(&mut self, length: usize) -> String {
        let first = self.of("123456789", 1);
        first + &self.of("0123456789", length - 1)
    }

    fn hex(&mut self, length: usize) -> String {
        // A digit and a letter for sure: drawn ones have both.
        format!("a7{}", self.of("0123456789abcdef", length - 2))
    }

    fn alnum(&mut self, length: usize) -> String {
        format!("x7K{}", self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length - 3))
    }

    fn url_safe(&mut self, length: usize) -> String {
        format!("q3Z{}", self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", length - 4)) + "w"
    }

    fn base64(&mut self, length: usize) -> String {
        format!("n5T{}", self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+", length - 4)) + "M"
    }

    fn upper(&mut self, length: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
    }

    /// A password that people choose; `safe`: without marks that have a meaning in texts.
    fn password(&mut self, marks: &str) -> String {
        let words = ["tiger", "Sommer", "kaffee", "dragon", "Winter", "bonjour", "verano", "sunshine"];
        let word = words[self.below(words.len())];
        let mark = self.of(marks, 1);
        format!("{word}{mark}{}{}", self.digits(3), self.of("abcdefghkmnpqrstuvwxyz", 3))
    }

    fn card(&mut self) -> String {
        let start = ["4539", "5425", "4716", "5500", "6011"][self.below(5)];
        let body = format!("{start}{}", self.of("0123456789", 11));
        format!("{body}{}", luhn_digit(&body))
    }

    fn iban(&mut self) -> String {
        let (country, length) = [("DE", 18), ("FR", 23), ("NL", 14), ("ES", 20)][self.below(4)];
        let body = if country == "NL" { format!("ABNA{}", self.digits(length - 4)) } else { self.digits(length) };
        let number = |text: &str| {
            text.chars().fold(0_u32, |rest, c| match c.to_digit(36).unwrap_or(0) {
                digit @ 0..=9 => (rest * 10 + digit) % 97,
                letter => (rest * 100 + letter) % 97,
            })
        };
        format!("{country}{:02}{body}", 98 - number(&format!("{body}{country}00")))
    }

    /// A value of this kind, and how it is written in the text where that is another.
    pub(crate) fn kind(&mut self, kind: &str) -> (String, String) {
        let same = |value: String| (value.clone(), value);
        let join = |a: &str, b: &str, rest: String| format!("{a}{b}{rest}");
        same(match kind {
            "pw" => self.password("!.$_*+~"),
            "pwsafe" | "pwmix" => self.password("!._*~"),
            "pwslash" => self.password("/#"),
            "hex32" => self.hex(32),
            "hex40" => self.hex(40),
            "hex64" => self.hex(64),
            "b64_40" | "aws_secret" => self.base64(40),
            "b64_88" => self.base64(86) + "==",
            "b64userpw" => self.alnum(24),
            "url43" => self.url_safe(43),
            "alnum8" => self.alnum(8),
            "alnum24" => self.alnum(24),
            "pin3" => self.digits(3),
            "pin4" => self.digits(4),
            "otp6" => self.digits(6),
            "ssn" => format!("219-{}-{}", self.digits(2), self.digits(4)),
            "uuid" => format!("{}-4{}-9{}-a{}-{}", self.hex(8), self.hex(3), self.hex(3), self.hex(3), self.hex(12)),
            "jwt" => format!(
                "{}.{}.{}",
                join("ey", "Jh", self.alnum(18)),
                join("ey", "Jz", self.url_safe(40)),
                self.url_safe(43)
            ),
            "pem" => (0..3).map(|_| self.base64(64)).collect::<Vec<_>>().join("\\n"),
            "card" => self.card(),
            "card_spaced" => grouped(&self.card(), ' '),
            "card_dashed" => grouped(&self.card(), '-'),
            "iban" => self.iban(),
            "iban_spaced" => grouped(&self.iban(), ' '),
            "cpf" => {
                let nine = self.digits(9);
                let check = |text: &str| {
                    let length = text.len() as u32 + 1;
                    let sum: u32 = text
                        .chars()
                        .enumerate()
                        .map(|(at, c)| c.to_digit(10).unwrap_or(0) * (length - at as u32))
                        .sum();
                    sum * 10 % 11 % 10
                };
                let ten = format!("{nine}{}", check(&nine));
                let all = format!("{ten}{}", check(&ten));
                format!("{}.{}.{}-{}", &all[..3], &all[3..6], &all[6..9], &all[9..])
            }
            "cf" => "RSSMRA85T10A562S".to_owned(),
            "dni" => {
                let number = self.digits(8);
                let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[number.parse::<usize>().unwrap_or(0) % 23];
                format!("{number}{}", char::from(letter))
            }
            "nir" => {
                let body = format!("2{:02}0814168{:03}", self.below(100), self.below(900) + 10);
                let body = format!("{}{}", &body[..7], &format!("{:06}", self.below(900_000))[..6]);
                let check = 97 - body.parse::<u64>().unwrap_or(0) % 97;
                format!("{body}{check:02}")
            }
            "github" => join("gh", "p_", self.alnum(36)),
            "github_fine" => join("github", "_pat_", self.alnum(60)),
            "gitlab" => join("gl", "pat-", self.url_safe(20)),
            "slack" => join("xo", "xb-", format!("{}-{}-{}", self.digits(12), self.digits(12), self.alnum(24))),
            "slackhook" => format!("T{}/B{}/{}", self.upper(8), self.upper(10), self.alnum(24)),
            "discordhook" => format!("{}/{}", self.digits(19), self.url_safe(68)),
            "discordbot" => format!("M{}.{}.{}", self.alnum(23), self.alnum(6), self.url_safe(38)),
            "stripe" => join("sk", "_live_", self.alnum(24)),
            "stripe_restricted" => join("rk", "_live_", self.alnum(24)),
            "google" => join("AI", "za", self.url_safe(35)),
            "google_oauth" => join("GOC", "SPX-", self.url_safe(28)),
            "aws" => join("AK", "IA", self.upper(16)),
            "sendgrid" => join("S", "G.", format!("{}.{}", self.url_safe(22), self.url_safe(43))),
            "twilio" => join("S", "K", self.hex(32)),
            "pypi" => join("py", "pi-AgEIcHlwaS5vcmc", self.url_safe(70)),
            "npm" => join("np", "m_", self.alnum(36)),
            "anthropic" => join("sk-", "ant-api03-", self.url_safe(93)),
            "openai" => join("sk", "-proj-", self.url_safe(80)),
            "hf" => join("h", "f_", self.alnum(34)),
            "digitalocean" => join("dop", "_v1_", self.hex(64)),
            "telegram" => format!("{}:{}", self.digits(10), join("A", "A", self.url_safe(33))),
            "shopify" => join("shp", "at_", self.hex(32)),
            "square" => join("sq0", "csp-", self.url_safe(43)),
            "mailgun" => join("ke", "y-", self.hex(32)),
            "vault" => join("hv", "s.", self.url_safe(92)),
            "age" => join("AGE-SECRET", "-KEY-1", self.upper(58)),
            "databricks" => join("da", "pi", self.hex(32)),
            "atlassian" => join("ATA", "TT3", self.alnum(180)),
            "linear" => join("lin", "_api_", self.alnum(40)),
            "newrelic" => join("NR", "AK-", self.upper(27)),
            "grafana" => join("gl", "sa_", self.alnum(41)),
            "sentry" => join("snt", "rys_", self.base64(100)),
            "doppler" => join("dp", ".pt.", self.alnum(43)),
            "rubygems" => join("ruby", "gems_", self.hex(48)),
            "tailscale" => join("ts", "key-auth-", self.url_safe(40)),
            "docker" => join("dckr", "_pat_", self.url_safe(27)),
            "bcrypt" => self.alnum(53),
            other => panic!("no kind {other}"),
        })
    }
}

fn grouped(text: &str, mark: char) -> String {
    let groups: Vec<String> =
        text.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(&mark.to_string())
}

fn luhn_digit(body: &str) -> u32 {
    let sum: u32 = body
        .chars()
        .rev()
        .enumerate()
        .map(|(at, c)| {
            let digit = c.to_digit(10).unwrap_or(0);
            if at % 2 == 1 {
                digit
            } else if digit > 4 {
                digit * 2 - 9
            } else {
                digit * 2
            }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// A text with its `{kind}`s filled in, and the values that were.
pub(crate) fn filled(template: &str, draw: &mut Draw) -> (String, Vec<String>) {
    let (mut text, mut secrets, mut rest) = (String::new(), Vec::new(), template);
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').map(|at| open + at);
        let kind = close.map(|close| &rest[open + 1..close]);
        let is_kind = |kind: &str| {
            !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        text.push_str(&rest[..open]);
        match (kind, close) {
            (Some(kind), Some(close)) if is_kind(kind) => {
                let (value, written) = draw.kind(kind);
                secrets.push(value);
                text.push_str(&written);
                rest = &rest[close + 1..];
            }
            _ => {
                text.push('{');
                rest = &rest[open + 1..];
            }
        }
    }
    (text + rest, secrets)
}
