//! Statements of several rows.

/// Rows of one statement: a few sizes, so that few statements are prepared.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// Rows in pieces of a few sizes, one for each statement.
pub(crate) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|&size| size <= rows.len())?;
        let (chunk, rest) = rows.split_at(size);
        rows = rest;
        Some(chunk)
    })
}

/// `$1, $2, …`.
pub(crate) fn placeholders(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// `($1, $2, $3), ($4, …)`.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let names: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", names.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
