//! What a check may read, and what becomes of the rest.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::catalogue::{Check, VendorError, range};
use super::evaluate::Evaluation;
use super::folder::{LineError, lines};
use super::format::fill;
use super::items::{OnItem, PageEnd, Stopped, error_in, is_page, page};
use super::profile::CheckSettings;
use super::snapshot::Body;
use crate::model::NotEvaluatedReason;

/// What a reading gives, or why the check cannot be evaluated.
pub type Read<T> = std::result::Result<T, Unread>;

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The reason, as the result gives it.
    pub reason: NotEvaluatedReason,
    /// What could not be read.
    pub path: String,
    /// Why, in a few words.
    pub why: String,
    /// The code that the vendor answered, where it answered an error.
    pub code: Option<String>,
    /// Whether the check read what it did not declare: a defect of the check.
    pub undeclared: bool,
}

impl Unread {
    /// A path could not be read for a reason.
    pub fn new(
        reason: NotEvaluatedReason,
        path: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            path: path.into(),
            why: why.into(),
            code: None,
            undeclared: false,
        }
    }

    /// The vendor's answer is not what its documentation promises.
    pub fn malformed(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(NotEvaluatedReason::VendorError, path, why)
    }

    /// Nobody asked the vendor for it.
    pub fn absent(path: impl Into<String>) -> Self {
        let why = "the snapshot does not hold it";
        Self::new(NotEvaluatedReason::NoObservation, path, why)
    }

    fn undeclared(path: &str) -> Self {
        let why = "the check reads a path that it does not declare";
        Self {
            undeclared: true,
            ..Self::new(NotEvaluatedReason::NoObservation, path, why)
        }
    }
}

/// What several checks want to know of one or more collections, made once per evaluation.
pub trait View: Sized + 'static {
    /// Every path it is made from. A check that uses it declares them.
    const PATHS: &'static [&'static str];

    /// Makes it.
    ///
    /// # Errors
    /// What could not be read; every check that uses it is then not evaluated.
    fn build(read: &Reader<'_>) -> Read<Self>;
}

