//! The declaration of everything that crosses to Python and Node, and the one gate it is called
//! through. Classes, models, stubs, types and reference pages are generated from the declaration.
//!
//! The Rust method is written by hand; the table beside it says the same as data, and
//! `check_table` (feature `testing`) compares the two. No class is written by hand twice.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// Something whose operations can be called by name.
///
/// ```
/// # use std::sync::Arc;
/// # use futures::future::BoxFuture;
/// # use protect_core::operation::{self, Callable, Class};
/// # use protect_core::Result;
/// # use serde::Deserialize;
/// # use serde_json::Value;
/// struct Greeter;
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     name: String,
/// }
///
/// impl Callable for Greeter {
///     fn class(&self) -> &'static Class {
///         # static CLASS: Class = Class { name: "Greeter", kind: "greeter", docs: "", constructor: &[], operations: &[] };
///         &CLASS
///     }
///
///     fn call(self: Arc<Self>, operation: &str, arguments: Value) -> BoxFuture<'static, Result<Value>> {
///         let operation = operation.to_owned();
///         Box::pin(async move {
///             match operation.as_str() {
///                 "greet" => {
///                     let Greet { name } = operation::arguments(arguments)?;
///                     operation::answer(&format!("hello {name}"))
///                 }
///                 _ => Err(operation::unknown(self.class(), &operation)),
///             }
///         })
///     }
/// }
/// ```
pub trait Callable: Send + Sync + 'static {
    /// What it declares.
    fn class(&self) -> &'static Class;

    /// Calls an operation.
    ///
    /// `arguments` is a JSON object of the declared parameters; what is left out is absent. A
    /// [`ResultType::Stream`] is called page by page, with the further argument `cursor` (absent
    /// at first), and answers a [`Page`]. Dropping the future gives the call up.
    ///
    /// # Errors
    /// `invalid_input` for arguments that do not fit, `unsupported` for an unknown operation
    /// ([`unknown`]), and whatever the operation says.
    fn call(
        self: Arc<Self>,
        operation: &str,
        arguments: Value,
    ) -> BoxFuture<'static, Result<Value>>;

    /// The same, told on the way how far it is: for operations that have a parameter of
    /// [`ParameterKind::Progress`]. The rest need not implement it.
    ///
    /// # Errors
    /// As for [`Callable::call`]. What `progress` answers ends the call.
    fn call_with_progress(
        self: Arc<Self>,
        operation: &str,
        arguments: Value,
        progress: ProgressSink,
    ) -> BoxFuture<'static, Result<Value>> {
        drop(progress);
        self.call(operation, arguments)
    }

    /// Whether what an operation gives lies in memory and is small, so that whoever awaits it need not
    /// be left waiting for another thread.
    fn is_at_hand(&self, operation: &str) -> bool {
        let _ = operation;
        false
    }

    /// The same callable, whose calls give up `timeout` from now: a retry that would end later is not
    /// waited for, and the error says why it would have been. `None` where calls have no deadline.
    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        let _ = timeout;
        None
    }

    /// Opens what an operation of [`ResultType::Handle`] gives. No I/O.
    ///
    /// # Errors
    /// As for [`Callable::call`].
    fn open(&self, operation: &str, arguments: Value) -> Result<Arc<dyn Callable>> {
        drop(arguments);
        Err(unknown(self.class(), operation))
    }

    /// Lets go of connections and files, for good. What has none of its own need not do anything.
    fn close(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Receives progress as the JSON of the declared model; an error ends the call with that error.
pub type ProgressSink = Arc<dyn Fn(Value) -> Result<()> + Send + Sync>;

/// A class of the public interface: a vendor's own client (level 1), or the engine and a tenant
/// of it (level 2).
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Its name in Pascal case, the same in all three languages (`OnePassword`).
    pub name: &'static str,
    /// The kind of connector it speaks for (`onepassword`), or `engine`.
    pub kind: &'static str,
    /// What it is for and what it does not guarantee, in Markdown.
    pub docs: &'static str,
    /// What one is made from. Empty where no caller makes one.
    pub constructor: &'static [Parameter],
    /// What it can do, in the order of the reference page.
    pub operations: &'static [Operation],
}

