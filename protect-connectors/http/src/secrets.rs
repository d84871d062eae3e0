use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, select};
use protect_core::clock::Clock;
use protect_core::secret::{SecretRef, SecretResolver, SecretString};
use protect_core::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Secrets from the environment, files, commands, and what the embedding program hands over.
///
/// A trailing line break is cut off; an empty secret is an error. Errors name the reference.
pub struct SystemSecrets {
    clock: Arc<dyn Clock>,
    provided: RwLock<HashMap<String, Provider>>,
}

type Provider = Arc<dyn Fn() -> BoxFuture<'static, Result<SecretString>> + Send + Sync>;

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// More than this is no secret but a mistake in the reference.
const LONGEST: u64 = 64 * 1024;

impl SystemSecrets {
    /// Without provided secrets; the clock limits commands.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            provided: RwLock::default(),
        }
    }

    /// Hands over a value for `{ provided = "name" }`, in the place of an earlier one.
    pub fn provide(&self, name: impl Into<String>, value: SecretString) {
        self.put(
            name.into(),
            Arc::new(move || futures::future::ready(Ok(value.clone())).boxed()),
        );
    }

    /// Hands over a callback that is asked whenever the secret is read. It may block: it runs on
    /// a thread for that.
    pub fn provide_with<F>(&self, name: impl Into<String>, callback: F)
    where
        F: Fn() -> Result<SecretString> + Send + Sync + 'static,
    {
        let callback = Arc::new(callback);
        self.put(
            name.into(),
            Arc::new(move || {
                let callback = Arc::clone(&callback);
                async move {
                    tokio::task::spawn_blocking(move || callback())
                        .await
                        .unwrap_or_else(|_| {
                            Err(Error::new(
                                ErrorKind::ConfigInvalid,
                                "the callback did not come back",
                            ))
                        })
                }
                .boxed()
            }),
        );
    }

    /// Hands over an asynchronous callback that is asked whenever the secret is read.
    pub fn provide_async<F, Fut>(&self, name: impl Into<String>, callback: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString>> + Send + 'static,
    {
        self.put(name.into(), Arc::new(move || callback().boxed()));
    }

    /// Forgets what was handed over under this name.
    pub fn withdraw(&self, name: &str) {
        self.provided
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }

    fn put(&self, name: String, provider: Provider) {
        self.provided
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, provider);
    }

    fn provider(&self, name: &str) -> Option<Provider> {
        self.provided
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    async fn read(&self, reference: &SecretRef) -> Result<SecretString> {
        match reference {
            SecretRef::Env { env } => from_environment(env),
            SecretRef::File { file } => from_file(file).await,
            SecretRef::Command { command } => self.run(command).await,
            SecretRef::Provided { provided } => match self.provider(provided) {
                Some(provider) => provider().await,
                None => Err(missing("nothing was handed over under this name")),
            },
            SecretRef::KeyVault { .. } => Err(Error::new(
                ErrorKind::Unsupported,
                "nothing here reads key vaults: name the application that may under `[key_vault]`, or use a command or a callback",
            )),
        }
    }

    /// Runs the program itself, without a shell. Its standard error is not read: some programs
    /// print secrets there.
    async fn run(&self, command: &[String]) -> Result<SecretString> {
        let [program, arguments @ ..] = command else {
            return Err(missing("the command is empty"));
        };
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| missing("the command cannot be started").with_source(error))?;
        let output = child.stdout.take();
        let finished = Box::pin(async {
            let text = match output {
                Some(output) => read_text(output).await?,
                None => SecretString::from(""),
            };
            let status = child
                .wait()
                .await
                .map_err(|error| missing("the command was lost").with_source(error))?;
            Ok((status, text))
        });
        match select(finished, self.clock.sleep(COMMAND_LIMIT)).await {
            Either::Right(_) => Err(Error::new(
                ErrorKind::Timeout,
                "the command did not end within 30 seconds",
            )
            .temporary()),
            Either::Left((Err(error), _)) => Err(error),
            Either::Left((Ok((status, text)), _)) if status.success() => Ok(text),
            Either::Left((Ok((status, _)), _)) => Err(missing("the command failed").with_context(
                "exit_status",
                status
                    .code()
                    .map_or("signal".to_owned(), |code| code.to_string()),
            )),
        }
    }
}

#[async_trait]
impl SecretResolver for SystemSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString> {
        let checked = self.read(reference).await.and_then(trimmed);
        checked.map_err(|error| error.with_context("secret", reference.to_string()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge where the environment is read, by name, for a reference"
)]
fn from_environment(name: &str) -> Result<SecretString> {
    match std::env::var(name) {
        Ok(value) => Ok(SecretString::from(value)),
        Err(std::env::VarError::NotPresent) => Err(missing("the variable is not set")),
        Err(std::env::VarError::NotUnicode(_)) => Err(missing("the variable is not UTF-8")),
    }
}

async fn from_file(path: &Path) -> Result<SecretString> {
    let file = tokio::fs::File::open(path)
        .await
        .map_err(|error| missing("the file cannot be opened").with_source(error))?;
    read_text(file).await
}

async fn read_text(source: impl AsyncRead + Unpin) -> Result<SecretString> {
    let mut bytes = Vec::new();
    source
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| missing("it cannot be read").with_source(error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(missing("it is longer than any secret"));
    }
    String::from_utf8(bytes)
        .map(SecretString::from)
        .map_err(|_| missing("it is not UTF-8"))
}

/// Less one line break at the end; never empty.
fn trimmed(secret: SecretString) -> Result<SecretString> {
    use protect_core::secret::ExposeSecret as _;
    let text = secret.expose_secret();
    let cut = text
        .strip_suffix("\r\n")
        .or_else(|| text.strip_suffix('\n'))
        .unwrap_or(text);
    if cut.is_empty() {
        return Err(missing("the secret is empty"));
    }
    if cut.len() == text.len() {
        return Ok(secret);
    }
    Ok(SecretString::from(cut))
}

fn missing(message: &str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, message)
}

impl fmt::Debug for SystemSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemSecrets(…)")
    }
}

#[cfg(test)]
mod tests;
