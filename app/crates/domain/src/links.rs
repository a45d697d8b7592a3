//! Addresses of our own pages, signed where an e-mail's reader is to open them without signing in.

use super::alert::Place;
use super::ids::{LineId, RepositoryId};
use super::names::RepositoryName;
use super::no_line::{PAGE, Reason};
use super::repository::Repository;
use super::signature::{LINK_LIFE, Signer};
use crate::timestamp::Timestamp;

/// Stands in a link between the number of its repository and the signature: neither has it, and
/// an address needs no escape for it.
const SEPARATOR: char = '_';

/// What a signed link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Read a line's latest traceback.
    View,
    /// Whitelist a line.
    Whitelist,
    /// Say that a line is not theirs.
    NotMe,
}

impl LinkPurpose {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Whitelist => "whitelist",
            Self::NotMe => "not_me",
        }
    }
}

/// A line as a link names it.
#[derive(Clone, Copy, Debug)]
pub struct LinkedLine<'a> {
    /// Its repository.
    pub repository: &'a Repository,
    /// Which line: places are shared, by lines of different commits.
    pub id: LineId,
    /// Where it is shown.
    pub place: &'a Place,
}

/// What somebody says that a link was signed for.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The repository, as it was called then.
    pub repository: &'a RepositoryName,
    /// The line's number, as it stands in the link.
    pub line: &'a str,
    /// Where the line was.
    pub place: &'a Place,
    /// Until when, in Unix seconds.
    pub expires: &'a str,
    /// What proves it.
    pub signature: &'a str,
}

/// What a link was signed for: all that it opens, and that it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedFor {
    /// The repository.
    pub repository: RepositoryId,
    /// The line.
    pub line: LineId,
}

/// Makes addresses below the server's public one.
#[derive(Clone, Debug)]
pub struct Linker {
    base: String,
    signer: Signer,
}

impl Linker {
    /// `base` is the public address, with or without a slash at its end.
    pub fn new(base: &str, signer: Signer) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), signer }
    }

    /// The public address of the server, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A DSN, `http(s)://KEY@HOST[/PREFIX]/PROJECT`: the form that SDKs insist on.
    pub fn dsn(&self, key: &str, project: RepositoryId) -> String {
        match self.base.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{key}@{rest}/{project}"),
            None => format!("{key}@{}/{project}", self.base),
        }
    }

    /// Latest traceback of a line; signed, for a while from `signed_at` on, where that is given.
    pub fn traceback(&self, line: LinkedLine<'_>, at: Timestamp, signed_at: Option<Timestamp>) -> String {
        let mut fields = place_fields(line);
        fields.push(("timestamp", at.as_seconds().to_string()));
        self.address("/view_traceback", fields, LinkPurpose::View, line, signed_at)
    }

    /// The form that whitelists a line.
    pub fn whitelist(&self, line: LinkedLine<'_>, signed_at: Option<Timestamp>) -> String {
        let fields = vec![
            ("repo", line.repository.full_name.to_string()),
            ("filename", line.place.path.clone()),
            ("function_name", line.place.function.clone()),
            ("code_fragment", line.place.code.clone()),
        ];
        self.address("/add_known_error", fields, LinkPurpose::Whitelist, line, signed_at)
    }

    /// The form by which somebody says that a line is not theirs.
    pub fn not_me(&self, line: LinkedLine<'_>, signed_at: Option<Timestamp>) -> String {
        self.address("/not_me", place_fields(line), LinkPurpose::NotMe, line, signed_at)
    }

    /// A repository's report of the week that holds this moment.
    pub fn week(&self, repository: Option<&RepositoryName>, at: Timestamp) -> String {
        let mut fields = vec![("timestamp", at.as_seconds().to_string())];
        if let Some(repository) = repository {
            fields.insert(0, ("repo", repository.to_string()));
        }
        format!("{}/get_weekly_error_report?{}", self.base, query(&fields))
    }

    /// The page that says why no line is found, at one reason. It is the same for everybody, so it
    /// is not signed.
    pub fn why_no_line(&self, reason: Reason) -> String {
        format!("{}{PAGE}#{}", self.base, reason.slug())
    }

    /// What a link was signed for: `None` unless its signature is ours for this purpose, name, line
    /// and place, and not expired. Names are changed and taken by others, so the signature is for
    /// the repository's number as well, and says it: a link goes on to open its repository,
    /// whatever that is called now, and nothing of another one that has the name.
    pub fn signed_for(&self, purpose: LinkPurpose, claim: Claim<'_>, now: Timestamp) -> Option<SignedFor> {
        let at = Timestamp::from_seconds(claim.expires.parse().ok()?);
        let (number, signature) = claim.signature.split_once(SEPARATOR)?;
        let signed =
            SignedFor { repository: RepositoryId(number.parse().ok()?), line: LineId(claim.line.parse().ok()?) };
        let fields = signed_fields(number, &claim);
        (now <= at && self.signer.verify(purpose.name(), &fields, signature)).then_some(signed)
    }

    fn address(
        &self,
        route: &str,
        mut fields: Vec<(&'static str, String)>,
        purpose: LinkPurpose,
        line: LinkedLine<'_>,
        signed_at: Option<Timestamp>,
    ) -> String {
        let LinkedLine { repository, id, place } = line;
        let id = id.to_string();
        fields.push(("line_id", id.clone()));
        if let Some(now) = signed_at {
            let expires = (now + LINK_LIFE).as_seconds().to_string();
            let number = repository.id.to_string();
            let claim = Claim { repository: &repository.full_name, line: &id, place, expires: &expires, signature: "" };
            let signature = self.signer.sign(purpose.name(), &signed_fields(&number, &claim));
            fields.push(("expires", expires));
            fields.push(("signature", format!("{number}{SEPARATOR}{signature}")));
        }
        format!("{}{route}?{}", self.base, query(&fields))
    }
}

