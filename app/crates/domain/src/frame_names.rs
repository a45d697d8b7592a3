//! Under which names a frame's file may be found in the repository: what runtimes, bundlers and
//! build tools made of its path, taken off again.

use super::commit::CommitId;
use super::frame_origin::{is_foreign_host, is_of_a_runtime, is_runtime_scheme};
use super::report::{Frame, Platform};

/// A name of a frame's file, and how it is to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Its end is the end of the file's path in the repository.
    Path(Vec<String>),
    /// The file's whole path in the repository: a build tool says so.
    Rooted(Vec<String>),
    /// A source file of the JVM: its package, of which its folders may leave out the beginning.
    Class {
        /// The package's parts.
        package: Vec<String>,
        /// The file's name.
        file: String,
    },
    /// A file below `lib/` of the Dart package of this name.
    Dart {
        /// The package's name, as its `pubspec.yaml` says it.
        package: String,
        /// The path below `lib/`.
        rest: Vec<String>,
    },
    /// A file of the Elixir application of this name.
    Mix {
        /// The application's name, as its `mix.exs` says it.
        application: String,
        /// The path from that file's folder.
        rest: Vec<String>,
    },
    /// A file named by its Go package: the path of a module, as its `go.mod` says it, and the path
    /// within.
    GoImport(Vec<String>),
}

/// The names of a frame's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameNames {
    /// In the order in which they are to be tried: a later one counts where those before lead to
    /// nothing.
    pub spellings: Vec<Spelling>,
    /// It was not deployed from the repository, as far as its name tells: it is ours only where its
    /// text says so.
    pub is_foreign: bool,
}

impl Spelling {
    /// The parts of the path that is compared with the repository's, from the end.
    pub fn parts(&self) -> Vec<String> {
        match self {
            Self::Path(parts) | Self::Rooted(parts) | Self::GoImport(parts) => parts.clone(),
            Self::Class { package, file } => package.iter().chain([file]).cloned().collect(),
            Self::Dart { rest, .. } | Self::Mix { rest, .. } => rest.clone(),
        }
    }
}

/// Source files of the JVM, of whose path a frame says no more than the base name.
const JVM_ENDINGS: [&str; 8] = [".java", ".kt", ".kts", ".scala", ".groovy", ".clj", ".cljc", ".aj"];

/// Longest name of a frame that is taken apart: a longer path is none that git or we would keep.
const LONGEST: usize = 4_000;

/// The names of a frame's file. `repository` is `owner/name`, by which a build tool may name it.
pub fn names_of(frame: &Frame, platform: Platform, repository: Option<&str>) -> FrameNames {
    let texts = [frame.abs_path.as_deref(), frame.filename.as_deref()];
    let texts: Vec<&str> =
        texts.into_iter().flatten().map(str::trim).map(resource_of).filter(|text| !text.is_empty()).collect();
    // `<string>`, `<anonymous>` and the like name no file, and the client's text for them is wrong.
    if texts.iter().any(|text| base_name(text).starts_with('<') || text.len() > LONGEST) {
        return FrameNames::default();
    }
    if let Some(class) = class_file(frame) {
        return FrameNames { spellings: vec![class], is_foreign: false };
    }
    let mut names = FrameNames::default();
    for text in texts {
        let (spellings, is_foreign) = of_text(text, platform, repository);
        names.is_foreign |= is_foreign;
        for spelling in spellings {
            // A file name that is only the end of the absolute path says nothing more.
            let said = |one: &Spelling| one.parts().ends_with(&spelling.parts());
            if !names.spellings.iter().any(said) {
                names.spellings.push(spelling);
            }
        }
    }
    if let Some(import) = go_import(frame, platform) {
        names.spellings.insert(0, import);
    }
    if let Some(file) = mix_file(frame) {
        names.spellings.insert(0, file);
    }
    names
}

/// The source file that a class of the JVM was compiled from: `com.acme.shop.cart.Cart$Line` and
/// `Cart.java`. Printed traces are read into the same form, with the package's folders before the
/// name.
fn class_file(frame: &Frame) -> Option<Spelling> {
    let path = frame.filename.as_deref().or(frame.abs_path.as_deref())?;
    let module = frame.module.as_deref().filter(|module| !module.is_empty())?;
    let file = base_name(path);
    if !JVM_ENDINGS.iter().any(|ending| file.ends_with(ending)) {
        return None;
    }
    let package = package_of(module);
    let folder = path.strip_suffix(file)?.trim_end_matches('/');
    // A whole path is better than what can be made of the class.
    (folder.is_empty() || folder == package.join("/")).then(|| Spelling::Class { package, file: file.to_owned() })
}

