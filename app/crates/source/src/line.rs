//! What the statement at a line does, and where the values in it come from.

use super::language::{
    Language, is_attribute, is_block, is_call, is_constant, is_function, is_index, is_name, is_operator, is_raise,
    is_receiver, is_splat, is_statement,
};
use super::outline::{line_of, slice};
use domain::source::{Block, LineFacts, Role, Use, ValueOrigin};
use tree_sitter::Node;

/// How many names are followed from one to the next: `a = b`, `b = c`.
const ALIASES: usize = 3;

/// Most expressions of one statement that are looked at: a table of data as long as a file says
/// nothing about one value.
const USES: usize = 200;

/// What only raises, by its name: the test frameworks' and argument parsers' own.
const RAISERS: &[&str] = &["self.fail", "self.error", "panic", "bail", "anyhow::bail", "unreachable", "raise"];

/// The facts of a line whose innermost function is `function`.
pub(super) fn facts(language: Language, root: Node<'_>, text: &str, line: u32, function: Option<Block>) -> LineFacts {
    let Some(statement) = statement_at(root, line) else { return LineFacts { function, ..LineFacts::default() } };
    let scope = scope_of(statement, root);
    let here = Here { language, text, scope, line, function: function.as_ref() };
    let mut found = LineFacts { raises: raises(statement, text), ..LineFacts::default() };
    for node in own_nodes(statement) {
        here.look_at(node, &mut found);
    }
    iterated(statement).into_iter().for_each(|node| here.push(Role::Iterated, node, &mut found));
    found.uses.truncate(USES);
    found.function = function;
    found
}