/// The snapshot as one check sees it: only what it declared, each path recorded.
#[derive(Debug)]
pub struct Reader<'a> {
    evaluation: &'a Evaluation<'a>,
    check: Option<&'static Check>,
    declared: BTreeSet<&'static str>,
    settings: CheckSettings,
    touched: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn of_check(evaluation: &'a Evaluation<'a>, check: &'static Check) -> Self {
        Self {
            check: Some(check),
            settings: evaluation.settings(check),
            ..Self::of_paths(evaluation, check.paths())
        }
    }

    pub(super) fn of_paths(
        evaluation: &'a Evaluation<'a>,
        paths: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self {
            evaluation,
            check: None,
            declared: paths.collect(),
            settings: CheckSettings::default(),
            touched: RefCell::default(),
        }
    }

    /// When the snapshot was collected: the only now there is.
    pub fn now(&self) -> Timestamp {
        self.evaluation.snapshot.collected_at
    }

    /// The vendor's id of the tenant.
    pub fn tenant(&self) -> &str {
        &self.evaluation.snapshot.tenant
    }

    /// The profile's name.
    pub fn profile(&self) -> &str {
        &self.evaluation.profile.name
    }

    /// What the tenant tuned of this check.
    pub fn settings(&self) -> &CheckSettings {
        &self.settings
    }

    /// The check's level: the tenant's, or the profile's.
    ///
    /// # Errors
    /// `not_configured` where the tenant's has the wrong form.
    pub fn level(&self) -> Read<&str> {
        let Some(check) = self.check else {
            return Ok("");
        };
        match &self.settings.level {
            None => Ok(check.default_level(self.profile()).unwrap_or_default()),
            Some(level) if check.verify_level(level).is_ok() => Ok(level),
            Some(_) => Err(not_a_level()),
        }
    }

    /// The level as a number.
    ///
    /// # Errors
    /// As for [`Reader::level`].
    pub fn number(&self) -> Read<u32> {
        self.level()?.parse().map_err(|_| not_a_level())
    }

    /// The level as two numbers.
    ///
    /// # Errors
    /// As for [`Reader::level`].
    pub fn range(&self) -> Read<(u32, u32)> {
        range(self.level()?).ok_or_else(not_a_level)
    }

    /// Whether a path was asked and granted, and the vendor answered no error. An error on a later
    /// page shows when it is read.
    ///
    /// # Errors
    /// The path is not declared.
    pub fn has(&self, path: &'static str) -> Read<bool> {
        self.touch(path)?;
        Ok(self.evaluation.available(path).is_ok())
    }

    /// Whether nobody asked for a path, so that neither an answer nor an error is there.
    ///
    /// # Errors
    /// The path is not declared.
    pub fn was_not_asked(&self, path: &'static str) -> Read<bool> {
        self.touch(path)?;
        Ok(!self.evaluation.holds(path))
    }

    /// The single object at a path.
    ///
    /// # Errors
    /// The path is not declared, not there, holds an error or something else.
    pub fn one<T: DeserializeOwned>(&self, path: &'static str) -> Read<T> {
        self.touch(path)?;
        self.evaluation.available(path)?;
        self.evaluation.one(path)
    }

    /// Every item of the collection at a path, page by page.
    ///
    /// # Errors
    /// As for [`Reader::one`]; a page or item that cannot be read leaves the whole unread.
    pub fn each<T: DeserializeOwned>(
        &self,
        path: &'static str,
        on_item: impl FnMut(T),
    ) -> Read<()> {
        self.touch(path)?;
        self.evaluation.available(path)?;
        self.evaluation.each(path, path, on_item)
    }

    /// The text of every item of the collection at a path, page by page, for whoever wants little of
    /// most items. Where `on_item` gives `None`, the item is not what it should be.
    ///
    /// # Errors
    /// As for [`Reader::each`].
    pub fn each_text(
        &self,
        path: &'static str,
        on_item: impl FnMut(&str) -> Option<()>,
    ) -> Read<()> {
        self.touch(path)?;
        self.evaluation.available(path)?;
        self.evaluation.each_text(path, path, on_item)
    }

    /// Every item of the collection that belongs to one object, at a path with `{id}` in it.
    ///
    /// # Errors
    /// As for [`Reader::each`].
    pub fn each_of<T: DeserializeOwned>(
        &self,
        path: &'static str,
        id: &str,
        on_item: impl FnMut(T),
    ) -> Read<()> {
        self.touch(path)?;
        self.evaluation.granted(path)?;
        self.evaluation.each(path, &fill(path, id), on_item)
    }

    /// A view, made by whoever asks for it first.
    ///
    /// # Errors
    /// A path of it is not declared, or it could not be made.
    pub fn view<V: View>(&self) -> Read<Rc<V>> {
        for path in V::PATHS {
            self.touch(path)?;
        }
        self.evaluation.view::<V>()
    }

    pub(super) fn touched(self) -> BTreeSet<&'static str> {
        self.touched.into_inner()
    }

    fn touch(&self, path: &'static str) -> Read<()> {
        if !self.declared.contains(path) {
            return Err(Unread::undeclared(path));
        }
        self.touched.borrow_mut().insert(path);
        Ok(())
    }
}

fn not_a_level() -> Unread {
    let why = "the level that is configured has the wrong form";
    Unread::new(NotEvaluatedReason::NotConfigured, "config", why)
}

/// The views that were made, or why not.
#[derive(Debug, Default)]
pub(super) struct Views(RefCell<Vec<(TypeId, Made)>>);

type Made = Read<Rc<dyn Any>>;

