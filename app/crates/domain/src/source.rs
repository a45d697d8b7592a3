//! What reading the source says of a line: the function around it, and what its statement does with
//! which values.

use super::not_ours::NotOurs;
use serde::{Deserialize, Serialize};

/// A function, method or class of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its own name; `<lambda>` where it has none.
    pub name: String,
    /// With the names of what it stands in, by dots: `Cart.total`.
    pub qualified: String,
    /// First line, from 1: the one with its name, after decorators.
    pub start: u32,
    /// Last line.
    pub end: u32,
    /// It is a class (or what the language has for one), not a function.
    pub is_class: bool,
    /// Names of its parameters, the receiver (`self`, `this`) left out.
    pub parameters: Vec<String>,
}

impl Block {
    /// How many lines it has.
    pub fn length(&self) -> u32 {
        self.end.saturating_sub(self.start) + 1
    }

    /// Whether a line is within it.
    pub fn covers(&self, line: u32) -> bool {
        (self.start..=self.end).contains(&line)
    }
}

/// What an expression of the failing statement is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// The object of which this attribute is taken.
    Attribute(String),
    /// What is indexed: `x` of `x[k]`.
    Indexed,
    /// What is gone through or unpacked.
    Iterated,
    /// One side of an operator or comparison.
    Operand,
    /// What is called.
    Called,
    /// What is handed to a call.
    Argument,
}

/// Where an expression's value comes from, as far as the function itself says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin {
    /// A parameter that nothing in the function has changed before: its caller chose it.
    Given(String),
    /// A variable of the function.
    Local,
    /// A field of the object itself: `self.x`.
    Own(String),
    /// What a call returned.
    Outcome,
    /// It stands there as it is.
    Constant,
    /// A part of something else, a global name, or what can't be told.
    Other,
}

/// One expression of the failing statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What it is there.
    pub role: Role,
    /// Where its value comes from.
    pub origin: ValueOrigin,
    /// Its text, where it is a plain or dotted name.
    pub name: Option<String>,
}

/// What the source says of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFacts {
    /// The innermost function around the line; `None`: it is in none.
    pub function: Option<Block>,
    /// The statement raises, asserts, or calls what only raises (`self.fail()`).
    pub raises: bool,
    /// It passes a list of arguments on as it got it: `f(*args, **kwargs)`.
    pub forwards: bool,
    /// It calls what its function was given: `return func(x)`.
    pub calls_given: bool,
    /// The expressions of the statement.
    pub uses: Vec<Use>,
    /// Why the file is not the repository's people's; `None`: it is.
    pub not_ours: Option<NotOurs>,
}
