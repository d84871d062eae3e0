//! Models: frozen dataclasses, and words as literals beside any text.

use std::fmt::Write as _;

use serde_json::Value;

use super::{annotation, borrowed, docstring, identifier};
use crate::catalogue::{Field, ModelDef, Module, Shape, Type};

/// The module of a kind's models.
pub(super) fn render(module: &Module) -> String {
    let mut out = format!(
        "\"\"\"Models of `{}`.\"\"\"\n\nfrom __future__ import annotations\n\n",
        module.kind
    );
    out.push_str(
        "from collections.abc import Mapping, Sequence\nfrom dataclasses import dataclass, field\nfrom datetime import datetime\n\
         from typing import Any, ClassVar, Literal, Union\n\n\
         from protect import _codec\nfrom protect._model import Model\n",
    );
    out.push_str(&borrowed(module));
    let names: Vec<_> = module
        .models
        .iter()
        .map(|m| format!("    \"{}\",\n", m.name))
        .collect();
    let _ = write!(out, "\n__all__ = [\n{}]\n", names.concat());
    for model in &module.models {
        out.push_str(&definition(model));
    }
    out
}

fn definition(model: &ModelDef) -> String {
    match &model.shape {
        Shape::Words(words) => {
            let literals: Vec<_> = words
                .iter()
                .map(|word| format!("        \"{}\",\n", word.word))
                .collect();
            let mut docs = model.docs.clone();
            for word in words {
                let _ = write!(docs, "\n\n- `{}`: {}", word.word, word.docs);
            }
            format!(
                "\n{} = Union[\n    Literal[\n{}    ],\n    str,\n]\n{}",
                model.name,
                literals.concat(),
                docstring(
                    &docs.replace("\n\n- ", "\n- ").replacen("\n- ", "\n\n- ", 1),
                    ""
                )
            )
        }
        Shape::Struct(fields) => dataclass(model, fields),
    }
}

fn dataclass(model: &ModelDef, fields: &[Field]) -> String {
    let mut out = format!(
        "\n\n@dataclass(frozen=True, slots=True, kw_only=True, repr=False)\nclass {}(Model):\n{}\n",
        model.name,
        docstring(&documented(model), "    ")
    );
    for field in fields {
        let name = identifier(&field.name);
        let (kind, default) = declared(field);
        let _ = writeln!(out, "    {name}: {kind}{default}");
        if !field.docs.is_empty() {
            out.push_str(&docstring(&field.docs, "    "));
        }
    }
    out.push_str("    extra: Mapping[str, Any] = field(default_factory=_codec.nothing)\n");
    out.push_str("    \"\"\"Fields that this version does not know.\"\"\"\n");
    out.push_str("\n    _fields: ClassVar[tuple[_codec.Field, ...]] = (\n");
    for field in fields {
        let _ = writeln!(
            out,
            "        _codec.Field(\"{}\", \"{}\", {}, {}),",
            field.name,
            identifier(&field.name),
            codec(&field.holds),
            if field.required { "True" } else { "False" }
        );
    }
    out.push_str("    )\n");
    out
}

fn documented(model: &ModelDef) -> String {
    if model.docs.is_empty() {
        format!("`{}` of another model.", model.name)
    } else {
        model.docs.clone()
    }
}

/// A field's annotation and default.
fn declared(field: &Field) -> (String, String) {
    let kind = annotation(&field.holds);
    let default = |text: &str| text.to_owned();
    match &field.holds {
        Type::Optional(_) => (kind, default(" = None")),
        Type::List(_) => (kind, default(" = ()")),
        Type::Object | Type::Map(_) => (kind, default(" = field(default_factory=_codec.nothing)")),
        Type::Any if !field.required => (kind, default(" = None")),
        _ if !field.required => (format!("{kind} | None"), default(" = None")),
        _ => {
            let literal = field.default.as_ref().and_then(literal);
            (kind, literal.map_or(String::new(), |it| format!(" = {it}")))
        }
    }
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(format!("{text:?}")),
        _ => None,
    }
}

/// How a value crosses; what is the same on both sides has no codec of its own.
fn codec(holds: &Type) -> String {
    match holds {
        Type::Any | Type::Text | Type::Integer | Type::Number | Type::Boolean => {
            "_codec.PLAIN".to_owned()
        }
        Type::Object => "_codec.OBJECT".to_owned(),
        Type::Timestamp => "_codec.TIMESTAMP".to_owned(),
        Type::List(inner) => format!("_codec.several({})", codec(inner)),
        Type::Map(inner) => format!("_codec.by_name({})", codec(inner)),
        Type::Optional(inner) => codec(inner),
        Type::Model(name) => format!("_codec.model({name})"),
    }
}
