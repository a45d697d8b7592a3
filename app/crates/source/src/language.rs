//! The languages that are read, and what each calls the things that are looked for.

use tree_sitter::Node;

/// A language whose grammar is in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python, 2 and 3.
    Python,
    /// JavaScript, with JSX.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Ruby.
    Ruby,
    /// Go.
    Go,
    /// Java.
    Java,
    /// Rust.
    Rust,
}

impl Language {
    /// By the ending of a file's name.
    pub fn of_path(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "py" | "pyi" | "pyw" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "rb" | "rake" => Self::Ruby,
            "go" => Self::Go,
            "java" => Self::Java,
            "rs" => Self::Rust,
            _ => return None,
        })
    }

    pub(super) fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Ruby => tree_sitter_ruby::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
        }
    }
}

/// The kinds of nodes of all grammars, in one table: their names hardly clash, and where they do
/// they mean the same.
pub(super) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        // Python; JavaScript and TypeScript
        "function_definition" | "lambda" | "function_declaration" | "function_expression" | "arrow_function"
            | "generator_function" | "generator_function_declaration" | "method_definition"
            // Ruby; Go and Java
            | "method" | "singleton_method" | "method_declaration" | "func_literal"
            | "constructor_declaration" | "compact_constructor_declaration" | "lambda_expression"
            // Rust
            | "function_item" | "closure_expression"
    )
}

pub(super) fn is_class(node: Node<'_>) -> bool {
    node.is_named()
        && matches!(
            node.kind(),
            "class_definition"
                | "class_declaration"
                | "abstract_class_declaration"
                | "class"
                | "module"
                | "interface_declaration"
                | "enum_declaration"
                | "record_declaration"
                | "impl_item"
                | "trait_item"
                | "mod_item"
        )
}

pub(super) fn is_call(kind: &str) -> bool {
    matches!(
        kind,
        "call"
            | "call_expression"
            | "new_expression"
            | "method_invocation"
            | "object_creation_expression"
            | "macro_invocation"
    )
}

pub(super) fn is_attribute(kind: &str) -> bool {
    matches!(kind, "attribute" | "member_expression" | "selector_expression" | "field_access" | "field_expression")
}

pub(super) fn is_index(kind: &str) -> bool {
    matches!(kind, "subscript" | "subscript_expression" | "element_reference" | "index_expression" | "array_access")
}

pub(super) fn is_operator(kind: &str) -> bool {
    matches!(
        kind,
        "binary_operator"
            | "comparison_operator"
            | "binary_expression"
            | "binary"
            | "augmented_assignment"
            | "augmented_assignment_expression"
            | "operator_assignment"
            | "compound_assignment_expr"
    )
}

pub(super) fn is_raise(kind: &str) -> bool {
    matches!(kind, "raise_statement" | "throw_statement" | "assert_statement")
}

/// An argument that stands for many: `*args`, `**kwargs`, `...args`.
pub(super) fn is_splat(kind: &str) -> bool {
    matches!(
        kind,
        "list_splat"
            | "dictionary_splat"
            | "spread_element"
            | "splat_argument"
            | "hash_splat_argument"
            | "variadic_argument"
    )
}

/// A statement: what is looked at when a line of it failed.
pub(super) fn is_statement(kind: &str) -> bool {
    kind.ends_with("_statement")
        || kind.ends_with("_declaration")
        || matches!(
            kind,
            "assignment" | "let_declaration" | "decorator" | "if" | "unless" | "while" | "for" | "case" | "return"
        )
        || is_function(kind)
}

/// A part of a statement that holds statements of its own.
pub(super) fn is_block(kind: &str) -> bool {
    matches!(
        kind,
        "block"
            | "statement_block"
            | "body_statement"
            | "then"
            | "else"
            | "do"
            | "else_clause"
            | "elif_clause"
            | "except_clause"
            | "except_group_clause"
            | "finally_clause"
            | "catch_clause"
            | "case_clause"
            | "class_body"
            | "declaration_list"
            | "switch_body"
            | "switch_block"
            | "do_block"
            | "constructor_body"
            | "rescue"
            | "ensure"
            | "elsif"
            | "when"
            | "match_block"
            | "expression_case"
            | "default_case"
    ) || is_function(kind)
}

/// Names in the source: variables, not what is called after a dot.
pub(super) fn is_name(kind: &str) -> bool {
    matches!(kind, "identifier" | "constant" | "this" | "self" | "instance_variable" | "super")
}

/// Something written down as it is.
pub(super) fn is_constant(kind: &str) -> bool {
    matches!(
        kind,
        "string"
            | "integer"
            | "float"
            | "true"
            | "false"
            | "none"
            | "null"
            | "nil"
            | "number"
            | "string_literal"
            | "concatenated_string"
            | "template_string"
            | "int_literal"
            | "float_literal"
            | "integer_literal"
            | "boolean_literal"
            | "interpreted_string_literal"
            | "raw_string_literal"
            | "decimal_integer_literal"
            | "null_literal"
            | "simple_symbol"
    )
}

/// What an object calls itself.
pub(super) fn is_receiver(name: &str) -> bool {
    matches!(name, "self" | "cls" | "this")
}
