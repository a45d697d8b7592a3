//! Going through a tree in reading order, without recursion and counted.

use super::work::{TooMuch, Work};
use tree_sitter::Node;

/// What is to be looked at after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// Its children, then what follows it.
    Look,
    /// What follows it.
    Skip,
    /// Nothing more.
    Stop,
}

/// Visits a node and the named ones below it. Each comes with the named nodes that lead to it from
/// the first, itself at the end: asking a node for its parent would go through the tree from its
/// root.
pub(super) fn walk<'t>(
    root: Node<'t>,
    work: &Work,
    mut visit: impl FnMut(&[Node<'t>]) -> Result<Below, TooMuch>,
) -> Result<(), TooMuch> {
    let mut cursor = root.walk();
    let mut path: Vec<Node<'t>> = Vec::new();
    loop {
        work.take(1)?;
        let node = cursor.node();
        // What has no name is a token, and the root counts whatever it is.
        let below = if node.is_named() || path.is_empty() {
            path.push(node);
            let below = visit(&path)?;
            if below == Below::Look && cursor.goto_first_child() {
                continue;
            }
            path.pop();
            below
        } else {
            Below::Skip
        };
        if below == Below::Stop {
            return Ok(());
        }
        loop {
            // At the root, or above it.
            if path.is_empty() {
                return Ok(());
            }
            if cursor.goto_next_sibling() {
                break;
            }
            cursor.goto_parent();
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::parse::tree;

    fn visited(below: impl Fn(&str) -> Below) -> Vec<String> {
        let tree = tree(Language::Python, "a = b(c)\nd\n", &Work::default()).expect("is small");
        let mut seen = Vec::new();
        walk(tree.root_node(), &Work::default(), |path| {
            let kind = path[path.len() - 1].kind();
            seen.push(format!("{} {kind}", path.len()));
            Ok(below(kind))
        })
        .expect("is little work");
        seen
    }

    #[test]
    fn nodes_come_in_reading_order_with_what_leads_to_them() {
        let all = [
            "1 module",
            "2 expression_statement",
            "3 assignment",
            "4 identifier",
            "4 call",
            "5 identifier",
            "5 argument_list",
            "6 identifier",
            "2 expression_statement",
            "3 identifier",
        ];
        assert_eq!(visited(|_| Below::Look), all);
        let skipping = |kind: &str| if kind == "assignment" { Below::Skip } else { Below::Look };
        assert_eq!(visited(skipping), [&all[..3], &all[8..]].concat());
        let stopping = |kind: &str| if kind == "call" { Below::Stop } else { Below::Look };
        assert_eq!(visited(stopping), all[..5]);
    }

    #[test]
    fn what_is_too_much_ends_it() {
        let tree = tree(Language::Python, "a = b(c)\n", &Work::default()).expect("is small");
        assert_eq!(walk(tree.root_node(), &Work::of(3), |_| Ok(Below::Look)), Err(TooMuch));
    }
}
