//! Code of a repository that its people did not write: copied from elsewhere (vendored), or made by
//! a program (generated). Who committed it does not know it; its caller is blamed.

use serde::{Deserialize, Serialize};

/// Lines at the beginning of a file in which it says that a program made it: licences stand above.
pub const HEAD_LINES: usize = 60;

/// Bytes of each of them that are looked at.
const LONGEST_LINE: usize = 500;

/// Folders for other people's code, as package managers and people call them, in lower case.
const VENDORED_FOLDERS: [&str; 17] = [
    "vendor",
    "vendored",
    "_vendor",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "3rd_party",
    "3rd-party",
    "node_modules",
    "bower_components",
    "jspm_packages",
    "pods",
    "carthage",
    ".yarn",
    "site-packages",
    "godeps",
];

/// What Elixir's and Erlang's package managers fetch into `deps`, which others call their own.
const ERLANG_ENDINGS: [&str; 5] = [".ex", ".exs", ".erl", ".hrl", ".eex"];

/// What `.gitattributes` say of a file; `None`: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// `linguist-vendored`.
    pub vendored: Option<bool>,
    /// `linguist-generated`.
    pub generated: Option<bool>,
}

/// Why code of a repository is not its people's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotOurs {
    /// It was copied from elsewhere.
    Vendored(Sign),
    /// A program made it.
    Generated(Sign),
}

/// By what it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// `.gitattributes` say so.
    Attributes,
    /// It is in a folder that is called so.
    Folder(String),
    /// The comment at its beginning says so.
    Comment(String),
}

impl NotOurs {
    /// `vendored code (vendor/)`, `generated code (.gitattributes)`.
    pub fn words(&self) -> String {
        let (what, sign) = match self {
            Self::Vendored(sign) => ("vendored", sign),
            Self::Generated(sign) => ("generated", sign),
        };
        match sign {
            Sign::Attributes => format!("{what} code (.gitattributes)"),
            Sign::Folder(name) => format!("{what} code ({name}/)"),
            Sign::Comment(words) => format!("{what} code (\"{words}\" at its beginning)"),
        }
    }
}

/// Whether nothing says that somebody else, or a program, wrote a file: as [`not_ours`] reads it,
/// of which this is the whole file.
pub fn is_ours(path: &str, marks: Marks, lines: &[String]) -> bool {
    not_ours(path, marks, &lines[..lines.len().min(HEAD_LINES)]).is_none()
}

/// Why a file is not its repository's people's: by its path, what `.gitattributes` say of it, and
/// its first lines. `None`: it is theirs, as far as these tell.
pub fn not_ours(path: &str, marks: Marks, lines: &[String]) -> Option<NotOurs> {
    let vendored = match marks.vendored {
        Some(true) => Some(Sign::Attributes),
        Some(false) => None,
        None => vendored_folder(path).map(|name| Sign::Folder(name.to_owned())),
    };
    let generated = || match marks.generated {
        Some(true) => Some(Sign::Attributes),
        Some(false) => None,
        None => comment_of_generated(lines).map(|words| Sign::Comment(words.to_owned())),
    };
    vendored.map(NotOurs::Vendored).or_else(|| generated().map(NotOurs::Generated))
}

fn vendored_folder(path: &str) -> Option<&str> {
    let (folders, name) = path.rsplit_once('/')?;
    folders.split('/').find(|folder| {
        let lower = folder.to_ascii_lowercase();
        VENDORED_FOLDERS.contains(&&*lower)
            || (lower == "deps" && ERLANG_ENDINGS.iter().any(|ending| name.ends_with(ending)))
    })
}

/// Folders, one below the other, into which package managers fetch, and in which nobody keeps code.
const FETCHED_FOLDERS: [&[&str]; 4] =
    [&[".pub-cache"], &["SourcePackages", "checkouts"], &[".build", "checkouts"], &["bundler", "gems"]];

/// Where in a deployed path a folder for other people's code begins.
pub fn third_party_at(deployed: &[String]) -> Option<usize> {
    let (name, folders) = deployed.split_last()?;
    (0..folders.len()).find(|&at| {
        let is_run =
            |run: &&&[&str]| folders[at..].len() >= run.len() && folders[at..].iter().zip(**run).all(|(a, b)| a == b);
        vendored_folder(&format!("{}/{name}", folders[at])).is_some() || FETCHED_FOLDERS.iter().any(|run| is_run(&run))
    })
}

