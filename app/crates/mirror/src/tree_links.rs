//! What is in a tree and leads elsewhere: symbolic links and submodules.

use gix::bstr::ByteSlice;
use gix::traverse::tree::recorder::Entry;
use std::collections::BTreeMap;

/// Links and submodules of a tree that are remembered: some dozens are many, and each link is an
/// object to be read.
const MOST: usize = 1_000;

/// Bytes of a link's target: longer ones no system follows.
const LONGEST_TARGET: u64 = 4_096;

/// Links that lead to each other, after which a path leads nowhere: as Linux has it.
const MOST_HOPS: usize = 40;

/// Comparisons of files with links for one name: a thousand links and all files called `index.js`
/// would be some millions.
const MOST_COMPARED: usize = 100_000;

/// Where a symbolic link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// To this path of the tree.
    Inside(Box<str>),
    /// Out of the tree.
    Outside,
}

/// What a path is, once links were followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// This path, where there may be a file.
    Path(String),
    /// In this submodule.
    Submodule(String),
    /// Out of the tree.
    Outside,
}

/// The links and submodules of a tree, by path.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    links: BTreeMap<Box<str>, Target>,
    submodules: BTreeMap<Box<str>, ()>,
}

impl Elsewhere {
    /// Remembers an entry that is no regular file.
    pub(super) fn note(&mut self, repo: &gix::Repository, path: &str, entry: &Entry) {
        if self.links.len() + self.submodules.len() >= MOST {
            return;
        }
        if entry.mode.is_commit() {
            self.submodules.insert(path.into(), ());
        } else if entry.mode.is_link() {
            // What can't be read leads nowhere that we know.
            let target = read_target(repo, entry.oid).and_then(|target| resolve(path, &target));
            self.links.insert(path.into(), target.map_or(Target::Outside, |path| Target::Inside(path.into())));
        }
    }

    /// The folders that are submodules.
    pub(super) fn submodules(&self) -> Vec<String> {
        self.submodules.keys().map(|path| path.to_string()).collect()
    }

    /// Where a path leads.
    pub(super) fn follow(&self, path: &str) -> Followed {
        let mut path = path.to_owned();
        for _ in 0..MOST_HOPS {
            let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let found =
                ends.find(|&end| self.links.contains_key(&path[..end]) || self.submodules.contains_key(&path[..end]));
            let Some(end) = found else { return Followed::Path(path) };
            let (folder, rest) = path.split_at(end);
            match self.links.get(folder) {
                None => return Followed::Submodule(folder.to_owned()),
                Some(Target::Outside) => return Followed::Outside,
                Some(Target::Inside(target)) => path = format!("{target}{rest}").trim_start_matches('/').to_owned(),
            }
        }
        Followed::Outside
    }

    /// Tells of each path under which a link shows one of these files of that name, or another file
    /// as of that name.
    pub(super) fn shown_as<'p>(
        &self,
        name: &str,
        files: impl Iterator<Item = &'p str>,
        mut tell: impl FnMut(String, String),
    ) {
        if self.links.is_empty() {
            return;
        }
        let mut left = MOST_COMPARED;
        for file in files {
            for (link, target) in &self.links {
                let Target::Inside(target) = target else { continue };
                if left == 0 {
                    return;
                }
                left -= 1;
                let rest = if target.is_empty() { Some(file) } else { below(file, target) };
                if let Some(rest) = rest.filter(|_| below(link, target).is_none()) {
                    tell(file.to_owned(), format!("{link}/{rest}"));
                }
            }
        }
        for link in self.links.keys().filter(|link| link.rsplit('/').next() == Some(name)) {
            if let Followed::Path(path) = self.follow(link)
                && path.rsplit('/').next() != Some(name)
            {
                tell(path, link.to_string());
            }
        }
    }
}

/// The rest of a path below a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

fn read_target(repo: &gix::Repository, id: gix::ObjectId) -> Option<String> {
    let size = repo.find_header(id).ok()?.size();
    let object = (size <= LONGEST_TARGET).then(|| repo.find_object(id).ok()).flatten()?;
    Some(object.data.to_str().ok()?.to_owned())
}

/// The path of the tree that a link leads to; `None`: it leads out of it.
fn resolve(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(links: &[(&str, &str)], submodules: &[&str]) -> Elsewhere {
        let target =
            |link: &str, target: &str| resolve(link, target).map_or(Target::Outside, |it| Target::Inside(it.into()));
        Elsewhere {
            links: links.iter().map(|&(link, to)| (link.into(), target(link, to))).collect(),
            submodules: submodules.iter().map(|&path| (path.into(), ())).collect(),
        }
    }

    #[test]
    fn a_path_is_followed_to_where_it_leads() {
        let tree = tree(
            &[
                ("app/shared", "../common"),
                ("current", "app"),
                ("etc", "/etc/shop"),
                ("up", "../other"),
                ("a", "b"),
                ("b", "a"),
                ("money", "libs/money/src"),
            ],
            &["libs/money"],
        );
        let path = |path: &str| Followed::Path(path.to_owned());
        assert_eq!(tree.follow("app/cart.py"), path("app/cart.py"));
        assert_eq!(tree.follow("app/shared/rates.py"), path("common/rates.py"));
        assert_eq!(tree.follow("current/shared/rates.py"), path("common/rates.py"));
        assert_eq!(tree.follow("etc/x.py"), Followed::Outside);
        assert_eq!(tree.follow("up/x.py"), Followed::Outside);
        assert_eq!(tree.follow("a/x.py"), Followed::Outside, "they lead to each other");
        let money = Followed::Submodule("libs/money".to_owned());
        assert_eq!(tree.follow("libs/money/rates.py"), money);
        assert_eq!(tree.follow("money/rates.py"), money);
        assert_eq!(tree.follow("libs/moneybox/rates.py"), path("libs/moneybox/rates.py"));
    }

    #[test]
    fn files_are_shown_by_links_under_other_names() {
        let tree = tree(&[("app/shared", "../common"), ("old.py", "app/new.py"), ("self", "."), ("out", "/x")], &[]);
        let mut shown = Vec::new();
        tree.shown_as("rates.py", ["common/tax/rates.py", "other/rates.py"].into_iter(), |path, name| {
            shown.push(format!("{name} -> {path}"));
        });
        assert_eq!(
            shown,
            [
                "app/shared/tax/rates.py -> common/tax/rates.py",
                "self/common/tax/rates.py -> common/tax/rates.py",
                "self/other/rates.py -> other/rates.py",
            ]
        );
        let mut shown = Vec::new();
        tree.shown_as("old.py", std::iter::empty(), |path, name| shown.push(format!("{name} -> {path}")));
        assert_eq!(shown, ["old.py -> app/new.py"]);
    }
}
