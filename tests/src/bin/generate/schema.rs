//! From JSON Schema, as `schemars` writes it, to [`ModelDef`]s. A shape that is not understood is an
//! error that names the place, so that nothing becomes `Any` by accident.

use std::collections::BTreeMap;

use protect_connectors::core::operation::Model;
use serde_json::{Map, Value};

use crate::catalogue::{Field, ModelDef, Shape, Type, Word};

type Object = Map<String, Value>;

/// Reads a model and everything it mentions.
pub(crate) fn read(model: Model, into: &mut BTreeMap<String, ModelDef>) -> Result<(), String> {
    let schema = (model.schema)();
    let root = schema.as_object().ok_or("not an object")?;
    let none = Object::new();
    let definitions = root.get("$defs").and_then(Value::as_object);
    let mut reader = Reader {
        root_name: text(root, "title"),
        public_name: model.name,
        definitions: definitions.unwrap_or(&none),
        found: into,
    };
    for (name, definition) in reader.definitions {
        let definition = definition.as_object().ok_or("a definition is no object")?;
        if !is_alias(definition) {
            reader.define(&reader.public(name), definition)?;
        }
    }
    reader.define(model.name, root)
}

struct Reader<'a> {
    root_name: String,
    public_name: &'static str,
    definitions: &'a Object,
    found: &'a mut BTreeMap<String, ModelDef>,
}

impl Reader<'_> {
    /// A definition's name as it is public.
    fn public(&self, name: &str) -> String {
        if name == self.root_name {
            return self.public_name.to_owned();
        }
        match name.strip_prefix("Foreign") {
            Some(rest) => rest.to_owned(),
            None => name.trim_end_matches("Record").to_owned(),
        }
    }

    fn define(&mut self, name: &str, schema: &Object) -> Result<(), String> {
        let shape = self
            .shape(name, schema)
            .map_err(|why| format!("{name}: {why}"))?;
        let def = ModelDef {
            name: name.to_owned(),
            docs: text(schema, "description"),
            shape,
        };
        match self.found.get(name) {
            Some(present) if *present != def => {
                Err(format!("{name}: two different models of one name"))
            }
            Some(_) => Ok(()),
            None => {
                self.found.insert(name.to_owned(), def);
                Ok(())
            }
        }
    }

    fn shape(&mut self, name: &str, schema: &Object) -> Result<Shape, String> {
        if let Some(words) = words(schema) {
            return Ok(Shape::Words(words));
        }
        if let Some(variants) = alternatives(schema) {
            return self.merged(name, schema, &variants);
        }
        if is_struct(schema) {
            return Ok(Shape::Struct(self.fields(name, schema)?));
        }
        Err(format!("not understood: {}", brief(schema)))
    }

    fn fields(&mut self, name: &str, schema: &Object) -> Result<Vec<Field>, String> {
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return Ok(Vec::new());
        };
        let required: Vec<&str> = list(schema, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut fields = Vec::new();
        for (key, property) in properties {
            let place = format!("{name}{}", pascal(key));
            fields.push(Field {
                name: key.clone(),
                docs: property
                    .as_object()
                    .map_or(String::new(), |it| text(it, "description")),
                holds: self
                    .holds(&place, property)
                    .map_err(|why| format!("{key}: {why}"))?,
                required: required.contains(&key.as_str()),
                default: property.get("default").cloned(),
            });
        }
        Ok(fields)
    }

    /// The variants of an enum with data, as one struct: what is not in all of them is optional.
    fn merged(
        &mut self,
        name: &str,
        schema: &Object,
        variants: &[&Object],
    ) -> Result<Shape, String> {
        let mut merged: Vec<(Field, usize)> = Vec::new();
        for variant in variants {
            if !is_struct(variant) {
                return Err(format!("a variant is not understood: {}", brief(variant)));
            }
            for mut field in self.fields(name, variant)? {
                if field.docs.is_empty() {
                    field.docs = text(variant, "description");
                }
                let seen = merged.iter_mut().find(|(it, _)| it.name == field.name);
                let Some((present, count)) = seen else {
                    merged.push((field, 1));
                    continue;
                };
                *count += 1;
                present.required &= field.required;
                if present.holds != field.holds {
                    present.holds = Type::Any;
                }
            }
        }
        let everywhere = variants.len();
        let mut fields: Vec<Field> = merged
            .into_iter()
            .map(|(mut field, count)| {
                field.required &= count == everywhere;
                field
            })
            .collect();
        fields.extend(self.fields(name, schema)?);
        Ok(Shape::Struct(fields))
    }

    fn holds(&mut self, place: &str, schema: &Value) -> Result<Type, String> {
        let Value::Object(schema) = schema else {
            return Ok(Type::Any);
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.reference(reference);
        }
        if let Some(inner) = nullable(schema) {
            return Ok(Type::Optional(Box::new(self.holds(place, &inner)?)));
        }
        if schema.contains_key("const") || schema.contains_key("enum") {
            return Ok(Type::Text);
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") if text(schema, "format") == "date-time" => Ok(Type::Timestamp),
            Some("string") => Ok(Type::Text),
            Some("integer") => Ok(Type::Integer),
            Some("number") => Ok(Type::Number),
            Some("boolean") => Ok(Type::Boolean),
            Some("array") => {
                let items = schema.get("items").cloned().unwrap_or(Value::Bool(true));
                Ok(Type::List(Box::new(self.holds(place, &items)?)))
            }
            Some("object") if schema.contains_key("properties") => {
                self.define(place, schema)?;
                Ok(Type::Model(place.to_owned()))
            }
            Some("object") => match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => {
                    Ok(Type::Map(Box::new(self.holds(place, values)?)))
                }
                _ => Ok(Type::Object),
            },
            None if schema.keys().all(|key| is_remark(key)) => Ok(Type::Any),
            _ => Err(format!("not understood: {}", brief(schema))),
        }
    }

    fn reference(&mut self, reference: &str) -> Result<Type, String> {
        match reference.strip_prefix("#/$defs/") {
            Some(name) => match self.definitions.get(name) {
                Some(Value::Object(definition)) if is_alias(definition) => {
                    let definition = Value::Object(definition.clone());
                    self.holds(name, &definition)
                }
                _ => Ok(Type::Model(self.public(name))),
            },
            None if reference == "#" => Ok(Type::Model(self.public_name.to_owned())),
            None => Err(format!("a reference to {reference}")),
        }
    }
}

