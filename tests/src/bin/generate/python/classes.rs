//! Classes: one method for each operation, typed, over the one handle.

use std::fmt::Write as _;

use protect_connectors::core::operation::{
    Class, Effect, Operation, Parameter, ParameterKind, ResultType,
};

use super::{Style, docstring, identifier};
use crate::catalogue::Module;

/// The module of a kind's classes in one style.
pub(super) fn render(module: &Module, style: Style) -> String {
    let (docs, base, iterator) = match style {
        Style::Blocking => ("Clients that block", "Client", "Iterator"),
        Style::Awaited => ("Clients that are awaited", "AsyncClient", "AsyncIterator"),
    };
    let mut classes = String::new();
    for class in &module.classes {
        classes.push_str(&definition(class, style));
    }
    let names: Vec<_> = module
        .classes
        .iter()
        .map(|c| format!("\"{}\"", c.name))
        .collect();
    format!(
        "\"\"\"{docs}: `{kind}`.\"\"\"\n\nfrom __future__ import annotations\n\n\
         from collections.abc import Callable, Mapping, Sequence\nfrom collections.abc import {iterator}\n\
         from datetime import datetime\nfrom typing import Any\n\n\
         from protect import _codec\nfrom protect._client import {base}, Secret, Timeout\n\
         from protect._generated.{kind}_models import *\n\
         {engine}{handles}\n__all__ = [{names}]\n{classes}",
        kind = module.kind,
        engine = if module.borrowed.is_empty() {
            String::new()
        } else {
            format!(
                "from protect._generated.engine_models import (\n    {},\n)\n",
                module.borrowed.join(",\n    ")
            )
        },
        handles = handles(module, style),
        names = names.join(", "),
    )
}

/// The engine's classes that a class of another kind opens.
fn handles(module: &Module, style: Style) -> String {
    let names = module.opened();
    let suffix = match style {
        Style::Blocking => "",
        Style::Awaited => "_aio",
    };
    if names.is_empty() {
        return String::new();
    }
    format!(
        "from protect._generated.engine{suffix} import {}\n",
        names.join(", ")
    )
}

fn definition(class: &Class, style: Style) -> String {
    let base = match style {
        Style::Blocking => "Client",
        Style::Awaited => "AsyncClient",
    };
    let mut out = format!(
        "\n\nclass {}({base}):\n{}\n    __slots__ = ()\n",
        class.name,
        docstring(class.docs, "    ")
    );
    if !class.constructor.is_empty() {
        out.push_str(&constructor(class));
    }
    for operation in class.operations {
        out.push_str(&method(operation, style));
    }
    out
}

fn constructor(class: &Class) -> String {
    let mut out = String::from("\n    def __init__(\n        self,\n        *,\n");
    for parameter in class.constructor {
        let _ = writeln!(out, "        {},", declared(parameter));
    }
    out.push_str("    ) -> None:\n");
    out.push_str(&docstring(
        &arguments_docs("", class.constructor),
        "        ",
    ));
    let is_secret = |parameter: &&Parameter| parameter.kind == ParameterKind::Secret;
    let (secrets, plain): (Vec<_>, Vec<_>) = class.constructor.iter().partition(is_secret);
    let _ = writeln!(
        out,
        "        super().__init__()\n        self._connect(\n            \"{}\",\n            {{{}}},\n            {{{}}},\n        )",
        class.name,
        given(&plain),
        given(&secrets),
    );
    out
}

fn method(operation: &Operation, style: Style) -> String {
    let result = operation.result;
    let streams = matches!(result, ResultType::Stream(_));
    let opens = matches!(result, ResultType::Handle(_));
    let progress = operation
        .parameters
        .iter()
        .find(|parameter| matches!(parameter.kind, ParameterKind::Progress(_)));
    let awaited = style == Style::Awaited && !streams && !opens;
    let mut out = format!(
        "\n    {}def {}(\n        self,\n",
        if awaited { "async " } else { "" },
        identifier(operation.name)
    );
    let (optional, required): (Vec<_>, Vec<_>) = operation
        .parameters
        .iter()
        .partition(|parameter| parameter.optional);
    for parameter in required {
        let _ = writeln!(out, "        {},", declared(parameter));
    }
    if !(opens && optional.is_empty()) {
        out.push_str("        *,\n");
    }
    for parameter in optional {
        let _ = writeln!(out, "        {},", declared(parameter));
    }
    if !opens {
        out.push_str("        timeout: Timeout = None,\n");
    }
    let _ = writeln!(out, "    ) -> {}:", returned(result, style));
    out.push_str(&docstring(&docs(operation), "        "));
    let arguments = operation
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.kind, ParameterKind::Progress(_)));
    let is_secret = |parameter: &&Parameter| parameter.kind == ParameterKind::Secret;
    let (secrets, plain): (Vec<_>, Vec<_>) = arguments.partition(is_secret);
    let further = match (secrets.is_empty(), plain.is_empty()) {
        (true, _) => "",
        (false, true) => "**secrets",
        (false, false) => ", **secrets",
    };
    let call = format!(
        "\"{}\",\n            {{{}{further}}},\n",
        operation.name,
        given(&plain)
    );
    let body = body(result, &call, progress, awaited);
    if secrets.is_empty() {
        out.push_str(&body);
    } else {
        let _ = writeln!(
            out,
            "        with self._secrets({{{}}}) as secrets:",
            given(&secrets)
        );
        out.push_str(&indented(&body));
    }
    out
}

