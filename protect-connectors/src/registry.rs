use protect_core::registry::Registry;

/// A registry with every kind of connector that this build has.
pub fn registry() -> Registry {
    Registry::new()
}
