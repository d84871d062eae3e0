//! How much of a plan's rate our client uses, over real HTTP, and whether the vendor ever minds.
//!
//! Minutes are not waited for: a sleep of the client moves its clock and the sandbox's alike, and
//! whatever the requests themselves take passes on both.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_connectors::hibp::Hibp;
use protect_core::clock::{Clock, SystemClock};
use protect_sandbox::{Plan, Sandbox, Vendor};

use crate::measure::count_as_f64;
use crate::table::{Row, Table};

/// Plans of 100 requests a minute and more.
const PLANS: [&str; 3] = ["Core 3", "Pro 2", "High RPM 12000"];

/// For how long each key is used: long enough for what a full bucket gives at the start to be told
/// from the pace that follows.
const MINUTES: u32 = 5;

/// Longer sleeps are the ends of attempts, which answers beat.
const ATTEMPT: Duration = Duration::from_secs(25);

/// Each plan in turn.
pub(crate) async fn measure(table: &mut Table) {
    for name in PLANS {
        measure_plan(table, name).await;
    }
    table.remark(
        "hibp: real HTTP against the sandbox; sleeps move its clock and the client's together, so \
         five minutes take less. Target: ≥ 0.9 of the plan and not one 429.",
    );
}

async fn measure_plan(table: &mut Table, name: &str) {
    let plan = Plan::named(name).unwrap();
    let rpm = plan.rpm;
    let sandbox = Arc::new(Sandbox::builder().plan(plan).start().await.unwrap());
    let clock = Arc::new(SharedClock::new(Arc::clone(&sandbox)));
    let (mut context, _) = protect_connectors::context().unwrap();
    context.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let client = Hibp::builder()
        .api_key(sandbox.credentials().hibp_api_key)
        .api_url(sandbox.hibp_api_url())
        .passwords_url(sandbox.hibp_passwords_url())
        .user_agent("protect-bench/0.1")
        .build(&context)
        .unwrap();
    client.subscription_status().await.unwrap();
    let begun = clock.monotonic();
    let end = begun + Duration::from_mins(u64::from(MINUTES));
    let mut count = 0;
    while clock.monotonic() < end {
        let address = format!("person{count}@elsewhere.example");
        client.breached_account(&address).await.unwrap();
        count += 1;
    }
    let minutes = clock.monotonic().saturating_sub(begun).as_secs_f64() / 60.0;
    let all = sandbox.requests();
    let refused = all
        .iter()
        .filter(|request| request.vendor == Vendor::Hibp && request.status == 429)
        .count();
    table.row(Row {
        name: format!("hibp, plan {name}, answers 429: {refused}"),
        unit: "/min".to_owned(),
        figure: count_as_f64(count) / minutes,
        bare: Some(f64::from(rpm)),
        target: "≥ 0.9 of the plan, no 429".to_owned(),
    });
}

/// The machine's clock, except that waiting only moves it, and the sandbox's with it.
#[derive(Debug)]
struct SharedClock {
    system: SystemClock,
    skipped: Mutex<Duration>,
    sandbox: Arc<Sandbox>,
}

impl SharedClock {
    fn new(sandbox: Arc<Sandbox>) -> Self {
        Self {
            system: SystemClock::new(),
            skipped: Mutex::default(),
            sandbox,
        }
    }

    fn skipped(&self) -> Duration {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.system.now().saturating_add(self.skipped()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + self.skipped()
    }

    async fn sleep(&self, wait: Duration) {
        if wait >= ATTEMPT {
            return self.system.sleep(wait).await;
        }
        // The sandbox counts in milliseconds: in whole ones the two stay together.
        let wait = Duration::from_millis(u64::try_from(wait.as_millis()).unwrap() + 1);
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) += wait;
        self.sandbox
            .advance_clock(SignedDuration::try_from(wait).unwrap());
        tokio::task::yield_now().await;
    }
}