fn indented(body: &str) -> String {
    let lines: Vec<_> = body.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n") + "\n"
}

fn body(result: ResultType, call: &str, progress: Option<&Parameter>, awaited: bool) -> String {
    let wait = if awaited { "await " } else { "" };
    let told = match progress {
        Some(Parameter {
            name,
            kind: ParameterKind::Progress(model),
            ..
        }) => format!("            _codec.heard({}, {name}),\n", model.name),
        _ => String::new(),
    };
    let call = format!("self._call(\n            {call}            timeout,\n{told}        )");
    match result {
        ResultType::Nothing => format!("        {wait}{call}\n"),
        ResultType::Boolean => format!("        return bool({wait}{call})\n"),
        ResultType::Integer => format!("        return int({wait}{call})\n"),
        ResultType::Text => format!("        return str({wait}{call})\n"),
        ResultType::Texts => format!("        return list({wait}{call})\n"),
        ResultType::Object => format!("        return dict({wait}{call})\n"),
        ResultType::One(model) => {
            format!("        return {}.from_dict({wait}{call})\n", model.name)
        }
        ResultType::Optional(model) => format!(
            "        answer = {wait}{call}\n        return None if answer is None else {}.from_dict(answer)\n",
            model.name
        ),
        ResultType::List(model) => format!(
            "        answer = {wait}{call}\n        return [{}.from_dict(item) for item in answer]\n",
            model.name
        ),
        ResultType::Stream(model) => format!(
            "        return self._stream(\n            {}.from_dict,\n            {}            timeout,\n        )\n",
            model.name,
            call_arguments(&call)
        ),
        ResultType::Handle(class) => format!(
            "        return {class}._of(self._open({}))\n",
            flat(&call_arguments(&call))
        ),
    }
}

/// The operation and its arguments again, out of a whole call.
fn call_arguments(call: &str) -> String {
    let start = call.find('"').unwrap_or_default();
    let end = call.find("            timeout").unwrap_or(call.len());
    call[start..end].to_owned()
}

fn flat(arguments: &str) -> String {
    let parts: Vec<_> = arguments.lines().map(str::trim).collect();
    parts.join(" ").trim_end_matches(',').to_owned()
}

fn given(parameters: &[&Parameter]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|parameter| format!("\"{}\": {}", parameter.name, identifier(parameter.name)))
        .collect();
    pairs.join(", ")
}

fn declared(parameter: &Parameter) -> String {
    let kind = match parameter.kind {
        ParameterKind::Text => "str".to_owned(),
        ParameterKind::Integer => "int".to_owned(),
        ParameterKind::Boolean => "bool".to_owned(),
        ParameterKind::Timestamp => "datetime".to_owned(),
        ParameterKind::Secret => "Secret".to_owned(),
        ParameterKind::Texts => "Sequence[str]".to_owned(),
        ParameterKind::Object => "Mapping[str, Any]".to_owned(),
        ParameterKind::One(model) => model.name.to_owned(),
        ParameterKind::Many(model) => format!("Sequence[{}]", model.name),
        ParameterKind::Progress(model) => format!("Callable[[{}], object]", model.name),
    };
    let name = identifier(parameter.name);
    if parameter.optional {
        format!("{name}: {kind} | None = None")
    } else {
        format!("{name}: {kind}")
    }
}

fn returned(result: ResultType, style: Style) -> String {
    match result {
        ResultType::Nothing => "None".to_owned(),
        ResultType::Boolean => "bool".to_owned(),
        ResultType::Integer => "int".to_owned(),
        ResultType::Text => "str".to_owned(),
        ResultType::Texts => "list[str]".to_owned(),
        ResultType::Object => "dict[str, Any]".to_owned(),
        ResultType::One(model) => model.name.to_owned(),
        ResultType::Optional(model) => format!("{} | None", model.name),
        ResultType::List(model) => format!("list[{}]", model.name),
        ResultType::Stream(model) if style == Style::Awaited => {
            format!("AsyncIterator[{}]", model.name)
        }
        ResultType::Stream(model) => format!("Iterator[{}]", model.name),
        ResultType::Handle(class) => class.to_owned(),
    }
}

fn docs(operation: &Operation) -> String {
    let mut out = operation.docs.to_owned();
    if operation.effect == Effect::Change {
        out.push_str("\n\nChanges something.");
    }
    if !operation.permission.is_empty() {
        let _ = write!(out, "\n\nNeeds: {}.", operation.permission);
    }
    arguments_docs(&out, operation.parameters)
}

fn arguments_docs(docs: &str, parameters: &[Parameter]) -> String {
    let mut out = docs.to_owned();
    if !parameters.is_empty() {
        out.push_str("\n\nArgs:");
    }
    for parameter in parameters {
        let _ = write!(
            out,
            "\n    {}: {}",
            identifier(parameter.name),
            parameter.docs
        );
    }
    out.push_str(
        "\n\nRaises:\n    ProtectError: with `kind`, `retryable`, `retry_after` and `operation`.",
    );
    out
}
