//! `schema`.

use std::collections::BTreeMap;

use protect_connectors::core::operation::{Model, ParameterKind, ResultType};
use protect_connectors::core::{Error, ErrorKind, Result, config};
use protect_connectors::{operations, registry};
use serde_json::json;

use crate::args::Schema;
use crate::output::{Answer, data};
use crate::page::Page;

/// The JSON Schema of the configuration or of a model; without a name, the names.
pub(super) fn run(schema: Schema) -> Result<Answer> {
    let models = models();
    let Some(name) = schema.name else {
        let names: Vec<_> = std::iter::once("config")
            .chain(models.keys().copied())
            .collect();
        let mut page = Page::new();
        for name in &names {
            page.line(*name);
        }
        page.next("protect schema config", "for your editor");
        return Answer::many("schemas", &names, page);
    };
    let document = if name == "config" {
        config::schema(&registry())
    } else {
        let model = models.get(name.as_str()).ok_or_else(|| {
            let known: Vec<_> = models.keys().copied().collect();
            Error::new(
                ErrorKind::NotFound,
                format!("no such schema; there are: config, {}", known.join(", ")),
            )
        })?;
        data(&(model.schema)())?
    };
    let mut page = Page::new();
    page.line(format!("{document:#}"));
    Ok(Answer {
        document: json!({ "schema": document }),
        page,
        exit: crate::exit::Exit::OK,
    })
}

/// Every model that any call takes or gives.
fn models() -> BTreeMap<&'static str, Model> {
    let operations = operations::classes()
        .into_iter()
        .flat_map(|class| class.operations);
    let mut models = BTreeMap::new();
    for operation in operations {
        let given = match operation.result {
            ResultType::One(model)
            | ResultType::Optional(model)
            | ResultType::List(model)
            | ResultType::Stream(model) => Some(model),
            _ => None,
        };
        let taken = operation
            .parameters
            .iter()
            .filter_map(|parameter| match parameter.kind {
                ParameterKind::One(model)
                | ParameterKind::Many(model)
                | ParameterKind::Progress(model) => Some(model),
                _ => None,
            });
        models.extend(taken.chain(given).map(|model| (model.name, model)));
    }
    models
}
