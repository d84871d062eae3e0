use protect_core::registry::Registry;

/// A registry with every kind of connector that this build has.
pub fn registry() -> Registry {
    #[cfg_attr(
        not(any(
            feature = "email",
            feature = "google",
            feature = "hibp",
            feature = "m365",
            feature = "one-stack",
            feature = "notify",
            feature = "onepassword",
            feature = "scim",
            feature = "stripe",
            feature = "webhook"
        )),
        expect(unused_mut, reason = "without features there is nothing to add")
    )]
    let mut registry = Registry::new();
    #[cfg(feature = "email")]
    protect_email::register(&mut registry);
    #[cfg(feature = "google")]
    protect_google::register(&mut registry);
    #[cfg(feature = "hibp")]
    protect_hibp::register(&mut registry);
    #[cfg(feature = "m365")]
    protect_m365::register(&mut registry);
    #[cfg(feature = "one-stack")]
    protect_one_stack::register(&mut registry);
    #[cfg(feature = "notify")]
    protect_notify::register(&mut registry);
    #[cfg(feature = "onepassword")]
    protect_onepassword::register(&mut registry);
    #[cfg(feature = "scim")]
    protect_scim::register(&mut registry);
    #[cfg(feature = "stripe")]
    protect_stripe::register(&mut registry);
    #[cfg(feature = "webhook")]
    protect_webhook::register(&mut registry);
    registry
}
