//! Bus: events, in the one of two forms that the configuration says.

mod client;
mod operations;
mod sink;

use protect_core::config::{KindSpec, SettingSpec};
use protect_core::model::ActionKind;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Error, Result};

pub use client::{Bus, BusEvent, Emitted};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use sink::BusConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "bus";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Bus: puts events on the platform's event mesh, in one of the two forms its own clients use.",
    api: "https://api.theonebus.app",
    integration_key_variable: "BUS_INTEGRATION_KEY",
    is_internal: true,
};

/// The form of an event. Two clients of the vendor's differ, and which is current is not known; one is
/// never tried after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `POST /api/bus/events`, the name as `event_type`.
    A,
    /// `POST /api/events`, the name as `type` and as `event_type`.
    B,
}

impl Style {
    fn named(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("a") => Ok(Self::A),
            Some("b") => Ok(Self::B),
            Some(_) => Err(Error::config("style", "write `a` or `b`")),
        }
    }
}

/// What an event is wrapped in. One is never tried after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Nothing: the platform's own form alone.
    #[default]
    Platform,
    /// A Cloud Event 1.0 in structured JSON, whose data is the platform's own form.
    CloudEvents,
}

impl Format {
    fn named(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("platform") => Ok(Self::Platform),
            Some("cloudevents") => Ok(Self::CloudEvents),
            Some(_) => Err(Error::config("format", "write `platform` or `cloudevents`")),
        }
    }
}

/// What our events are called; the names are ours. The first is that of a rule which says none.
const EVENTS: [&str; 7] = [
    "protect.finding.created",
    "protect.finding.resolved",
    "protect.remediation.requested",
    "protect.remediation.completed",
    "protect.remediation.failed",
    "protect.score.changed",
    "protect.scan.failed",
];

pub(crate) fn spec() -> KindSpec {
    config::spec(&PRODUCT)
        .setting(
            SettingSpec::one_of(
                "style",
                ["a", "b"],
                "The form of an event: `a` posts to `/api/bus/events`, `b` to `/api/events`. Never switched by itself.",
            )
            .default("a"),
        )
        .setting(
            SettingSpec::one_of(
                "format",
                ["platform", "cloudevents"],
                "What an event is wrapped in: nothing, or a Cloud Event 1.0 in structured JSON. Never switched by itself.",
            )
            .default("platform"),
        )
        .action_parameter(
            ActionKind::EmitEvent,
            SettingSpec::one_of("event", EVENTS, "What the event is called on the bus.")
                .default(EVENTS[0]),
        )
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<BusConnector> {
    let style = config::text(setup, "style");
    let style = Style::named(style.as_deref()).map_err(setup.at("style"))?;
    let format = config::text(setup, "format");
    let format = Format::named(format.as_deref()).map_err(setup.at("format"))?;
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    Ok(BusConnector {
        info: setup.info.clone(),
        client: Bus::over(platform, style, &setup.info.tenant).format(format),
        common: Common::read(setup)?,
    })
}
