//! Counts in sentences: `1 line`, `2 lines`.

/// A count with its noun. The number may be written with separators already.
pub fn counted(number: impl ToString, one: &str, more: &str) -> String {
    let number = number.to_string();
    let noun = if number == "1" { one } else { more };
    format!("{number} {noun}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        let lines = |number: u64| counted(number, "line", "lines");
        assert_eq!([lines(0), lines(1), lines(2), lines(11)], ["0 lines", "1 line", "2 lines", "11 lines"]);
        assert_eq!(counted("1,001", "line", "lines"), "1,001 lines");
    }
}
