//! From what a deployment calls its release to a commit of the mirror.

use super::Mirrors;
use super::error::MirrorError;
use super::read::commit_id;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::refs::FullName;
use std::collections::HashSet;

/// Fewest digits that are taken for an abbreviated id: git's own default length. Fewer would be
/// words (`facade`, `decade`).
const SHORTEST: usize = 7;

/// Longest release that is looked at: the Sentry protocol allows 250 characters.
/// <https://develop.sentry.dev/sdk/foundations/envelopes/event-payloads/>
const LONGEST_RELEASE: usize = 250;

/// One thing that a release may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A whole object id.
    Id(CommitId),
    /// A tag or branch.
    Name(String),
    /// The beginning of an object id.
    Short(String),
}

impl Mirrors {
    /// The commit that a release or revision names, if the mirror has it: an object id (whole, or
    /// at least 7 digits of it), a tag or a branch, or a release that says one of these the way
    /// release tools do: `1.4.2`, `shop@1.4.2`, `shop-1.4.2`, `1.4.2+3f1c9a7`, `v1.4.2-5-g3f1c9a7`.
    /// Annotated tags are peeled. `None` also where an abbreviation is ambiguous. What can't be
    /// read of one meaning does not keep another from being found.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn resolve(&self, id: RepositoryId, revision: &str) -> Result<Option<CommitId>, MirrorError> {
        let meanings = meanings(revision);
        if meanings.is_empty() {
            return Ok(None);
        }
        self.ask(id, |repo| {
            let mut unreadable = None;
            for meaning in &meanings {
                match find(repo, meaning) {
                    Ok(Some(found)) => return Ok(Some(commit_id(found))),
                    Ok(None) => {}
                    Err(error) => unreadable = Some(error),
                }
            }
            match unreadable {
                Some(error) => Err(MirrorError::git("looking for a revision", &error)),
                None => Ok(None),
            }
        })
    }
}

/// The full object id in a release, if there is one: what [`Mirrors::fetch_commit`] can ask the
/// source for where [`Mirrors::resolve`] finds nothing.
pub fn full_id(revision: &str) -> Option<CommitId> {
    let bytes = revision.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = &revision[start..start + length];
        if let Some(id) = CommitId::of_text(word) {
            return Some(id);
        }
        start += length;
        start += bytes[start..].iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    }
    None
}

