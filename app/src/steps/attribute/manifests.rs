//! What packages of a repository are called, as their manifests and source files say.

use super::evidence::MirrorCommit;
use domain::frame_names::parts_of;
use mirror::MirrorError;
use std::cell::OnceCell;

/// Lines of a source file in which its package line is looked for: licences stand before it.
const CLAUSE_LINES: usize = 200;

/// Lines of a manifest in which its name is looked for.
const MANIFEST_LINES: usize = 100;

/// The manifests of a commit, read when they are first asked for.
pub(super) struct Manifests<'a> {
    at: MirrorCommit<'a>,
    dart: OnceCell<Vec<Manifest>>,
    go: OnceCell<Vec<Manifest>>,
    mix: OnceCell<Vec<Manifest>>,
    node: OnceCell<Vec<Manifest>>,
}

/// A package's name and its folder.
#[derive(Clone, Debug)]
struct Manifest {
    name: String,
    folder: String,
}

impl<'a> Manifests<'a> {
    pub(super) fn new(at: MirrorCommit<'a>) -> Self {
        Self { at, dart: OnceCell::new(), go: OnceCell::new(), mix: OnceCell::new(), node: OnceCell::new() }
    }

    /// The folders of the Dart packages of a name.
    pub(super) fn dart_folders(&self, package: &str) -> Result<Vec<String>, MirrorError> {
        let known = self.known(&self.dart, "pubspec.yaml", dart_name)?;
        Ok(known.iter().filter(|one| one.name == package).map(|one| one.folder.clone()).collect())
    }

    /// The folders of the Elixir applications of a name; `None`: the repository does not say of
    /// each what it is called.
    pub(super) fn mix_folders(&self, application: &str) -> Result<Option<Vec<String>>, MirrorError> {
        let known = self.known(&self.mix, "mix.exs", mix_application)?;
        if known.is_empty() || known.iter().any(|one| one.name.is_empty()) {
            return Ok(None);
        }
        let of_name = known.iter().filter(|one| one.name == application);
        Ok(Some(of_name.map(|one| one.folder.clone()).collect()))
    }

    /// The paths that an installed file may have, by its package: that of a workspace is a link.
    pub(super) fn node_paths(&self, installed: &str) -> Result<Vec<String>, MirrorError> {
        // Below `.pnpm` there are copies of what was published.
        let Some((_, rest)) = installed.rsplit_once("node_modules/").filter(|(before, _)| !before.contains("/.pnpm/"))
        else {
            return Ok(Vec::new());
        };
        let rest = parts_of(rest);
        let scope = usize::from(rest.first().is_some_and(|part| part.starts_with('@')));
        let Some((name, path)) = rest.split_at_checked(scope + 1).filter(|(_, path)| !path.is_empty()) else {
            return Ok(Vec::new());
        };
        let (name, path) = (name.join("/"), path.join("/"));
        let known = self.known(&self.node, "package.json", node_name)?;
        let folders = known.iter().filter(|one| one.name == name && !one.folder.is_empty());
        Ok(folders.map(|one| format!("{}/{path}", one.folder)).collect())
    }

    /// Whether the repository has Go modules at all.
    pub(super) fn has_go_modules(&self) -> Result<bool, MirrorError> {
        Ok(!self.known(&self.go, "go.mod", go_module)?.is_empty())
    }

    /// The paths that a file has by its import path, in the modules of the longest name.
    pub(super) fn go_paths(&self, import: &[String]) -> Result<Vec<String>, MirrorError> {
        let import: Vec<&str> = import.iter().map(|part| part.split_once("@v").map_or(&**part, |it| it.0)).collect();
        let known = self.known(&self.go, "go.mod", go_module)?;
        let of = |manifest: &'_ Manifest| {
            let rest = import.strip_prefix(manifest.name.split('/').collect::<Vec<_>>().as_slice())?;
            let folder = manifest.folder.split('/').filter(|part| !part.is_empty());
            Some((rest.len(), folder.chain(rest.iter().copied()).collect::<Vec<_>>().join("/")))
        };
        let found: Vec<(usize, String)> = known.iter().filter_map(of).filter(|(rest, _)| *rest > 0).collect();
        let nearest = found.iter().map(|(rest, _)| *rest).min();
        Ok(found.into_iter().filter(|(rest, _)| Some(*rest) == nearest).map(|(_, path)| path).collect())
    }

    fn known<'s>(
        &'s self,
        cell: &'s OnceCell<Vec<Manifest>>,
        file: &str,
        name_of: fn(&[String]) -> Option<String>,
    ) -> Result<&'s [Manifest], MirrorError> {
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let mut found = Vec::new();
        for path in self.at.mirrors.files_named(self.at.id, self.at.commit, file)? {
            let name = self.at.lines(&path)?.and_then(|lines| name_of(&lines));
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            found.extend(name.map(|name| Manifest { name, folder }));
        }
        Ok(cell.get_or_init(|| found))
    }
}

