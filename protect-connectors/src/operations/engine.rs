use std::sync::Arc;

use futures::future::BoxFuture;
use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::operation::{
    Callable, Class, ParameterKind, ResultType, answer, arguments, unknown,
};
use serde::Deserialize;
use serde_json::Value;

use super::{Nothing, TenantCalls, read, required};
use crate::Protect;

/// The engine over every tenant of a configuration.
pub(super) static CLASS: Class = Class {
    name: "Protect",
    kind: "engine",
    docs: "The engine over every tenant of a configuration: the only road with plan, guards, approval, \
           store and ledger. `protect.open(...)` makes one.",
    constructor: &[],
    operations: &[
        read(
            "tenant",
            &[required(
                "id",
                ParameterKind::Text,
                "The tenant's id in the configuration.",
            )],
            ResultType::Handle("Tenant"),
            "One tenant.",
        ),
        read(
            "tenants",
            &[],
            ResultType::Texts,
            "The ids of all tenants, sorted.",
        ),
    ],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    id: String,
}

impl Callable for Protect {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "tenants" => {
                    let Nothing {} = arguments(given)?;
                    let tenants = self.tenants();
                    let ids: Vec<_> = tenants.iter().map(Tenant::id).collect();
                    answer(&ids)
                }
                _ => Err(unknown(&CLASS, &operation)),
            }
        })
    }

    fn open(&self, operation: &str, given: Value) -> Result<Arc<dyn Callable>> {
        match operation {
            "tenant" => {
                let Id { id } = arguments(given)?;
                Ok(Arc::new(TenantCalls(self.tenant(&id)?)))
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}