/// A page of a [`ResultType::Stream`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    /// The models.
    pub items: Vec<Value>,
    /// What to pass as `cursor` for the next page; `None` after the last.
    pub cursor: Option<String>,
}

/// Reads an operation's arguments.
///
/// # Errors
/// `invalid_input` naming the argument; never its value.
pub fn arguments<T: DeserializeOwned>(arguments: Value) -> Result<T> {
    if !arguments.is_object() {
        return Err(Error::invalid_input("the arguments must be an object"));
    }
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let place = error.path().to_string();
        Error::invalid_input(without_values(error.inner())).with_context("argument", place)
    })
}

/// Writes an operation's result.
///
/// # Errors
/// `unexpected` for a result that is no JSON.
pub fn answer<T: Serialize + ?Sized>(result: &T) -> Result<Value> {
    serde_json::to_value(result)
        .map_err(|error| Error::unexpected("a result is not JSON").with_source(error))
}

/// What [`Callable::call`] says to a name it does not know.
pub fn unknown(class: &Class, operation: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{} has no such operation", class.name),
    )
    .with_context("called", operation)
}

/// What kind of thing did not fit, without the thing: `serde` quotes what it read, and an address
/// or a secret may be what was read.
fn without_values(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with("missing field") {
        "an argument is missing"
    } else if text.starts_with("unknown field") {
        "there is no such argument"
    } else {
        "the argument has the wrong type or value"
    }
}

/// One operation of a connector's own client.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method's name in lower snake case (`suspend_user`).
    pub name: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub result: ResultType,
    /// Whether it changes anything at the vendor.
    pub effect: Effect,
    /// The permission it needs, in the vendor's own words; empty where it needs none.
    pub permission: &'static str,
    /// What it does, in one or more sentences of Markdown.
    pub docs: &'static str,
}

/// One parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in lower snake case.
    pub name: &'static str,
    /// What is passed.
    pub kind: ParameterKind,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it means, in one sentence.
    pub docs: &'static str,
}

impl Parameter {
    /// One that must be given.
    pub const fn required(name: &'static str, kind: ParameterKind, docs: &'static str) -> Self {
        Self {
            name,
            kind,
            optional: false,
            docs,
        }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, kind: ParameterKind, docs: &'static str) -> Self {
        Self {
            optional: true,
            ..Self::required(name, kind, docs)
        }
    }
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text.
    Text,
    /// A whole number that fits 32 bits.
    Integer,
    /// Yes or no.
    Boolean,
    /// A moment: RFC 3339 in JSON, an aware `datetime` in Python, a `Date` in Node.
    Timestamp,
    /// A secret: a string, or a callback that gives one; never shown. Crosses as
    /// `{"provided": name}` ([`SecretRef::Provided`](crate::secret::SecretRef::Provided)).
    Secret,
    /// Several texts.
    Texts,
    /// A JSON object of any shape.
    Object,
    /// One model; in Python and Node also its plain form.
    One(Model),
    /// Several models.
    Many(Model),
    /// Is called with this model while the operation runs; crosses beside the arguments
    /// ([`Callable::call_with_progress`]).
    Progress(Model),
}

/// What an operation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultType {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// Several texts.
    Texts,
    /// A JSON object of any shape.
    Object,
    /// One model.
    One(Model),
    /// One model, or nothing where there is none.
    Optional(Model),
    /// All of them, in a list.
    List(Model),
    /// All of them, page by page: an iterator in Python, an async iterator in Node.
    Stream(Model),
    /// Another callable of the named class, had by [`Callable::open`].
    Handle(&'static str),
}

/// A type that crosses to Python and Node.
#[derive(Clone, Copy)]
pub struct Model {
    /// Its name in Pascal case, the same in all three languages.
    pub name: &'static str,
    /// Its JSON Schema, made by `schemars` from the Rust type.
    pub schema: fn() -> Schema,
}