/// `name: shop`.
fn dart_name(lines: &[String]) -> Option<String> {
    let line = lines.iter().take(MANIFEST_LINES).find_map(|line| line.strip_prefix("name:"))?;
    let name = line.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// `app: :shop`; the root of an umbrella is no application itself, and what computes its name has
/// an empty one.
fn mix_application(lines: &[String]) -> Option<String> {
    let code = || lines.iter().take(MANIFEST_LINES).map(|line| line.split('#').next().unwrap_or_default());
    if code().any(|line| line.contains("apps_path:")) {
        return None;
    }
    let atom = |text: &str| {
        let name = text.trim().strip_prefix(':')?;
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
        Some(name[..end].to_owned())
    };
    let said = code().find_map(|line| line.trim_start().trim_start_matches('[').strip_prefix("app:"));
    let said = said.map(|said| said.trim().trim_end_matches(','));
    let named = said.and_then(|said| match said.strip_prefix('@') {
        Some(_) => code().find_map(|line| atom(line.trim_start().strip_prefix(said)?)),
        None => atom(said),
    });
    Some(named.unwrap_or_default())
}

/// `"name": "@acme/shop"`.
fn node_name(lines: &[String]) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(&lines.join("\n")).ok()?;
    manifest.get("name")?.as_str().map(str::to_owned)
}

/// The modules that a source file of Elixir says it defines.
pub(super) fn elixir_modules(lines: &[String]) -> Vec<String> {
    let name = |line: &String| {
        let line = line.trim_start();
        let rest = ["defmodule ", "defprotocol ", "defimpl "].into_iter().find_map(|word| line.strip_prefix(word))?;
        let name = rest.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_')).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    lines.iter().filter_map(name).collect()
}

/// `module example.com/shop // comment`.
fn go_module(lines: &[String]) -> Option<String> {
    let line = lines.iter().take(MANIFEST_LINES).find_map(|line| line.trim().strip_prefix("module "))?;
    let name = line.split("//").next().unwrap_or_default().trim().trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

/// The package that a source file of the JVM says it is in, those of several lines put together
/// (Scala); `None`: it says none.
pub(super) fn package_clause(lines: &[String]) -> Option<Vec<String>> {
    let mut package = Vec::new();
    let mut is_comment = false;
    for line in lines.iter().take(CLAUSE_LINES) {
        let mut line = line.trim_start_matches('\u{feff}').trim();
        if is_comment {
            let Some((_, rest)) = line.split_once("*/") else { continue };
            (line, is_comment) = (rest.trim(), false);
        }
        if line.starts_with("/*") {
            is_comment = !line.contains("*/");
            continue;
        }
        let name = line.strip_prefix("package ").map(|rest| rest.split("//").next().unwrap_or_default());
        match name.map(str::trim) {
            Some(object) if object.starts_with("object ") => break,
            Some(name) => {
                let name = name.trim_end_matches(['{', ';', ' ', ':']).split(';').next().unwrap_or_default();
                package.extend(name.split('.').map(|part| part.trim().trim_matches('`').to_owned()));
            }
            None if line.is_empty() || line.starts_with(['@', '/', '*', '#']) => {}
            None => break,
        }
    }
    (!package.is_empty()).then_some(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_source_file_says_its_package() {
        let clause = |text: &str| package_clause(&lines(text)).map(|package| package.join("."));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(clause("package com.acme.shop;\n\nimport java.util.List;\n"), some("com.acme.shop"));
        assert_eq!(clause("/* package old.name;\n * x */\n// package no\npackage com.acme // y\n"), some("com.acme"));
        assert_eq!(
            clause("@file:JvmName(\"Tax\")\npackage com.acme.`in`.tax\n\nfun f() {}\n"),
            some("com.acme.in.tax")
        );
        assert_eq!(clause("package com.acme\npackage shop\n\nclass Cart\n"), some("com.acme.shop"));
        assert_eq!(clause("\u{feff}package com.acme.shop {\n"), some("com.acme.shop"));
        assert_eq!(clause("package com.acme\npackage object shop {\n"), some("com.acme"));
        assert_eq!(clause("class Main {\n  String a = \"\npackage x\n\";\n"), None);
        assert_eq!(clause("(ns shop.cart)\n"), None);
        assert_eq!(clause(""), None);
    }

    #[test]
    fn manifests_say_their_names() {
        assert_eq!(dart_name(&lines("# x\nname: shop # the app\nversion: 1\n")).as_deref(), Some("shop"));
        assert_eq!(dart_name(&lines("name: 'money'\n")).as_deref(), Some("money"));
        assert_eq!(dart_name(&lines("dependencies:\n  name: x\n")), None);
        assert_eq!(
            go_module(&lines("// x\nmodule example.com/shop // y\n\ngo 1.22\n")).as_deref(),
            Some("example.com/shop")
        );
        assert_eq!(go_module(&lines("module \"example.com/shop/v2\"\n")).as_deref(), Some("example.com/shop/v2"));
        assert_eq!(go_module(&lines("go 1.22\n")), None);
        let mix = |text: &str| mix_application(&lines(text));
        let project = "defmodule Shop.MixProject do\n  def project do\n    [\n      app: :shop, # the shop\n    ]\n";
        assert_eq!(mix(project).as_deref(), Some("shop"));
        assert_eq!(mix("  @app :till\n  def project do\n    [app: @app,\n").as_deref(), Some("till"));
        assert_eq!(mix("    [app: name(),\n").as_deref(), Some(""), "it is not said");
        assert_eq!(mix("    [\n      apps_path: \"apps\",\n"), None, "an umbrella");
        assert_eq!(
            node_name(&lines("{\n  \"private\": true,\n  \"name\": \"@acme/ui\"\n}\n")).as_deref(),
            Some("@acme/ui")
        );
        assert_eq!(node_name(&lines("{\"dependencies\": {\"name\": \"1\"}}")), None);
        assert_eq!(
            elixir_modules(&lines(
                "defmodule Shop.Till do\n  defmodule Line do\n  end\nend\ndefimpl Jason.Encoder, for: X do\n"
            )),
            ["Shop.Till", "Line", "Jason.Encoder"]
        );
    }
}
