//! What the statement at a line does, and where the values in it come from.

use super::language::{
    Language, is_attribute, is_block, is_call, is_constant, is_function, is_index, is_name, is_operator, is_raise,
    is_receiver, is_splat, is_statement,
};
use super::outline::{line_of, slice};
use super::variables::{Set, Variables, target_is_set, targets};
use super::walk::{Below, walk};
use super::work::{TooMuch, Work};
use domain::source::{Block, LineFacts, Role, Use, ValueOrigin};
use std::rc::Rc;
use tree_sitter::Node;

/// How many names are followed from one to the next: `a = b`, `b = c`.
const ALIASES: usize = 3;

/// Most expressions of one statement that are looked at: a table of data as long as a file says
/// nothing about one value.
const USES: usize = 200;

/// Parts of one statement that are looked at, of those the last: a longer one is a table of data.
const MOST_PARTS: usize = 20_000;

/// Bytes. A longer name is none: it is a chain of a thousand attributes, or made up by a program.
const LONGEST_NAME: usize = 1_000;

/// What only raises, by its name: the test frameworks' and argument parsers' own.
const RAISERS: &[&str] = &["self.fail", "self.error", "panic", "bail", "anyhow::bail", "unreachable", "raise"];

/// A file as it is looked at.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) language: Language,
    pub(super) root: Node<'a>,
    pub(super) text: &'a str,
    pub(super) work: &'a Work,
}

/// The facts of a line whose innermost function is `function`. `variables` gives those of the
/// function or file around its statement.
pub(super) fn facts(
    reading: Reading<'_>,
    line: u32,
    function: Option<Block>,
    variables: impl FnOnce(Node<'_>) -> Result<Rc<Variables>, TooMuch>,
) -> Result<LineFacts, TooMuch> {
    let Reading { language, root, text, work } = reading;
    let Some((statement, scope)) = statement_at(root, line, work)? else {
        return Ok(LineFacts { function, ..LineFacts::default() });
    };
    let here = Here { language, text, variables: variables(scope)?, line, function: function.as_ref() };
    let mut found = LineFacts { raises: raises(statement, text, work)?, ..LineFacts::default() };
    let own = own_nodes(statement, work)?;
    for node in &own {
        here.look_at(*node, &mut found);
    }
    iterated(&own).into_iter().for_each(|node| here.push(Role::Iterated, node, &mut found));
    found.uses.truncate(USES);
    found.function = function;
    Ok(found)
}

/// Lines of a block at which `self.FIELD` is set.
pub(super) fn field_set(reading: Reading<'_>, block: &Block, field: &str) -> Result<Vec<u32>, TooMuch> {
    let Reading { language, root, text, work } = reading;
    let mut lines = Vec::new();
    walk(root, work, |path| {
        let node = path[path.len() - 1];
        let line = line_of(node.start_position().row);
        if block.covers(line) && target_is_set(node) {
            let sets = |target: &Node<'_>| match own_field(*target, text) {
                Some(name) => name == field,
                None => language == Language::Ruby && slice(*target, text).trim_start_matches('@') == field,
            };
            lines.extend(targets(node, work)?.iter().any(sets).then_some(line));
        }
        Ok(Below::Look)
    })?;
    lines.sort_unstable();
    lines.dedup();
    Ok(lines)
}

/// The smallest statement that covers the line, and the function around it, else the file. Where
/// the line is the head of a loop or condition, that is the statement.
fn statement_at<'t>(root: Node<'t>, line: u32, work: &Work) -> Result<Option<(Node<'t>, Node<'t>)>, TooMuch> {
    let mut best: Option<(Node<'t>, Node<'t>)> = None;
    let mut cursor = root.walk();
    let mut rest = vec![(root, root)];
    while let Some((node, scope)) = rest.pop() {
        if is_statement(node.kind()) && node.is_named() {
            let smaller = best.is_none_or(|(best, _)| node.byte_range().len() <= best.byte_range().len());
            // A function that is written within one line of its statement is not the statement.
            if smaller
                && !(is_function(node.kind())
                    && best.is_some_and(|(best, _)| best.start_position() == node.start_position()))
            {
                best = Some((node, scope));
            }
        }
        let scope = if is_function(node.kind()) { node } else { scope };
        for child in node.named_children(&mut cursor) {
            work.take(1)?;
            if covers(child, line) {
                rest.push((child, scope));
            }
        }
    }
    Ok(best)
}

