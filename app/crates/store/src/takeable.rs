//! Statements with their parameters as both databases take them.

use crate::columns::storable;
use sqlx::any::{Any, AnyArguments, AnyTypeInfoKind, AnyValue};
use sqlx::error::BoxDynError;
use sqlx::{Arguments as _, Decode, Error, Execute, SqlStr, Value as _};
use std::borrow::Cow;

/// Takes a statement apart, with every text among its parameters made [`storable`].
///
/// All statements are run by what calls this ([`crate::Tx`] and
/// [`crate::connections::Connections`]), so no query has to think of it, and what is written, what
/// it is compared with and what it is looked for by stay the same text.
pub(crate) fn takeable<'q>(mut query: impl Execute<'q, Any>) -> Result<(SqlStr, Option<AnyArguments>), Error> {
    let mut arguments = query.take_arguments().map_err(Error::Encode)?;
    if let Some(arguments) = &mut arguments {
        make_storable(arguments).map_err(Error::Encode)?;
    }
    Ok((query.sql(), arguments))
}

fn make_storable(arguments: &mut AnyArguments) -> Result<(), BoxDynError> {
    for value in &mut arguments.values.0 {
        let held = AnyValue { kind: value.clone() };
        if held.type_info().kind() != AnyTypeInfoKind::Text {
            continue;
        }
        if let Cow::Owned(text) = storable(<&str as Decode<'_, Any>>::decode(held.as_ref())?) {
            let mut fresh = AnyArguments::default();
            fresh.add(text)?;
            *value = fresh.values.0.remove(0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_parameters_texts_are_made_storable() {
        let query = sqlx::query("SELECT $1").bind("a\0b").bind(Some("\0".to_owned())).bind(None::<String>);
        let query = query.bind(vec![0_u8]).bind(7_i64).bind("c");
        let (_, arguments) = takeable(query).unwrap();
        let texts: Vec<String> = arguments.unwrap().values.0.iter().map(|value| format!("{value:?}")).collect();
        assert_eq!(
            texts,
            ["Text(\"a\u{fffd}b\")", "Text(\"\u{fffd}\")", "Null(Text)", "Blob([0])", "BigInt(7)", "Text(\"c\")"]
        );
    }
}
