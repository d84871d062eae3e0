//! The declaration of a vendor operation, from which bindings and reference pages are generated.
//!
//! The Rust method is written by hand; the table beside it says the same as data, and a test
//! compares the two. No class is written by hand twice.

use schemars::Schema;
use serde::Serialize;

/// One operation of a connector's own client.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method's name in lower snake case (`suspend_user`).
    pub name: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub result: ResultType,
    /// Whether it changes anything at the vendor.
    pub effect: Effect,
    /// The permission it needs, in the vendor's own words; empty where it needs none.
    pub permission: &'static str,
    /// What it does, in one or more sentences of Markdown.
    pub docs: &'static str,
}

/// One parameter of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in lower snake case.
    pub name: &'static str,
    /// What is passed.
    pub kind: ParameterKind,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it means, in one sentence.
    pub docs: &'static str,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Text.
    Text,
    /// A whole number that fits 32 bits.
    Integer,
    /// Yes or no.
    Boolean,
    /// A secret: a string, or a callback that gives one; never shown.
    Secret,
}

/// What an operation gives.
#[derive(Clone, Copy)]
pub enum ResultType {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// One model.
    One(Model),
    /// One model, or nothing where there is none.
    Optional(Model),
    /// All of them, in a list.
    List(Model),
    /// All of them, page by page: an iterator in Python, an async iterator in Node.
    Stream(Model),
}

impl std::fmt::Debug for ResultType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Boolean => f.write_str("Boolean"),
            Self::Integer => f.write_str("Integer"),
            Self::One(model) => write!(f, "One({})", model.name),
            Self::Optional(model) => write!(f, "Optional({})", model.name),
            Self::List(model) => write!(f, "List({})", model.name),
            Self::Stream(model) => write!(f, "Stream({})", model.name),
        }
    }
}

/// A type that crosses to Python and Node.
#[derive(Clone, Copy)]
pub struct Model {
    /// Its name in Pascal case, the same in all three languages.
    pub name: &'static str,
    /// Its JSON Schema, made by `schemars` from the Rust type.
    pub schema: fn() -> Schema,
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reads only.
    Read,
    /// Changes something; the class says how a repeat behaves.
    Change,
}
