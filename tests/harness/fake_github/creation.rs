//! Making the App by manifest: GitHub's page, and the exchange of its code.

use super::api::{Answered, error, plain};
use super::world::World;
use super::{APP_ID, FakeGitHub, PRIVATE_KEY, SECRET, SLUG};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// How long a code is good for.
const CODE_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// For signing in with the App.
pub const CLIENT_ID: &str = "Iv1.0123456789abcdef";
/// For signing in with the App.
pub const CLIENT_SECRET: &str = "client-secret-of-the-tests";

impl FakeGitHub {
    /// A person confirms GitHub's page that was opened with this manifest; the code that their
    /// browser is sent back with.
    pub fn make_app(&self, manifest: &Value) -> String {
        for key in ["name", "url", "hook_attributes", "redirect_url", "default_permissions", "default_events"] {
            assert!(!manifest[key].is_null(), "the manifest has no {key}: {manifest}");
        }
        assert!(manifest["name"].as_str().unwrap().chars().count() <= 34, "GitHub takes no longer names");
        for event in manifest["default_events"].as_array().unwrap() {
            let event = event.as_str().unwrap();
            assert!(!event.starts_with("installation"), "GitHub refuses {event} in a manifest");
        }
        let mut world = self.world();
        let code = format!("code-{:x}", world.codes.len() + 0xabc);
        let until = world.now + CODE_LIFE;
        world.codes.insert(code.clone(), until);
        code
    }
}

impl World {
    /// The new App with its secrets, once.
    pub fn hand_over_app(&mut self, code: &str) -> Answered {
        match self.codes.remove(code) {
            Some(until) if self.now < until => plain(
                201,
                json!({
                    "id": APP_ID, "slug": SLUG, "node_id": "A_x", "name": "Flawless (test)", "description": "",
                    "external_url": "https://flawless.test", "html_url": format!("https://github.com/apps/{SLUG}"),
                    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
                    "permissions": {"issues": "write"}, "events": ["push"],
                    "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                    "webhook_secret": SECRET, "pem": PRIVATE_KEY,
                }),
            ),
            _ => error(404, "Not Found"),
        }
    }
}