/// The package of a class, without what a class loader puts before it and what a compiler makes of
/// inner classes, lambdas and files.
fn package_of(class: &str) -> Vec<String> {
    // `com.acme.Cart$$Lambda/0x00007f3a` and `app//com.acme.Cart`.
    let class = class.split_once("/0x").map_or(class, |(class, _)| class);
    let class = class.rsplit('/').next().unwrap_or(class);
    let class = class.split('$').next().unwrap_or(class);
    let package = class.rsplit_once('.').map_or("", |(package, _)| package);
    package.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A Go file by its package, which the client says beside the path of the machine that built it.
fn go_import(frame: &Frame, platform: Platform) -> Option<Spelling> {
    let module = frame.module.as_deref().filter(|_| platform == Platform::Go)?;
    let path = frame.abs_path.as_deref().or(frame.filename.as_deref())?;
    let file = base_name(path);
    // The test of a package stands in its folder; a program's package says nothing of its own.
    let module = module.strip_suffix("_test").unwrap_or(module);
    if matches!(module, "" | "main" | "command-line-arguments") || !file.ends_with(".go") {
        return None;
    }
    let mut parts: Vec<String> =
        module.split('/').map(|part| decoded(part).unwrap_or_else(|| part.to_owned())).collect();
    parts.push(file.to_owned());
    Some(Spelling::GoImport(parts))
}

/// A file by its Elixir application, which a trace says beside the path from that one's folder.
fn mix_file(frame: &Frame) -> Option<Spelling> {
    let application = frame.application.clone().filter(|name| !name.is_empty() && !name.contains('/'))?;
    let path = frame.filename.as_deref().or(frame.abs_path.as_deref()).filter(|path| !path.starts_with('/'))?;
    let rest = parts_of(path);
    (rest.len() > 1).then_some(Spelling::Mix { application, rest })
}

/// The names that one text is, and whether it is foreign.
fn of_text(text: &str, platform: Platform, repository: Option<&str>) -> (Vec<Spelling>, bool) {
    if is_runtime_scheme(text) || (platform == Platform::Node && text.starts_with("internal/")) {
        return (Vec::new(), true);
    }
    if let Some(rest) = text.strip_prefix("package:")
        && let Some((package, rest)) = rest.split_once('/')
    {
        return (vec![Spelling::Dart { package: package.to_owned(), rest: parts_of(rest) }], false);
    }
    if let Some((parts, whose)) = source_link(text) {
        let is_ours = repository.is_none_or(|ours| ours.eq_ignore_ascii_case(&whose));
        let spelling = if is_ours { Spelling::Rooted(parts) } else { Spelling::Path(parts) };
        return (vec![spelling], !is_ours);
    }
    // What .NET's deterministic builds put in place of the repository's folder.
    if let Some(rest) = text.strip_prefix("/_/") {
        return (vec![Spelling::Rooted(parts_of(rest))], false);
    }
    // And in place of another's that it builds beside: `/_1/`.
    if let Some((number, rest)) = text.strip_prefix("/_").and_then(|rest| rest.split_once('/'))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return (vec![Spelling::Path(parts_of(rest))], true);
    }
    let parts = parts_of(text);
    let is_foreign = is_foreign_host(text) || is_of_a_runtime(&parts);
    // A Dart application in the browser names its packages by folders.
    let packages = parts.iter().position(|part| part == "packages").filter(|_| text.ends_with(".dart"));
    if let Some(at) = packages
        && let [package, rest @ ..] = &parts[at + 1..]
        && !rest.is_empty()
    {
        let dart = Spelling::Dart { package: package.clone(), rest: rest.to_vec() };
        return (vec![dart, Spelling::Path(parts)], is_foreign);
    }
    let is_relative = !text.starts_with(['/', '.', '\\']) && !text.contains("://") && !text.contains(":\\");
    if platform == Platform::Go && is_relative && text.ends_with(".go") && parts.len() > 1 {
        return (vec![Spelling::GoImport(parts)], is_foreign);
    }
    let plain: Option<Vec<String>> =
        parts.iter().map(|part| Some(decoded(part).unwrap_or_else(|| part.clone()))).collect();
    // The exact name first: a file may be called so.
    let plain = plain.filter(|plain| *plain != parts).map(Spelling::Path);
    (std::iter::once(Spelling::Path(parts)).chain(plain).collect(), is_foreign)
}

