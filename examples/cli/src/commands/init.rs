//! `init`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use protect_connectors::core::config::{TemplateAnswers, TemplateConnector, template};
use protect_connectors::core::model::{Address, Attributes, TenantId};
use protect_connectors::core::registry::Registry;
use protect_connectors::core::{Error, Result};
use protect_connectors::registry;
use serde_json::json;

use crate::app::{self, App};
use crate::args::Init;
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Text};

/// Writes a first configuration.
pub(super) fn run(app: &App, init: &Init) -> Result<Answer> {
    if init.path.exists() {
        return Err(app::exists(&init.path));
    }
    let registry = registry();
    let asks = !init.yes && !app.output.is_json() && io::stdin().is_terminal();
    if !asks && !init.yes {
        return Err(Error::invalid_input(
            "nobody can be asked here; give `--yes` and `--tenant`, `--domains`, `--connectors`",
        ));
    }
    let answers = if asks {
        ask(init, &registry)?
    } else {
        given(init, &registry)?
    };
    let text = template(&answers, &registry)?;
    app::write_new(&init.path, &text)?;
    Ok(answer(init, &text))
}

fn answer(init: &Init, text: &str) -> Answer {
    let variables = variables(text);
    let mut page = Page::new();
    page.line(format!("Written: {}", init.path.display()));
    if !variables.is_empty() {
        page.gap()
            .line("Secrets are read from these variables when they are needed:");
        for variable in &variables {
            page.mixed(["  ".into(), Text::strong(variable)]);
        }
    }
    if text.contains("CHANGE-ME") {
        page.gap()
            .line("Some settings say CHANGE-ME; put yours there.");
    }
    let config = if init.path.as_os_str() == "protect.toml" {
        String::new()
    } else {
        format!(" --config {}", init.path.display())
    };
    page.next(
        format!("protect doctor{config}"),
        "whether every vendor can be reached",
    );
    Answer {
        document: json!({ "written": init.path, "variables": variables }),
        page,
        exit: Exit::OK,
    }
}

/// The environment variables that a configuration reads.
fn variables(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let names = lines.flat_map(|line| line.split("env = \"").skip(1));
    names
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn given(init: &Init, registry: &Registry) -> Result<TemplateAnswers> {
    let tenant = init.tenant.as_deref().unwrap_or("acme");
    Ok(TemplateAnswers {
        tenant: tenant_id(tenant)?,
        name: init.name.clone().unwrap_or_else(|| tenant.to_owned()),
        domains: init.domains.clone(),
        protected: Vec::new(),
        connectors: connectors(&init.connectors, registry),
    })
}

/// Where nobody chose: every kind but those that not everybody wants.
fn connectors(chosen: &[String], registry: &Registry) -> Vec<TemplateConnector> {
    if chosen.is_empty() {
        let wanted = usual(registry).into_iter();
        return wanted.map(TemplateConnector::new).collect();
    }
    chosen.iter().map(TemplateConnector::new).collect()
}

fn usual(registry: &Registry) -> Vec<&str> {
    let usual = registry.specs().filter(|spec| !spec.by_choice);
    usual.map(|spec| spec.name.as_str()).collect()
}

fn tenant_id(text: &str) -> Result<TenantId> {
    text.parse()
        .map_err(|error: Error| error.with_context("argument", "--tenant"))
}

fn ask(init: &Init, registry: &Registry) -> Result<TemplateAnswers> {
    let tenant = question(
        "Short name of the organisation, in lower case",
        init.tenant.as_deref().unwrap_or("acme"),
        tenant_id,
    )?;
    let name = init.name.as_deref().unwrap_or(tenant.as_str());
    let name = question("What people call it", name, |text| Ok(text.to_owned()))?;
    let domains = init.domains.join(", ");
    let domains = question(
        "Its mail domains, with commas between them",
        &domains,
        |text| Ok(listed(text)),
    )?;
    let protected = question(
        "Addresses of accounts that nothing may ever change (break-glass)",
        "",
        |text| listed(text).iter().map(Address::new).collect(),
    )?;
    let known = registry.kinds().collect::<Vec<_>>().join(", ");
    let default = if init.connectors.is_empty() {
        usual(registry).join(", ")
    } else {
        init.connectors.join(", ")
    };
    let chosen = question(
        &format!("Which connectors to begin with ({known})"),
        &default,
        |text| {
            let kinds = listed(text);
            match kinds.iter().find(|kind| registry.spec(kind).is_none()) {
                Some(kind) => Err(Error::invalid_input(format!("there is no kind `{kind}`"))),
                None => Ok(kinds),
            }
        },
    )?;
    let mut asked = connectors(&chosen, registry);
    for connector in &mut asked {
        ask_settings(connector, registry)?;
    }
    Ok(TemplateAnswers {
        tenant,
        name,
        domains,
        protected,
        connectors: asked,
    })
}

/// Asks for what a connector cannot do without; secrets are never asked for.
fn ask_settings(connector: &mut TemplateConnector, registry: &Registry) -> Result<()> {
    let Some(spec) = registry.spec(&connector.kind) else {
        return Ok(());
    };
    let endpoints = spec.endpoints.iter().filter(|endpoint| endpoint.required);
    for endpoint in endpoints {
        let words = format!("{}, {}: {}", connector.kind, endpoint.name, endpoint.docs);
        ask_into(&mut connector.endpoints, &endpoint.name, &words)?;
    }
    for setting in spec.settings.iter().filter(|setting| setting.required) {
        let words = format!("{}, {}: {}", connector.kind, setting.name, setting.docs);
        ask_into(&mut connector.settings, &setting.name, &words)?;
    }
    Ok(())
}

/// What is not known yet stays open.
fn ask_into(answers: &mut Attributes, name: &str, words: &str) -> Result<()> {
    let words = words.trim_end_matches('.');
    let answer = question(&format!("{words} (may wait)"), "", |text| {
        Ok(text.to_owned())
    })?;
    if !answer.is_empty() {
        answers.insert(name.to_owned(), answer.into());
    }
    Ok(())
}

/// Asks until the answer can be read; an empty one means the default.
fn question<T>(words: &str, default: &str, parse: impl Fn(&str) -> Result<T>) -> Result<T> {
    let cannot_ask = |error: io::Error| Error::invalid_input("nobody answers").with_source(error);
    loop {
        let mut out = io::stderr().lock();
        let shown = if default.is_empty() {
            String::new()
        } else {
            format!(" [{default}]")
        };
        write!(out, "{words}{shown}: ").map_err(cannot_ask)?;
        out.flush().map_err(cannot_ask)?;
        let mut line = String::new();
        let read = io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(cannot_ask)?;
        if read == 0 {
            return Err(Error::invalid_input("nobody answers; nothing was written"));
        }
        let answer = Some(line.trim()).filter(|line| !line.is_empty());
        match parse(answer.unwrap_or(default)) {
            Ok(value) => return Ok(value),
            Err(error) => writeln!(out, "  {}", error.message()).map_err(cannot_ask)?,
        }
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
