//! What comes in, answered over a real engine: by the function itself, by a server on loopback, and in a browser.

mod changes;
mod inbound;
mod pages;
mod serving;
mod sessions;
mod world;
