//! Signed links: what we sign holds when it comes back, and nothing else does.

use domain::alert::Place;
use domain::ids::{LineId, RepositoryId};
use domain::links::{Claim, LinkPurpose, LinkedLine, Linker, SignedFor};
use domain::names::RepositoryName;
use domain::repository::Repository;
use domain::signature::Signer;
use domain::timestamp::Timestamp;
use std::collections::HashMap;

/// When links are signed here.
const NOW: i64 = 1_800_000_000;

/// Lines: repository, path, function, code, and what somebody puts in the place of the signature
/// and of the code.
pub(super) fn links(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n').map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let repository = Repository {
        id: RepositoryId(7),
        full_name: RepositoryName::new(next()),
        clone_url: String::new(),
        github: None,
        public: false,
        default_branch: None,
        head: None,
    };
    let place = Place { path: next(), function: next(), line: 7, code: next() };
    let (forged, other) = (next(), next());
    let linker = Linker::new("https://flawless.test/errors", Signer::new(b"a secret"));
    let now = Timestamp::from_seconds(NOW);

    let its = SignedFor { repository: repository.id, line: LineId(12) };
    let line = LinkedLine { repository: &repository, id: its.line, place: &place };
    let link = linker.traceback(line, now, Some(now));
    let fields: HashMap<String, String> =
        url::Url::parse(&link).unwrap().query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
    let back = Place {
        path: fields["filename"].clone(),
        function: fields["function_name"].clone(),
        line: 8,
        code: fields["text"].clone(),
    };
    let named = RepositoryName::new(fields["repo"].as_str());
    let holds = |purpose, place: &Place, expires: &str, signature: &str, at| {
        let claim = Claim { repository: &named, line: &fields["line_id"], place, expires, signature };
        let found = linker.signed_for(purpose, claim, at);
        assert!(found.is_none_or(|it| it == its), "it holds for another repository or line");
        for other in [forged.as_str(), "13"].into_iter().filter(|other| *other != fields["line_id"]) {
            let found = linker.signed_for(purpose, Claim { line: other, ..claim }, at);
            assert!(found.is_none(), "it holds for line {other:?}");
        }
        found.is_some()
    };
    let (expires, signature) = (&fields["expires"], &fields["signature"]);
    assert!(holds(LinkPurpose::View, &back, expires, signature, now), "our own link does not hold: {link}");
    assert!(!holds(LinkPurpose::Whitelist, &back, expires, signature, now), "it may do what it is not for");
    let later = Timestamp::from_seconds(NOW + 1_000_000_000);
    assert!(!holds(LinkPurpose::View, &back, expires, signature, later), "it holds for ever");
    assert!(!holds(LinkPurpose::View, &back, &format!("{expires}0"), signature, now), "its end can be moved");
    if forged != *signature {
        assert!(!holds(LinkPurpose::View, &back, expires, &forged, now), "{forged:?} holds as a signature");
    }
    if other != back.code {
        let elsewhere = Place { code: other, ..back.clone() };
        assert!(!holds(LinkPurpose::View, &elsewhere, expires, signature, now), "it holds for another line");
    }
    // Moving a letter from one field to the next is another place.
    if let Some(letter) = back.function.chars().next() {
        let shifted = Place {
            path: format!("{}{letter}", back.path),
            function: back.function[letter.len_utf8()..].to_owned(),
            ..back.clone()
        };
        assert!(!holds(LinkPurpose::View, &shifted, expires, signature, now), "fields run into each other");
    }
}