fn covers(node: Node<'_>, line: u32) -> bool {
    (line_of(node.start_position().row)..=line_of(node.end_position().row)).contains(&line)
}

/// The nodes of a statement, those of its body and of functions within it left out.
fn own_nodes<'t>(statement: Node<'t>, work: &Work) -> Result<Vec<Node<'t>>, TooMuch> {
    let mut found = Vec::new();
    let mut cursor = statement.walk();
    let mut rest = vec![statement];
    while let Some(node) = rest.pop()
        && found.len() < MOST_PARTS
    {
        found.push(node);
        for child in node.named_children(&mut cursor) {
            work.take(1)?;
            if !is_block(child.kind()) {
                rest.push(child);
            }
        }
    }
    Ok(found)
}

fn raises(statement: Node<'_>, text: &str, work: &Work) -> Result<bool, TooMuch> {
    if is_raise(statement.kind()) {
        return Ok(true);
    }
    // `self.fail(…)`, `return self.error(…)`, `panic!(…)`, Ruby's `raise X`: the call is all of the
    // statement.
    let mut node = statement;
    loop {
        work.take(1)?;
        if is_call(node.kind()) {
            let called = callee(node).map_or("", |callee| slice(callee, text));
            return Ok(RAISERS.contains(&called) || called.starts_with("self.raise_"));
        }
        match node.named_child(0).filter(|_| node.named_child_count() == 1) {
            Some(child) => node = child,
            None => return Ok(false),
        }
    }
}

/// What a call calls, as it is written.
fn callee(call: Node<'_>) -> Option<Node<'_>> {
    ["function", "constructor", "method", "name", "macro", "type"]
        .iter()
        .find_map(|field| call.child_by_field_name(field))
}

fn arguments(call: Node<'_>) -> Vec<Node<'_>> {
    let Some(list) = call.child_by_field_name("arguments") else { return Vec::new() };
    let mut cursor = list.walk();
    list.named_children(&mut cursor).take(USES).collect()
}

/// What is gone through or unpacked by a statement as a whole, of whose parts.
fn iterated<'t>(parts: &[Node<'t>]) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    for node in parts {
        match node.kind() {
            "for_statement" | "for_in_clause" | "for_in_statement" | "enhanced_for_statement" | "for_expression" => {
                found.extend(["right", "value"].iter().find_map(|field| node.child_by_field_name(field)));
            }
            "assignment" => {
                let unpacks = node
                    .child_by_field_name("left")
                    .is_some_and(|left| matches!(left.kind(), "pattern_list" | "tuple_pattern" | "list_pattern"));
                found.extend(node.child_by_field_name("right").filter(|_| unpacks));
            }
            _ => {}
        }
    }
    found
}

/// `x` of `self.x`, if that is what the node is.
fn own_field<'t>(node: Node<'_>, text: &'t str) -> Option<&'t str> {
    if !is_attribute(node.kind()) {
        return None;
    }
    let (object, name) = attribute_of(node)?;
    is_receiver(slice(object, text)).then(|| slice(name, text))
}

/// Object and name of an attribute.
fn attribute_of(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    let object = ["object", "operand", "value"].iter().find_map(|field| node.child_by_field_name(field))?;
    let name = ["attribute", "property", "field"].iter().find_map(|field| node.child_by_field_name(field))?;
    Some((object, name))
}

/// Where a statement stands.
struct Here<'a> {
    language: Language,
    text: &'a str,
    variables: Rc<Variables>,
    line: u32,
    function: Option<&'a Block>,
}

