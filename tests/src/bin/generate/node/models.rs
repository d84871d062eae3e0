//! Models: a frozen class for a struct, a union of literals for words.

use std::fmt::Write as _;

use super::{Scope, camel, comment};
use crate::catalogue::{Field, ModelDef, Shape, Type, Word};

/// The class with its table of fields; nothing for words, which are strings.
pub(super) fn code(model: &ModelDef, scope: &Scope<'_>) -> String {
    let Shape::Struct(fields) = &model.shape else {
        return String::new();
    };
    let mut out = format!(
        "\nclass {0} extends Model {{}}\ndescribe({0}, [",
        model.name
    );
    for field in fields {
        let _ = write!(out, "\n  ['{}', '{}'", field.name, camel(&field.name));
        if let Some(codec) = codec(&field.holds, scope) {
            let _ = write!(out, ", {codec}");
        }
        out.push_str("],");
    }
    out.push_str("\n]);\n");
    out
}

/// The declaration.
pub(super) fn declaration(model: &ModelDef) -> String {
    let docs = comment(&model.docs, "");
    match &model.shape {
        Shape::Words(words) => format!("\n{docs}export type {} ={};\n", model.name, union(words)),
        Shape::Struct(fields) => {
            let fields: String = fields.iter().map(property).collect();
            format!(
                "\n{docs}export class {name} extends Model {{\n  constructor(plain: Init<{name}>);\n{fields}}}\n",
                name = model.name
            )
        }
    }
}

/// What reads and writes a type, where that is not to leave it as it is.
pub(super) fn codec(holds: &Type, scope: &Scope<'_>) -> Option<String> {
    match holds {
        Type::Model(name) => scope.is_class(name).then(|| name.clone()),
        Type::Optional(inner) => codec(inner, scope),
        Type::List(inner) => {
            let inner = codec(inner, scope).unwrap_or_default();
            Some(format!("list({inner})"))
        }
        Type::Map(inner) => codec(inner, scope).map(|inner| format!("map({inner})")),
        _ => None,
    }
}

/// A type as a declaration says it.
pub(super) fn annotation(holds: &Type) -> String {
    match holds {
        Type::Any => "unknown".to_owned(),
        Type::Text | Type::Timestamp => "string".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Object => "{ readonly [name: string]: unknown }".to_owned(),
        Type::List(inner) => format!("readonly {}[]", grouped(inner)),
        Type::Map(inner) => format!("{{ readonly [name: string]: {} }}", annotation(inner)),
        Type::Optional(inner) => format!("{} | null", annotation(inner)),
        Type::Model(name) => name.clone(),
    }
}

fn grouped(holds: &Type) -> String {
    match holds {
        Type::Optional(_) | Type::List(_) => format!("({})", annotation(holds)),
        _ => annotation(holds),
    }
}

fn property(field: &Field) -> String {
    let mut docs = field.docs.clone();
    if is_moment(&field.holds) {
        docs.push_str(" RFC 3339.");
    }
    format!(
        "{}  readonly {}{}: {};\n",
        comment(&docs, "  "),
        camel(&field.name),
        if field.required { "" } else { "?" },
        annotation(&field.holds)
    )
}

fn is_moment(holds: &Type) -> bool {
    match holds {
        Type::Timestamp => true,
        Type::Optional(inner) => is_moment(inner),
        _ => false,
    }
}

fn union(words: &[Word]) -> String {
    let mut out = String::new();
    for Word { word, docs } in words {
        let docs = comment(docs, "  ");
        let _ = write!(out, "\n{docs}  | '{word}'");
    }
    out.push_str("\n  | (string & {})");
    out
}
