//! A small program of three authors, in which an exception can be blamed on each.

use super::{ADA, GRACE, GitRepo, LINUS};
use std::path::PathBuf;

const TOOLS: &str = "\
def retried(func):
    def wrapped(*args, **kwargs):
        return func(*args, **kwargs)
    return wrapped


def fail(message):
    raise ValueError(message)
";

/// `shop/cart.py`.
pub const CART: &str = "\
from shop.tools import fail, retried


class Cart:
    def __init__(self, owner):
        self.owner = owner

    def total(self, prices):
        return self.wallet.sum(prices)


def limit(amount):
    if amount > 100:
        fail('too much')
    return amount


def order(amount):
    return limit(amount)


def main():
    order('7')
";

/// Its repository: Ada wrote the tools, Linus the cart, Grace the cart's last function.
pub fn example(directory: impl Into<PathBuf>) -> GitRepo {
    let repo = GitRepo::init(directory);
    repo.commit(ADA, "2025-11-01T10:00:00Z", &[("shop/tools.py", TOOLS)], "Tools");
    let (before, _) = CART.split_once("def main").unwrap();
    repo.commit(LINUS, "2025-11-02T10:00:00Z", &[("shop/cart.py", before)], "A cart");
    repo.commit(GRACE, "2025-11-03T10:00:00Z", &[("shop/cart.py", CART)], "A main function");
    repo
}
