//! Classes: one method for each operation, over the one handle. What must be given comes in order,
//! what may be left out in a last object, together with what every call takes; who says so (`by`)
//! stands there too, so that a name beside a reason is never mistaken for it.

use std::fmt::Write as _;

use protect_connectors::core::operation::{
    Class, Effect, Operation, Parameter, ParameterKind, ResultType,
};

use super::{Scope, camel, comment};

/// The class.
pub(super) fn code(class: &Class, scope: &Scope<'_>) -> String {
    let mut out = format!("\nclass {} extends Client {{", class.name);
    if !class.constructor.is_empty() {
        let _ = write!(
            out,
            "\n  constructor(options) {{\n    super(connect('{}', [",
            class.name
        );
        for parameter in class.constructor {
            let secret = if parameter.kind == ParameterKind::Secret {
                ", true"
            } else {
                ""
            };
            let name = camel(parameter.name);
            let _ = write!(out, "\n      ['{}', '{name}'{secret}],", parameter.name);
        }
        out.push_str("\n    ], options));\n  }\n");
    }
    let methods: Vec<_> = class
        .operations
        .iter()
        .map(|operation| method(operation, scope))
        .collect();
    let _ = write!(out, "\n{}}}\n", methods.join("\n"));
    out
}

/// The declaration.
pub(super) fn declaration(class: &Class) -> String {
    let docs = comment(class.docs, "");
    let mut out = format!("\n{docs}export class {} extends Client {{\n", class.name);
    if class.constructor.is_empty() {
        out.push_str("  private constructor();\n");
    } else {
        out.push_str("  constructor(options: {\n");
        for parameter in class.constructor {
            out.push_str(&member(parameter, "    "));
        }
        out.push_str("  });\n");
    }
    for operation in class.operations {
        out.push_str(&signature(operation));
    }
    out.push_str("}\n");
    out
}

fn method(operation: &Operation, scope: &Scope<'_>) -> String {
    let (positional, named) = split(operation);
    let mut parameters: Vec<_> = positional.iter().map(|it| camel(it.name)).collect();
    let opens = matches!(operation.result, ResultType::Handle(_));
    if !opens {
        parameters.push("options".to_owned());
    }
    let shown = positional.iter().filter(|it| !is_secret(it));
    let mut arguments: Vec<_> = shown.map(|it| pair(it, &camel(it.name), scope)).collect();
    let plain = named.iter().filter(|it| !is_progress(it) && !is_secret(it));
    arguments.extend(plain.map(|it| pair(it, &format!("options?.{}", camel(it.name)), scope)));
    let arguments = object(&arguments);
    let name = operation.name;
    let body = match operation.result {
        ResultType::Handle(class) => format!("open(this, '{name}', {arguments}, {class})"),
        ResultType::Stream(_) => {
            format!(
                "stream(this, '{name}', {arguments}, {})",
                how(operation, &named, scope)
            )
        }
        _ => format!(
            "call(this, '{name}', {arguments}, {})",
            how(operation, &named, scope)
        ),
    };
    format!(
        "  {}({}) {{\n    return {body};\n  }}\n",
        camel(name),
        parameters.join(", ")
    )
}

fn object(members: &[String]) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", members.join(", "))
}

/// What the call is told beside its arguments.
fn how(operation: &Operation, named: &[&Parameter], scope: &Scope<'_>) -> String {
    let mut parts = vec!["options".to_owned()];
    if !named.is_empty() {
        let names: Vec<_> = named.iter().map(|it| format!("'{}'", option(it))).collect();
        parts.push(format!("allowed: [{}]", names.join(", ")));
    }
    let class = |name: &str| scope.is_class(name).then(|| name.to_owned());
    let read = match operation.result {
        ResultType::One(model) | ResultType::Optional(model) | ResultType::Stream(model) => {
            class(model.name)
        }
        ResultType::List(model) => class(model.name).map(|name| format!("list({name})")),
        _ => None,
    };
    if let Some(read) = read {
        parts.push(format!("type: {read}"));
    }
    for parameter in named {
        if let ParameterKind::Progress(model) = parameter.kind {
            let name = option(parameter);
            parts.push(format!(
                "progress: {{ name: '{name}', type: {} }}",
                model.name
            ));
        }
    }
    let secrets: Vec<_> = operation
        .parameters
        .iter()
        .filter(|it| is_secret(it))
        .map(|it| {
            let name = camel(it.name);
            let given = if it.optional {
                format!("options?.{name}")
            } else {
                name
            };
            pair(it, &given, scope)
        })
        .collect();
    if !secrets.is_empty() {
        parts.push(format!("secrets: {}", object(&secrets)));
    }
    object(&parts)
}

