//! Rates and ratios of protect beside what a bare loop does in the same run.
//!
//! `cargo xtask bench [NAME...]`; see `README.md` beside this crate.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench talks to whoever started it, stops at the first surprise, and has a peer that uses nothing of ours"
)]

mod calls;
mod dashboard;
mod domains;
mod hibp;
mod inbound;
mod measure;
mod month;
mod observe;
mod parts;
mod people;
mod posture;
mod reports;
mod table;
mod users;

use std::process::ExitCode;

use table::Table;

/// The benches by name, in the order in which they run.
const NAMES: [&str; 11] = [
    "observe",
    "users",
    "posture",
    "hibp",
    "reports",
    "month",
    "people",
    "domains",
    "inbound",
    "dashboard",
    "calls",
];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, part)) = arguments.split_first() {
        match first.as_str() {
            users::PART => {
                users::play(part).await;
                return ExitCode::SUCCESS;
            }
            posture::PART => {
                posture::play(part).await;
                return ExitCode::SUCCESS;
            }
            _ => {}
        }
    }
    if arguments.iter().any(|name| !NAMES.contains(&name.as_str())) {
        println!("usage: protect-bench [{}]...", NAMES.join(" | "));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        println!("A debug build: the figures mean nothing. Use `cargo xtask bench`.");
    }
    println!("{}", measure::machine());
    let mut table = Table::default();
    for name in NAMES {
        if arguments.is_empty() || arguments.iter().any(|wanted| wanted == name) {
            println!("measuring: {name}");
            match name {
                "observe" => observe::measure(&mut table).await,
                "users" => users::measure(&mut table),
                "posture" => posture::measure(&mut table),
                "hibp" => hibp::measure(&mut table).await,
                "reports" => reports::measure(&mut table),
                "month" => month::measure(&mut table).await,
                "people" => people::measure(&mut table).await,
                "domains" => domains::measure(&mut table).await,
                "inbound" => inbound::measure(&mut table).await,
                "dashboard" => dashboard::measure(&mut table).await,
                _ => calls::measure(&mut table),
            }
        }
    }
    print!("\n{table}");
    println!("{}", measure::machine());
    ExitCode::SUCCESS
}
