//! The checks over tenants written from the shapes of Graph v1.0.
#![recursion_limit = "256"]

mod access;
mod promises;
mod rest;
mod scale;
mod tenant;
