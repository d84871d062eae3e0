//! How the snapshot of one vendor is written.

/// How the snapshot of one vendor is written.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The value of `provider`, which is also the connector's kind (`m365`).
    pub provider: &'static str,
    /// The field that names the vendor's tenant (`tenant_id`, `customer_id`).
    pub tenant_field: &'static str,
    /// Where the vendor's answers lie.
    pub bodies: Bodies,
    /// The fields under which a collection's answer holds its items (`value`). An answer that is an
    /// array is its items.
    pub items: &'static [&'static str],
    /// Other names of paths: what lies under the first is looked for under the second.
    pub aliases: &'static [(&'static str, &'static str)],
    /// How a collection goes on after a page, where the vendor's pages are kept apart.
    pub paging: Option<Paging>,
    /// The newest version of the format that is understood. A snapshot without a version is of the
    /// first.
    pub version: u64,
}

/// Where the vendor's answers lie in a snapshot.
#[derive(Clone, Copy, Debug)]
pub enum Bodies {
    /// All under one field, by vendor path.
    Under(&'static str),
    /// Each under a field of its own, which is its path.
    Fields {
        /// Fields that hold an answer each (`users`).
        single: &'static [&'static str],
        /// Fields that hold several answers by name; the path of one is `field/name`.
        several: &'static [&'static str],
    },
}

/// How a collection goes on after a page.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// The field that links to the next page (`@odata.nextLink`).
    pub field: &'static str,
    /// The path under which the linked page lies; `None` for a link that must not be followed.
    pub path: fn(link: &str) -> Option<String>,
}

impl Format {
    /// A path as it is looked up: under its one name, without the field after `#`. The case of letters
    /// before the query has no meaning, since ids stand there.
    pub(super) fn key(&self, path: &str) -> String {
        let path = path.split('#').next().unwrap_or_default();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let alias = self
            .aliases
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(path));
        let path = alias.map_or(path, |(_, path)| path).to_ascii_lowercase();
        match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        }
    }
}

/// Whether a path is written with a place for an id (`/groups/{id}/owners`).
pub(super) fn is_template(path: &str) -> bool {
    path.contains("{id}")
}

/// The path of one object.
pub(super) fn fill(template: &str, id: &str) -> String {
    template.replace("{id}", id)
}
