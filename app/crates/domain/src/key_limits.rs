//! How much an ingest key may bring: numbers that people write, and what they may be.

/// Most requests a minute that a limit can be: more than one server takes. Who wants more wants no
/// limit.
pub const MOST_RATE: u32 = 1_000_000;

/// Largest budget of kinds of errors that were never seen before; who wants more wants no limit.
pub const MOST_BUDGET: u32 = 100_000;

/// How much a key may bring, where its repository says so; `None`: as much as the server's
/// configuration says of all keys; 0: without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Requests a minute.
    pub rate: Option<u32>,
    /// Kinds of errors that were never seen before, at once.
    pub budget: Option<u32>,
}

/// What holds for all keys that have no limits of their own; 0: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultLimits {
    /// Requests a minute.
    pub rate: u32,
    /// Kinds of errors that were never seen before, at once.
    pub budget: u32,
}

impl KeyLimits {
    /// These limits, where a key has none of its own.
    pub fn or(self, defaults: DefaultLimits) -> DefaultLimits {
        DefaultLimits { rate: self.rate.unwrap_or(defaults.rate), budget: self.budget.unwrap_or(defaults.budget) }
    }
}

/// A rate as somebody wrote it: `read_limit` up to [`MOST_RATE`].
///
/// # Errors
/// It can be none, in a sentence.
pub fn read_rate(text: &str) -> Result<Option<u32>, String> {
    read_limit("a number of requests a minute", "KEY_RATE", MOST_RATE, text)
}

/// A budget as somebody wrote it: `read_limit` up to [`MOST_BUDGET`].
///
/// # Errors
/// It can be none, in a sentence.
pub fn read_budget(text: &str) -> Result<Option<u32>, String> {
    read_limit("a number of new kinds of errors", "KEY_BUDGET", MOST_BUDGET, text)
}

/// A whole number, with commas between its thousands or without; nothing, or `default`: as the
/// server's configuration says.
fn read_limit(what: &str, setting: &str, most: u32, text: &str) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("default") {
        return Ok(None);
    }
    let digits: String = text.chars().filter(|letter| *letter != ',').collect();
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
    number.filter(|number| *number <= most).map(Some).ok_or_else(|| {
        format!(
            "{text:?} is not {what}: write a whole number from 1 to {most}, 0 for no limit, or `default` (on the \
             page: nothing) for what the server's configuration says ({setting})"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_people_write_them() {
        assert_eq!(
            (read_rate(" 60,000 "), read_rate("0"), read_rate("1000000")),
            (Ok(Some(60_000)), Ok(Some(0)), Ok(Some(MOST_RATE)))
        );
        assert_eq!((read_rate(""), read_rate("Default"), read_budget(" ")), (Ok(None), Ok(None), Ok(None)));
        for wrong in ["1000001", "-1", "1.5", "many", "99999999999", ",", "+5"] {
            let said = read_rate(wrong).expect_err(wrong);
            assert!(said.contains("from 1 to 1000000, 0 for no limit") && said.contains("KEY_RATE"), "{said}");
        }
        assert!(read_budget("100001").expect_err("too many").contains("KEY_BUDGET"));
    }

    #[test]
    fn a_key_of_its_own_limits_goes_by_them() {
        let all = DefaultLimits { rate: 100, budget: 10 };
        assert_eq!(KeyLimits::default().or(all), all);
        assert_eq!(KeyLimits { rate: Some(0), budget: Some(5) }.or(all), DefaultLimits { rate: 0, budget: 5 });
    }
}
