//! What a person can tell us to do, by a label, an assignment or the web page: a closed set behind one door.

use serde::{Deserialize, Serialize};

/// How much code a known-error rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This text in this function of this file.
    Line,
    /// The whole function.
    Function,
    /// The whole file.
    File,
}

/// A label that is a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSpec {
    /// Name on GitHub (at most 50 characters).
    pub name: &'static str,
    /// Six hexadecimal digits without `#`.
    pub color: &'static str,
    /// At most 100 characters.
    pub description: &'static str,
}

/// The label that marks an issue as ours.
pub const OUR_LABEL: LabelSpec =
    LabelSpec { name: "flawless", color: "5319e7", description: "An exception in production, filed by Flawless" };

/// The labels that are commands, as made in a repository when the App is installed.
pub const COMMAND_LABELS: [LabelSpec; 4] = [
    LabelSpec {
        name: "known-error",
        color: "fbca04",
        description: "Once closed: this line is whitelisted, counted but never alerted",
    },
    LabelSpec {
        name: "known-error: function",
        color: "fbca04",
        description: "Once closed: the whole function is whitelisted",
    },
    LabelSpec { name: "known-error: file", color: "fbca04", description: "Once closed: the whole file is whitelisted" },
    LabelSpec {
        name: "library-code",
        color: "c5def5",
        description: "This function is library code: from now on its caller is blamed",
    },
];

/// What a label commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelCommand {
    /// Whitelist, once the issue is closed.
    KnownError(Scope),
    /// Blame the caller from now on.
    LibraryCode,
}

impl LabelCommand {
    /// The command that a label's name stands for, if any. GitHub compares label names without regard to case.
    pub fn from_label(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "known-error" => Some(Self::KnownError(Scope::Line)),
            "known-error: function" => Some(Self::KnownError(Scope::Function)),
            "known-error: file" => Some(Self::KnownError(Scope::File)),
            "library-code" => Some(Self::LibraryCode),
            _ => None,
        }
    }

    /// The command that a label nearly is: `known error`, `known-error:function`, `libary-code`. `None` for a command, and for
    /// what is like none.
    pub fn nearly(name: &str) -> Option<&'static str> {
        /// Letters that may be wrong in a slip of the pen.
        const SLIP: usize = 2;
        let plain = |text: &str| text.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
        let meant = plain(name);
        if Self::from_label(name).is_some() || meant.is_empty() {
            return None;
        }
        COMMAND_LABELS
            .iter()
            .map(|spec| (strsim::damerau_levenshtein(&plain(spec.name), &meant), spec.name))
            .filter(|(distance, _)| *distance <= SLIP)
            .min()
            .map(|(_, name)| name)
    }

    /// The label's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::KnownError(Scope::Line) => COMMAND_LABELS[0].name,
            Self::KnownError(Scope::Function) => COMMAND_LABELS[1].name,
            Self::KnownError(Scope::File) => COMMAND_LABELS[2].name,
            Self::LibraryCode => COMMAND_LABELS[3].name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_label_is_understood_and_fits_githubs_limits() {
        for spec in COMMAND_LABELS {
            let command = LabelCommand::from_label(spec.name).expect("understood");
            assert_eq!(command.label(), spec.name);
        }
        for spec in COMMAND_LABELS.iter().chain([&OUR_LABEL]) {
            assert!(spec.name.len() <= 50 && spec.description.len() <= 100 && spec.color.len() == 6);
        }
        assert_eq!(LabelCommand::from_label("Known-Error"), Some(LabelCommand::KnownError(Scope::Line)));
        assert_eq!(LabelCommand::from_label("bug"), None);
    }

    #[test]
    fn what_is_nearly_a_command_is_recognised_as_none() {
        for (written, meant) in [
            ("known error", "known-error"),
            ("Known_Error", "known-error"),
            ("known-eror", "known-error"),
            ("known-error:function", "known-error: function"),
            ("known errors: file", "known-error: file"),
            ("libary code", "library-code"),
        ] {
            assert_eq!(LabelCommand::nearly(written), Some(meant), "{written}");
        }
        for other in ["known-error", "Library-Code", "bug", "error", "known", "library", "flawless", "→"] {
            assert_eq!(LabelCommand::nearly(other), None, "{other}");
        }
    }
}
