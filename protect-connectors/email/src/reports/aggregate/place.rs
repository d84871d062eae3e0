//! Where in the union of both schemas the reader is.

/// An element that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Outside,
    Feedback,
    Metadata,
    DateRange,
    Policy,
    Record,
    Row,
    Evaluated,
    Reason,
    Identifiers,
    Results,
    Dkim,
    Spf,
}

/// An element that holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Version,
    OrgName,
    Email,
    ExtraContact,
    ReportId,
    Error,
    Generator,
    Begin,
    End,
    PolicyDomain,
    P,
    Sp,
    Np,
    Adkim,
    Aspf,
    Pct,
    Fo,
    Testing,
    Discovery,
    SourceIp,
    Count,
    Disposition,
    AlignedDkim,
    AlignedSpf,
    ReasonType,
    ReasonComment,
    HeaderFrom,
    EnvelopeFrom,
    EnvelopeTo,
    DkimDomain,
    Selector,
    DkimVerdict,
    DkimWords,
    SpfDomain,
    Scope,
    SpfVerdict,
    SpfWords,
}

/// What an element's start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Section(Section),
    Field(Field),
}

impl Section {
    /// The element's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Outside => "",
            Self::Feedback => "feedback",
            Self::Metadata => "report_metadata",
            Self::DateRange => "date_range",
            Self::Policy => "policy_published",
            Self::Record => "record",
            Self::Row => "row",
            Self::Evaluated => "policy_evaluated",
            Self::Reason => "reason",
            Self::Identifiers => "identifiers",
            Self::Results => "auth_results",
            Self::Dkim => "dkim",
            Self::Spf => "spf",
        }
    }

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
        self.child(name).or_else(|| {
            let great = match name {
                "report_metadata" => Self::Metadata,
                "policy_published" => Self::Policy,
                "record" => Self::Record,
                "row" => Self::Row,
                "identifiers" => Self::Identifiers,
                "auth_results" => Self::Results,
                _ => return None,
            };
            let reachable = great.parent().is_some_and(|parent| self.is_within(parent));
            reachable.then_some(Start::Section(great))
        })
    }

    fn child(self, name: &str) -> Option<Start> {
        use Start::{Field as F, Section as S};
        Some(match (self, name) {
            (Self::Record, "row") => S(Self::Row),
            (Self::Record, "identifiers") => S(Self::Identifiers),
            (Self::Record, "auth_results") => S(Self::Results),
            (Self::Row, "source_ip") => F(Field::SourceIp),
            (Self::Row, "count") => F(Field::Count),
            (Self::Row, "policy_evaluated") => S(Self::Evaluated),
            (Self::Evaluated, "disposition") => F(Field::Disposition),
            (Self::Evaluated, "dkim") => F(Field::AlignedDkim),
            (Self::Evaluated, "spf") => F(Field::AlignedSpf),
            (Self::Evaluated, "reason") => S(Self::Reason),
            (Self::Reason, "type") => F(Field::ReasonType),
            (Self::Reason, "comment") => F(Field::ReasonComment),
            (Self::Identifiers, "header_from") => F(Field::HeaderFrom),
            (Self::Identifiers, "envelope_from") => F(Field::EnvelopeFrom),
            (Self::Identifiers, "envelope_to") => F(Field::EnvelopeTo),
            (Self::Results, "dkim") => S(Self::Dkim),
            (Self::Results, "spf") => S(Self::Spf),
            (Self::Dkim, "domain") => F(Field::DkimDomain),
            (Self::Dkim, "selector") => F(Field::Selector),
            (Self::Dkim, "result") => F(Field::DkimVerdict),
            (Self::Dkim, "human_result") => F(Field::DkimWords),
            (Self::Spf, "domain") => F(Field::SpfDomain),
            (Self::Spf, "scope") => F(Field::Scope),
            (Self::Spf, "result") => F(Field::SpfVerdict),
            (Self::Spf, "human_result") => F(Field::SpfWords),
            (Self::Outside, "feedback") => S(Self::Feedback),
            (Self::Feedback, "record") => S(Self::Record),
            (Self::Feedback, "report_metadata") => S(Self::Metadata),
            (Self::Feedback, "policy_published") => S(Self::Policy),
            (Self::Feedback, "version") => F(Field::Version),
            (Self::Metadata, "org_name") => F(Field::OrgName),
            (Self::Metadata, "email") => F(Field::Email),
            (Self::Metadata, "extra_contact_info") => F(Field::ExtraContact),
            (Self::Metadata, "report_id") => F(Field::ReportId),
            (Self::Metadata, "error") => F(Field::Error),
            (Self::Metadata, "generator") => F(Field::Generator),
            (Self::Metadata, "date_range") => S(Self::DateRange),
            (Self::DateRange, "begin") => F(Field::Begin),
            (Self::DateRange, "end") => F(Field::End),
            (Self::Policy, "domain") => F(Field::PolicyDomain),
            (Self::Policy, "p") => F(Field::P),
            (Self::Policy, "sp") => F(Field::Sp),
            (Self::Policy, "np") => F(Field::Np),
            (Self::Policy, "adkim") => F(Field::Adkim),
            (Self::Policy, "aspf") => F(Field::Aspf),
            (Self::Policy, "pct") => F(Field::Pct),
            (Self::Policy, "fo") => F(Field::Fo),
            (Self::Policy, "testing") => F(Field::Testing),
            (Self::Policy, "discovery_method") => F(Field::Discovery),
            _ => return None,
        })
    }
}

impl Field {
    /// The element's name, under the name of the element that it stands in.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Version => "feedback/version",
            Self::OrgName => "report_metadata/org_name",
            Self::Email => "report_metadata/email",
            Self::ExtraContact => "report_metadata/extra_contact_info",
            Self::ReportId => "report_metadata/report_id",
            Self::Error => "report_metadata/error",
            Self::Generator => "report_metadata/generator",
            Self::Begin => "date_range/begin",
            Self::End => "date_range/end",
            Self::PolicyDomain => "policy_published/domain",
            Self::P => "policy_published/p",
            Self::Sp => "policy_published/sp",
            Self::Np => "policy_published/np",
            Self::Adkim => "policy_published/adkim",
            Self::Aspf => "policy_published/aspf",
            Self::Pct => "policy_published/pct",
            Self::Fo => "policy_published/fo",
            Self::Testing => "policy_published/testing",
            Self::Discovery => "policy_published/discovery_method",
            Self::SourceIp => "row/source_ip",
            Self::Count => "row/count",
            Self::Disposition => "policy_evaluated/disposition",
            Self::AlignedDkim => "policy_evaluated/dkim",
            Self::AlignedSpf => "policy_evaluated/spf",
            Self::ReasonType => "reason/type",
            Self::ReasonComment => "reason/comment",
            Self::HeaderFrom => "identifiers/header_from",
            Self::EnvelopeFrom => "identifiers/envelope_from",
            Self::EnvelopeTo => "identifiers/envelope_to",
            Self::DkimDomain => "dkim/domain",
            Self::Selector => "dkim/selector",
            Self::DkimVerdict => "dkim/result",
            Self::DkimWords => "dkim/human_result",
            Self::SpfDomain => "spf/domain",
            Self::Scope => "spf/scope",
            Self::SpfVerdict => "spf/result",
            Self::SpfWords => "spf/human_result",
        }
    }

    /// Whether this is the element's own name.
    pub(super) fn is_named(self, name: &str) -> bool {
        let parent = self.path().strip_suffix(name);
        parent.is_some_and(|parent| parent.ends_with('/'))
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
