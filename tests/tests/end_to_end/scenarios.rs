//! The scenarios of `tests/scenarios`, through the gate that the other languages call; Python and
//! Node run the same files.

mod apart;

use std::path::Path;
use std::sync::{Arc, Mutex};

use protect_connectors::core::operation::{
    Callable, Operation, Parameter, ParameterKind, ResultType,
};
use protect_connectors::core::secret::SecretString;
use protect_connectors::core::{Context, Result};
use protect_connectors::http::SystemSecrets;
use protect_connectors::log::{self, LogLevel, LogLine};
use protect_connectors::{Protect, operations};
use serde_json::{Map, Value, json};
use tracing::instrument::WithSubscriber;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_plays() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let lines = Lines::default();
            let told = Arc::clone(&lines);
            let subscriber = log::subscriber(LogLevel::Trace, move |line| {
                told.lock().unwrap().push(line);
            });
            play(&name, &serde_json::from_str(&text).unwrap(), &lines)
                .with_subscriber(subscriber)
                .await;
            played += 1;
        }
    }
    assert!(played > 10, "{played}");
}

/// What was logged.
type Lines = Arc<Mutex<Vec<LogLine>>>;

async fn play(name: &str, scenario: &Value, lines: &Lines) {
    let mut stage = Stage::new(scenario).await;
    let played = stage.open(scenario).await;
    for step in scenario["steps"].as_array().unwrap() {
        let place = format!("{name}, {}", step["do"]);
        stage.step(&played, step, &place).await;
    }
    let no_violations = json!([]);
    for journal in ["violations", "transitions", "requests"] {
        let unsaid = (journal == "violations").then_some(&no_violations);
        if let Some(wanted) = scenario.get(journal).or(unsaid) {
            let seen = ask(&stage.sandbox, journal, json!({})).await.unwrap();
            expect(&seen, &stage.value(wanted), &format!("{name}, {journal}"));
        }
    }
    let apart = stage.value(scenario.get("apart").unwrap_or(&json!({})));
    apart::look_around(&stage.sandbox, &played, &apart).await;
    let lines = lines.lock().unwrap();
    if let Some(wanted) = scenario.get("log") {
        expect(&json!(*lines), wanted, &format!("{name}, log"));
    }
    for line in lines.iter() {
        apart::assert_of_one(line, &apart);
    }
}

/// What a scenario opened: what its steps ask where they do not say, and the engine over it.
struct Played {
    client: Arc<dyn Callable>,
    engine: Option<Arc<dyn Callable>>,
}

/// A sandbox, and what the `$` texts of a scenario stand for.
struct Stage {
    context: Context,
    secrets: Arc<SystemSecrets>,
    sandbox: Arc<dyn Callable>,
    known: Map<String, Value>,
}

impl Stage {
    async fn new(scenario: &Value) -> Self {
        let (context, secrets) = protect_connectors::context().unwrap();
        let settings = scenario.get("sandbox").cloned().unwrap_or(json!({}));
        let sandbox = operations::connect("Sandbox", settings, &context).unwrap();
        let mut known = Map::from_iter([("kept".to_owned(), json!({}))]);
        for part in ["planted", "credentials", "addresses"] {
            let value = ask(&sandbox, part, json!({})).await.unwrap();
            known.insert(part.to_owned(), value);
        }
        Self {
            context,
            secrets,
            sandbox,
            known,
        }
    }

    async fn open(&self, scenario: &Value) -> Played {
        if let Some(made) = scenario.get("client") {
            let name = made["class"].as_str().unwrap();
            let classes = operations::classes();
            let class = classes.iter().find(|class| class.name == name).unwrap();
            let with = self.value(&made["with"]);
            let with = self.hidden(class.constructor.iter(), with);
            let client = operations::connect(name, with, &self.context).unwrap();
            return Played {
                client,
                engine: None,
            };
        }
        let tenant = &scenario["tenant"];
        let engine = self.engine(tenant).await;
        let client = engine
            .open("tenant", json!({ "id": tenant["id"] }))
            .unwrap();
        Played {
            client,
            engine: Some(engine),
        }
    }

