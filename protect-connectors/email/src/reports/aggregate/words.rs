//! The words that reports use, each list open at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An enumeration whose unknown words survive. Reporters write them in any case.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        $(#[$doc])*
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
            /// The reporter's own word, unknown to this version.
            #[serde(untagged)]
            Other(String),
        }

        impl $name {
            /// A reporter's word, whatever its case; `None` where it says nothing.
            pub fn from_text(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($word) { return Some(Self::$variant); })+
                (!text.is_empty()).then(|| Self::Other(text.to_owned()))
            }

            /// The stable name, or the reporter's own word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a domain asks to be done with mail that fails (RFC 9989, section 4.7, tag `p`).
    #[schemars(rename = "ReportedPolicy")]
    PolicyWord {
        /// Nothing but reports.
        None = "none",
        /// Treat it as suspicious.
        Quarantine = "quarantine",
        /// Refuse it.
        Reject = "reject",
    }
}

words! {
    /// What the receiver did (RFC 9990, section 3.1.1.8 and its schema; `pass` came with it).
    #[schemars(rename = "ReportedDisposition")]
    Disposition {
        /// Delivered although it did not pass, or before RFC 9990 also because it passed.
        None = "none",
        /// Delivered because it passed.
        Pass = "pass",
        /// Treated as suspicious.
        Quarantine = "quarantine",
        /// Refused.
        Reject = "reject",
    }
}

words! {
    /// Whether a mechanism passed and was aligned with the author's domain.
    #[schemars(rename = "ReportedAligned")]
    Aligned {
        /// Passed and aligned.
        Pass = "pass",
        /// Did not pass, or was not aligned.
        Fail = "fail",
    }
}

words! {
    /// Why a receiver did something else than the policy asks for (RFC 9990 schema; the last two are
    /// of RFC 7489).
    #[schemars(rename = "ReportedOverrideKind")]
    OverrideKind {
        /// The receiver's own policy.
        LocalPolicy = "local_policy",
        /// It came through a mailing list.
        MailingList = "mailing_list",
        /// See the comment.
        Unspecified = "other",
        /// The policy is being tested (`t=y`).
        PolicyTestMode = "policy_test_mode",
        /// It came from a forwarder that the receiver trusts.
        TrustedForwarder = "trusted_forwarder",
        /// It was forwarded.
        Forwarded = "forwarded",
        /// It fell outside of `pct`.
        SampledOut = "sampled_out",
    }
}

words! {
    /// How a DKIM signature was judged (RFC 8601, section 2.7.1).
    #[schemars(rename = "ReportedDkimVerdict")]
    DkimVerdict {
        /// Not signed.
        None = "none",
        /// Verified.
        Pass = "pass",
        /// Not verified.
        Fail = "fail",
        /// Verified, and unacceptable to the receiver.
        Policy = "policy",
        /// Not usable.
        Neutral = "neutral",
        /// Try again.
        Temperror = "temperror",
        /// Can never verify.
        Permerror = "permerror",
    }
}

words! {
    /// How SPF judged the sender (RFC 7208, section 2.6; `hardfail`, `unknown` and `error` are seen).
    #[schemars(rename = "ReportedSpfVerdict")]
    SpfVerdict {
        /// No record.
        None = "none",
        /// Says nothing.
        Neutral = "neutral",
        /// Authorised.
        Pass = "pass",
        /// Not authorised.
        Fail = "fail",
        /// Probably not authorised.
        Softfail = "softfail",
        /// Try again.
        Temperror = "temperror",
        /// The record is wrong.
        Permerror = "permerror",
        /// An old word for `fail`.
        Hardfail = "hardfail",
        /// An old word for `permerror`.
        Unknown = "unknown",
        /// An old word for `temperror`.
        Error = "error",
    }
}

words! {
    /// Relaxed or strict alignment.
    #[schemars(rename = "ReportedAlignment")]
    Alignment {
        /// The organisational domains must be the same.
        R = "r",
        /// The domains must be the same.
        S = "s",
    }
}

words! {
    /// How the policy was found (RFC 9990 schema).
    #[schemars(rename = "ReportedDiscovery")]
    Discovery {
        /// By the public suffix list, as RFC 7489 has it.
        Psl = "psl",
        /// By the tree walk of RFC 9989.
        Treewalk = "treewalk",
    }
}
