//! How much of what strangers send is read. Reports come from anybody who finds the address.

/// Bytes of a gzip file, a zip archive or a message.
pub const COMPRESSED: u64 = 25 << 20;

/// Bytes of everything that one file holds, inflated or as it lies.
pub const INFLATED: u64 = 200 << 20;

/// How many times larger the content of a compressed file may be. A report of very many like records
/// stays below a hundred.
pub const RATIO: u64 = 200;

/// Below this many bytes the ratio is not asked about: a small report may be very regular.
pub const RATIO_FROM: u64 = 1 << 20;

/// Entries of a zip archive, folders included.
pub const ZIP_ENTRIES: usize = 16;

/// Containers within containers: a message in a message that holds a zip archive, and so on.
pub const NESTING: u8 = 4;

/// Records of a report.
pub const RECORDS: u64 = 1_000_000;

/// Bytes of one value, such as a comment.
pub const TEXT: usize = 4 << 10;

/// Bytes between two tags, or of a tag or comment. Reading ends there, since the parser holds it.
pub const EVENT: usize = 256 << 10;

/// Elements that are unknown and open at the same place.
pub const DEPTH: u32 = 32;

/// Elements in the whole report that were opened and not closed.
pub const UNCLOSED: i64 = 10_000;

/// Problems that a report lists; the others are counted.
pub const ISSUES: usize = 100;

/// Octets of a domain name (RFC 1035 section 2.3.4, in text form).
pub const NAME: usize = 253;

/// Bytes of an input that can be read only once, such as standard input, and so is held.
pub const HELD: u64 = 64 << 20;
