#![doc = include_str!("docs.md")]

mod address;
mod api;
mod app;
mod cookie;
mod csrf;
mod form;
mod headers;
mod pages;
mod people;
#[cfg(feature = "serve")]
mod serve;
mod sign_in;

pub use app::{Options, Web};
pub use people::{PEOPLE_CALLS, PeopleCall};
#[cfg(feature = "serve")]
pub use serve::{router, serve};
