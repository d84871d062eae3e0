//! Limits, service by service.

use super::Graph;
use jiff::SignedDuration;
use protect_sandbox::Sandbox;
use reqwest::Method;

impl Graph {
    fn wait(&self, millis: i64) {
        self.wire
            .sandbox
            .advance_clock(SignedDuration::from_millis(millis));
    }
}

#[tokio::test]
async fn conditional_access_and_identity_protection_share_one_request_a_second() {
    let graph = Graph::scan().await;
    assert_eq!(
        graph.get("/identityProtection/riskyUsers").await.status,
        200
    );
    let got = graph
        .get("/identity/conditionalAccess/namedLocations")
        .await;
    assert_eq!((got.status, got.retry_after), (429, None));
    // Whoever hammers stays out.
    graph.wait(800);
    assert_eq!(
        graph.get("/identityProtection/riskDetections").await.status,
        429
    );
    graph.wait(1000);
    assert_eq!(
        graph.get("/identityProtection/riskDetections").await.status,
        200
    );
    assert_eq!(graph.get("/users").await.status, 200);
    assert_eq!(graph.rules(), ["rate_limit_exceeded"; 2]);
}

#[tokio::test]
async fn identity_reports_take_five_in_ten_seconds_and_say_when_to_come_back() {
    let graph = Graph::scan().await;
    for _ in 0..5 {
        assert_eq!(
            graph.get("/auditLogs/directoryAudits?$top=1").await.status,
            200
        );
    }
    let got = graph.get("/auditLogs/signIns").await;
    assert_eq!((got.status, got.retry_after.as_deref()), (429, Some("10")));
    graph.wait(10_000);
    assert_eq!(graph.get("/auditLogs/signIns").await.status, 200);
}

#[tokio::test]
async fn the_directory_counts_resource_units() {
    let graph = Graph::scan().await;
    let units = async |path: &str| {
        let response = graph.request(Method::GET, path).send().await.unwrap();
        response.headers()["x-ms-resource-unit"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(units("/users").await, "2");
    assert_eq!(units("/users?$select=id").await, "1");
    assert_eq!(units("/subscribedSkus").await, "3");
    let expanded = "/roleManagement/directory/roleAssignments?$expand=principal";
    assert_eq!(units(expanded).await, "2");
    let free = Graph::scanning(Sandbox::builder().rate_limits(false)).await;
    for _ in 0..3 {
        assert_eq!(free.get("/identityProtection/riskyUsers").await.status, 200);
    }
}
