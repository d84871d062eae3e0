//! Where in the union of both schemas the reader is.

/// Every element that is known, written once: those that hold others, each with those in it that
/// hold a value.
macro_rules! elements {
    ($($section:ident $element:literal { $($field:ident $value:literal),* $(,)? })+) => {
        /// An element that holds others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Section {
            Outside,
            $($section,)+
        }

        /// An element that holds a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field {
            $($($field,)*)+
        }

        impl Section {
            /// The element's name.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    Self::Outside => "",
                    $(Self::$section => $element,)+
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($element => Some(Self::$section),)+
                    _ => None,
                }
            }

            /// The value of this name in it.
            fn field(self, name: &str) -> Option<Field> {
                match self {
                    Self::Outside => None,
                    $(Self::$section => match name {
                        $($value => Some(Field::$field),)*
                        _ => None,
                    },)+
                }
            }
        }

        impl Field {
            /// The element's name.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $($(Self::$field => $value,)*)+
                }
            }

            /// The same, under the name of the element that it stands in.
            pub(super) const fn path(self) -> &'static str {
                match self {
                    $($(Self::$field => concat!($element, "/", $value),)*)+
                }
            }
        }
    };
}

elements! {
    Feedback "feedback" { Version "version" }
    Metadata "report_metadata" {
        OrgName "org_name",
        Email "email",
        ExtraContact "extra_contact_info",
        ReportId "report_id",
        Error "error",
        Generator "generator",
    }
    DateRange "date_range" { Begin "begin", End "end" }
    Policy "policy_published" {
        PolicyDomain "domain",
        P "p",
        Sp "sp",
        Np "np",
        Adkim "adkim",
        Aspf "aspf",
        Pct "pct",
        Fo "fo",
        Testing "testing",
        Discovery "discovery_method",
    }
    Record "record" {}
    Row "row" { SourceIp "source_ip", Count "count" }
    Evaluated "policy_evaluated" {
        Disposition "disposition",
        AlignedDkim "dkim",
        AlignedSpf "spf",
    }
    Reason "reason" { ReasonType "type", ReasonComment "comment" }
    Identifiers "identifiers" {
        HeaderFrom "header_from",
        EnvelopeFrom "envelope_from",
        EnvelopeTo "envelope_to",
    }
    Results "auth_results" {}
    Dkim "dkim" {
        DkimDomain "domain",
        Selector "selector",
        DkimVerdict "result",
        DkimWords "human_result",
    }
    Spf "spf" {
        SpfDomain "domain",
        Scope "scope",
        SpfVerdict "result",
        SpfWords "human_result",
    }
}

/// What an element's start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Section(Section),
    Field(Field),
}

impl Section {
    /// The section that it belongs into.
    pub(super) const fn parent(self) -> Option<Self> {
        Some(match self {
            Self::Outside => return None,
            Self::Feedback => Self::Outside,
            Self::Metadata | Self::Policy | Self::Record => Self::Feedback,
            Self::DateRange => Self::Metadata,
            Self::Row | Self::Identifiers | Self::Results => Self::Record,
            Self::Evaluated => Self::Row,
            Self::Reason => Self::Evaluated,
            Self::Dkim | Self::Spf => Self::Results,
        })
    }

    /// Whether it is `other` or lies in it.
    pub(super) fn is_within(self, other: Self) -> bool {
        self == other || self.parent().is_some_and(|parent| parent.is_within(other))
    }

    /// What an element of this name is here. The great parts are known from any place within the
    /// report, since what stood before them may not have been closed.
    pub(super) fn start(self, name: &str) -> Option<Start> {
        if let Some(field) = self.field(name) {
            return Some(Start::Field(field));
        }
        let section = Self::named(name)?;
        let parent = section.parent()?;
        let is_great = matches!(
            section,
            Self::Metadata
                | Self::Policy
                | Self::Record
                | Self::Row
                | Self::Identifiers
                | Self::Results
        );
        let is_here = self == parent || (is_great && self.is_within(parent));
        is_here.then_some(Start::Section(section))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_record_is_known_only_within_a_record() {
        assert_eq!(Section::Feedback.start("row"), None);
        assert_eq!(
            Section::Spf.start("row"),
            Some(Start::Section(Section::Row))
        );
        assert_eq!(Section::Outside.start("record"), None);
    }

    #[test]
    fn the_same_name_means_another_thing_elsewhere() {
        assert_eq!(
            Section::Evaluated.start("dkim"),
            Some(Start::Field(Field::AlignedDkim))
        );
        assert_eq!(
            Section::Results.start("dkim"),
            Some(Start::Section(Section::Dkim))
        );
    }
}
