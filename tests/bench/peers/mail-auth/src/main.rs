//! Reads the files of a folder with mail-auth and prints each report as a line of JSON.

use std::error::Error;
use std::io::{BufWriter, Read, Write};

use flate2::read::GzDecoder;
use mail_auth::report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: mail-auth-peer FOLDER")?;
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort_unstable();
    let mut out = BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    for path in paths {
        let mut bytes = std::fs::read(&path)?;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut inflated = Vec::new();
            GzDecoder::new(bytes.as_slice()).read_to_end(&mut inflated)?;
            bytes = inflated;
        }
        serde_json::to_writer(&mut out, &Report::parse_xml(&bytes)?)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
