//! The functions and classes of a file.

use super::language::{Language, is_class, is_function, is_receiver};
use domain::source::Block;
use tree_sitter::Node;

/// What a function without a name is called.
const NAMELESS: &str = "<lambda>";

/// All functions and classes in the order in which they begin.
pub(super) fn blocks(language: Language, root: Node<'_>, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    // The tree of generated code can be as deep as the file is long: no recursion.
    let mut rest = vec![(root, String::new())];
    while let Some((node, within)) = rest.pop() {
        let mut inside = within.clone();
        if is_function(node.kind()) || is_class(node) {
            let name = name_of(language, node, text);
            let qualified = match (receiver_type(language, node, text), within.as_str()) {
                (Some(receiver), "") => format!("{receiver}.{name}"),
                (_, "") => name.clone(),
                (_, within) => format!("{within}.{name}"),
            };
            found.push(Block {
                start: line_of(name_node(node).map_or(node.start_position().row, |name| name.start_position().row)),
                end: line_of(last_row(node)),
                is_class: !is_function(node.kind()),
                parameters: parameters(node, text),
                qualified: qualified.clone(),
                name,
            });
            inside = qualified;
        }
        let mut cursor = node.walk();
        rest.extend(node.named_children(&mut cursor).map(|child| (child, inside.clone())));
    }
    found.sort_by_key(|block| (block.start, std::cmp::Reverse(block.end)));
    found
}

pub(super) fn line_of(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX).saturating_add(1)
}

/// The last row with a character of the node: some end at the beginning of the next row.
fn last_row(node: Node<'_>) -> usize {
    let end = node.end_position();
    if end.column == 0 && end.row > node.start_position().row { end.row - 1 } else { end.row }
}

fn name_node(node: Node<'_>) -> Option<Node<'_>> {
    node.child_by_field_name("name").or_else(|| {
        // `const f = () => …`, `{ f: () => … }`, `f = lambda: …`, `class { f = () => … }`
        let parent = node.parent()?;
        match parent.kind() {
            "variable_declarator" => parent.child_by_field_name("name"),
            "pair" => parent.child_by_field_name("key"),
            "assignment" | "assignment_expression" => parent.child_by_field_name("left"),
            "field_definition" | "public_field_definition" => {
                parent.child_by_field_name("property").or_else(|| parent.child_by_field_name("name"))
            }
            _ => None,
        }
    })
}

fn name_of(language: Language, node: Node<'_>, text: &str) -> String {
    if language == Language::Rust && node.kind() == "impl_item" {
        // `impl<T> Display for Cart<T>` is Cart's.
        let name = node.child_by_field_name("type").map_or("", |name| slice(name, text));
        return name.split('<').next().unwrap_or(name).trim().to_owned();
    }
    match name_node(node).map(|name| slice(name, text)) {
        Some(name) if !name.is_empty() && name.len() <= 200 => name.to_owned(),
        _ => NAMELESS.to_owned(),
    }
}

/// Go names the type in the method's own receiver.
fn receiver_type(language: Language, node: Node<'_>, text: &str) -> Option<String> {
    if language != Language::Go || node.kind() != "method_declaration" {
        return None;
    }
    let receiver = slice(node.child_by_field_name("receiver")?, text);
    let name = receiver.trim_matches(['(', ')']).split_whitespace().last()?;
    Some(name.trim_start_matches('*').split('[').next().unwrap_or(name).to_owned())
}

fn parameters(node: Node<'_>, text: &str) -> Vec<String> {
    let list = node.child_by_field_name("parameters").or_else(|| node.child_by_field_name("parameter"));
    let Some(list) = list else { return Vec::new() };
    if list.kind() == "identifier" {
        return vec![slice(list, text).to_owned()];
    }
    let mut found = Vec::new();
    let mut cursor = list.walk();
    for one in list.named_children(&mut cursor) {
        // `name`, `name: type`, `name = value`, `*name`, `Type name`, `name, other Type`
        let named = ["name", "pattern", "left"].iter().find_map(|field| one.child_by_field_name(field));
        let name = named.or_else(|| first_identifier(one));
        let Some(name) = name.and_then(first_identifier) else { continue };
        let name = slice(name, text);
        if !is_receiver(name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// The first identifier in reading order, the node itself included.
fn first_identifier(node: Node<'_>) -> Option<Node<'_>> {
    let mut rest = vec![node];
    while let Some(node) = rest.pop() {
        if node.kind() == "identifier" {
            return Some(node);
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        rest.extend(children.into_iter().rev());
    }
    None
}

pub(super) fn slice<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    text.get(node.byte_range()).unwrap_or("")
}