fn place_fields(line: LinkedLine<'_>) -> Vec<(&'static str, String)> {
    let LinkedLine { repository, place, .. } = line;
    vec![
        ("repo", repository.full_name.to_string()),
        ("filename", place.path.clone()),
        ("function_name", place.function.clone()),
        ("line_number", place.line.to_string()),
        ("text", place.code.clone()),
    ]
}

/// Where the line stands is left out: it moves while the mail lies in somebody's inbox.
fn signed_fields<'a>(number: &'a str, claim: &Claim<'a>) -> [&'a str; 7] {
    let Place { path, function, code, .. } = claim.place;
    [number, claim.repository.as_str(), claim.line, path, function, code, claim.expires]
}

/// `a=b&c=d`, percent-encoded as forms are.
pub fn query(fields: &[(&str, String)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        out.append_pair(name, value);
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    fn place() -> Place {
        Place { path: "shop/a b.py".into(), function: "f".into(), line: 3, code: "x = y[\"&\"]".into() }
    }

    #[test]
    fn a_dsn_is_of_the_form_that_sdks_insist_on() {
        let dsn = |base: &str| Linker::new(base, Signer::new(&[1; 32])).dsn("ab12", RepositoryId(7));
        assert_eq!(dsn("https://flawless.example"), "https://ab12@flawless.example/7");
        assert_eq!(dsn("http://127.0.0.1:3000/errors/"), "http://ab12@127.0.0.1:3000/errors/7");
    }

    fn shop() -> Repository {
        Repository {
            id: RepositoryId(7),
            full_name: "acme/shop".into(),
            clone_url: String::new(),
            github: None,
            public: false,
            default_branch: None,
            head: None,
        }
    }

    #[test]
    fn a_link_is_good_for_its_repository_line_place_purpose_and_time() {
        let linker = Linker::new("https://flawless.example/", Signer::new(&[1; 32]));
        let line = LinkedLine { repository: &shop(), id: LineId(12), place: &place() };
        let link = linker.whitelist(line, Some(NOW));
        let url = url::Url::parse(&link).expect("a URL");
        let get = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).expect("there")
        };
        assert_eq!(get("code_fragment"), place().code);
        let (line, expires, signature) = (get("line_id"), get("expires"), get("signature"));
        let repository = "acme/shop".into();
        let claim =
            Claim { repository: &repository, line: &line, place: &place(), expires: &expires, signature: &signature };
        let check = |purpose, repository: &str, place: &Place, now| {
            linker.signed_for(purpose, Claim { repository: &repository.into(), place, ..claim }, now)
        };
        let its = Some(SignedFor { repository: RepositoryId(7), line: LineId(12) });
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &place(), NOW), its);
        assert_eq!(check(LinkPurpose::View, "acme/shop", &place(), NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/other", &place(), NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &Place { path: "b.py".into(), ..place() }, NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &place(), NOW + LINK_LIFE + SECOND), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &Place { line: 9, ..place() }, NOW), its, "lines move");
        for other in ["13", "012", "+12", ""] {
            let claim = Claim { line: other, ..claim };
            assert_eq!(linker.signed_for(LinkPurpose::Whitelist, claim, NOW), None, "another line: {other}");
        }
        let (_, bare) = signature.split_once(SEPARATOR).expect("the number is said");
        for forged in [format!("8_{bare}"), format!("07_{bare}"), bare.to_owned(), String::new()] {
            let claim = Claim { signature: &forged, ..claim };
            assert_eq!(linker.signed_for(LinkPurpose::Whitelist, claim, NOW), None, "{forged}");
        }
    }
}