    async fn engine(&self, tenant: &Value) -> Arc<dyn Callable> {
        let mut config = ask(&self.sandbox, "config", json!({})).await.unwrap();
        for (pointer, value) in tenant["set"].as_object().into_iter().flatten() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = self.value(value);
        }
        let more = ask(&self.sandbox, "connections", json!({})).await.unwrap();
        for (id, names) in tenant["connections"].as_object().into_iter().flatten() {
            for (connector, name) in names.as_object().unwrap() {
                let name = name.as_str().unwrap();
                config["connections"][name] = more[name]["connection"].clone();
                let place = &mut config["tenants"][id]["connectors"][connector];
                let mut settings = more[name]["connector"].clone();
                settings["connection"] = name.into();
                for (key, value) in place.as_object().into_iter().flatten() {
                    settings[key] = value.clone();
                }
                *place = settings;
            }
        }
        if tenant["time"] == "sandbox" {
            let config = json!({ "config": config });
            return self.sandbox.open("engine", config).unwrap();
        }
        let secrets = ask(&self.sandbox, "secrets", json!({})).await.unwrap();
        for (name, secret) in secrets.as_object().unwrap() {
            self.provide(name, secret);
        }
        let opening = Protect::builder().context(self.context.clone());
        Arc::new(opening.open_config(&config).await.unwrap())
    }

    /// Whom a step asks.
    fn asked(&self, played: &Played, step: &Value) -> Arc<dyn Callable> {
        let engine = || played.engine.clone().unwrap();
        match step["on"].as_str() {
            None => Arc::clone(&played.client),
            Some("sandbox") => Arc::clone(&self.sandbox),
            Some("engine") => engine(),
            Some(tenant) => engine().open("tenant", json!({ "id": tenant })).unwrap(),
        }
    }

    async fn step(&mut self, played: &Played, step: &Value, place: &str) {
        let callable = &self.asked(played, step);
        let name = step["do"].as_str().unwrap();
        let class = callable.class();
        let operation = class.operations.iter().find(|it| it.name == name).unwrap();
        let arguments = self.arguments(operation, step);
        let answered = ask(callable, name, arguments).await;
        if let Some(wanted) = step.get("fails") {
            let envelope = json!(answered.unwrap_err().envelope());
            expect(&envelope, &self.value(wanted), place);
            return;
        }
        let answer = answered.unwrap_or_else(|error| panic!("{place}: {error}"));
        if let Some(wanted) = step.get("gives") {
            expect(&answer, &self.value(wanted), place);
        }
        if let Some(name) = step["as"].as_str() {
            self.known["kept"][name] = answer;
        }
    }

    /// What is given in order, by the names of what must be given, and what is given by name.
    fn arguments(&self, operation: &Operation, step: &Value) -> Value {
        let in_order = |it: &&Parameter| !it.optional && it.name != "by";
        let names = operation.parameters.iter().filter(in_order);
        let given = step["given"].as_array().into_iter().flatten();
        let mut arguments: Map<String, Value> = names
            .zip(given)
            .map(|(parameter, value)| (parameter.name.to_owned(), self.value(value)))
            .collect();
        if let Value::Object(options) = self.value(&step["options"]) {
            arguments.extend(options);
        }
        self.hidden(operation.parameters.iter(), Value::Object(arguments))
    }

    /// The arguments with references where secrets stood, which are handed over.
    fn hidden<'a>(
        &self,
        parameters: impl Iterator<Item = &'a Parameter>,
        mut arguments: Value,
    ) -> Value {
        for parameter in parameters.filter(|it| it.kind == ParameterKind::Secret) {
            if let Some(secret) = arguments.get_mut(parameter.name) {
                self.provide(parameter.name, secret);
                *secret = json!({ "provided": parameter.name });
            }
        }
        arguments
    }

    fn provide(&self, name: &str, secret: &Value) {
        let secret = SecretString::from(secret.as_str().unwrap().to_owned());
        self.secrets.provide(name.to_owned(), secret);
    }

    /// What is written, with what its `$` texts stand for.
    fn value(&self, written: &Value) -> Value {
        match written {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, it)| (key.clone(), self.value(it)))
                .collect(),
            Value::Array(items) => items.iter().map(|it| self.value(it)).collect(),
            Value::String(text) => match text.strip_prefix('$') {
                Some(path) => self.known(path),
                None => written.clone(),
            },
            _ => written.clone(),
        }
    }

    fn known(&self, path: &str) -> Value {
        let (first, rest) = path.split_once('.').unwrap();
        let pointer = format!("/{}", rest.replace('.', "/"));
        let found = self.known[first].pointer(&pointer);
        found
            .unwrap_or_else(|| panic!("nothing is known as ${path}"))
            .clone()
    }
}

/// Calls an operation and gives the whole answer, of a stream every page.
async fn ask(callable: &Arc<dyn Callable>, name: &str, arguments: Value) -> Result<Value> {
    let operations = callable.class().operations;
    let operation = operations.iter().find(|it| it.name == name).unwrap();
    let call = |arguments| operations::within(Arc::clone(callable), None).call(name, arguments);
    if !matches!(operation.result, ResultType::Stream(_)) {
        return call(arguments).await;
    }
    let mut all = Vec::new();
    let mut arguments = arguments;
    loop {
        let mut page = call(arguments.clone()).await?;
        all.append(page["items"].as_array_mut().unwrap());
        if page["cursor"].is_null() {
            return Ok(Value::Array(all));
        }
        arguments["cursor"] = page["cursor"].take();
    }
}

/// An object has at least these fields; a list has exactly these items.
fn expect(seen: &Value, wanted: &Value, place: &str) {
    if let Err(difference) = compare(seen, wanted) {
        panic!("{place}: {difference}");
    }
}

fn compare(seen: &Value, wanted: &Value) -> std::result::Result<(), String> {
    let items = seen.as_array().map(Vec::as_slice).unwrap_or_default();
    let fits = match wanted {
        Value::Object(fields) => {
            if let Some(count) = fields.get("$count") {
                json!(items.len()) == *count
            } else if let Some(one) = fields.get("$has") {
                items.iter().any(|it| compare(it, one).is_ok())
            } else if let Some(one) = fields.get("$none") {
                items.iter().all(|it| compare(it, one).is_err())
            } else if let Some(Value::Array(all)) = fields.get("$all") {
                return all.iter().try_for_each(|one| compare(seen, one));
            } else {
                for (key, one) in fields {
                    compare(seen.get(key).unwrap_or(&Value::Null), one)
                        .map_err(|difference| format!("{key}: {difference}"))?;
                }
                seen.is_object()
            }
        }
        Value::Array(all) => {
            for (item, one) in items.iter().zip(all) {
                compare(item, one)?;
            }
            seen.is_array() && items.len() == all.len()
        }
        _ => seen == wanted,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{wanted} is wanted where there is {seen}"))
    }
}
