//! What comes in from outside: how many messages a second one thread can tell to be good.

use std::time::Instant;

use jiff::Timestamp;
use protect_connectors::core::secret::SecretString;
use protect_connectors::webhook;

use crate::measure::{RUNS, median, rate};
use crate::table::{Row, Table};

/// A key as anybody may have.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const MESSAGES: usize = 100_000;
const BODY_BYTES: usize = 2_048;

/// Messages of two kibibytes, all good; the bare one is the keyed digest of the same bytes.
pub(crate) fn measure(table: &mut Table) {
    let body = vec![b'x'; BODY_BYTES];
    let now = Timestamp::now();
    let seconds = now.as_second();
    let time = seconds.to_string();
    let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
    let signature = signer.sign("msg_1", seconds, &body).unwrap();
    let secrets = [SecretString::from(SECRET)];
    let header = |name: &str| match name {
        "webhook-id" => Some("msg_1"),
        "webhook-timestamp" => Some(&*time),
        "webhook-signature" => Some(&*signature),
        _ => None,
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..MESSAGES {
            webhook::verify(header, &body, &secrets, now).unwrap();
        }
        ours.push(rate(MESSAGES, began.elapsed()));
        let began = Instant::now();
        for _ in 0..MESSAGES {
            std::hint::black_box(signer.sign("msg_1", seconds, std::hint::black_box(&body)))
                .unwrap();
        }
        bare.push(rate(MESSAGES, began.elapsed()));
    }
    table.row(Row {
        name: "signed messages of 2 KiB verified, one thread; bare: their signature alone"
            .to_owned(),
        unit: "/s".to_owned(),
        figure: median(ours),
        bare: Some(median(bare)),
        target: "≥ 100,000".to_owned(),
    });
}