/// Everything that a release may mean, the most telling first.
fn meanings(revision: &str) -> Vec<Meaning> {
    let text = revision.trim();
    if text.is_empty() || text.len() > LONGEST_RELEASE || text.chars().any(char::is_control) {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(full_id(text).map(Meaning::Id));
    found.push(Meaning::Name(text.to_owned()));
    for prefix in ["refs/tags/", "refs/heads/", "origin/"] {
        found.extend(text.strip_prefix(prefix).map(|name| Meaning::Name(name.to_owned())));
    }
    let (package, version) = match text.rsplit_once('@') {
        Some((package, version)) if !package.is_empty() => (Some(package), version),
        _ => (None, text),
    };
    let clean = version.strip_suffix("-dirty").unwrap_or(version);
    let (plain, build) = clean.split_once('+').map_or((clean, None), |(plain, build)| (plain, Some(build)));
    // `1.4.2+3f1c9a7`, `1.4.2+g3f1c9a7.d20240115`: with git's `g` before it, it is an id for
    // certain.
    let words: Vec<&str> = build.map(|build| build.split(['.', '-', '_']).collect()).unwrap_or_default();
    found.extend(words.iter().filter_map(|word| short(word.strip_prefix('g')?)));
    found.extend(words.iter().filter(|word| !is_number(word)).filter_map(|word| short(word)));
    // git describe: TAG-COUNT-gID.
    found.extend(clean.rsplit_once("-g").and_then(|(_, id)| short(id)));
    found.extend(Some(clean).filter(|clean| !is_number(clean)).and_then(short));
    found.extend([clean, plain].into_iter().flat_map(|version| tags_of(version, package)).map(Meaning::Name));
    // All digits: a date or a build number more often than an id.
    found.extend(short(clean));
    found.extend(words.iter().filter_map(|word| short(word)));
    let mut seen = Vec::new();
    found.retain(|meaning| {
        let new = !seen.contains(meaning);
        seen.push(meaning.clone());
        new
    });
    found
}

/// How tags of a version are called.
fn tags_of(version: &str, package: Option<&str>) -> Vec<String> {
    let bare =
        version.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(version);
    let mut tags = Vec::new();
    // Of a repository with several packages, each has its own tags.
    for package in package.iter().flat_map(|package| [*package, package.rsplit('/').next().unwrap_or_default()]) {
        tags.extend(["@", "-", "/", "@v", "-v", "/v"].map(|tag| format!("{package}{tag}{bare}")));
    }
    tags.push(version.to_owned());
    tags.extend(["v", "", "release-", "release/", "release-v"].map(|prefix| format!("{prefix}{bare}")));
    tags
}

fn short(word: &str) -> Option<Meaning> {
    let usable = (SHORTEST..CommitId::DIGITS).contains(&word.len()) && is_hex(word);
    usable.then(|| Meaning::Short(word.to_ascii_lowercase()))
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The commit that a meaning names.
///
/// # Errors
/// What it leads to is here and can't be read: the mirror is damaged.
fn find(repo: &gix::Repository, meaning: &Meaning) -> Result<Option<gix::ObjectId>, gix::Error> {
    match meaning {
        Meaning::Id(id) => match gix::ObjectId::from_hex(id.as_str().as_bytes()) {
            Ok(id) => commit(repo, id),
            Err(_) => Ok(None),
        },
        Meaning::Name(name) => {
            for prefix in ["refs/tags/", "refs/heads/"] {
                let Ok(full) = FullName::try_from(format!("{prefix}{name}")) else { continue };
                // A ref that can't be read leads nowhere, and one to another is followed.
                let Ok(Some(found)) = repo.try_find_reference(full.as_ref()) else { continue };
                let direct = found.target().try_id().map(|id| id.to_owned());
                let target = direct.or_else(|| found.into_fully_peeled_id().ok().map(|id| id.detach()));
                if let Some(commit) = target.map(|target| commit(repo, target)).transpose()?.flatten() {
                    return Ok(Some(commit));
                }
            }
            Ok(None)
        }
        Meaning::Short(digits) => {
            let Ok(prefix) = gix::hash::Prefix::from_hex(digits) else { return Ok(None) };
            let mut candidates = HashSet::new();
            repo.objects.lookup_prefix(prefix, Some(&mut candidates))?;
            let mut commits = Vec::new();
            for id in candidates {
                commits.extend(commit(repo, id)?);
            }
            commits.sort();
            commits.dedup();
            Ok((commits.len() == 1).then(|| commits.pop()).flatten())
        }
    }
}

/// The commit that an object is, or that a tag object leads to: of one that is odd, nowhere.
fn commit(repo: &gix::Repository, id: gix::ObjectId) -> Result<Option<gix::ObjectId>, gix::Error> {
    let object = match repo.try_find_object(id) {
        Ok(Some(object)) => object,
        Ok(None) => return Ok(None),
        Err(error) if error.is_corrupted() => return Err(error),
        // It is too large to be a commit.
        Err(_) => return Ok(None),
    };
    Ok(object.peel_to_kind(gix::object::Kind::Commit).ok().map(|commit| commit.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_three(revision: &str) -> [Meaning; 3] {
        meanings(revision)[..3].to_vec().try_into().expect("more than three meanings")
    }

    #[test]
    fn an_id_in_a_release_goes_before_its_version() {
        let digits = "3f1c9a7d".repeat(5);
        let id = CommitId::new(digits.clone());
        assert_eq!(meanings(&format!("shop@{id}"))[0], Meaning::Id(id.clone()));
        assert_eq!(full_id(&format!("build/{}!", digits.to_uppercase())), Some(id.clone()));
        assert_eq!(full_id(&format!("sha256:{digits}{}", "0".repeat(24))), None);
        let [whole, short, _] = first_three("shop@1.4.2+3f1c9a7");
        assert_eq!((whole, short), (Meaning::Name("shop@1.4.2+3f1c9a7".into()), Meaning::Short("3f1c9a7".into())));
        assert_eq!(first_three("1.4.2.dev5+g3f1c9a7.d20240115")[1], Meaning::Short("3f1c9a7".into()));
        assert_eq!(first_three("v1.4.2-5-g3f1c9a7-dirty")[1], Meaning::Short("3f1c9a7".into()));
    }

    #[test]
    fn dates_and_words_are_no_ids_at_first_sight() {
        let meanings = meanings("20240115");
        assert_eq!(meanings[0], Meaning::Name("20240115".into()));
        assert_eq!(meanings.last(), Some(&Meaning::Short("20240115".into())));
        assert!(!super::meanings("facade").contains(&Meaning::Short("facade".into())));
    }

    #[test]
    fn a_package_has_its_own_tags_before_the_repository_has() {
        let all = meanings("@acme/shop@1.4.2");
        let at = |name: &str| all.iter().position(|meaning| *meaning == Meaning::Name(name.to_owned()));
        for name in ["@acme/shop@1.4.2", "shop@1.4.2", "shop-1.4.2", "shop/v1.4.2", "v1.4.2", "1.4.2", "release-1.4.2"]
        {
            assert!(at(name).is_some(), "{name} of {all:?}");
        }
        assert!(at("shop@1.4.2") < at("1.4.2"));
    }

    #[test]
    fn nonsense_means_nothing() {
        for revision in ["", "  ", "a\nb", &"x".repeat(300)] {
            assert_eq!(meanings(revision), []);
        }
        assert!(!meanings("ü@é").is_empty());
    }
}
