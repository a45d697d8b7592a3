//! Embeds `web/` into the program: every template, and where the static files are.

use std::env::var;

/// Where templates and static files stand, seen from this package. Nothing else knows it.
const WEB: &str = "../../../web";

fn main() {
    // Asked when it runs: this program may have been built before the checkout moved.
    let package = var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let web = format!("{package}/{WEB}");
    // Without this, any change of the package would run this again.
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=FLAWLESS_STATIC={web}/static");
    minijinja_embed::embed_templates!(&web, &[".html", ".md", ".txt"]);
}
