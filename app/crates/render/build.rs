//! Embeds `web/` into the program: every template, and where the static files are.

/// Where templates and static files stand, seen from this package. Nothing else knows it.
const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../web");

fn main() {
    // Without this, any change of the package would run this again.
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=FLAWLESS_STATIC={WEB}/static");
    minijinja_embed::embed_templates!(WEB, &[".html", ".md", ".txt"]);
}