/// The words of an enumeration, where the schema is one; an arm for any text means that the Rust type
/// keeps words it does not know, which is so for all of them here.
fn words(schema: &Object) -> Option<Vec<Word>> {
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words
            .iter()
            .map(|word| {
                Some(Word {
                    word: word.as_str()?.to_owned(),
                    docs: String::new(),
                })
            })
            .collect();
    }
    if let Some(Value::String(word)) = schema.get("const") {
        return Some(vec![Word {
            word: word.clone(),
            docs: text(schema, "description"),
        }]);
    }
    let mut found = Vec::new();
    for arm in alternatives(schema)? {
        match words(arm) {
            Some(words) => found.extend(words),
            None if is_any_text(arm) => {}
            None => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

fn alternatives(schema: &Object) -> Option<Vec<&Object>> {
    let arms = ["oneOf", "anyOf"]
        .into_iter()
        .find_map(|key| schema.get(key))?;
    arms.as_array()?.iter().map(Value::as_object).collect()
}

/// What stands beside null, where the schema allows null.
fn nullable(schema: &Object) -> Option<Value> {
    if let Some(Value::Array(types)) = schema.get("type")
        && let [one, null] = &types[..]
        && null == "null"
    {
        let mut inner = schema.clone();
        inner.insert("type".to_owned(), one.clone());
        return Some(Value::Object(inner));
    }
    let arms = schema.get("anyOf")?.as_array()?;
    match &arms[..] {
        [inner, null] if null.get("type").is_some_and(|kind| kind == "null") => Some(inner.clone()),
        _ => None,
    }
}

/// Another name for a type that has one in JSON, such as an id.
fn is_alias(schema: &Object) -> bool {
    !is_struct(schema) && words(schema).is_none() && alternatives(schema).is_none()
}

fn is_struct(schema: &Object) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object")
}

fn is_any_text(schema: &Object) -> bool {
    schema.get("type").is_some_and(|kind| kind == "string")
}

fn is_remark(key: &str) -> bool {
    matches!(key, "description" | "title" | "default" | "$schema")
}

fn text(schema: &Object, key: &str) -> String {
    let found = schema.get(key).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn list<'a>(schema: &'a Object, key: &str) -> &'a [Value] {
    let found = schema.get(key).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn brief(schema: &Object) -> String {
    let all = Value::Object(schema.clone()).to_string();
    all.chars().take(400).collect()
}

/// `security_incident` as `SecurityIncident`.
fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}
