//! What a label commands, a closed set, and every label that is made. Carried out in
//! `steps/webhook/issue_command.rs`.

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

/// A command as people meet it: its label, how an issue explains it, and what is answered. Only
/// what it does is elsewhere: where webhooks take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// What it commands.
    pub command: LabelCommand,
    /// The label that gives it.
    pub label: LabelSpec,
    /// When it is obeyed.
    pub obeyed: Obeyed,
    /// How an issue explains it, in Markdown; `{{ label }}` is the label's name. `None`: the help
    /// of another names it.
    pub help: Option<&'static str>,
    /// What who gave it did, after their name.
    pub deed: &'static str,
    /// What is answered, in Markdown, after "Done, ada: ". `{{ place }}` is the function and its
    /// file, `{{ file }}` the file, `{{ code }}` the line in brackets, where it has any text.
    pub done: &'static str,
}

/// When a command is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    /// Once the issue is closed: on an open one the label waits.
    OnceClosed,
    /// As soon as the label is there.
    AtOnce,
}

/// Every command.
pub const COMMANDS: [CommandSpec; 4] = [
    CommandSpec {
        command: LabelCommand::KnownError(Scope::Line),
        label: LabelSpec {
            name: "known-error",
            color: "fbca04",
            description: "Once closed: this line is whitelisted, counted but never alerted",
        },
        obeyed: Obeyed::OnceClosed,
        help: Some(
            "**Not worth fixing?** Close it with the label {{ label }}: the line is still counted, but nobody is told of \
             it again. `known-error: function` and `known-error: file` do the same for the whole function or file.",
        ),
        deed: "whitelisted it",
        done: "this line of {{ place }} is a known error{{ code }}. It is still counted, but nobody is told of it again.",
    },
    CommandSpec {
        command: LabelCommand::KnownError(Scope::Function),
        label: LabelSpec {
            name: "known-error: function",
            color: "fbca04",
            description: "Once closed: the whole function is whitelisted",
        },
        obeyed: Obeyed::OnceClosed,
        help: None,
        deed: "whitelisted it",
        done: "everything in {{ place }} is a known error. It is still counted, but nobody is told of it again.",
    },
    CommandSpec {
        command: LabelCommand::KnownError(Scope::File),
        label: LabelSpec {
            name: "known-error: file",
            color: "fbca04",
            description: "Once closed: the whole file is whitelisted",
        },
        obeyed: Obeyed::OnceClosed,
        help: None,
        deed: "whitelisted it",
        done: "everything in the file {{ file }} is a known error. It is still counted, but nobody is told of it again.",
    },
    CommandSpec {
        command: LabelCommand::LibraryCode,
        label: LabelSpec {
            name: "library-code",
            color: "c5def5",
            description: "This function is library code: from now on its caller is blamed",
        },
        obeyed: Obeyed::AtOnce,
        help: Some(
            "**The caller's fault?** Add the label {{ label }}: this function is library code from then on, and the line \
             that calls it is blamed.",
        ),
        deed: "made it library code",
        done: "{{ place }} is library code from now on. The line that calls it is blamed, and gets an alert of its own.",
    },
];

/// Every label that a repository gets.
pub fn labels() -> Vec<LabelSpec> {
    COMMAND_LABELS.into_iter().chain([OUR_LABEL]).collect()
}

/// The labels that are commands.
pub const COMMAND_LABELS: [LabelSpec; COMMANDS.len()] = {
    let mut labels = [OUR_LABEL; COMMANDS.len()];
    let mut at = 0;
    while at < COMMANDS.len() {
        labels[at] = COMMANDS[at].label;
        at += 1;
    }
    labels
};

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
    /// The command that a label's name stands for, if any. GitHub compares label names without
    /// regard to case.
    pub fn from_label(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|spec| spec.label.name.eq_ignore_ascii_case(name.trim())).map(|spec| spec.command)
    }

    /// The command that a label nearly is: `known error`, `known-error:function`, `libary-code`.
    /// `None` for a command, and for what is like none.
    pub fn nearly(name: &str) -> Option<&'static str> {
        /// Letters that may be wrong in a typing error.
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

    /// All that is said of it.
    ///
    /// # Panics
    /// It has no entry in [`COMMANDS`]: a test looks at each.
    pub fn spec(self) -> &'static CommandSpec {
        COMMANDS.iter().find(|spec| spec.command == self).expect("every command has its entry")
    }

    /// The label's name.
    pub fn label(self) -> &'static str {
        self.spec().label.name
    }

    /// Whether it waits until the issue is closed.
    pub fn waits_for_closing(self) -> bool {
        self.spec().obeyed == Obeyed::OnceClosed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_label_is_understood_and_fits_githubs_limits() {
        for spec in COMMANDS {
            assert_eq!(LabelCommand::from_label(spec.label.name), Some(spec.command));
            assert_eq!(spec.command.label(), spec.label.name);
        }
        for spec in &labels() {
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
