#![doc = include_str!("docs.md")]

mod api;
mod app;
mod cookie;
mod csrf;
mod form;
mod headers;
mod pages;
#[cfg(feature = "serve")]
mod serve;
mod sign_in;

pub use app::{Options, Web};
#[cfg(feature = "serve")]
pub use serve::{router, serve};