impl Evaluation<'_> {
    fn view<V: View>(&self) -> Read<Rc<V>> {
        let id = TypeId::of::<V>();
        let made = |views: &[(TypeId, Made)]| {
            let found = views.iter().find(|(of, _)| *of == id);
            found.map(|(_, view)| view.clone())
        };
        let known = made(&self.views.0.borrow());
        let view = if let Some(view) = known {
            view
        } else {
            let reader = Reader::of_paths(self, V::PATHS.iter().copied());
            let view = V::build(&reader).map(|view| Rc::new(view) as Rc<dyn Any>);
            self.views.0.borrow_mut().push((id, view.clone()));
            view
        };
        view?.downcast().map_err(|_| Unread::undeclared("view"))
    }

    fn one<T: DeserializeOwned>(&self, path: &'static str) -> Read<T> {
        let parse = |text: &str| {
            serde_json::from_str(text)
                .map_err(|_| Unread::malformed(path, "the object has an unexpected form"))
        };
        match self.snapshot.bodies.get(&self.key(path)) {
            None => Err(Unread::absent(path)),
            Some(Body::Json(raw)) => parse(raw.get()),
            Some(Body::Lines(file)) => {
                let mut only = Vec::new();
                each_line(path, file, |line| {
                    only.push(parse(line)?);
                    Ok(())
                })?;
                let one = only.pop().filter(|_| only.is_empty());
                one.ok_or_else(|| Unread::malformed(path, "there is not just one object"))
            }
        }
    }

    fn each<T: DeserializeOwned>(
        &self,
        path: &'static str,
        first: &str,
        mut on_item: impl FnMut(T),
    ) -> Read<()> {
        self.each_text(path, first, |text| {
            serde_json::from_str(text).ok().map(&mut on_item)
        })
    }

    fn each_text(
        &self,
        path: &'static str,
        first: &str,
        mut on_item: impl FnMut(&str) -> Option<()>,
    ) -> Read<()> {
        let mut number = 0_u64;
        let mut take = |raw: &str| {
            number += 1;
            on_item(raw).ok_or_else(|| {
                Unread::malformed(path, format!("item {number} has an unexpected form"))
            })
        };
        let first = self.key(first);
        let mut next = self.body(path, &first, &mut take)?;
        let mut seen = BTreeSet::from([first]);
        while let Some(link) = next {
            let at = self.linked(path, &link)?;
            if !seen.insert(at.clone()) {
                return Err(Unread::malformed(
                    path,
                    "a page links back to an earlier one",
                ));
            }
            next = self.body(path, &at, &mut take)?;
        }
        Ok(())
    }

    /// Where a linked page lies.
    fn linked(&self, path: &str, link: &str) -> Read<String> {
        let to = self.snapshot.format.paging.and_then(|it| (it.path)(link));
        to.map(|to| self.key(&to))
            .ok_or_else(|| Unread::malformed(path, "the link to the next page leads elsewhere"))
    }

    /// Goes through what lies at one place; gives the link that it ends with.
    fn body(
        &self,
        path: &'static str,
        at: &str,
        take: &mut dyn FnMut(&str) -> Read<()>,
    ) -> Read<Option<String>> {
        let mut on_item = |raw: &RawValue| take(raw.get());
        match self.snapshot.bodies.get(at) {
            None => Err(Unread::absent(path)),
            Some(Body::Json(raw)) => self.page(path, raw.get(), &mut on_item),
            Some(Body::Lines(file)) => {
                let mut next = None;
                each_line(path, file, |line| {
                    if is_page(line, self.snapshot.format) {
                        next = self.page(path, line, &mut |raw| take(raw.get()))?;
                        Ok(())
                    } else {
                        take(line)
                    }
                })?;
                Ok(next)
            }
        }
    }

    fn page(
        &self,
        path: &'static str,
        text: &str,
        on_item: &mut OnItem<'_>,
    ) -> Read<Option<String>> {
        match page(text, self.snapshot.format, on_item) {
            Ok(PageEnd {
                error: Some(error), ..
            }) => Err(self.refused(path, &error)),
            Ok(end) if end.is_collection => Ok(end.next),
            Ok(_) => Err(Unread::malformed(path, "the answer is not a collection")),
            Err(Stopped::Item(unread)) => Err(unread),
            Err(Stopped::NotJson) => Err(Unread::malformed(path, "the answer is not JSON")),
        }
    }

    /// The error that the vendor answered at a path, where it did.
    pub(super) fn error_at(&self, at: &str) -> Option<VendorError> {
        let format = self.snapshot.format;
        match self.snapshot.bodies.get(at)? {
            Body::Json(raw) => error_in(raw.get(), format),
            Body::Lines(file) => {
                let mut error = None;
                // The first line tells; what is wrong with the file shows when it is read.
                drop(lines(file, |line| {
                    error = error_in(line, format);
                    Err(())
                }));
                error
            }
        }
    }

    /// What a vendor's error means for a check.
    pub(super) fn refused(&self, path: &'static str, error: &VendorError) -> Unread {
        let reason = (self.catalogue.vendor_error)(error);
        let code: String = error.code.chars().take(80).collect();
        let why = if code.is_empty() {
            "the vendor answered an error".to_owned()
        } else {
            format!("the vendor answered `{code}`")
        };
        Unread {
            code: Some(code),
            ..Unread::new(reason, path, why)
        }
    }
}

fn each_line(
    path: &str,
    file: &std::path::Path,
    on_line: impl FnMut(&str) -> Read<()>,
) -> Read<()> {
    lines(file, on_line).map_err(|error| match error {
        LineError::Unreadable => Unread::malformed(path, "its file cannot be read"),
        LineError::Stopped(unread) => unread,
    })
}
