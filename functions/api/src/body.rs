//! Reading a body member by member: every fault at once, each naming its pointer.

use waxseal_adapters::http::{self, Request};
use waxseal_domain::json::{Fault, Json, escape_pointer};
use waxseal_domain::limits::REQUEST_BYTES_MAX;
use waxseal_domain::problem::Problem;

/// A member of a merge patch. One at fault counts as absent: the faults are the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Given<T> {
    /// It is not there.
    #[default]
    Absent,
    /// It is null: back to the default.
    Null,
    /// It is this.
    Value(T),
}

impl<T> Given<T> {
    /// The value, if there is one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// What becomes of a member that was `before`.
    pub(crate) fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// An object's members, those read and those not, and what was wrong.
pub(crate) struct Body<'a> {
    members: Vec<(std::borrow::Cow<'a, str>, Json<'a>)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Body<'a> {
    /// The request's body, an object; an empty body is one without members.
    pub(crate) fn read(request: &'a Request) -> Result<Self, Problem> {
        let text = http::text(request, REQUEST_BYTES_MAX)?;
        let text = if text.trim().is_empty() { "{}" } else { text };
        let json = Json::parse(text).map_err(|fault| match fault.pointer.as_str() {
            "" => Problem::bad_request(format!("the body {}", fault.detail)),
            _ => Problem::unprocessable(vec![fault]),
        })?;
        let Json::Object(members) = json else {
            return Err(Problem::unprocessable(vec![Fault::new("", "must be an object")]));
        };
        Ok(Self { members, known: Vec::new(), faults: Vec::new() })
    }

    /// A member; none where it is missing. `Json::Null` is a member.
    pub(crate) fn member(&mut self, name: &'static str) -> Option<Json<'a>> {
        self.known.push(name);
        self.members.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, name: &'static str, chars_max: usize) -> Given<String> {
        let fits = |text: &&str| (1..=chars_max).contains(&text.chars().count());
        let read = |value: &Json<'_>| value.as_str().filter(fits).map(str::to_owned);
        self.given(name, read, || format!("must be text of 1 to {chars_max} characters"))
    }

    /// A member that is a whole number in a range.
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Given<u64> {
        let read = |value: &Json<'_>| whole(value).filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        self.given(name, read, || format!("must be a whole number, {least} to {most}"))
    }

    /// A member that is true or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Given<bool> {
        self.given(name, Json::as_bool, || "must be true or false".to_owned())
    }

    fn given<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Json<'a>) -> Option<T>,
        shape: impl FnOnce() -> String,
    ) -> Given<T> {
        let Some(value) = self.member(name) else { return Given::Absent };
        if value == Json::Null {
            return Given::Null;
        }
        read(&value).map_or_else(
            || {
                self.fault(name, &shape());
                Given::Absent
            },
            Given::Value,
        )
    }

    /// A member that must be there: a fault if it is missing; one at fault is not named twice.
    pub(crate) fn require(&mut self, name: &'static str) {
        if !self.members.iter().any(|(found, _)| found == name) {
            self.fault(name, "is required");
        }
    }

    /// A fault of the member at this path.
    pub(crate) fn fault(&mut self, path: &str, detail: &str) {
        self.faults.push(Fault::new(&format!("/{path}"), detail));
    }

    /// Faults that name their own pointers.
    pub(crate) fn faults(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// 422 if anything was wrong, members that nobody asked for included.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        self.end()
    }

    /// The same, for a reader that has only borrowed the body.
    pub(crate) fn end(&mut self) -> Result<(), Problem> {
        for (name, _) in &self.members {
            if !self.known.iter().any(|known| known == name) {
                let pointer = format!("/{}", escape_pointer(name));
                self.faults.push(Fault::new(&pointer, "is not a member that this takes"));
            }
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::unprocessable(std::mem::take(&mut self.faults)))
        }
    }
}

/// A whole number that is not negative: `5`, but not `5.5` nor `"5"`.
pub(crate) fn whole(value: &Json<'_>) -> Option<u64> {
    let Json::Number(text) = value else { return None };
    text.parse().ok()
}
