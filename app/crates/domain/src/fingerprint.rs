//! The fingerprint of a report: equal for reports that must come to the same line, cheap enough for
//! every request.

use sha2::{Digest as _, Sha256};

/// What distinguishes one fingerprint from another, hashed.
///
/// Reports with equal fingerprints have the same repository, release, exception types (with their
/// modules: `zlib.error` is not `struct.error`) and frames
/// (place, function, line number and source text), so attribution would give them the same line as
/// long as neither rules nor code changed. They name the same threshold, if any: only the first of
/// equal reports is read, and what a stranger's report asks for must not be asked for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Lower-case hexadecimal, as stored.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// The fingerprint of the same report by a key for a folder: the same frames are of another
    /// file there.
    #[must_use]
    pub fn within(self, folder: FolderMark) -> Self {
        let full = Sha256::new().chain_update(self.0).chain_update(folder.0).finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        Self(half)
    }
}

/// What a folder of the repository does to the fingerprints of reports by its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderMark([u8; 16]);

impl FolderMark {
    /// Of a folder.
    pub fn of(folder: &str) -> Self {
        let full = Sha256::digest(folder.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        Self(half)
    }
}

/// Builds a [`Fingerprint`] field by field. The order of the calls matters: outermost exception
/// data first.
#[derive(Clone, Debug)]
pub struct FingerprintBuilder(Sha256);

impl FingerprintBuilder {
    /// Starts the fingerprint of a report from this release (and `revision` tag, if any).
    pub fn new(release: Option<&str>, revision: Option<&str>) -> Self {
        let mut builder = Self(Sha256::new());
        builder.text(release);
        builder.text(revision);
        builder
    }

    /// Adds an exception; its frames follow. Its module and type make the dotted name that rules
    /// ignore exceptions by; an empty module is none there. `value` only for a report without
    /// frames, whose message is all that it has.
    pub fn exception(&mut self, module: Option<&str>, kind: Option<&str>, value: Option<&str>) {
        self.0.update([1]);
        self.text(module.filter(|module| !module.is_empty()));
        self.text(kind);
        self.text(value);
    }

    /// Adds a frame of the exception added last.
    pub fn frame(
        &mut self,
        filename: Option<&str>,
        abs_path: Option<&str>,
        function: Option<&str>,
        line: Option<u32>,
        context_line: Option<&str>,
    ) {
        self.0.update([2]);
        self.text(filename);
        self.text(abs_path);
        self.text(function);
        self.0.update(line.unwrap_or(0).to_le_bytes());
        self.text(context_line);
    }

    /// Adds the module of the frame added last, where the file's name alone does not say which one
    /// it is ([`Self::is_told_by_module`]).
    pub fn module(&mut self, module: &str) {
        self.0.update([4]);
        self.text(Some(module));
    }

    /// Whether a frame's path leaves open which file it is: of the JVM's, only the class tells the
    /// folder; Elixir's begin with `lib/` in each application.
    pub fn is_told_by_module(path: Option<&str>) -> bool {
        let is_short = |path: &str| !path.as_bytes().contains(&b'/') || path.ends_with(".ex") || path.ends_with(".exs");
        path.is_none_or(is_short)
    }

    /// Adds the threshold for an alert that the report names, if it names one.
    pub fn threshold(&mut self, threshold: Option<u64>) {
        if let Some(threshold) = threshold {
            self.0.update([3]);
            self.0.update(threshold.to_le_bytes());
        }
    }

    /// The finished fingerprint of the report that is about one member of the group, by its number.
    pub fn of_member(mut self, number: u32) -> Fingerprint {
        self.0.update([4]);
        self.0.update(number.to_le_bytes());
        self.finish()
    }

    /// The finished fingerprint: half of a SHA-256, which no two reports of one installation will
    /// ever share by accident.
    pub fn finish(self) -> Fingerprint {
        let full = self.0.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        Fingerprint(half)
    }

    /// Length first, so that no two sequences of fields run together.
    fn text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.0.update((text.len() as u64 + 1).to_le_bytes());
                self.0.update(text.as_bytes());
            }
            None => self.0.update(0_u64.to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let fingerprint = |a: &str, b: &str| {
            let mut builder = FingerprintBuilder::new(None, None);
            builder.frame(Some(a), Some(b), None, Some(1), None);
            builder.finish()
        };
        assert_ne!(fingerprint("ab", "c"), fingerprint("a", "bc"));
        assert_eq!(fingerprint("ab", "c"), fingerprint("ab", "c"));
        let folder = |folder: &str| fingerprint("ab", "c").within(FolderMark::of(folder));
        assert_ne!(folder("a"), folder("b"));
        assert_ne!(folder("a"), fingerprint("ab", "c"));
        assert_eq!(folder("a"), folder("a"));
    }

    #[test]
    fn a_module_tells_files_apart_that_are_named_alike() {
        let fingerprint = |path: &str, module: &str| {
            let mut builder = FingerprintBuilder::new(None, None);
            builder.frame(Some(path), None, None, Some(1), None);
            if FingerprintBuilder::is_told_by_module(Some(path)) {
                builder.module(module);
            }
            builder.finish()
        };
        assert_ne!(fingerprint("Rules.java", "shop.a.Rules"), fingerprint("Rules.java", "shop.b.Rules"));
        assert_eq!(fingerprint("shop/rules.py", "a"), fingerprint("shop/rules.py", "b"));
    }
}
