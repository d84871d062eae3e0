//! A report and its records while they are being read: values become typed here.

use std::net::IpAddr;

use jiff::Timestamp;

use super::model::{DkimResult, Head, OverrideReason, Record, SpfResult};
use super::place::{Field, Section};
use super::words::{
    Aligned, Alignment, Discovery, Disposition, DkimVerdict, OverrideKind, PolicyWord, SpfVerdict,
};
use crate::reports::domain;
use crate::reports::issue::Problem;

/// Seconds since 1970 that a report can be about: 9 September 2001 to the end of 2099.
const MOMENTS: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// The record that is being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    source_ip: Option<IpAddr>,
    count: Option<u64>,
    disposition: Option<Disposition>,
    dkim: Option<Aligned>,
    spf: Option<Aligned>,
    reasons: Vec<OverrideReason>,
    header_from: Option<String>,
    envelope_from: Option<String>,
    envelope_to: Option<String>,
    dkim_results: Vec<DkimResult>,
    spf_results: Vec<SpfResult>,
    /// The first thing that makes the record unusable.
    pub(super) fault: Option<(Field, Problem)>,
}

impl Draft {
    /// The record, or what is missing or wrong in it.
    pub(super) fn finish(self) -> Result<Record, (Field, Problem)> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let missing = |field| (field, Problem::Missing);
        Ok(Record {
            source_ip: self.source_ip.ok_or(missing(Field::SourceIp))?,
            count: self.count.ok_or(missing(Field::Count))?,
            disposition: self.disposition,
            dkim: self.dkim,
            spf: self.spf,
            reasons: self.reasons,
            header_from: self.header_from.ok_or(missing(Field::HeaderFrom))?,
            envelope_from: self.envelope_from,
            envelope_to: self.envelope_to,
            dkim_results: self.dkim_results,
            spf_results: self.spf_results,
        })
    }

    /// A section of the record begins.
    pub(super) fn enter(&mut self, section: Section) {
        match section {
            Section::Reason => self.reasons.push(OverrideReason::default()),
            Section::Dkim => self.dkim_results.push(DkimResult::default()),
            Section::Spf => self.spf_results.push(SpfResult::default()),
            _ => {}
        }
    }

    /// A section of the record ended; an empty reason says nothing.
    pub(super) fn leave(&mut self, section: Section) {
        let empty = |reason: &OverrideReason| reason.kind.is_none() && reason.comment.is_none();
        if section == Section::Reason && self.reasons.last().is_some_and(empty) {
            self.reasons.pop();
        }
    }

    /// A value of the record.
    ///
    /// # Errors
    /// What is wrong with it. Without source, count or author the record is nothing.
    pub(super) fn set(&mut self, field: Field, text: &str) -> Result<(), Problem> {
        match field {
            Field::SourceIp => self.source_ip = Some(address(text)?),
            Field::Count => {
                self.count = Some(text.parse().map_err(|_| Problem::NotANumber)?);
            }
            Field::Disposition => self.disposition = Disposition::from_text(text),
            Field::AlignedDkim => self.dkim = Aligned::from_text(text),
            Field::AlignedSpf => self.spf = Aligned::from_text(text),
            Field::HeaderFrom if !text.is_empty() => self.header_from = Some(name(text)?),
            Field::EnvelopeFrom => self.envelope_from = value(text),
            Field::EnvelopeTo => self.envelope_to = value(text),
            Field::ReasonType | Field::ReasonComment => {
                if let Some(reason) = self.reasons.last_mut() {
                    match field {
                        Field::ReasonType => reason.kind = OverrideKind::from_text(text),
                        _ => reason.comment = value(text),
                    }
                }
            }
            Field::DkimDomain | Field::Selector | Field::DkimVerdict | Field::DkimWords => {
                if let Some(signature) = self.dkim_results.last_mut() {
                    set_dkim(signature, field, text)?;
                }
            }
            Field::SpfDomain | Field::Scope | Field::SpfVerdict | Field::SpfWords => {
                if let Some(result) = self.spf_results.last_mut() {
                    set_spf(result, field, text)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn set_dkim(signature: &mut DkimResult, field: Field, text: &str) -> Result<(), Problem> {
    match field {
        Field::DkimDomain => signature.domain = name(text)?,
        Field::Selector => signature.selector = value(text),
        Field::DkimVerdict => signature.result = DkimVerdict::from_text(text),
        _ => signature.human_result = value(text),
    }
    Ok(())
}

fn set_spf(result: &mut SpfResult, field: Field, text: &str) -> Result<(), Problem> {
    match field {
        Field::SpfDomain => result.domain = name(text)?,
        Field::Scope => result.scope = value(text),
        Field::SpfVerdict => result.result = SpfVerdict::from_text(text),
        _ => result.human_result = value(text),
    }
    Ok(())
}

/// A value of the report's own.
///
/// # Errors
/// What is wrong with it; the report goes on without.
pub(super) fn set_head(head: &mut Head, field: Field, text: &str) -> Result<(), Problem> {
    let (metadata, policy) = (&mut head.metadata, &mut head.policy);
    match field {
        Field::Version => metadata.version = value(text),
        Field::OrgName => text.clone_into(&mut metadata.org_name),
        Field::Email => text.clone_into(&mut metadata.email),
        Field::ExtraContact => metadata.extra_contact_info = value(text),
        Field::ReportId => text.clone_into(&mut metadata.report_id),
        Field::Error => metadata.errors.extend(value(text)),
        Field::Generator => metadata.generator = value(text),
        Field::Begin => metadata.begin = Some(moment(text)?),
        Field::End => metadata.end = Some(moment(text)?),
        Field::PolicyDomain => policy.domain = name(text)?,
        Field::P => policy.p = PolicyWord::from_text(text),
        Field::Sp => policy.sp = PolicyWord::from_text(text),
        Field::Np => policy.np = PolicyWord::from_text(text),
        Field::Adkim => policy.adkim = Alignment::from_text(text),
        Field::Aspf => policy.aspf = Alignment::from_text(text),
        Field::Pct if text.is_empty() => {}
        Field::Pct => {
            let pct = text.parse().map_err(|_| Problem::NotANumber)?;
            policy.pct = Some(
                Some(pct)
                    .filter(|pct| *pct <= 100)
                    .ok_or(Problem::OutOfRange)?,
            );
        }
        Field::Fo => policy.fo = value(text),
        Field::Testing => policy.testing = testing(text)?,
        Field::Discovery => policy.discovery_method = Discovery::from_text(text),
        _ => {}
    }
    Ok(())
}

fn value(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn name(text: &str) -> Result<String, Problem> {
    domain::normal(text).ok_or(Problem::TooLong)
}

/// An IPv4 address in IPv6 clothes is that IPv4 address.
fn address(text: &str) -> Result<IpAddr, Problem> {
    let address: IpAddr = text.parse().map_err(|_| Problem::NotAnAddress)?;
    Ok(address.to_canonical())
}

/// Some reporters write a fraction of a second.
fn moment(text: &str) -> Result<Timestamp, Problem> {
    let whole = text.split('.').next().unwrap_or(text);
    let seconds: i64 = whole.parse().map_err(|_| Problem::NotANumber)?;
    if !MOMENTS.contains(&seconds) {
        return Err(Problem::OutOfRange);
    }
    Timestamp::from_second(seconds).map_err(|_| Problem::OutOfRange)
}

fn testing(text: &str) -> Result<Option<bool>, Problem> {
    match text {
        "" => Ok(None),
        "y" | "Y" => Ok(Some(true)),
        "n" | "N" => Ok(Some(false)),
        _ => Err(Problem::Malformed),
    }
}