/// `https://raw.githubusercontent.com/acme/shop/SHA/src/Cart.cs`: the path in a repository, and
/// whose it is.
fn source_link(text: &str) -> Option<(Vec<String>, String)> {
    if let Some(rest) = text.strip_prefix("https://raw.githubusercontent.com/") {
        let mut parts = parts_of(rest);
        return (parts.len() > 3).then(|| {
            let path = parts.split_off(3);
            (path, format!("{}/{}", parts[0], parts[1]))
        });
    }
    let (_, rest) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let is_of_dotnet = |text: &str| [".cs", ".fs", ".vb", ".razor"].iter().any(|ending| text.ends_with(ending));
    // Azure's has the path among what is asked.
    if let Some((place, asked)) = rest.split_once('?') {
        let (_, path) = asked.split_once("path=").filter(|_| asked.contains("version=") && is_of_dotnet(text))?;
        return Some((parts_of(path.split('&').next().unwrap_or_default()), place.to_owned()));
    }
    let mut parts = parts_of(text);
    let is_commit = |part: &String| part.len() == CommitId::DIGITS && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let at = parts.iter().position(is_commit).filter(|at| at + 1 < parts.len())?;
    let path = parts.split_off(at + 1);
    parts.pop();
    let is_raw = parts.iter().any(|part| part == "raw");
    parts.retain(|part| !matches!(part.as_str(), "raw" | "src" | "-"));
    let [.., owner, name] = parts.as_slice() else { return None };
    (is_raw || is_of_dotnet(text)).then(|| (path, format!("{owner}/{name}")))
}

/// What a bundler's name for a module means, without the loaders that it went through:
/// `webpack:///./node_modules/vue-loader/index.js??x!./src/App.vue?vue&type=script`.
pub fn resource_of(text: &str) -> &str {
    if !text.starts_with("webpack") {
        return text;
    }
    match text.rsplit_once('!') {
        Some((_, resource)) if !resource.is_empty() => resource,
        _ => text,
    }
}

/// A part of a URL's path as it is meant: percent-encoding is taken off once. `None`: it has none,
/// or means no part of a path.
fn decoded(part: &str) -> Option<String> {
    if !part.contains('%') {
        return None;
    }
    let bytes = part.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    let text = String::from_utf8(out).ok()?;
    let is_part = !matches!(text.as_str(), "" | "." | "..") && !text.contains(['/', '\0']);
    (is_part && text != part).then_some(text)
}

/// The parts of a reported path without what its runtime puts before or after it: schemes of URLs
/// and bundlers, their layers, query strings, `.` and `..`.
pub fn parts_of(reported: &str) -> Vec<String> {
    let text = reported.trim().replace('\\', "/");
    // `\\?\C:\app` is a path that Windows may not shorten; `rsc://React/Server/file:///srv/x.js` is
    // another's within; `jar:file:/srv/app.jar!/shop/x.rb` is one in an archive.
    let text = text.strip_prefix("//?/").unwrap_or(&text);
    let text = text.strip_prefix("jar:").unwrap_or(text).replace("!/", "/");
    let text = text.rfind("file://").map_or(text.as_str(), |at| &text[at..]);
    let (text, is_bundle) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) => {
            // A bundler's authority is the name of what was bundled, and mostly a folder; others
            // are a host, or empty as in file:///srv/x and app:///x.
            let is_bundle = matches!(scheme, "webpack" | "webpack-internal" | "turbopack");
            let path = if is_bundle { rest } else { rest.split_once('/').map_or("", |(_, path)| path) };
            (path.split(['?', '#']).next().unwrap_or_default(), is_bundle)
        }
        _ => (text.strip_prefix("file:").unwrap_or(text).split('?').next().unwrap_or_default(), false),
    };
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." | "~" => {}
            ".." => drop(parts.pop()),
            // The layer of a bundle, and what stands for the project's folder.
            part if is_bundle && ((part.starts_with('(') && part.ends_with(')')) || part == "[project]") => {}
            "_N_E" if is_bundle => {}
            "@fs" if parts.is_empty() => {}
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
