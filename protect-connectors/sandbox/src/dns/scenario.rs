//! The zones of the planted organisation: a domain of each sort that an audit must tell apart.

/// `acme.example` watches and does not enforce yet; `acme-shop.example` lets anybody send;
/// `acme-parked.example` sends nothing and says so; the name server of `acme-lost.example` fails.
pub(crate) const ZONES: &str = r#"
ZONE example
acme.example                     MX    10 mx.acme.example
acme.example                     TXT   "v=spf1 mx include:_spf.mailer.example ~all"
mx.acme.example                  A     198.18.0.10
_dmarc.acme.example              TXT   "v=DMARC1; p=none; rua=mailto:dmarc@acme.example"
mail2026._domainkey.acme.example TXT   "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_smtp._tls.acme.example          TXT   "v=TLSRPTv1; rua=mailto:tls@acme.example"
_spf.mailer.example              TXT   "v=spf1 ip4:198.18.1.0/24 -all"

acme-shop.example                MX    10 mx.acme.example
acme-shop.example                TXT   "v=spf1 include:_spf.gone.example +all"

acme-parked.example              MX    0 .
acme-parked.example              TXT   "v=spf1 -all"
_dmarc.acme-parked.example       TXT   "v=DMARC1; p=reject; rua=mailto:dmarc@acme-parked.example"

acme-lost.example                FAULT servfail
_dmarc.acme-lost.example         FAULT servfail
"#;
