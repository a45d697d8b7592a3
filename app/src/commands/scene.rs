//! The demo's repository: a small shop in real git, written by several people, and the reports of
//! its failures.

use super::Failed;
use domain::timestamp::Timestamp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const DAY_S: i64 = 24 * 3600;

const CART: &str = r#""""Carts and what they cost."""

PRICES = {"apple": 120, "pear": 150}


def total(items):
    """Sum of a cart, in cents."""
    amount = 0
    for sku, count in items:
        amount += price_of(sku) * count
    return amount


def price_of(sku):
    return PRICES[sku]
"#;

const DISCOUNT: &str = r#""""Vouchers."""


def discounted(amount, voucher):
    share = 100 // voucher["percent"]
    return amount - amount // share
"#;

const CHECKOUT: &str = r#""""What a customer does last."""

from shop.cart import total
from shop.discount import discounted


def checkout(request):
    amount = total(request["items"])
    if request.get("voucher"):
        amount = discounted(amount, request["voucher"])
    return {"status": "paid", "cents": amount}
"#;

/// A person of the story.
struct Person(&'static str, &'static str);

const ADA: Person = Person("Ada Lovelace", "ada@shop.example");
const GRACE: Person = Person("Grace Hopper", "grace@shop.example");
const ALAN: Person = Person("Alan Turing", "alan@shop.example");

/// The repository of the story.
pub(super) struct Scene {
    folder: PathBuf,
    now_s: i64,
}

impl Scene {
    /// Makes the repository: three people wrote the shop over six weeks.
    pub(super) fn set(folder: &Path, now: Timestamp) -> Result<Self, Failed> {
        std::fs::create_dir_all(folder)?;
        let scene = Self { folder: folder.to_owned(), now_s: now.as_seconds() };
        scene.git(&["init", "--quiet", "--initial-branch=main"], None)?;
        scene.write("shop/__init__.py", "")?;
        scene.commit(&ADA, 42, "shop/cart.py", CART, "Add up carts")?;
        scene.commit(&GRACE, 9, "shop/discount.py", DISCOUNT, "Take vouchers")?;
        scene.commit(&ALAN, 8, "shop/checkout.py", CHECKOUT, "Let customers pay")?;
        Ok(scene)
    }

    /// Alan adds lines above the failing one: it moves, and stays Ada's.
    pub(super) fn move_the_line(&self) -> Result<(), Failed> {
        let text = CART.replace(
            "\n\ndef total(items):",
            "\nCURRENCY = \"EUR\"\n\n\ndef is_known(sku):\n    return sku in PRICES\n\n\ndef total(items):",
        );
        self.commit(&ALAN, 1, "shop/cart.py", &text, "Say which fruit is known")
    }

    /// The commit that is deployed now.
    pub(super) fn head(&self) -> Result<String, Failed> {
        Ok(self.git(&["rev-parse", "HEAD"], None)?.trim().to_owned())
    }

    /// Line number and text of the first line of a file that contains a text.
    fn find(&self, path: &str, wanted: &str) -> Result<(usize, Vec<String>), Failed> {
        let text = std::fs::read_to_string(self.folder.join(path))?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = lines.iter().position(|line| line.contains(wanted)).ok_or("the story's line is not in its file")?;
        Ok((at + 1, lines))
    }

    /// A customer asked for a fruit that has no price.
    pub(super) fn unknown_fruit(&self, server: &str) -> Result<Value, Failed> {
        let frames = vec![
            self.frame(
                "shop/checkout.py",
                "checkout",
                "total(request",
                &json!({"request": "{'items': [('quince', 2)]}"}),
            )?,
            self.frame(
                "shop/cart.py",
                "total",
                "price_of(sku) *",
                &json!({"amount": "0", "count": "2", "sku": "'quince'"}),
            )?,
            self.frame("shop/cart.py", "price_of", "return PRICES", &json!({"sku": "'quince'"}))?,
        ];
        self.event("KeyError", "'quince'", frames, server)
    }

    /// A voucher of nothing.
    pub(super) fn empty_voucher(&self, server: &str) -> Result<Value, Failed> {
        let vars = json!({"amount": "540", "voucher": "{'percent': 0, 'code': 'SPRING'}", "card_number": "'4111111111111111'"});
        let frames = vec![
            self.frame("shop/checkout.py", "checkout", "discounted(amount", &json!({"amount": "540"}))?,
            self.frame("shop/discount.py", "discounted", "share =", &vars)?,
        ];
        self.event("ZeroDivisionError", "integer division or modulo by zero", frames, server)
    }

    fn frame(&self, path: &str, function: &str, wanted: &str, vars: &Value) -> Result<Value, Failed> {
        let (line, lines) = self.find(path, wanted)?;
        let before = lines[line.saturating_sub(6)..line - 1].to_vec();
        let after: Vec<String> = lines.iter().skip(line).take(5).cloned().collect();
        Ok(json!({
            "filename": path, "abs_path": format!("/srv/shop/{path}"), "module": path.trim_end_matches(".py").replace('/', "."),
            "function": function, "lineno": line, "context_line": lines[line - 1], "pre_context": before,
            "post_context": after, "vars": vars, "in_app": true,
        }))
    }

    fn event(&self, kind: &str, value: &str, mut frames: Vec<Value>, server: &str) -> Result<Value, Failed> {
        // The web framework's own frame stands outermost, as in real life.
        frames.insert(
            0,
            json!({
                "filename": "flask/app.py", "abs_path": "/srv/venv/lib/python3.12/site-packages/flask/app.py",
                "module": "flask.app", "function": "dispatch_request", "lineno": 917,
                "context_line": "        return self.ensure_sync(self.view_functions[rule.endpoint])(**view_args)",
                "in_app": false,
            }),
        );
        Ok(json!({
            "platform": "python", "level": "error", "release": self.head()?, "environment": "production",
            "server_name": server, "transaction": "checkout",
            "exception": {"values": [{
                "type": kind, "value": value, "module": "builtins",
                "mechanism": {"type": "flask", "handled": false}, "stacktrace": {"frames": frames},
            }]},
            "request": {"url": "https://shop.example/checkout", "method": "POST",
                "headers": {"Host": "shop.example", "User-Agent": "Firefox/140"}},
            "user": {"id": "4711"}, "tags": {"country": "DE"},
            "sdk": {"name": "sentry.python.flask", "version": "2.75.0"},
        }))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Failed> {
        let file = self.folder.join(path);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, text)?)
    }

    fn commit(&self, who: &Person, days_ago: i64, path: &str, text: &str, message: &str) -> Result<(), Failed> {
        self.write(path, text)?;
        self.git(&["add", "--all"], None)?;
        self.git(&["commit", "--quiet", "--message", message], Some((who, days_ago)))?;
        Ok(())
    }

    /// Runs git, without this machine's settings.
    fn git(&self, arguments: &[&str], author: Option<(&Person, i64)>) -> Result<String, Failed> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.folder);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        if let Some((Person(name, email), days_ago)) = author {
            let date = format!("{} +0000", self.now_s - days_ago * DAY_S);
            for role in ["AUTHOR", "COMMITTER"] {
                command
                    .env(format!("GIT_{role}_NAME"), name)
                    .env(format!("GIT_{role}_EMAIL"), email)
                    .env(format!("GIT_{role}_DATE"), &date);
            }
        }
        let output = command.output().map_err(|error| format!("the demo needs the program git: {error}"))?;
        if !output.status.success() {
            return Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
