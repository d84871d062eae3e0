//! The directory roles that the checks watch, by template
//! ([built-in roles](https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference)).

pub(crate) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const PRIVILEGED_ROLE: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
const PRIVILEGED_AUTHENTICATION: &str = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
const SECURITY: &str = "194ae4cb-b126-40b2-bd5b-6091b380977d";
const USER: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const EXCHANGE: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";
const SHAREPOINT: &str = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c";
const CONDITIONAL_ACCESS: &str = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9";
const APPLICATION: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
const CLOUD_APPLICATION: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const HYBRID_IDENTITY: &str = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2";
const AUTHENTICATION: &str = "c4e39bd9-1100-46d3-8c65-fb160da0071f";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const PASSWORD: &str = "966707d0-3269-4727-9be2-8c3a10f19b9d";
const BILLING: &str = "b0f54661-2d74-4c50-afa3-1ec803f12efe";
const GLOBAL_READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";

/// The highly privileged roles of CISA's baseline (`ScubaGear`'s eight).
pub(crate) const PRIVILEGED: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE,
    USER,
    SHAREPOINT,
    EXCHANGE,
    HYBRID_IDENTITY,
    APPLICATION,
    CLOUD_APPLICATION,
];

/// The privileged roles but Global Administrator.
pub(crate) const FINER_GRAINED: &[&str] = &[
    PRIVILEGED_ROLE,
    USER,
    SHAREPOINT,
    EXCHANGE,
    HYBRID_IDENTITY,
    APPLICATION,
    CLOUD_APPLICATION,
];

/// The roles that the CIS benchmark calls administrative (Prowler's fifteen).
pub(crate) const ADMINISTRATIVE: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE,
    PRIVILEGED_AUTHENTICATION,
    SECURITY,
    USER,
    EXCHANGE,
    SHAREPOINT,
    CONDITIONAL_ACCESS,
    APPLICATION,
    CLOUD_APPLICATION,
    AUTHENTICATION,
    HELPDESK,
    PASSWORD,
    BILLING,
    GLOBAL_READER,
];

/// The roles whose holder can make itself hold any other.
pub(crate) const TIER_ZERO: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE,
    PRIVILEGED_AUTHENTICATION,
    HYBRID_IDENTITY,
    APPLICATION,
    CLOUD_APPLICATION,
];

/// Every role of the lists above.
pub(crate) const WATCHED: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE,
    PRIVILEGED_AUTHENTICATION,
    SECURITY,
    USER,
    EXCHANGE,
    SHAREPOINT,
    CONDITIONAL_ACCESS,
    APPLICATION,
    CLOUD_APPLICATION,
    HYBRID_IDENTITY,
    AUTHENTICATION,
    HELPDESK,
    PASSWORD,
    BILLING,
    GLOBAL_READER,
];
