//! Everything that crosses to Python and Node, in no language: what the targets are rendered from.
//!
//! One [`Module`] per kind of connector, with its classes and with the models these mention. Models
//! that the engine has too, word for word, stand in the engine's module alone.

use std::collections::BTreeMap;

use protect_connectors::core::operation::{Class, Model, ParameterKind, ResultType};
use protect_connectors::operations;

use crate::schema;

/// The module of what does not belong to one vendor.
pub(crate) const ENGINE: &str = "engine";

/// Everything.
pub(crate) struct Catalogue {
    /// The engine's module first, then the vendors' in alphabetical order.
    pub(crate) modules: Vec<Module>,
}

/// The classes of one kind and their models.
pub(crate) struct Module {
    /// The kind of connector, or [`ENGINE`].
    pub(crate) kind: &'static str,
    /// Its classes.
    pub(crate) classes: Vec<&'static Class>,
    /// Its models, each after those it mentions.
    pub(crate) models: Vec<ModelDef>,
    /// The engine's models that it mentions.
    pub(crate) borrowed: Vec<String>,
}

impl Module {
    /// The engine's classes that its own open.
    pub(crate) fn opened(&self) -> Vec<&'static str> {
        let is_own = |name: &&str| self.classes.iter().any(|class| class.name == *name);
        let operations = self.classes.iter().flat_map(|class| class.operations);
        let opened = operations.filter_map(|operation| match operation.result {
            ResultType::Handle(class) => Some(class),
            _ => None,
        });
        opened.filter(|name| !is_own(name)).collect()
    }
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelDef {
    /// In Pascal case.
    pub(crate) name: String,
    /// What it is.
    pub(crate) docs: String,
    /// What it consists of.
    pub(crate) shape: Shape,
}

/// What a type consists of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Fields. Where the Rust type is an enum with data, those of all its variants, so that what
    /// only some have is optional.
    Struct(Vec<Field>),
    /// Words; others may come.
    Words(Vec<Word>),
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Its name in JSON.
    pub(crate) name: String,
    /// What it means.
    pub(crate) docs: String,
    /// What is in it.
    pub(crate) holds: Type,
    /// Whether it is always there, if only as null.
    pub(crate) required: bool,
    /// What counts where whoever writes one leaves it out.
    pub(crate) default: Option<serde_json::Value>,
}

/// A word of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    /// As it is written.
    pub(crate) word: String,
    /// What it means.
    pub(crate) docs: String,
}

/// What stands in a field, parameter or result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    /// Any JSON.
    Any,
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// RFC 3339.
    Timestamp,
    /// A JSON object of any shape.
    Object,
    /// Several.
    List(Box<Type>),
    /// Values by text.
    Map(Box<Type>),
    /// Or null.
    Optional(Box<Type>),
    /// A model of this name.
    Model(String),
}

impl Type {
    /// The model in it, however deep.
    pub(crate) fn model(&self) -> Option<&str> {
        match self {
            Self::Model(name) => Some(name),
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) => inner.model(),
            _ => None,
        }
    }
}

impl ModelDef {
    /// The models it mentions.
    pub(crate) fn mentions(&self) -> Vec<&str> {
        match &self.shape {
            Shape::Struct(fields) => fields.iter().filter_map(|f| f.holds.model()).collect(),
            Shape::Words(_) => Vec::new(),
        }
    }
}

impl Catalogue {
    /// Reads the tables of this build.
    pub(crate) fn read() -> Result<Self, String> {
        let mut kinds: Vec<&str> = operations::classes().iter().map(|c| c.kind).collect();
        kinds.extend(operations::PURE);
        kinds.sort_by_key(|kind| (*kind != ENGINE, *kind));
        kinds.dedup();
        let mut modules: Vec<Module> = Vec::new();
        for kind in kinds {
            let module = Module::read(kind, modules.first())?;
            modules.push(module);
        }
        Ok(Self { modules })
    }
}

impl Module {
    fn read(kind: &'static str, engine: Option<&Self>) -> Result<Self, String> {
        let classes: Vec<_> = operations::classes()
            .into_iter()
            .filter(|class| class.kind == kind)
            .collect();
        let mut found = BTreeMap::new();
        for model in models(&classes, kind) {
            schema::read(model, &mut found)
                .map_err(|why| format!("{kind}: {}: {why}", model.name))?;
        }
        let known = engine.map_or(&[][..], |engine| &engine.models);
        let (borrowed, own): (Vec<_>, Vec<_>) = found
            .into_values()
            .partition(|model: &ModelDef| known.contains(model));
        Ok(Self {
            kind,
            classes,
            models: in_order(own)?,
            borrowed: borrowed.into_iter().map(|model| model.name).collect(),
        })
    }
}

fn models(classes: &[&'static Class], kind: &str) -> Vec<Model> {
    let mut models = Vec::new();
    for class in classes {
        let own = class.operations.iter().flat_map(|it| it.parameters);
        for parameter in class.constructor.iter().chain(own) {
            match parameter.kind {
                ParameterKind::One(model)
                | ParameterKind::Many(model)
                | ParameterKind::Progress(model) => models.push(model),
                _ => {}
            }
        }
        for operation in class.operations {
            match operation.result {
                ResultType::One(model)
                | ResultType::Optional(model)
                | ResultType::List(model)
                | ResultType::Stream(model) => models.push(model),
                _ => {}
            }
        }
    }
    models.extend(operations::models(kind));
    models
}

/// Each model after those it mentions, otherwise by name.
fn in_order(mut waiting: Vec<ModelDef>) -> Result<Vec<ModelDef>, String> {
    let mut ordered: Vec<ModelDef> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |model: &ModelDef| {
            let mentions = model.mentions();
            !waiting
                .iter()
                .any(|other| mentions.contains(&other.name.as_str()))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.iter().cloned().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<_> = rest.iter().map(|model| model.name.as_str()).collect();
            return Err(format!("models that mention one another: {names:?}"));
        }
        ordered.extend(ready);
        waiting = rest;
    }
    Ok(ordered)
}
