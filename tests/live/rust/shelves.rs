//! What stands on the shelves.

use std::num::ParseIntError;

/// Reads `name: count` lines.
pub(crate) fn read(list: &str) -> Result<Vec<(&str, u32)>, ParseIntError> {
    list.lines().map(entry).collect()
}

fn entry(line: &str) -> Result<(&str, u32), ParseIntError> {
    let (name, count) = line.split_once(": ").unwrap_or((line, "0"));
    let count = count.parse()?;
    Ok((name, count))
}

/// The weight of one of the jars, in grams.
pub(crate) fn weight_of_each(total: u32, jars: &[&str]) -> u32 {
    let count = u32::try_from(jars.len()).unwrap_or(u32::MAX);
    total / count
}