impl Here<'_> {
    fn look_at(&self, node: Node<'_>, found: &mut LineFacts) {
        let kind = node.kind();
        if is_attribute(kind)
            && let Some((object, name)) = attribute_of(node)
        {
            self.push(Role::Attribute(self.name(name).to_owned()), object, found);
        } else if is_index(kind) {
            let indexed =
                ["value", "object", "operand", "array"].iter().find_map(|field| node.child_by_field_name(field));
            if let Some(indexed) = indexed.or_else(|| node.named_child(0)) {
                self.push(Role::Indexed, indexed, found);
            }
        } else if is_operator(kind) {
            let mut cursor = node.walk();
            for side in node.named_children(&mut cursor) {
                self.push(Role::Operand, side, found);
            }
        } else if is_call(kind) {
            self.look_at_call(node, found);
        }
    }

    fn look_at_call(&self, call: Node<'_>, found: &mut LineFacts) {
        let arguments = arguments(call);
        if let Some(callee) = callee(call) {
            if let Some(object) = call.child_by_field_name("receiver").or_else(|| call.child_by_field_name("object")) {
                // Ruby and Java have the object beside the method's name.
                self.push(Role::Attribute(self.name(callee).to_owned()), object, found);
            } else {
                self.push(Role::Called, callee, found);
                found.calls_given |= is_name(callee.kind()) && matches!(self.origin(callee), ValueOrigin::Given(_));
            }
        }
        for argument in arguments {
            if is_splat(argument.kind()) {
                let passed_on = argument.named_child(0).is_none_or(|what| {
                    is_name(what.kind()) || is_attribute(what.kind()) // not `*[1, 2]`, not `*make()`
                });
                found.forwards |= passed_on;
                self.push(Role::Argument, argument.named_child(0).unwrap_or(argument), found);
                continue;
            }
            let value = argument.child_by_field_name("value").filter(|_| argument.kind().contains("argument"));
            self.push(Role::Argument, value.unwrap_or(argument), found);
        }
        // Go writes `f(args...)`.
        if self.language == Language::Go
            && call
                .child_by_field_name("arguments")
                .is_some_and(|list| slice(list, self.text).trim_end_matches(')').trim_end().ends_with("..."))
        {
            found.forwards = true;
        }
    }

    fn push(&self, role: Role, node: Node<'_>, found: &mut LineFacts) {
        if found.uses.len() > USES {
            return;
        }
        let name = (is_name(node.kind()) || is_attribute(node.kind())).then(|| self.name(node).to_owned());
        let name = name.filter(|name| !name.is_empty());
        found.uses.push(Use { role, origin: self.origin(node), name });
    }

    /// A name as it is written; nothing where it is too long to be one.
    fn name(&self, node: Node<'_>) -> &str {
        Some(slice(node, self.text)).filter(|name| name.len() <= LONGEST_NAME).unwrap_or_default()
    }

    fn origin(&self, mut node: Node<'_>) -> ValueOrigin {
        while matches!(node.kind(), "await" | "await_expression" | "parenthesized_expression") {
            let Some(inner) = node.named_child(0) else { return ValueOrigin::Other };
            node = inner;
        }
        let kind = node.kind();
        if is_constant(kind) {
            return ValueOrigin::Constant;
        }
        if is_call(kind) {
            return ValueOrigin::Outcome;
        }
        if let Some(field) = own_field(node, self.text) {
            return ValueOrigin::Own(field.to_owned());
        }
        if is_name(kind) { self.origin_of_name(self.name(node)) } else { ValueOrigin::Other }
    }

    fn origin_of_name<'a>(&'a self, mut name: &'a str) -> ValueOrigin {
        for _ in 0..=ALIASES {
            if let Some(field) = name.strip_prefix('@') {
                return ValueOrigin::Own(field.trim_start_matches('@').to_owned());
            }
            match self.variables.last_set(name, self.line) {
                Some(Set::ToName(other)) if other != name => name = other,
                Some(_) => return ValueOrigin::Local,
                None if self.function.is_some_and(|function| function.parameters.iter().any(|one| one == name)) => {
                    return ValueOrigin::Given(name.to_owned());
                }
                None => return ValueOrigin::Other,
            }
        }
        ValueOrigin::Local
    }
}
