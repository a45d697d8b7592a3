//! `cargo run -p app` and `cargo test --workspace` share one build of every library.
//!
//! Cargo gives a library the features that anything in the build asks for, tests included. One
//! feature that only a test asks for, deep down, and whoever tests and then runs builds git and SQL
//! twice, which takes minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::{Broken, assert_kept, broken, root};

#[test]
fn running_and_testing_share_one_build() {
    // What runs at build time has features of its own, also where it parses Rust as these rules do:
    // they stand aside there, and are looked at with what the program itself is built from.
    let all = differences(
        &tree(&["-e", "normal,build", "-p", "app"]),
        &tree(&["-e", "normal,build,dev", "--workspace", "--exclude", "tidy"]),
    );
    let linked = differences(
        &tree(&["-e", "normal,no-proc-macro", "-p", "app"]),
        &tree(&["-e", "normal,dev,no-proc-macro", "--workspace"]),
    );
    assert_kept(all.into_iter().chain(linked).collect());
}

/// Each library of a build with its features, as `name vVERSION|feature,feature` in lines.
fn tree(selection: &[&str]) -> String {
    let asked = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "-f", "{p}|{f}"])
        .args(selection)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(asked.status.success(), "cargo tree: {}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).expect("names of features are UTF-8")
}

/// Libraries of the first build that have more features in the second. A library may stand in one
/// build twice, once for the program and once for what runs at build time: these are taken
/// together.
fn differences(run: &str, test: &str) -> Vec<Broken> {
    let (run, test) = (ways(run), ways(test));
    let mut places = Vec::new();
    for (library, run) in run {
        let test = &test[library];
        let known: BTreeSet<&str> = run.iter().flat_map(|features| features.split(',')).collect();
        let more: BTreeSet<&str> = test.iter().flat_map(|features| features.split(',')).collect();
        let more: Vec<&str> = more.difference(&known).copied().collect();
        if !more.is_empty() {
            let more = more.join(", ");
            let rule = format!(
                "`{library}` has the features {more} under test only, so that it and all that stands on it is built \
                 twice: switch them on in app/Cargo.toml, or off where they come from (cargo tree -e features -i {library})"
            );
            places.push(broken("app/Cargo.toml", 1, rule));
        }
    }
    places
}

fn ways(tree: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut ways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (library, features) in tree.lines().filter_map(|line| line.split_once('|')) {
        // A library that was shown before bears a star.
        let features = features.trim_end_matches(" (*)");
        // "name v1.2.3 (proc-macro)" → "name v1.2.3"
        let library = library.match_indices(' ').nth(1).map_or(library, |(end, _)| &library[..end]);
        ways.entry(library).or_default().insert(features);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_a_test_switches_on_is_found() {
        let run = "app v0.1.0 (file)|\nrand v1.0.0|std\ntime v1.0.0|std\n";
        let test = "app v0.1.0 (file)|\nrand v1.0.0|std\ntime v1.0.0|default,std\ntime v1.0.0|default,std (*)\ninsta v1.0.0|yaml\n";
        let places = differences(run, test);
        assert_eq!(places.len(), 1);
        assert!(places[0].rule.contains("`time v1.0.0` has the features default "), "{}", places[0]);
        assert_eq!(differences(run, run), []);
    }
}
