//! The sections that every report has, as pure functions of one reading of the store.

mod dark_web;
mod domains;
mod record;
mod saas;
mod summary;

use super::material::Material;
use super::score;
use super::{Block, Section};

/// Those that stand before the sections of single connectors.
pub(super) fn leading(material: &Material) -> Vec<Section> {
    let sections = [
        Some(summary::section(material)),
        score::history(material),
        saas::section(material),
        dark_web::section(material),
        domains::section(material),
    ];
    sections.into_iter().flatten().collect()
}

/// Those that stand after them.
pub(super) fn trailing(material: &Material) -> Vec<Section> {
    let sections = [
        record::incidents(material),
        record::actions(material),
        record::exceptions(material),
        record::not_looked_at(material),
    ];
    sections.into_iter().flatten().collect()
}

fn titled(id: &str, title: &str, blocks: Vec<Block>) -> Section {
    Section {
        id: id.to_owned(),
        title: title.to_owned(),
        blocks,
    }
}

fn text(text: impl Into<String>) -> Block {
    Block::Text { text: text.into() }
}

/// A table; nothing where it would be empty.
fn table(columns: &[&str], rows: Vec<Vec<String>>) -> Option<Block> {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    (!rows.is_empty()).then_some(Block::Table { columns, rows })
}

/// A value, or a dash.
fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// `+4`, `-2`, `0`.
fn signed(change: i64) -> String {
    if change > 0 {
        format!("+{change}")
    } else {
        change.to_string()
    }
}

/// `1 finding`, `2 findings`.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
