//! `client_view` and `branding` of `[tenants.ID]`.

use super::tenant::optional;
use crate::config::client::{BrandingConfig, ClientViewConfig, Colour, parse_logo};
use crate::config::read::Node;

pub(super) fn read_view(node: &Node<'_>) -> Option<ClientViewConfig> {
    let table = node.table()?;
    let switch = |name| {
        let given = table.get(name);
        given.map_or(Some(true), |node| node.boolean())
    };
    let view = (
        switch("protection_dashboard"),
        switch("active_alerts"),
        switch("dmarc_status"),
        switch("reports"),
    );
    table.finish();
    Some(ClientViewConfig {
        protection_dashboard: view.0?,
        active_alerts: view.1?,
        dmarc_status: view.2?,
        reports: view.3?,
    })
}

pub(super) fn read_branding(node: &Node<'_>) -> Option<BrandingConfig> {
    let table = node.table()?;
    let logo = optional(table.get("logo"), |node| node.parsed(parse_logo).map(Some));
    let primary = optional(table.get("primary"), |node| {
        node.parsed(Colour::parse).map(Some)
    });
    let accent = optional(table.get("accent"), |node| {
        node.parsed(Colour::parse_accent).map(Some)
    });
    let footer = optional(table.get("footer"), |node| {
        node.text().map(|text| Some(text.to_owned()))
    });
    table.finish();
    Some(BrandingConfig {
        logo: logo?,
        primary: primary?,
        accent: accent?,
        footer: footer?,
    })
}
