//! The second half of the road, against a vendor that a test can break in every way.

mod applying;
mod approving;
mod fixture;
mod planning;