/// The words of the comment at a file's beginning which say that a program made it.
fn comment_of_generated(lines: &[String]) -> Option<&'static str> {
    let mut says_generated = false;
    let mut says_not_to = false;
    for line in comments_at_the_beginning(lines) {
        if has_word(line, "@generated") {
            return Some("@generated");
        }
        let lower = line.to_ascii_lowercase();
        if lower.contains("<auto-generated") || lower.contains("<autogenerated") {
            return Some("<auto-generated>");
        }
        if let Some((_, rest)) = line.split_once("DO NOT EDIT")
            && is_of_the_file(rest)
        {
            return Some("DO NOT EDIT");
        }
        says_generated |=
            ["generated by", "generated from", "auto-generated", "autogenerated", "automatically generated"]
                .iter()
                .any(|words| lower.contains(words));
        says_not_to |= ["do not edit", "don't edit", "do not modify", "instead of editing this file", "do not change"]
            .iter()
            .any(|words| lower.contains(words));
        if says_generated && says_not_to {
            return Some("generated, not to be edited");
        }
    }
    None
}

/// Whether what is not to be edited is the file, not some lines of it.
fn is_of_the_file(rest: &str) -> bool {
    let mut words = rest.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    match words.next().unwrap_or("").to_ascii_lowercase().as_str() {
        "this" => words.next().is_some_and(|word| {
            !matches!(&*word.to_ascii_lowercase(), "line" | "section" | "part" | "block" | "value" | "list")
        }),
        "below" | "above" | "between" | "until" | "unless" | "without" | "the" | "these" | "here" | "past"
        | "beyond" | "after" | "before" => false,
        _ => true,
    }
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '"' | '\'' | '`');
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// The lines of the comments that stand above all code: what is in a string is no comment, and what
/// stands further down is of the code there.
fn comments_at_the_beginning(lines: &[String]) -> impl Iterator<Item = &str> {
    let mut until: Option<&'static str> = None;
    let lines = lines.iter().take(HEAD_LINES).map(|line| shortened(line).trim().trim_start_matches('\u{feff}'));
    lines
        .map_while(move |line| {
            if let Some(end) = until {
                if line.contains(end) {
                    until = None;
                }
                return Some(line);
            }
            if let Some((start, end)) = BLOCKS.iter().find(|(start, _)| line.starts_with(start)) {
                until = (!line[start.len()..].contains(end)).then_some(*end);
                return Some(line);
            }
            let is_comment = LEADERS.iter().any(|leader| line.starts_with(leader));
            let is_preamble = line.is_empty() || PREAMBLES.iter().any(|word| line.starts_with(word));
            // What a preamble says is no comment, but comments may follow it.
            (is_comment || is_preamble).then_some(if is_comment { line } else { "" })
        })
        .filter(|line| !line.is_empty())
}

/// What begins and ends comments of several lines.
const BLOCKS: [(&str, &str); 5] = [("/*", "*/"), ("<!--", "-->"), ("{-", "-}"), ("(*", "*)"), ("=begin", "=end")];

/// What begins the comment that a line is.
const LEADERS: [&str; 8] = ["#", "//", "--", ";", "%", "'", "@rem", "dnl "];

/// What stands above the first comment in some languages.
const PREAMBLES: [&str; 6] = ["<?php", "<?xml", "package ", "'use strict'", "\"use strict\"", "@file:"];

