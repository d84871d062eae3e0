//! What an administrator delegates: one scope, one token, so that one that is missing costs nothing
//! but what it opens
//! ([scopes](https://developers.google.com/identity/protocols/oauth2/scopes)).

/// A scope that this connector can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    Users,
    Domains,
    Logs,
    OrgUnits,
    Groups,
    Policies,
    Roles,
    Alerts,
    Usage,
    ChangeUsers,
    Security,
}

/// Which of Google's interfaces a scope opens; each counts for itself and has a root of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Api {
    Directory,
    Reports,
    CloudIdentity,
    AlertCenter,
}

macro_rules! scope {
    ($name:literal) => {
        concat!("https://www.googleapis.com/auth/", $name)
    };
}

impl Scope {
    /// Every scope.
    pub(crate) const ALL: [Self; 11] = [
        Self::Users,
        Self::Domains,
        Self::Logs,
        Self::OrgUnits,
        Self::Groups,
        Self::Policies,
        Self::Roles,
        Self::Alerts,
        Self::Usage,
        Self::ChangeUsers,
        Self::Security,
    ];

    /// Those that a scan uses. None of them changes anything here, though that of the alerts would let
    /// one delete alerts: there is none that only reads them.
    pub(crate) const SCAN: &'static [Self] = &[
        Self::Users,
        Self::Domains,
        Self::Logs,
        Self::OrgUnits,
        Self::Groups,
        Self::Policies,
        Self::Roles,
        Self::Alerts,
    ];

    /// Those that change accounts.
    pub(crate) const RESPOND: &'static [Self] = &[Self::ChangeUsers, Self::Security];

    /// What reads accounts.
    pub(crate) const READ_USERS: &'static [Self] = &[Self::Users, Self::ChangeUsers];

    /// As Google calls it.
    pub(crate) const fn url(self) -> &'static str {
        match self {
            Self::Users => scope!("admin.directory.user.readonly"),
            Self::Domains => scope!("admin.directory.domain.readonly"),
            Self::Logs => scope!("admin.reports.audit.readonly"),
            Self::OrgUnits => scope!("admin.directory.orgunit.readonly"),
            Self::Groups => scope!("admin.directory.group.readonly"),
            Self::Policies => scope!("cloud-identity.policies.readonly"),
            Self::Roles => scope!("admin.directory.rolemanagement.readonly"),
            Self::Alerts => scope!("apps.alerts"),
            Self::Usage => scope!("admin.reports.usage.readonly"),
            Self::ChangeUsers => scope!("admin.directory.user"),
            Self::Security => scope!("admin.directory.user.security"),
        }
    }

    pub(crate) const fn api(self) -> Api {
        match self {
            Self::Logs | Self::Usage => Api::Reports,
            Self::Policies => Api::CloudIdentity,
            Self::Alerts => Api::AlertCenter,
            _ => Api::Directory,
        }
    }
}

impl Api {
    /// Every interface.
    pub(crate) const ALL: [Self; 4] = [
        Self::Directory,
        Self::Reports,
        Self::CloudIdentity,
        Self::AlertCenter,
    ];

    /// The name of its endpoint in the configuration.
    pub(crate) const fn endpoint(self) -> &'static str {
        match self {
            Self::Directory => "admin",
            Self::Reports => "reports",
            Self::CloudIdentity => "cloud_identity",
            Self::AlertCenter => "alerts",
        }
    }

    /// Google's own root.
    pub(crate) const fn root(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "https://admin.googleapis.com",
            Self::CloudIdentity => "https://cloudidentity.googleapis.com",
            Self::AlertCenter => "https://alertcenter.googleapis.com",
        }
    }

    /// What it is called where it is switched on, in the Google Cloud console.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "Admin SDK API",
            Self::CloudIdentity => "Cloud Identity API",
            Self::AlertCenter => "Google Workspace Alert Center API",
        }
    }
}