fn pair(parameter: &Parameter, value: &str, scope: &Scope<'_>) -> String {
    let value = match parameter.kind {
        ParameterKind::One(model) if scope.is_class(model.name) => {
            format!("write({}, {value})", model.name)
        }
        ParameterKind::Many(model) if scope.is_class(model.name) => {
            format!("write(list({}), {value})", model.name)
        }
        _ => value.to_owned(),
    };
    if parameter.name == value {
        value
    } else {
        format!("{}: {value}", parameter.name)
    }
}

fn signature(operation: &Operation) -> String {
    let (positional, named) = split(operation);
    let mut parameters: Vec<_> = positional
        .iter()
        .map(|it| format!("{}: {}", camel(it.name), annotation(it.kind)))
        .collect();
    if !matches!(operation.result, ResultType::Handle(_)) {
        parameters.push(options(&named));
    }
    format!(
        "{}  {}({}): {};\n",
        comment(&docs(operation, &positional), "  "),
        camel(operation.name),
        parameters.join(", "),
        returned(operation.result)
    )
}

fn options(named: &[&Parameter]) -> String {
    if named.is_empty() {
        return "options?: PerCall".to_owned();
    }
    let members: String = named.iter().map(|it| member(it, "    ")).collect();
    let mark = if named.iter().all(|it| it.optional) {
        "?"
    } else {
        ""
    };
    format!("options{mark}: PerCall & {{\n{members}  }}")
}

fn member(parameter: &Parameter, indent: &str) -> String {
    let (mark, undefined) = if parameter.optional {
        ("?", " | undefined")
    } else {
        ("", "")
    };
    let kind = annotation(parameter.kind);
    let kind = if is_progress(parameter) && parameter.optional {
        format!("({kind})")
    } else {
        kind
    };
    format!(
        "{}{indent}{}{mark}: {kind}{undefined};\n",
        comment(parameter.docs, indent),
        option(parameter),
    )
}

/// Those that come in order, and those that stand in the options.
fn split(operation: &Operation) -> (Vec<&Parameter>, Vec<&Parameter>) {
    let in_order = |it: &&Parameter| !it.optional && it.name != "by" && !is_progress(it);
    operation.parameters.iter().partition(in_order)
}

/// Given in order, and handed over apart from the other arguments.
fn is_secret(parameter: &Parameter) -> bool {
    parameter.kind == ParameterKind::Secret
}

fn is_progress(parameter: &Parameter) -> bool {
    matches!(parameter.kind, ParameterKind::Progress(_))
}

/// The name in the options: `progress` is `onProgress`.
fn option(parameter: &Parameter) -> String {
    if is_progress(parameter) {
        camel(&format!("on_{}", parameter.name))
    } else {
        camel(parameter.name)
    }
}

fn annotation(kind: ParameterKind) -> String {
    match kind {
        ParameterKind::Text => "string".to_owned(),
        ParameterKind::Integer => "number".to_owned(),
        ParameterKind::Boolean => "boolean".to_owned(),
        ParameterKind::Timestamp => "Date | string".to_owned(),
        ParameterKind::Secret => "Secret".to_owned(),
        ParameterKind::Texts => "readonly string[]".to_owned(),
        ParameterKind::Object => "{ readonly [name: string]: unknown }".to_owned(),
        ParameterKind::One(model) => format!("Init<{}>", model.name),
        ParameterKind::Many(model) => format!("readonly Init<{}>[]", model.name),
        ParameterKind::Progress(model) => format!("(progress: {}) => unknown", model.name),
    }
}

fn returned(result: ResultType) -> String {
    match result {
        ResultType::Nothing => "Promise<void>".to_owned(),
        ResultType::Boolean => "Promise<boolean>".to_owned(),
        ResultType::Integer => "Promise<number>".to_owned(),
        ResultType::Text => "Promise<string>".to_owned(),
        ResultType::Texts => "Promise<readonly string[]>".to_owned(),
        ResultType::Object => "Promise<{ readonly [name: string]: unknown }>".to_owned(),
        ResultType::One(model) => format!("Promise<{}>", model.name),
        ResultType::Optional(model) => format!("Promise<{} | null>", model.name),
        ResultType::List(model) => format!("Promise<readonly {}[]>", model.name),
        ResultType::Stream(model) => {
            format!("AsyncGenerator<{}, void, undefined>", model.name)
        }
        ResultType::Handle(class) => class.to_owned(),
    }
}

fn docs(operation: &Operation, positional: &[&Parameter]) -> String {
    let mut out = operation.docs.to_owned();
    if operation.effect == Effect::Change {
        out.push_str("\n\nChanges something.");
    }
    if !operation.permission.is_empty() {
        let _ = write!(out, "\n\nNeeds: {}.", operation.permission);
    }
    for (i, parameter) in positional.iter().enumerate() {
        let gap = if i == 0 { "\n\n" } else { "\n" };
        let _ = write!(
            out,
            "{gap}@param {} - {}",
            camel(parameter.name),
            parameter.docs
        );
    }
    out
}
