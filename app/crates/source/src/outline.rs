//! The functions and classes of a file.

use super::language::{Language, is_class, is_function, is_receiver};
use super::walk::{Below, walk};
use super::work::{TooMuch, Work};
use domain::source::Block;
use tree_sitter::Node;

/// What a function without a name is called.
const NAMELESS: &str = "<lambda>";

/// Bytes. A longer name is none: it is made up by a program.
const LONGEST_NAME: usize = 200;

/// Bytes of a name with those of all that it stands in; a longer one goes without these, else the
/// names of things within each other would grow with the square of their depth.
const LONGEST_QUALIFIED: usize = 500;

/// Parameters of one function that are told apart.
const MOST_PARAMETERS: usize = 100;

/// Functions and classes of one file. With more it is a bundle or a table; the largest written by
/// hand have some thousands.
const MOST_BLOCKS: usize = 50_000;

/// All functions and classes in the order in which they begin.
pub(super) fn blocks(language: Language, root: Node<'_>, text: &str, work: &Work) -> Result<Vec<Block>, TooMuch> {
    let mut found: Vec<Block> = Vec::new();
    // What the node stands in: blocks, with the depth in the tree of each.
    let mut within: Vec<(usize, usize)> = Vec::new();
    // No recursion: the tree of generated code can be as deep as the file is long.
    walk(root, work, |path| {
        let (node, depth) = (path[path.len() - 1], path.len());
        while within.last().is_some_and(|(outer, _)| *outer >= depth) {
            within.pop();
        }
        let parent = path.len().checked_sub(2).map(|at| path[at]);
        let Some(is_class) = kind_of_block(node, parent) else { return Ok(Below::Look) };
        if found.len() == MOST_BLOCKS {
            return Err(TooMuch);
        }
        let outer = within.last().map_or("", |(_, block)| found[*block].qualified.as_str());
        let block = block(language, node, parent, is_class, outer, text, work)?;
        within.push((depth, found.len()));
        found.push(block);
        Ok(Below::Look)
    })?;
    found.sort_by_key(|block| (block.start, std::cmp::Reverse(block.end)));
    Ok(found)
}

/// Whether a node is a class (`true`) or a function (`false`); `None`: neither. The root of
/// Python's tree is a module by its name, but no class.
fn kind_of_block(node: Node<'_>, parent: Option<Node<'_>>) -> Option<bool> {
    if is_function(node.kind()) {
        return Some(false);
    }
    (parent.is_some() && is_class(node)).then_some(true)
}

fn block(
    language: Language,
    node: Node<'_>,
    parent: Option<Node<'_>>,
    is_class: bool,
    outer: &str,
    text: &str,
    work: &Work,
) -> Result<Block, TooMuch> {
    let name_node = name_node(node, parent);
    let name = name_of(language, node, name_node, text);
    let receiver = receiver_type(language, node, text).filter(|_| outer.is_empty());
    let outer = receiver.as_deref().unwrap_or(outer);
    let fits = !outer.is_empty() && outer.len() + name.len() < LONGEST_QUALIFIED;
    Ok(Block {
        start: line_of(name_node.unwrap_or(node).start_position().row),
        end: line_of(last_row(node)),
        is_class,
        parameters: parameters(node, text, work)?,
        qualified: if fits { format!("{outer}.{name}") } else { name.clone() },
        name,
    })
}

pub(super) fn line_of(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX).saturating_add(1)
}

/// The last row with a character of the node: some end at the beginning of the next row.
fn last_row(node: Node<'_>) -> usize {
    let end = node.end_position();
    if end.column == 0 && end.row > node.start_position().row { end.row - 1 } else { end.row }
}

/// The parent is handed in, as the tree would look for it from its root.
fn name_node<'t>(node: Node<'t>, parent: Option<Node<'t>>) -> Option<Node<'t>> {
    node.child_by_field_name("name").or_else(|| {
        // `const f = () => …`, `{ f: () => … }`, `f = lambda: …`, `class { f = () => … }`
        let parent = parent?;
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

fn name_of(language: Language, node: Node<'_>, name: Option<Node<'_>>, text: &str) -> String {
    let name = if language == Language::Rust && node.kind() == "impl_item" {
        // `impl<T> Display for Cart<T>` is Cart's.
        let name = node.child_by_field_name("type").map(|name| slice(name, text));
        name.and_then(|name| name.split('<').next()).map(str::trim)
    } else {
        name.map(|name| slice(name, text))
    };
    match name {
        Some(name) if !name.is_empty() && name.len() <= LONGEST_NAME => name.to_owned(),
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
    let name = name.trim_start_matches('*').split('[').next().unwrap_or(name);
    (name.len() <= LONGEST_NAME).then(|| name.to_owned())
}

fn parameters(node: Node<'_>, text: &str, work: &Work) -> Result<Vec<String>, TooMuch> {
    let list = node.child_by_field_name("parameters").or_else(|| node.child_by_field_name("parameter"));
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut cursor = list.walk();
    // `a => …`
    let alone = (list.kind() == "identifier").then_some(list);
    for one in alone.into_iter().chain(list.named_children(&mut cursor)).take(MOST_PARAMETERS) {
        // `name`, `name: type`, `name = value`, `*name`, `Type name`, `name, other Type`
        let named = ["name", "pattern", "left"].iter().find_map(|field| one.child_by_field_name(field));
        let Some(name) = first_identifier(named.unwrap_or(one), work)? else { continue };
        let name = slice(name, text);
        if !is_receiver(name) && name.len() <= LONGEST_NAME {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// The first identifier in reading order, the node itself included.
fn first_identifier<'t>(node: Node<'t>, work: &Work) -> Result<Option<Node<'t>>, TooMuch> {
    let mut found = None;
    walk(node, work, |path| {
        let node = path[path.len() - 1];
        if found.is_none() && node.kind() == "identifier" {
            found = Some(node);
        }
        Ok(if found.is_some() { Below::Stop } else { Below::Look })
    })?;
    Ok(found)
}

pub(super) fn slice<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    text.get(node.byte_range()).unwrap_or("")
}