fn shortened(line: &str) -> &str {
    let end = (0..=LONGEST_LINE.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Option<String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        not_ours(path, Marks::default(), &lines).map(|found| found.words())
    }

    #[test]
    fn code_of_others_is_known_by_its_folder() {
        for (path, folder) in [
            ("vendor/github.com/acme/x/x.go", "vendor"),
            ("src/pip/_vendor/requests/api.py", "_vendor"),
            ("lib/third_party/json.cc", "third_party"),
            ("ThirdParty/Json/json.cs", "ThirdParty"),
            ("web/node_modules/left-pad/index.js", "node_modules"),
            ("ios/Pods/AFNetworking/a.m", "Pods"),
            ("deps/plug/lib/plug.ex", "deps"),
            (".yarn/releases/yarn.cjs", ".yarn"),
        ] {
            assert_eq!(of(path, ""), Some(format!("vendored code ({folder}/)")), "{path}");
        }
        for path in ["vendor.py", "shop/vendors/models.py", "deps/redis/src/server.c", "src/podium/a.py", "a.py", ""] {
            assert_eq!(of(path, ""), None, "{path}");
        }
    }

    #[test]
    fn deployed_code_of_others_is_known_by_its_folder() {
        let at = |path: &str| {
            let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            third_party_at(&parts)
        };
        assert_eq!(at("/b/Pods/Net/Sources/Client.swift"), Some(1));
        assert_eq!(at("/b/third_party/zlib/src/main.c"), Some(1));
        assert_eq!(at("/app/deps/plug/lib/router.ex"), Some(1));
        assert_eq!(at("/x/SourcePackages/checkouts/Net/Client.swift"), Some(1));
        assert_eq!(at("/srv/.pub-cache/hosted/pub.dev/intl-0.18/lib/price.dart"), Some(1));
        for ours in ["/app/deps/redis/server.c", "/x/checkouts/a.py", "/srv/app/vendor.py", "main.py", ""] {
            assert_eq!(at(ours), None, "{ours}");
        }
    }

    #[test]
    fn generated_code_is_known_by_the_comment_at_its_beginning() {
        for (words, text) in [
            ("DO NOT EDIT", "// Code generated by protoc-gen-go. DO NOT EDIT.\n\npackage shop\n"),
            (
                "DO NOT EDIT",
                "# -*- coding: utf-8 -*-\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\nimport x\n",
            ),
            ("DO NOT EDIT", "/*\nLicence\n\nDO NOT EDIT THIS FILE\n*/\nint x;\n"),
            ("DO NOT EDIT", "<?php\n\n// DO NOT EDIT\n"),
            ("@generated", "/**\n * @generated SignedSource<<abc>>\n */\nmodule.exports = 1;\n"),
            ("@generated", "\u{feff}// @generated by some tool\nlet x = 1;\n"),
            (
                "<auto-generated>",
                "//----\n// <auto-generated>\n//  This code was made.\n// </auto-generated>\nclass X {}\n",
            ),
            ("generated, not to be edited", "# This file is auto-generated from the database.\n# Do not edit.\nx\n"),
            ("generated, not to be edited", "-- Generated by sqlc\n-- please do not modify\nSELECT 1;\n"),
            ("generated, not to be edited", "<!--\n  Generated from cart.idl;\n  don't edit\n-->\n<a/>\n"),
        ] {
            assert_eq!(of("a.x", text), Some(format!("generated code (\"{words}\" at its beginning)")), "{text}");
        }
        for text in [
            "x = \"DO NOT EDIT\"\n",
            "MARK = '''\n// DO NOT EDIT\n'''\n",
            "def f():\n    pass\n# DO NOT EDIT\n",
            "# DO NOT EDIT BELOW THIS LINE\nx = 1\n",
            "# DO NOT EDIT this list without asking\nx = 1\n",
            "# Writes the head of files: \"@generated\" is looked for\nx = 1\n",
            "# mails to ada@generated.example.com\nx = 1\n",
            "# The report is generated by the worker.\nx = 1\n",
            "# See https://example.com/do-not-edit: nothing was auto-generated? yes\n",
            "",
        ] {
            assert_eq!(of("a.x", text), None, "{text}");
        }
        let below = format!("{}# DO NOT EDIT\n", "#\n".repeat(HEAD_LINES));
        assert_eq!(of("a.py", &below), None, "too far down");
        let wide = format!("# {}ö DO NOT EDIT\n", "x".repeat(LONGEST_LINE - 3));
        assert_eq!(of("a.py", &wide), None, "too far to the right");
    }

    #[test]
    fn what_gitattributes_say_goes_before_all_else() {
        let lines = ["# @generated".to_owned()];
        let of = |vendored, generated| not_ours("vendor/a.py", Marks { vendored, generated }, &lines);
        assert_eq!(of(Some(true), None), Some(NotOurs::Vendored(Sign::Attributes)));
        assert_eq!(of(Some(false), Some(true)), Some(NotOurs::Generated(Sign::Attributes)));
        assert_eq!(of(Some(false), Some(false)), None);
        assert_eq!(of(None, Some(false)), Some(NotOurs::Vendored(Sign::Folder("vendor".into()))));
        assert!(matches!(of(Some(false), None), Some(NotOurs::Generated(Sign::Comment(_)))));
    }
}