impl Model {
    /// A Rust type under the name it has in all three languages.
    pub const fn of<T: JsonSchema>(name: &'static str) -> Self {
        Self {
            name,
            schema: serialised::<T>,
        }
    }
}

/// The schema of what a type is written as: a field that is always written is required.
fn serialised<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Model {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reads only.
    Read,
    /// Changes something; the class says how a repeat behaves.
    Change,
}

/// Compares a class's table with its [`Callable`]: every declared operation must be known to it,
/// and a name that is not declared must not be. Calls with arguments that no operation takes, so
/// nothing reaches a vendor.
///
/// # Errors
/// Each difference, in words.
#[cfg(any(test, feature = "testing"))]
pub async fn check_table(callable: Arc<dyn Callable>) -> std::result::Result<(), Vec<String>> {
    let mut differences = Vec::new();
    let class = callable.class();
    for operation in class.operations {
        let refusal = if let ResultType::Handle(_) = operation.result {
            callable.open(operation.name, Value::Null).err()
        } else {
            let called = Arc::clone(&callable).call(operation.name, Value::Null);
            called.await.err()
        };
        match refusal.map(|error| error.kind()) {
            Some(ErrorKind::InvalidInput) => {}
            Some(ErrorKind::Unsupported) => {
                differences.push(format!("{} is declared and not called", operation.name));
            }
            _ => differences.push(format!("{} takes anything", operation.name)),
        }
        if operation.docs.is_empty() {
            differences.push(format!("{} says nothing about itself", operation.name));
        }
    }
    let mut names: Vec<_> = class.operations.iter().map(|op| op.name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        differences.push("an operation is declared twice".to_owned());
    }
    let undeclared = callable.call("no_such_operation", Value::Object(serde_json::Map::new()));
    if !matches!(undeclared.await, Err(error) if error.kind() == ErrorKind::Unsupported) {
        differences.push("an undeclared operation is not refused".to_owned());
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Greet {
        #[expect(dead_code, reason = "only its reading is looked at")]
        count: u32,
    }

    struct Greeter(&'static Class);

    impl Callable for Greeter {
        fn class(&self) -> &'static Class {
            self.0
        }

        fn call(
            self: Arc<Self>,
            operation: &str,
            given: Value,
        ) -> BoxFuture<'static, Result<Value>> {
            let operation = operation.to_owned();
            Box::pin(async move {
                match operation.as_str() {
                    "greet" => arguments::<Greet>(given).and_then(|_| answer("hello")),
                    _ => Err(unknown(self.0, &operation)),
                }
            })
        }
    }

    const GREET: Operation = Operation {
        name: "greet",
        parameters: &[],
        result: ResultType::Text,
        effect: Effect::Read,
        permission: "",
        docs: "Greets.",
    };
    const LEAVE: Operation = Operation {
        name: "leave",
        ..GREET
    };

    static COMPLETE: Class = Class {
        name: "Greeter",
        kind: "greeter",
        docs: "",
        constructor: &[],
        operations: &[GREET],
    };
    static PROMISING: Class = Class {
        operations: &[GREET, LEAVE],
        ..COMPLETE
    };

    #[tokio::test]
    async fn a_table_that_says_what_the_callable_does_passes() {
        assert_eq!(check_table(Arc::new(Greeter(&COMPLETE))).await, Ok(()));
    }

    #[tokio::test]
    async fn a_declared_operation_without_a_method_is_named() {
        let differences = check_table(Arc::new(Greeter(&PROMISING))).await;
        assert_eq!(
            differences,
            Err(vec!["leave is declared and not called".to_owned()])
        );
    }

    #[test]
    fn a_wrong_argument_is_named_and_its_value_is_not() {
        let error = arguments::<Greet>(json!({ "count": "s3cr3t" })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.context(), [("argument", "count".to_owned())]);
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        let error = arguments::<Greet>(json!({ "count": 1, "colour": "red" })).unwrap_err();
        assert!(error.message().contains("no such argument"), "{error}");
    }
}
