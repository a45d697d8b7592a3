//! Which exceptions of an event are groups, and how many of their members are not kept.

use crate::lenient::{Flag, Text, lenient};
use domain::report::LeftOut;
use serde_json::value::RawValue;

lenient! {
    struct Membership<'a> {
        source: Text<'a> = "source",
        is_group: Flag = "is_exception_group",
    }
}

/// What is left out of an event, with one exception more. Members are listed with a number
/// (`exceptions[30]`), their causes are not.
pub(super) fn with_left_out(so_far: LeftOut, kind: Option<&str>, mechanism: Option<&RawValue>) -> LeftOut {
    let read = mechanism.and_then(|json| serde_json::from_str::<Membership<'_>>(json.get()).ok());
    let Some((source, read)) = read.as_ref().and_then(|read| Some((read.source.get()?, read))) else {
        return LeftOut { is_exact: false, ..so_far };
    };
    let is_group = read.is_group.0.unwrap_or(false) || kind.is_some_and(is_group);
    let is_member = source.ends_with(']') && !is_group;
    LeftOut { members: so_far.members.saturating_add(u32::from(is_member)), is_exact: so_far.is_exact && !is_group }
}

/// Whether exceptions of this type are groups, whatever their mechanism says.
pub(super) fn is_group(kind: &str) -> bool {
    matches!(kind, "ExceptionGroup" | "BaseExceptionGroup" | "AggregateError" | "System.AggregateException")
}