/// Lines of a block at which `self.FIELD` is set.
pub(super) fn field_set(language: Language, root: Node<'_>, text: &str, block: &Block, field: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    for node in all_nodes(root) {
        let line = line_of(node.start_position().row);
        if !block.covers(line) {
            continue;
        }
        for target in targets(node) {
            let sets = match own_field(target, text) {
                Some(name) => name == field,
                None => language == Language::Ruby && slice(target, text).trim_start_matches('@') == field,
            };
            if sets && target_is_set(node) {
                lines.push(line);
            }
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// The smallest statement that covers the line. Where the line is the head of a loop or condition,
/// that is the statement.
fn statement_at(root: Node<'_>, line: u32) -> Option<Node<'_>> {
    let mut best: Option<Node<'_>> = None;
    let mut rest = vec![root];
    while let Some(node) = rest.pop() {
        if !covers(node, line) {
            continue;
        }
        if is_statement(node.kind()) && node.is_named() {
            let smaller = best.is_none_or(|best| node.byte_range().len() <= best.byte_range().len());
            // A function that is written within one line of its statement is not the statement.
            if smaller
                && !(is_function(node.kind())
                    && best.is_some_and(|best| best.start_position() == node.start_position()))
            {
                best = Some(node);
            }
        }
        let mut cursor = node.walk();
        rest.extend(node.named_children(&mut cursor));
    }
    best
}

fn covers(node: Node<'_>, line: u32) -> bool {
    (line_of(node.start_position().row)..=line_of(node.end_position().row)).contains(&line)
}

/// The function around a statement, else the file.
fn scope_of<'t>(statement: Node<'t>, root: Node<'t>) -> Node<'t> {
    let mut node = statement;
    while let Some(parent) = node.parent() {
        if is_function(parent.kind()) {
            return parent;
        }
        node = parent;
    }
    root
}

/// The nodes of a statement, those of its body and of functions within it left out.
fn own_nodes(statement: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut rest = vec![statement];
    while let Some(node) = rest.pop() {
        found.push(node);
        let mut cursor = node.walk();
        rest.extend(node.named_children(&mut cursor).filter(|child| !is_block(child.kind())));
    }
    found
}

fn all_nodes(root: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut rest = vec![root];
    while let Some(node) = rest.pop() {
        found.push(node);
        let mut cursor = node.walk();
        rest.extend(node.named_children(&mut cursor));
    }
    found
}

fn raises(statement: Node<'_>, text: &str) -> bool {
    if is_raise(statement.kind()) {
        return true;
    }
    // `self.fail(…)`, `return self.error(…)`, `panic!(…)`, Ruby's `raise X`: the call is all of the
    // statement.
    let mut node = statement;
    loop {
        if is_call(node.kind()) {
            let called = callee(node).map_or("", |callee| slice(callee, text));
            return RAISERS.contains(&called) || called.starts_with("self.raise_");
        }
        match node.named_child_count() {
            1 => match node.named_child(0) {
                Some(child) => node = child,
                None => return false,
            },
            _ => return false,
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
    list.named_children(&mut cursor).collect()
}

/// What is gone through or unpacked by a statement as a whole.
fn iterated(statement: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for node in own_nodes(statement) {
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

/// Left sides of an assignment of any kind.
fn targets(node: Node<'_>) -> Vec<Node<'_>> {
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
        _ => return Vec::new(),
    };
    let Some(left) = node.child_by_field_name(field) else { return Vec::new() };
    let mut found = Vec::new();
    let mut rest = vec![left];
    while let Some(node) = rest.pop() {
        found.push(node);
        if !is_attribute(node.kind()) && !is_index(node.kind()) {
            let mut cursor = node.walk();
            rest.extend(node.named_children(&mut cursor));
        }
    }
    found
}

fn target_is_set(node: Node<'_>) -> bool {
    !matches!(node.kind(), "augmented_assignment" | "operator_assignment" | "augmented_assignment_expression")
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
    scope: Node<'a>,
    line: u32,
    function: Option<&'a Block>,
}

impl Here<'_> {
    fn look_at(&self, node: Node<'_>, found: &mut LineFacts) {
        let kind = node.kind();
        if is_attribute(kind)
            && let Some((object, name)) = attribute_of(node)
        {
            self.push(Role::Attribute(slice(name, self.text).to_owned()), object, found);
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
                self.push(Role::Attribute(slice(callee, self.text).to_owned()), object, found);
            } else {
                self.push(Role::Called, callee, found);
                found.calls_given |= is_name(callee.kind()) && matches!(self.origin(callee, 0), ValueOrigin::Given(_));
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
        let name = (is_name(node.kind()) || is_attribute(node.kind())).then(|| slice(node, self.text).to_owned());
        found.uses.push(Use { role, origin: self.origin(node, 0), name });
    }

    fn origin(&self, node: Node<'_>, depth: usize) -> ValueOrigin {
        let kind = node.kind();
        if kind == "await" || kind == "await_expression" || kind == "parenthesized_expression" {
            return node.named_child(0).map_or(ValueOrigin::Other, |inner| self.origin(inner, depth));
        }
        if is_constant(kind) {
            return ValueOrigin::Constant;
        }
        if is_call(kind) {
            return ValueOrigin::Outcome;
        }
        if let Some(field) = own_field(node, self.text) {
            return ValueOrigin::Own(field.to_owned());
        }
        if kind == "instance_variable" {
            return ValueOrigin::Own(slice(node, self.text).trim_start_matches('@').to_owned());
        }
        if !is_name(kind) {
            return ValueOrigin::Other;
        }
        let name = slice(node, self.text);
        match self.last_set(name) {
            Some(Some(value)) if is_name(value.kind()) && depth < ALIASES && slice(value, self.text) != name => {
                self.origin(value, depth + 1)
            }
            Some(_) => ValueOrigin::Local,
            None if self.function.is_some_and(|function| function.parameters.iter().any(|one| one == name)) => {
                ValueOrigin::Given(name.to_owned())
            }
            None => ValueOrigin::Other,
        }
    }

    /// The value that a variable was last given before the line, in the order of the text.
    /// `Some(None)`: it was set, but not to one value (a loop, an unpacking).
    fn last_set(&self, name: &str) -> Option<Option<Node<'_>>> {
        let mut best: Option<(usize, Option<Node<'_>>)> = None;
        for node in all_nodes(self.scope) {
            let row = node.start_position().row;
            if line_of(row) >= self.line || node == self.scope {
                continue;
            }
            let sets = targets(node).iter().any(|target| is_name(target.kind()) && slice(*target, self.text) == name);
            if sets && best.as_ref().is_none_or(|(before, _)| row >= *before) {
                let alone = targets(node).len() == 1 && target_is_set(node);
                let value = ["right", "value"].iter().find_map(|field| node.child_by_field_name(field));
                let plain = matches!(
                    node.kind(),
                    "assignment"
                        | "variable_declarator"
                        | "assignment_expression"
                        | "let_declaration"
                        | "named_expression"
                );
                best = Some((row, value.filter(|_| alone && plain)));
            }
        }
        best.map(|(_, value)| value)
    }
}
