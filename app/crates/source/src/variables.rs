//! The variables of a function: where each is set, and to what.

use super::language::{is_attribute, is_index, is_name};
use super::outline::{line_of, slice};
use super::walk::{Below, walk};
use super::work::{TooMuch, Work};
use std::collections::HashMap;
use tree_sitter::Node;

/// What a variable was set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// Another variable.
    ToName(String),
    /// Anything else, as in a loop or an unpacking.
    ToOther,
}

/// Where the variables of a function, or of a file, are set: the lines in order, and to what.
#[derive(Debug, Default)]
pub(super) struct Variables(HashMap<String, Vec<(u32, Set)>>);

impl Variables {
    /// The variables that are set below a node.
    pub(super) fn of(scope: Node<'_>, text: &str, work: &Work) -> Result<Self, TooMuch> {
        let mut all = Self::default();
        walk(scope, work, |path| {
            let node = path[path.len() - 1];
            if path.len() > 1 {
                all.add(node, text, work)?;
            }
            Ok(Below::Look)
        })?;
        // Of what is set twice in a line, the first counts: it stands around the other.
        all.0.values_mut().for_each(|sets| sets.sort_by_key(|(line, _)| *line));
        Ok(all)
    }

    fn add(&mut self, node: Node<'_>, text: &str, work: &Work) -> Result<(), TooMuch> {
        let targets = targets(node, work)?;
        let value = ["right", "value"].iter().find_map(|field| node.child_by_field_name(field));
        let plain = matches!(
            node.kind(),
            "assignment" | "variable_declarator" | "assignment_expression" | "let_declaration" | "named_expression"
        );
        let value = value.filter(|value| targets.len() == 1 && plain && is_name(value.kind()));
        let line = line_of(node.start_position().row);
        for target in targets.iter().filter(|target| is_name(target.kind())) {
            let set = value.map_or(Set::ToOther, |value| Set::ToName(slice(value, text).to_owned()));
            self.0.entry(slice(*target, text).to_owned()).or_default().push((line, set));
        }
        Ok(())
    }

    /// What a variable was last set to before a line, in the order of the text.
    pub(super) fn last_set(&self, name: &str, line: u32) -> Option<&Set> {
        let sets = self.0.get(name)?;
        let before = &sets[..sets.partition_point(|(at, _)| *at < line)];
        let (last, _) = before.last()?;
        before[before.partition_point(|(at, _)| at < last)..].first().map(|(_, set)| set)
    }
}

/// Left sides of an assignment of any kind.
pub(super) fn targets<'t>(node: Node<'t>, work: &Work) -> Result<Vec<Node<'t>>, TooMuch> {
    let field = match node.kind() {
        "assignment"
        | "augmented_assignment"
        | "assignment_expression"
        | "for_statement"
        | "for_in_clause"
        | "for_in_statement"
        | "short_var_declaration"
        | "assignment_statement"
        | "operator_assignment"
        | "augmented_assignment_expression"
        | "range_clause" => "left",
        "named_expression" | "variable_declarator" | "enhanced_for_statement" => "name",
        "let_declaration" | "for_expression" => "pattern",
        "as_pattern" => "alias",
        _ => return Ok(Vec::new()),
    };
    let Some(left) = node.child_by_field_name(field) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    walk(left, work, |path| {
        let node = path[path.len() - 1];
        found.push(node);
        Ok(if is_attribute(node.kind()) || is_index(node.kind()) { Below::Skip } else { Below::Look })
    })?;
    Ok(found)
}

/// Whether an assignment puts a new value in the place of the old one.
pub(super) fn target_is_set(node: Node<'_>) -> bool {
    !matches!(node.kind(), "augmented_assignment" | "operator_assignment" | "augmented_assignment_expression")
}
