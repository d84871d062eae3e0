use std::sync::Arc;

use futures::future::BoxFuture;
use protect_core::Result;
use protect_core::engine::{Tenant, Tick};
use protect_core::operation::{
    Callable, Class, Model, Parameter, ParameterKind, ResultType, answer, arguments, unknown,
};
use serde::Deserialize;
use serde_json::Value;

use super::{Nothing, TenantCalls, change, read};
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
            &[Parameter::required(
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
        change(
            "tick",
            &[],
            ResultType::One(Model::of::<Tick>("Tick")),
            "Does what is due now, of every tenant, and answers when it is done: scans, approved actions, \
             evidence, the clients' view, the month's report and usage. A program that calls it every few \
             seconds needs no `protect run`.",
        ),
        #[cfg(feature = "web")]
        super::exchange::OPERATION,
        #[cfg(feature = "web")]
        super::exchange::BODY_LIMIT,
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
                "tick" => {
                    let Nothing {} = arguments(given)?;
                    answer(&self.tick().await?)
                }
                #[cfg(feature = "web")]
                "exchange" => Box::pin(super::exchange::exchange(&self, given)).await,
                #[cfg(feature = "web")]
                "body_limit" => super::exchange::body_limit(&self, given),
                _ => Err(unknown(&CLASS, &operation)),
            }
        })
    }

    fn is_at_hand(&self, operation: &str) -> bool {
        matches!(operation, "tenants" | "body_limit")
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

    fn close(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.engine().close().await })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use protect_core::ErrorKind;
    use protect_core::operation::check_table;
    use protect_core::testing;
    use serde_json::json;

    use super::*;

    async fn opened() -> Arc<dyn Callable> {
        let config =
            json!({ "tenants": { "acme": { "name": "Acme", "domains": ["acme.example"] } } });
        let context = testing::context().context;
        let opened = Protect::builder().context(context).open_config(&config);
        Arc::new(opened.await.unwrap())
    }

    #[tokio::test]
    async fn the_table_of_the_engine_and_its_gate_know_the_same_operations() {
        assert_eq!(check_table(opened().await).await, Ok(()));
    }

    #[tokio::test]
    async fn the_table_of_a_tenant_and_its_gate_know_the_same_operations() {
        let tenant = opened()
            .await
            .open("tenant", json!({ "id": "acme" }))
            .unwrap();
        assert_eq!(check_table(tenant).await, Ok(()));
    }

    #[tokio::test]
    async fn what_is_said_to_be_at_hand_is_answered_at_its_first_poll() {
        let engine = opened().await;
        for operation in CLASS.operations {
            if engine.is_at_hand(operation.name) {
                let call = Arc::clone(&engine).call(operation.name, json!({}));
                assert!(call.now_or_never().is_some(), "{}", operation.name);
            }
        }
        assert!(engine.is_at_hand("tenants"));
    }

    #[tokio::test]
    async fn an_unknown_tenant_is_not_opened() {
        let error = opened()
            .await
            .open("tenant", json!({ "id": "globex" }))
            .err();
        assert_eq!(error.unwrap().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn every_class_has_a_name_of_its_own_and_says_what_it_is() {
        let classes = crate::operations::classes();
        let mut names: Vec<_> = classes.iter().map(|class| class.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), classes.len());
        assert!(classes.iter().all(|class| !class.docs.is_empty()));
    }

    #[test]
    fn a_client_that_this_build_has_not_names_those_it_has() {
        let context = testing::context().context;
        let error = crate::operations::connect("Slack", json!({}), &context)
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("OnePassword"), "{error}");
    }
}
