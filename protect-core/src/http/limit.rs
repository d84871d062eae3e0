use std::fmt;

/// What a vendor counts requests by: an API key, a tenant, a tenant and a service.
///
/// Never a secret itself: where the vendor counts by key, the connection's name stands for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(pub String);

impl fmt::Display for BudgetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The budgets of every vendor, by [`BudgetKey`].
#[derive(Debug, Default)]
pub struct RateLimits {}
