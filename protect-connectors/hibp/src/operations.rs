//! The client's methods as data, from which the bindings and the reference pages are made.

use protect_core::operation::{Effect, Model, Operation, Parameter, ParameterKind, ResultType};

use crate::models::{
    Addresses, Breach, BreachRef, DataClasses, DnsToken, DomainExposure, Paste, SubscribedDomain,
    SubscriptionStatus, Websites,
};

/// Every operation of [`Hibp`](crate::Hibp).
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "breaches",
        parameters: &[
            Parameter::optional("domain", ParameterKind::Text, "Only breaches of this site."),
            Parameter::optional(
                "is_spam_list",
                ParameterKind::Boolean,
                "Only spam lists, or none of them.",
            ),
        ],
        result: ResultType::List(Model::of::<Breach>("Breach")),
        effect: Effect::Read,
        permission: "",
        docs: "The whole catalogue of breaches. Needs no key.",
    },
    Operation {
        name: "breach",
        parameters: &[text("name", "The breach's stable name.")],
        result: ResultType::Optional(Model::of::<Breach>("Breach")),
        effect: Effect::Read,
        permission: "",
        docs: "One breach by its stable name, or nothing. Needs no key.",
    },
    Operation {
        name: "latest_breach",
        parameters: &[],
        result: ResultType::Optional(Model::of::<Breach>("Breach")),
        effect: Effect::Read,
        permission: "",
        docs: "The breach that was loaded last. Needs no key.",
    },
    Operation {
        name: "data_classes",
        parameters: &[],
        result: ResultType::One(Model::of::<DataClasses>("DataClasses")),
        effect: Effect::Read,
        permission: "",
        docs: "Every class of exposed data there is. Needs no key.",
    },
    Operation {
        name: "breached_account",
        parameters: &[text("account", "The e-mail address; it leaves.")],
        result: ResultType::List(Model::of::<BreachRef>("BreachRef")),
        effect: Effect::Read,
        permission: "hibp-api-key",
        docs: "The breaches of an address, by name. An empty list is an answer; not being able to ask is an error.",
    },
    Operation {
        name: "breached_account_range",
        parameters: &[text(
            "account",
            "The e-mail address; six digits of its hash leave.",
        )],
        result: ResultType::List(Model::of::<BreachRef>("BreachRef")),
        effect: Effect::Read,
        permission: "IncludesKAnon",
        docs: "The breaches of an address, without telling which address was meant.",
    },
    Operation {
        name: "breached_domain",
        parameters: &[text("domain", "A domain that is verified for the key.")],
        result: ResultType::One(Model::of::<DomainExposure>("DomainExposure")),
        effect: Effect::Read,
        permission: "domain verified for the key",
        docs: "Every breached alias of a domain, sensitive breaches included.",
    },
    Operation {
        name: "subscribed_domains",
        parameters: &[],
        result: ResultType::List(Model::of::<SubscribedDomain>("SubscribedDomain")),
        effect: Effect::Read,
        permission: "hibp-api-key",
        docs: "The domains that are verified for the key.",
    },
    Operation {
        name: "generate_dns_token",
        parameters: &[text("domain", "The domain to be verified.")],
        result: ResultType::One(Model::of::<DnsToken>("DnsToken")),
        effect: Effect::Change,
        permission: "IncludesBulkDomainAdd",
        docs: "Begins verifying a domain: the TXT record to publish.",
    },
    Operation {
        name: "verify_dns_token",
        parameters: &[text("domain", "The domain whose TXT record was published.")],
        result: ResultType::Boolean,
        effect: Effect::Change,
        permission: "IncludesBulkDomainAdd",
        docs: "Ends verifying a domain: whether the vendor saw the TXT record. May be repeated.",
    },
    Operation {
        name: "send_verification_email",
        parameters: &[
            text("domain", "The domain to be verified."),
            text(
                "alias",
                "One of `admin`, `hostmaster`, `info`, `security`, `webmaster`.",
            ),
        ],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "IncludesBulkDomainAdd",
        docs: "Verifies a domain by a message to one of its mailboxes.",
    },
    Operation {
        name: "paste_account",
        parameters: &[text("account", "The e-mail address; it leaves.")],
        result: ResultType::List(Model::of::<Paste>("Paste")),
        effect: Effect::Read,
        permission: "hibp-api-key",
        docs: "The pastes that hold an address.",
    },
    Operation {
        name: "stealer_logs_by_email",
        parameters: &[text(
            "email",
            "An address whose domain is verified for the key.",
        )],
        result: ResultType::One(Model::of::<Websites>("Websites")),
        effect: Effect::Read,
        permission: "IncludesStealerLogs",
        docs: "The websites at which information stealers saw an address being typed.",
    },
    Operation {
        name: "stealer_logs_by_website_domain",
        parameters: &[text("domain", "One's own website's domain, verified.")],
        result: ResultType::One(Model::of::<Addresses>("Addresses")),
        effect: Effect::Read,
        permission: "IncludesStealerLogs",
        docs: "The addresses that information stealers saw being typed at a website: other people's addresses.",
    },
    Operation {
        name: "stealer_logs_by_email_domain",
        parameters: &[text("domain", "A domain that is verified for the key.")],
        result: ResultType::One(Model::of::<DomainExposure>("DomainExposure")),
        effect: Effect::Read,
        permission: "IncludesStealerLogs",
        docs: "For every alias of a domain, the websites at which information stealers saw it.",
    },
    Operation {
        name: "subscription_status",
        parameters: &[],
        result: ResultType::One(Model::of::<SubscriptionStatus>("SubscriptionStatus")),
        effect: Effect::Read,
        permission: "hibp-api-key",
        docs: "What the key's plan gives.",
    },
    Operation {
        name: "check_password",
        parameters: &[PASSWORD],
        result: ResultType::Integer,
        effect: Effect::Read,
        permission: "",
        docs: "How often a password was seen in breaches; 0 means never. Five digits of its hash leave. Needs no key.",
    },
    Operation {
        name: "check_password_ntlm",
        parameters: &[PASSWORD],
        result: ResultType::Integer,
        effect: Effect::Read,
        permission: "",
        docs: "The same by the NTLM hash, as Windows domains store it. Needs no key.",
    },
];

const PASSWORD: Parameter = Parameter {
    name: "password",
    kind: ParameterKind::Secret,
    optional: false,
    docs: "The password; it stays here.",
};

const fn text(name: &'static str, docs: &'static str) -> Parameter {
    Parameter {
        name,
        kind: ParameterKind::Text,
        optional: false,
        docs,
    }
}
